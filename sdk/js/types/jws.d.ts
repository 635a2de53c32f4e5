/** @import { Key } from "./keys.js" */
import type { Key } from "./keys.js";
/**
 * Opens a signed token of one type (RFC 7515, RFC 8725 sections 3.1, 3.2 and 3.11).
 *
 * @param {string} token
 * @param {string} type the typ it must have
 * @param {(kid: unknown) => Promise<Key | undefined>} keyOf
 * @param {number} [most] bytes it may have
 * @returns {Promise<any>} its claims, undefined when it is not good
 */
export declare function open(token: string, type: string, keyOf: (kid: unknown) => Promise<Key | undefined>, most?: number): Promise<any>;
