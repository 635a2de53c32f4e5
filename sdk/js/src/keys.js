const rest = 5000; // milliseconds between two questions for a key that is not known

/**
 * @typedef {object} Key
 * @property {string} algorithm
 * @property {CryptoKey} key
 */

/** The public keys of a server (RFC 7517). They change: one that is not known may be new. */
export class Keys {
  #read;
  #log;
  /** @type {Map<string, Key>} */
  #known = new Map();
  #asked = -Infinity;
  /** @type {Promise<void> | undefined} */
  #asking;

  /**
   * @param {() => Promise<any>} read the key set
   * @param {(message: string, cause: unknown) => void} log
   */
  constructor(read, log) {
    this.#read = read;
    this.#log = log;
  }

  /** @param {unknown} kid @returns {Promise<Key | undefined>} */
  async get(kid) {
    if (typeof kid !== "string") return undefined;
    const known = this.#known.get(kid);
    if (known) return known;
    if (performance.now() - this.#asked >= rest) {
      this.#asked = performance.now();
      this.#asking = this.#fetch().finally(() => (this.#asking = undefined));
    }
    await this.#asking; // whoever comes while another asks waits for the answer
    return this.#known.get(kid);
  }

  async #fetch() {
    try {
      const { keys } = await this.#read();
      const list = await Promise.all(keys.map(imported));
      this.#known = new Map(list.filter((one) => one !== undefined));
    } catch (error) {
      this.#log("the keys of the Admit server cannot be read", error);
    }
  }
}

/** @type {Record<string, (jwk: any) => [JsonWebKey, any]>} of each algorithm what of a key counts, and what it is for */
const kinds = {
  ES256: ({ kty, crv, x, y }) => [{ kty, crv, x, y }, { name: "ECDSA", namedCurve: "P-256" }],
  EdDSA: ({ kty, crv, x }) => [{ kty, crv, x }, { name: "Ed25519" }],
  RS256: ({ kty, n, e }) => [{ kty, n, e }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
};

/** @param {any} jwk @returns {Promise<[string, Key] | undefined>} undefined for one that is of no use here */
async function imported(jwk) {
  const kind = Object.hasOwn(kinds, jwk?.alg) ? kinds[jwk.alg] : undefined;
  if (!kind || typeof jwk.kid !== "string" || (jwk.use ?? "sig") !== "sig") return undefined;
  const [counts, algorithm] = kind(jwk);
  try {
    return [jwk.kid, { algorithm: jwk.alg, key: await crypto.subtle.importKey("jwk", counts, algorithm, false, ["verify"]) }];
  } catch {
    return undefined;
  }
}

/** @param {string} secret ACCESS_SECRET @returns {Promise<Key>} */
export async function shared(secret) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return { algorithm: "HS256", key };
}
