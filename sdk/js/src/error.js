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

/** A refusal. Go by its code: `unreachable` when there was no answer, else one of docs/errors.md. */
export class AdmitError extends Error {
  /**
   * @param {Problem} problem
   * @param {{retryAfter?: number, cause?: unknown}} [more]
   */
  constructor(problem, { retryAfter, cause } = {}) {
    super(problem.detail, cause === undefined ? undefined : { cause });
    this.name = "AdmitError";
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.request_id;
    this.errors = problem.errors ?? [];
    /** Seconds to wait before trying again, where the server says so. @type {number | undefined} */
    this.retryAfter = retryAfter;
  }
}

/**
 * Reads a refusal.
 *
 * @param {Response} response
 * @param {any} body what was in it, undefined when that is no JSON
 */
export function refused(response, body) {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  const known = typeof body?.code === "string";
  return new AdmitError(
    {
      code: known ? body.code : "unexpected_answer",
      status: response.status,
      detail: typeof body?.detail === "string" ? body.detail : `The server answered ${response.status}.`,
      request_id: body?.request_id,
      errors: Array.isArray(body?.errors) ? body.errors : undefined,
    },
    { retryAfter: Number.isFinite(seconds) ? seconds : undefined, cause: body },
  );
}
