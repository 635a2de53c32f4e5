// An Admit server that does as the test says, without a network.

export const issuer = "https://auth.example.com";
const encode = (/** @type {any} */ value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** What each algorithm signs with (RFC 7518, RFC 8037). */
const algorithms = {
  ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
  RS256: [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSASSA-PKCS1-v1_5" }],
};

/** A key, and the tokens that it signs. */
export async function newKey(kid, alg = "ES256") {
  const [how, signs] = algorithms[alg];
  const pair = await crypto.subtle.generateKey(how, true, ["sign", "verify"]);
  const jwk = { ...(await crypto.subtle.exportKey("jwk", pair.publicKey)), kid, alg, use: "sig", key_ops: undefined };
  const sign = async (header, claims) => {
    const text = `${encode({ alg, kid, ...header })}.${encode(claims)}`;
    return `${text}.${Buffer.from(await crypto.subtle.sign(signs, pair.privateKey, Buffer.from(text))).toString("base64url")}`;
  };
  return { jwk, sign };
}

/** The claims of a good token, changed. */
export function claims(change = {}, now = Date.now()) {
  const at = Math.floor(now / 1000);
  return {
    iss: issuer, aud: issuer, sub: "usr_1", sid: "ses_1", typ: "access", rev: "az1.e.5", exp: at + 900, iat: at, nbf: at, auth_time: at,
    roles: ["user"], org: null, org_roles: [], amr: ["pwd"], ...change,
  };
}

export class Server {
  /** @param {Awaited<ReturnType<typeof newKey>>} key */
  constructor(key) {
    this.key = key;
    this.keys = [key.jwk];
    this.asked = { keys: 0, since: [], checks: [] };
    this.allowed = () => true;
    this.away = false;
    this.waiting = []; // what listens
    this.messages = []; // what is to be told
    this.fetch = this.fetch.bind(this);
  }

  async fetch(input, init) {
    const url = new URL(input);
    if (this.away) throw new TypeError("nobody is there");
    switch (url.pathname) {
      case "/.well-known/jwks.json":
        this.asked.keys++;
        return Response.json({ keys: this.keys });
      case "/api/v1/check": {
        const question = JSON.parse(init.body);
        this.asked.checks.push(question);
        const answer = this.allowed(question, init.headers.Authorization);
        return answer instanceof Response ? answer : Response.json({ allowed: answer });
      }
      case "/api/v1/revocations":
        this.asked.since.push(url.searchParams.get("since"));
        return new Promise((resolve, reject) => {
          const one = { answer: (text, status = 200) => resolve(new Response(text, { status })), fail: () => reject(new TypeError("gone")) };
          init.signal.addEventListener("abort", one.fail);
          if (this.messages.length > 0) one.answer(...this.messages.shift());
          else this.waiting.push(one);
        });
    }
    throw new Error(`nobody asks for ${url}`);
  }

  /** A message of the feed. */
  message(cursor, change = {}, type = "revocations+jwt", key = this.key) {
    return key.sign({ typ: type }, { iss: issuer, iat: Math.floor(Date.now() / 1000), cursor, whole: false, keep: 1000, epoch: "e", ended: [], changed: {}, ...change });
  }

  /** Tells who listens, or will, and gives them the time to take it in: until they listen again. */
  async tell(text, status) {
    const before = this.asked.since.length + (this.waiting.length > 0 ? 0 : 1);
    const one = this.waiting.shift();
    if (one) one.answer(text, status);
    else this.messages.push([text, status]);
    await until(() => this.asked.since.length > before);
  }

  /** Says that there is nothing to tell. */
  async beat(cursor = "c1", change) {
    await this.tell(await this.message(cursor, change));
  }
}

/** Waits for something, for as long as a test may take. */
export async function until(so) {
  while (!so()) await new Promise((resolve) => setTimeout(resolve, 2));
}
