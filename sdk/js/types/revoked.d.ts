export type Message = {
    iss: string;
    iat: number;
    cursor: string;
    whole: boolean;
    /**
     * seconds
     */
    keep: number;
    epoch: string;
    ended: string[];
    changed: Record<string, number>;
};
/**
 * A message of the revocation feed.
 *
 * @typedef {object} Message
 * @property {string} iss
 * @property {number} iat
 * @property {string} cursor
 * @property {boolean} whole
 * @property {number} keep seconds
 * @property {string} epoch
 * @property {string[]} ended
 * @property {Record<string, number>} changed
 */
/** @param {any} m @returns {m is Message} */
export declare const isMessage: (m: any) => m is Message;
/** @param {string} sid */
export declare const sessionMark: (sid: string) => Promise<string>;
/** @param {string} org @param {string} user */
export declare const rightsMark: (org: string, user: string) => Promise<string>;
/** Which access tokens count no more, as far as was heard. */
export declare class Revoked {
    #private;
    /** @param {Message} m @param {number} now in milliseconds */
    add(m: Message, now: number): void;
    /** How much is remembered. */
    get size(): number;
    /** @param {string} mark of a session */
    ended(mark: string): boolean;
    /** @param {string[]} marks of rights @param {unknown} revision the rev of a token */
    outdated(marks: string[], revision: unknown): boolean;
}
