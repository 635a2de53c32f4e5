// For services: who sends a request and what they may do. Access tokens are verified here (RFC 9068), without asking the server; its feed of revocations tells
// within a second which of them count no more.

import { AdmitError } from "./error.js";
import { open } from "./jws.js";
import { Keys, shared } from "./keys.js";
import { isMessage, Revoked, rightsMark, sessionMark } from "./revoked.js";

export { AdmitError };

/**
 * Who sent a request, as their access token says.
 *
 * @typedef {object} User
 * @property {string} id
 * @property {string[]} roles global ones
 * @property {string | null} orgId the organization they work in
 * @property {string[]} orgRoles the keys of their roles there
 * @property {string} sessionId
 * @property {string[]} amr how they signed in (RFC 8176)
 * @property {Date} authAt when they last proved who they are
 * @property {string | null} actorId who acts in their name
 */

/**
 * @typedef {object} Options
 * @property {string} [audience] the aud of the tokens; the issuer without it
 * @property {string} [server] where the server is reached, when not at its issuer: http://admit:8000
 * @property {string} [secret] ACCESS_SECRET, where the server signs with it instead of keys
 * @property {"refuse" | "accept"} [onStale] what holds while it is not known which sessions have ended. `refuse`, what holds without it: nobody is let in (503). `accept`: a
 *   token is good until it expires, ACCESS_TOKEN_EXPIRE_M at the most
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [now] milliseconds since 1970
 * @property {(message: string, cause: unknown) => void} [log] console.warn without it
 */

const leeway = 30; // seconds that clocks may differ
const answer = 5000; // milliseconds the server may take
/** How many milliseconds the feed may be silent. The server says something every second. */
export const patience = 3000;

/** @type {Record<string, [status: number, detail: string]>} */
const reasons = {
  unauthenticated: [401, "You are not signed in. Send an access token as Authorization: Bearer."],
  invalid_token: [401, "The access token is not valid or has expired. Refresh it, or sign in again."],
  session_invalid: [401, "The session of this access token has ended. Sign in again."],
  token_outdated: [401, "Your rights have changed since this access token was issued. Refresh it."],
  reauthentication_required: [403, "Prove again that it is you, then repeat this."],
  revocations_stale: [503, "Whether this session has ended cannot be known at the moment. Try again in a few seconds."],
  check_unavailable: [503, "Whether you may do this cannot be known at the moment. Try again in a few seconds."],
};

/** @param {string} code one of reasons @param {unknown} [cause] */
export function refusal(code, cause) {
  const [status, detail] = reasons[code];
  return new AdmitError({ code, status, detail }, { retryAfter: status === 503 ? 2 : undefined, cause });
}

/**
 * Follows the server that issues tokens as `issuer`, its BASE_URL, until `close`. It does not wait for it: requests are refused with 503 until it was heard from; see `ready`.
 *
 * @param {string} issuer
 * @param {Options} [options]
 * @returns {Verifier}
 */
export const createVerifier = (issuer, options) => new Verifier(issuer, options);

/** Verifies access tokens. */
export class Verifier {
  #server;
  #audience;
  #onStale;
  #fetch;
  #log;
  #keyOf;
  #revoked = new Revoked();
  #heard = -Infinity;
  #closed = false;
  /** @type {Set<() => void>} what breaks off whatever is under way */
  #underWay = new Set();
  /** @type {() => void} */
  #begun = () => {};
  /** @type {Promise<void>} */
  #beginning = new Promise((resolve) => (this.#begun = resolve));

  /**
   * @param {string} issuer
   * @param {Options} [options]
   */
  constructor(issuer, { audience, server = issuer, secret, onStale = "refuse", fetch = (...request) => globalThis.fetch(...request), now = Date.now, log = console.warn } = {}) {
    for (const text of [issuer, server]) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash) {
        throw new TypeError(`${text} is no address of a server, such as https://auth.example.com`);
      }
    }
    if (onStale !== "refuse" && onStale !== "accept") throw new TypeError("onStale is refuse or accept");
    /** Who issues the tokens. */
    this.issuer = issuer.replace(/\/$/, "");
    /** What time it is, in milliseconds since 1970. */
    this.now = now;
    this.#server = server.replace(/\/$/, "");
    this.#audience = audience ?? this.issuer;
    this.#onStale = onStale;
    this.#fetch = fetch;
    this.#log = log;
    if (secret) {
      const key = shared(secret);
      this.#keyOf = () => key;
    } else {
      const keys = new Keys(async () => JSON.parse(await this.#get("/.well-known/jwks.json")), log);
      this.#keyOf = (/** @type {unknown} */ kid) => keys.get(kid);
    }
    void this.#follow();
  }

  /** Ends following the server. */
  close() {
    this.#closed = true;
    for (const end of this.#underWay) end();
  }

  /**
   * Waits until the server was heard from.
   *
   * @param {{signal?: AbortSignal}} [until]
   * @returns {Promise<void>}
   */
  ready({ signal } = {}) {
    return new Promise((resolve, reject) => {
      const give = () => reject(signal?.reason);
      if (signal?.aborted) return give();
      signal?.addEventListener("abort", give);
      void this.#beginning.then(() => {
        signal?.removeEventListener("abort", give);
        resolve();
      });
    });
  }

  /** Whether the server has not been heard from for longer than `patience`, so that a session may have ended unknown to us. */
  get stale() {
    return performance.now() - this.#heard > patience;
  }

  /**
   * Says whose a token is, or throws an AdmitError: `invalid_token`, `session_invalid`, `token_outdated` or `revocations_stale`.
   *
   * @param {string} token
   * @returns {Promise<User>}
   */
  async verify(token) {
    const t = await open(token, "at+jwt", this.#keyOf);
    if (!t || !this.#good(t)) throw refusal("invalid_token");
    const org = t.org ?? "";
    const session = await sessionMark(t.sid);
    const rights = await Promise.all([rightsMark("", t.sub), ...(org ? [rightsMark(org, ""), rightsMark(org, t.sub)] : [])]);
    // nothing may be waited for from here
    if (this.#revoked.ended(session)) throw refusal("session_invalid");
    if (this.#revoked.outdated(rights, t.rev)) throw refusal("token_outdated");
    if (this.#onStale === "refuse" && this.stale) throw refusal("revocations_stale");
    return {
      id: t.sub,
      roles: t.roles ?? [],
      orgId: t.org || null,
      orgRoles: t.org_roles ?? [],
      sessionId: t.sid,
      amr: t.amr ?? [],
      authAt: new Date((t.auth_time ?? 0) * 1000),
      actorId: t.act?.sub ?? null,
    };
  }

  /** @param {any} t the claims of a token */
  #good(t) {
    const now = this.now() / 1000;
    return (
      t.iss === this.issuer && t.aud === this.#audience && t.typ === "access" && typeof t.sub === "string" && t.sub !== "" && typeof t.sid === "string" &&
      Number.isSafeInteger(t.exp) && t.exp > now && past(t.nbf, now) && past(t.iat, now) && (t.auth_time === undefined || Number.isSafeInteger(t.auth_time)) &&
      (t.org === undefined || t.org === null || typeof t.org === "string") && [t.roles, t.org_roles, t.amr].every(isList) &&
      (t.act === undefined || t.act === null || typeof t.act.sub === "string")
    );
  }

  /**
   * Asks the server whether whoever holds a token has a permission, by what holds now.
   *
   * @param {string} token
   * @param {string} permission
   * @param {string} [org] an organization, by id or slug; without one it is about the whole platform
   * @returns {Promise<boolean>} it throws an AdmitError where there is no answer: `invalid_token`, or `check_unavailable`, as for a permission that was never declared
   */
  async may(token, permission, org) {
    let response;
    try {
      response = await this.#fetch(`${this.#server}/api/v1/check`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ permission, org_id: org }),
        signal: AbortSignal.timeout(answer),
      });
      if (response.ok) return (await response.json()).allowed === true;
    } catch (error) {
      throw this.#unknown(permission, error);
    }
    if (response.status === 401) throw refusal("invalid_token");
    throw this.#unknown(permission, new Answered(`/api/v1/check was answered with ${response.status}: ${await response.text().catch(() => "")}`, response.status));
  }

  /** @param {string} permission @param {unknown} cause */
  #unknown(permission, cause) {
    this.#log(`the permission ${permission} cannot be checked`, cause);
    return refusal("check_unavailable", cause);
  }

  /** Listens to the feed until the end: each question waits for news, a second at most. */
  async #follow() {
    let cursor = "";
    let pause = 100;
    let told = false;
    while (!this.#closed) {
      let cause;
      try {
        const next = await this.#hear(await this.#get(`/api/v1/revocations?wait=1&since=${encodeURIComponent(cursor)}`));
        if (next !== undefined) {
          [cursor, pause, told] = [next, 100, false];
          continue;
        }
        cause = new Error("a message of the feed is not one of this server");
        cursor = "";
      } catch (error) {
        cause = error;
        if (error instanceof Answered && error.status < 500) cursor = "";
      }
      if (this.stale && !told && !this.#closed) {
        this.#log("the revocation feed of the Admit server is not heard", cause);
        told = true;
      }
      await this.#sleep(pause * (1 + Math.random()));
      pause = Math.min(2 * pause, 2000);
    }
  }

  /** @param {string} text @returns {Promise<string | undefined>} where it leads to, undefined for what is not believed */
  async #hear(text) {
    const m = await open(text, "revocations+jwt", this.#keyOf, Infinity);
    if (!m || !isMessage(m) || m.iss !== this.issuer) return undefined;
    const now = this.now();
    if (Math.abs(now / 1000 - m.iat) > leeway) return undefined; // an old one, shown again
    this.#revoked.add(m, now);
    this.#heard = performance.now();
    this.#begun();
    return m.cursor;
  }

  /** @param {string} path @returns {Promise<string>} */
  async #get(path) {
    const quit = new AbortController();
    const end = () => quit.abort();
    const timer = setTimeout(end, answer);
    this.#underWay.add(end);
    try {
      const response = await this.#fetch(this.#server + path, { signal: quit.signal });
      const text = await response.text();
      if (!response.ok) throw new Answered(`${path} was answered with ${response.status}`, response.status);
      return text;
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(end);
    }
  }

  /** @param {number} ms @returns {Promise<void>} */
  #sleep(ms) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#underWay.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#underWay.add(end);
    });
  }
}

/** @param {unknown} at @param {number} now */
const past = (at, now) => at === undefined || (typeof at === "number" && Number.isSafeInteger(at) && at <= now + leeway);

/** @param {unknown} list */
const isList = (list) => list === undefined || list === null || (Array.isArray(list) && list.every((one) => typeof one === "string"));

/** An answer that is none. */
class Answered extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}
