import { AdmitError } from "./server.js";
import type { User, Verifier } from "./server.js";
export type Caller = {
    user: User;
    token: string;
};
/** @import { User, Verifier } from "./server.js" */
/**
 * Who asks, and the token they showed.
 *
 * @typedef {{user: User, token: string}} Caller
 */
/**
 * @param {Verifier} verifier
 * @param {string[]} given every Authorization header of a request
 * @returns {Promise<Caller>}
 */
export declare function identify(verifier: Verifier, given: string[]): Promise<Caller>;
/** @param {string} role */
export declare const hasRole: (role: string) => (/** @type {Caller} */ { user }: Caller) => Promise<void>;
/** @param {Verifier} verifier @param {number} seconds */
export declare const isFresh: (verifier: Verifier, seconds: number) => (/** @type {Caller} */ { user }: Caller) => Promise<void>;
/**
 * @template R
 * @param {Verifier} verifier
 * @param {string} permission
 * @param {((request: R) => string | undefined | null) | undefined} org
 */
export declare const isAllowed: <R>(verifier: Verifier, permission: string, org: ((request: R) => string | undefined | null) | undefined) => (/** @type {Caller} */ { token }: Caller, /** @type {R} */ request: R) => Promise<void>;
/**
 * A refusal on the wire (RFC 9457).
 *
 * @param {Verifier} verifier
 * @param {AdmitError} error
 * @returns {{headers: Record<string, string>, body: string}}
 */
export declare function problem(verifier: Verifier, { code, status, message, retryAfter }: AdmitError): {
    headers: Record<string, string>;
    body: string;
};
