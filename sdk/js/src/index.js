// For pages: signing in and out, who is signed in, and requests that carry that.

import { AdmitError, refused } from "./error.js";
import { creationOptions, credentialJSON, requestOptions } from "./passkey.js";
import { Tabs } from "./tabs.js";

export { AdmitError };
/** @import { State } from "./tabs.js" */

/**
 * Somebody with an account, as GET /auth/me says.
 *
 * @typedef {object} User
 * @property {string} id usr_…
 * @property {string | null} email
 * @property {boolean} email_verified
 * @property {string | null} username
 * @property {string | null} phone
 * @property {string} name
 * @property {string[]} roles global ones
 * @property {string[]} organizations
 * @property {boolean} is_anonymous a guest
 * @property {string[]} second_factors
 * @property {{enrolled: boolean, required: boolean}} mfa
 * @property {string | null} language
 * @property {string | null} time_zone
 * @property {string} created_at
 */

/**
 * What is asked of who signs in.
 *
 * @typedef {object} Prompt
 * @property {string} method
 * @property {{name: string, type: "text" | "password" | "code", autocomplete: string}[]} fields what to type
 * @property {any} [challenge] what a device is to sign, or what else is needed for the answer
 * @property {string} [redirect] where the browser goes for the answer
 * @property {boolean} [enrol] a second factor is set up with the answer
 * @property {number} [retry_after] seconds until something can be sent again
 */

/**
 * How signing in went: `user` is in; or `step` is asked next; or, where nobody may learn who has an account, there is only a `message`.
 *
 * @typedef {object} Entry
 * @property {User} [user]
 * @property {Step} [step]
 * @property {string} [message]
 * @property {string[]} [recoveryCodes] those of a second factor that was set up on the way; shown this once
 */

/**
 * @typedef {object} Options
 * @property {string} url where Admit is: https://auth.example.com, its BASE_URL
 * @property {"cookie" | "token"} [transport] `cookie`: a session cookie of that server, for apps that it answers itself or through a gateway. `token`: an access token in
 *   memory for your own services, and a refresh token in a cookie that no script reads
 * @property {string[]} [apis] origins of your services that `fetch` may send the access token or the cookie to, beside Admit and the page's own
 * @property {typeof globalThis.fetch} [fetch]
 */

/**
 * What the steps of signing in share: nobody is signed in yet.
 *
 * @typedef {object} Door
 * @property {(path: string, body: unknown) => Promise<any>} ask
 * @property {(path: string, body: unknown) => Promise<Entry>} enter
 */

const early = 10_000; // milliseconds before its end that an access token is renewed

/**
 * Begins. There is one for each server and page.
 *
 * @param {Options} options
 * @returns {Auth}
 */
export const createAuth = (options) => new Auth(options);

/** Who is signed in on this page, in all tabs of its origin. */
export class Auth {
  #url;
  #tokens;
  #fetch;
  #tabs;
  /** @type {Set<string>} */
  #origins;
  /** @type {Set<(user: User | null) => void>} */
  #listeners = new Set();
  /** @type {{value: string, until: number} | undefined} */
  #token;
  /** @type {Promise<void> | undefined} */
  #renewing;
  /** @type {Door} */
  #door = { ask: (path, body) => this.#ask("POST", path, body), enter: (path, body) => this.#enter(path, body) };

  /** Who is signed in as far as is known: null for nobody, undefined until `me` or signing in has told. @type {User | null | undefined} */
  user;

  /** @param {Options} options */
  constructor({ url, transport = "cookie", apis = [], fetch = (...request) => globalThis.fetch(...request) }) {
    this.#url = url.replace(/\/$/, "");
    this.#tokens = transport === "token";
    this.#fetch = fetch;
    this.#origins = new Set([url, ...apis, ...(globalThis.location ? [location.href] : [])].map((one) => new URL(one).origin));
    this.#tabs = new Tabs(this.#url, (state) => this.#know(state));
    /** Passkeys of this person and device. */
    this.passkeys = new Passkeys(this, this.#door);
  }

  /**
   * Makes an account and signs in.
   *
   * @param {{email?: string, username?: string, phone?: string, password: string, name?: string, invite_token?: string}} who
   * @returns {Promise<Entry>}
   */
  signUp(who) {
    return this.#enter("/auth/signup", who);
  }

  /**
   * Signs in with a password. Where a second factor is set up, the answer is the step that asks for it.
   *
   * @param {{email?: string, username?: string, phone?: string, identifier?: string, password: string, remember?: boolean}} who
   * @returns {Promise<Entry>}
   */
  signIn(who) {
    return this.#enter("/auth/login", who);
  }

  /**
   * Begins to sign in another way: with a code by mail, for example.
   *
   * @param {{identifier?: string, method?: string}} [how]
   * @returns {Promise<Step>}
   */
  async begin(how = {}) {
    return new Step(await this.#ask("POST", "/auth/attempts", how), this.#door);
  }

  /** Ends the session, in all tabs. */
  async signOut() {
    try {
      await this.#ask("POST", this.#tokens ? "/api/v1/logout" : "/auth/logout");
    } catch (error) {
      if (!(error instanceof AdmitError) || error.status !== 401) throw error; // 401: it had ended before
    }
    this.#say({ user: null });
  }

  /**
   * Asks who is signed in: null for nobody.
   *
   * @returns {Promise<User | null>}
   */
  async me() {
    let user = null;
    try {
      user = await this.call("GET", "/auth/me");
    } catch (error) {
      if (!(error instanceof AdmitError) || error.status !== 401) throw error;
    }
    this.#know({ user });
    return user;
  }

  /**
   * Gets a new access token, for all tabs at once: after a change of rights, or to see whether there is still a session. With the cookie there is none, and nothing to do.
   *
   * @returns {Promise<boolean>} whether there is a session
   */
  async refresh() {
    if (!this.#tokens) return (await this.me()) !== null;
    await this.#renew();
    return this.#token !== undefined;
  }

  /**
   * A request to one of your services, as `fetch` makes it: with the access token, which is renewed first where it has run out, or with the cookie. One that is answered
   * with 401 is sent again once with a new token.
   *
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    if (!this.#origins.has(origin)) throw new TypeError(`${origin} is to know nothing of who is signed in: name it in apis if it is yours`);
    return this.#send(request);
  }

  /**
   * Calls any route of Admit's API in the name of who is signed in, and throws an AdmitError when it is refused.
   *
   * @param {string} method
   * @param {string} path such as /auth/sessions
   * @param {unknown} [body] sent as JSON
   * @returns {Promise<any>} what it answers, undefined for nothing
   */
  async call(method, path, body) {
    return this.#answer(() => this.#send(this.#request(method, path, body)));
  }

  /**
   * Asks whether who is signed in may do something, for what a page shows. The service that does it asks by itself.
   *
   * @param {string} permission
   * @param {{org?: string}} [where] an organization, by id or slug; without one it is about the whole platform
   * @returns {Promise<boolean>}
   */
  async can(permission, { org } = {}) {
    return (await this.call("POST", "/api/v1/check", { permission, org_id: org })).allowed;
  }

  /**
   * Works in another organization from now on; null is none.
   *
   * @param {string | null} org its id or slug
   * @returns {Promise<{org_id: string | null, roles: string[]}>}
   */
  async switchOrg(org) {
    const { org_id, roles, ...tokens } = await this.call("POST", "/auth/switch-org", { org_id: org });
    if (tokens.access_token) this.#say({ ...held(tokens), user: this.user });
    return { org_id, roles };
  }

  /**
   * Proves again that it is them, after `reauthentication_required`. `passkeys.reauthenticate` does it with a passkey.
   *
   * @param {{password?: string, code?: string, credential?: unknown, method?: string}} proof
   * @returns {Promise<{fresh_until: string}>}
   */
  async reauthenticate(proof) {
    const proved = await this.call("POST", "/auth/reauthenticate", proof);
    if (this.#tokens) await this.#renew(); // the next token says so
    return proved;
  }

  /**
   * Tells whenever somebody signs in or out, in whichever tab.
   *
   * @param {(user: User | null) => void} listener
   * @returns {() => void} ends it
   */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears no more of other tabs. */
  close() {
    this.#tabs.close();
  }

  /** @param {string} path @param {unknown} body @returns {Promise<Entry>} */
  async #enter(path, body) {
    let entered;
    try {
      entered = await this.#ask("POST", `${path}?transport=${this.#tokens ? "page" : "cookie"}`, body);
    } catch (error) {
      const attempt = error instanceof AdmitError && error.code === "step_required" && /** @type {any} */ (error.cause)?.attempt;
      if (!attempt) throw error;
      return { step: new Step(attempt, this.#door) };
    }
    const { recovery_codes: recoveryCodes, ...rest } = entered;
    if (rest.access_token) {
      this.#know(held(rest));
      rest.user = await this.call("GET", "/auth/me");
      this.#say({ ...held(rest), user: rest.user });
      return { user: rest.user, recoveryCodes };
    }
    if (!rest.id) return { message: rest.message };
    this.#say({ user: rest });
    return { user: rest, recoveryCodes };
  }

  /**
   * A request that no access token belongs to: the cookies say what it is about.
   *
   * @param {string} method @param {string} path @param {unknown} [body]
   */
  #ask(method, path, body) {
    return this.#answer(() => this.#fetch(new Request(this.#request(method, path, body), { credentials: "include" })));
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  #request(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return new Request(this.#url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  /** @param {() => Promise<Response>} send @returns {Promise<any>} */
  async #answer(send) {
    let response, text;
    try {
      response = await send();
      text = await response.text();
    } catch (cause) {
      if (cause instanceof AdmitError) throw cause;
      throw new AdmitError({ code: "unreachable", status: 0, detail: "The server cannot be reached." }, { cause });
    }
    let body;
    try {
      body = text === "" ? undefined : JSON.parse(text);
    } catch {
      if (response.ok) throw new AdmitError({ code: "unexpected_answer", status: response.status, detail: "The server answered something else than JSON." });
    }
    if (!response.ok) throw refused(response, body);
    return body;
  }

  /** @param {Request} request */
  async #send(request) {
    if (!this.#tokens) return this.#fetch(new Request(request, { credentials: "include" }));
    if (!this.#token || Date.now() > this.#token.until) await this.#renew();
    const given = this.#token?.value;
    if (!given) return this.#fetch(request);
    const again = request.clone();
    const response = await this.#fetch(bearing(request, given));
    if (response.status !== 401) return response;
    if (this.#token?.value === given) await this.#renew();
    const next = this.#token?.value;
    return next && next !== given ? this.#fetch(bearing(again, next)) : response;
  }

  /** Gets the next access token, once for whoever asks meanwhile, here and in the other tabs. */
  async #renew() {
    const work = async () => {
      try {
        this.#say(held(await this.#ask("POST", "/api/v1/refresh")));
      } catch (error) {
        if (error instanceof AdmitError && error.status === 401) return this.#say({ user: null });
        this.#tabs.tell({ failed: true });
        throw error;
      }
    };
    this.#renewing ??= this.#tabs.alone(work).finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  /** @param {State} state */
  #say(state) {
    this.#know(state);
    this.#tabs.tell(state);
  }

  /** @param {State} state */
  #know({ token, until = 0, user, failed }) {
    if (failed) return;
    if (token) this.#token = { value: token, until };
    if (user === null) this.#token = undefined;
    if (user === undefined) return;
    const other = user?.id !== this.user?.id || this.user === undefined;
    this.user = user;
    if (other) for (const tell of this.#listeners) tell(user);
  }
}

/** @param {{access_token: string, expires_in: number}} tokens @returns {State} */
const held = ({ access_token, expires_in }) => ({ token: access_token, until: Date.now() + expires_in * 1000 - early });

/** @param {Request} request @param {string} token */
function bearing(request, token) {
  const headers = new Headers(request.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return new Request(request, { headers });
}

/** One step of signing in. Answer what its prompt asks, or choose another of its methods. */
export class Step {
  #door;

  /**
   * @param {{id: string, prompt: Prompt, methods: string[], trust_days?: number}} step
   * @param {Door} door
   */
  constructor(step, door) {
    this.#door = door;
    /** The attempt. It is a secret. */
    this.id = step.id;
    this.prompt = step.prompt;
    /** Ways to go on. */
    this.methods = step.methods;
    /** For how many days this browser can be trusted, if it can. */
    this.trustDays = step.trust_days;
  }

  /**
   * Answers with what was typed into the fields of the prompt.
   *
   * @param {Record<string, string>} values
   * @param {{remember?: boolean, trust?: boolean}} [how]
   * @returns {Promise<Entry>}
   */
  answer(values, how) {
    return this.#door.enter(`/auth/attempts/${encodeURIComponent(this.id)}/answer`, { values, ...how });
  }

  /**
   * Goes on in another way.
   *
   * @param {string} method one of `methods`
   * @returns {Promise<Step>}
   */
  async use(method) {
    return new Step(await this.#door.ask(`/auth/attempts/${encodeURIComponent(this.id)}/method`, { method }), this.#door);
  }
}

/** Passkeys: made, and shown to get in. Who closes the browser's question causes its NotAllowedError. */
export class Passkeys {
  #auth;
  #door;

  /**
   * @param {Auth} auth
   * @param {Door} door
   */
  constructor(auth, door) {
    this.#auth = auth;
    this.#door = door;
  }

  /** Whether this browser knows passkeys on this page. */
  get supported() {
    return typeof PublicKeyCredential !== "undefined";
  }

  /** Whether this browser offers them among the suggestions of a field with autocomplete="username webauthn". */
  async suggests() {
    return this.supported && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
  }

  /**
   * Adds one to the account of who is signed in. It needs a proof that is less than ten minutes old.
   *
   * @param {{name?: string}} [what] empty is named after what keeps it
   * @returns {Promise<{id: string, name: string, synced: boolean}>}
   */
  async register({ name } = {}) {
    const { publicKey } = await this.#auth.call("POST", "/auth/passkeys/register/options");
    const made = await navigator.credentials.create({ publicKey: creationOptions(publicKey) });
    return this.#auth.call("POST", "/auth/passkeys/register", { credential: credentialJSON(made), name });
  }

  /**
   * Signs in with one. With `suggest` it waits until one is chosen among the suggestions of a field; end that with `signal` when somebody signs in another way.
   *
   * @param {{suggest?: boolean, signal?: AbortSignal, identifier?: string, remember?: boolean}} [how]
   * @returns {Promise<Entry>}
   */
  async signIn({ suggest = false, signal, identifier, remember } = {}) {
    const { id, prompt } = await this.#auth.begin({ identifier, method: "passkey" });
    const credential = await shown(prompt, { mediation: suggest ? "conditional" : "optional", signal });
    return this.#door.enter("/auth/passkeys/login", { attempt: id, credential, remember });
  }

  /**
   * Answers a step whose prompt asks for one.
   *
   * @param {Step} step
   * @param {{remember?: boolean, trust?: boolean}} [how]
   */
  async answer(step, how) {
    return step.answer({ credential: JSON.stringify(await shown(step.prompt)) }, how);
  }

  /** Proves again that it is them, after `reauthentication_required`. */
  async reauthenticate() {
    const { prompt } = await this.#auth.call("POST", "/auth/reauthenticate/options", { method: "passkey" });
    return this.#auth.reauthenticate({ credential: await shown(prompt) });
  }
}

/** @param {Prompt} prompt @param {{mediation?: CredentialMediationRequirement, signal?: AbortSignal}} [how] */
async function shown(prompt, how) {
  return credentialJSON(await navigator.credentials.get({ ...how, publicKey: requestOptions(prompt.challenge.publicKey) }));
}
