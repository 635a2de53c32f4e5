import { AdmitError } from "./error.js";
export { AdmitError };
export type User = {
    id: string;
    /**
     * global ones
     */
    roles: string[];
    /**
     * the organization they work in
     */
    orgId: string | null;
    /**
     * the keys of their roles there
     */
    orgRoles: string[];
    sessionId: string;
    /**
     * how they signed in (RFC 8176)
     */
    amr: string[];
    /**
     * when they last proved who they are
     */
    authAt: Date;
    /**
     * who acts in their name
     */
    actorId: string | null;
};
export type Options = {
    /**
     * the aud of the tokens; the issuer without it
     */
    audience?: string;
    /**
     * where the server is reached, when not at its issuer: http://admit:8000
     */
    server?: string;
    /**
     * ACCESS_SECRET, where the server signs with it instead of keys
     */
    secret?: string;
    /**
     * what holds while it is not known which sessions have ended. `refuse`, what holds without it: nobody is let in (503). `accept`: a
     * token is good until it expires, ACCESS_TOKEN_EXPIRE_M at the most
     */
    onStale?: "refuse" | "accept";
    fetch?: typeof globalThis.fetch;
    /**
     * milliseconds since 1970
     */
    now?: () => number;
    /**
     * console.warn without it
     */
    log?: (message: string, cause: unknown) => void;
};
/** How many milliseconds the feed may be silent. The server says something every second. */
export declare const patience = 3000;
/** @param {string} code one of reasons @param {unknown} [cause] */
export declare function refusal(code: string, cause?: unknown): AdmitError;
/**
 * Follows the server that issues tokens as `issuer`, its BASE_URL, until `close`. It does not wait for it: requests are refused with 503 until it was heard from; see `ready`.
 *
 * @param {string} issuer
 * @param {Options} [options]
 * @returns {Verifier}
 */
export declare const createVerifier: (issuer: string, options?: Options) => Verifier;
/** Verifies access tokens. */
export declare class Verifier {
    #private;
    /** Who issues the tokens. */
    issuer: string;
    /** What time it is, in milliseconds since 1970. */
    now: () => number;
    /**
     * @param {string} issuer
     * @param {Options} [options]
     */
    constructor(issuer: string, { audience, server, secret, onStale, fetch, now, log }?: Options);
    /** Ends following the server. */
    close(): void;
    /**
     * Waits until the server was heard from.
     *
     * @param {{signal?: AbortSignal}} [until]
     * @returns {Promise<void>}
     */
    ready({ signal }?: {
        signal?: AbortSignal;
    }): Promise<void>;
    /** Whether the server has not been heard from for longer than `patience`, so that a session may have ended unknown to us. */
    get stale(): boolean;
    /**
     * Says whose a token is, or throws an AdmitError: `invalid_token`, `session_invalid`, `token_outdated` or `revocations_stale`.
     *
     * @param {string} token
     * @returns {Promise<User>}
     */
    verify(token: string): Promise<User>;
    /**
     * Asks the server whether whoever holds a token has a permission, by what holds now.
     *
     * @param {string} token
     * @param {string} permission
     * @param {string} [org] an organization, by id or slug; without one it is about the whole platform
     * @returns {Promise<boolean>} it throws an AdmitError where there is no answer: `invalid_token`, or `check_unavailable`, as for a permission that was never declared
     */
    may(token: string, permission: string, org?: string): Promise<boolean>;
}
