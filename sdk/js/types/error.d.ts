/**
 * What a server says when it refuses (RFC 9457).
 *
 * @typedef {object} Problem
 * @property {string} code for programs: stable, see docs/errors.md
 * @property {number} status of the answer; 0 when there was none
 * @property {string} detail for people: what happened and what to do
 * @property {string} [title]
 * @property {string} [type]
 * @property {string} [request_id] what to tell the operator
 * @property {{field: string, message: string}[]} [errors] the input fields at fault
 */
export type Problem = {
    /**
     * for programs: stable, see docs/errors.md
     */
    code: string;
    /**
     * of the answer; 0 when there was none
     */
    status: number;
    /**
     * for people: what happened and what to do
     */
    detail: string;
    title?: string;
    type?: string;
    /**
     * what to tell the operator
     */
    request_id?: string;
    /**
     * the input fields at fault
     */
    errors?: {
        field: string;
        message: string;
    }[];
};
/** A refusal. Go by its code: `unreachable` when there was no answer, else one of docs/errors.md. */
export declare class AdmitError extends Error {
    code: string;
    status: number;
    requestId: string | undefined;
    errors: {
        field: string;
        message: string;
    }[];
    /** Seconds to wait before trying again, where the server says so. @type {number | undefined} */
    retryAfter: number | undefined;
    /**
     * @param {Problem} problem
     * @param {{retryAfter?: number, cause?: unknown}} [more]
     */
    constructor(problem: Problem, { retryAfter, cause }?: {
        retryAfter?: number;
        cause?: unknown;
    });
}
/**
 * Reads a refusal.
 *
 * @param {Response} response
 * @param {any} body what was in it, undefined when that is no JSON
 */
export declare function refused(response: Response, body: any): AdmitError;
