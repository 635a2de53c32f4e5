// Guards for handlers of the Fetch API: Hono, Next, Deno, Bun, workers.

import { AdmitError } from "./server.js";
import { hasRole, identify, isAllowed, isFresh, problem } from "./guard.js";

/** @import { User, Verifier } from "./server.js" */
/** @import { Caller } from "./guard.js" */

/** @typedef {(request: Request) => Promise<User>} Guard says who sent a request, or throws the AdmitError that `answering` answers with */

/**
 * Guards of handlers.
 *
 * @param {Verifier} verifier
 */
export function guards(verifier) {
  /** @param {(caller: Caller, request: Request) => Promise<void>} check @returns {Guard} */
  const guard = (check) => async (request) => {
    const given = request.headers.get("Authorization");
    const caller = await identify(verifier, given === null ? [] : [given]); // several are joined by commas, which no token has
    await check(caller, request);
    return caller.user;
  };

  /** @param {unknown} error @returns {Response} the answer to a refusal; it throws anything else */
  const respond = (error) => {
    if (!(error instanceof AdmitError)) throw error;
    const { headers, body } = problem(verifier, error);
    return new Response(body, { status: error.status, headers });
  };

  return {
    /** Whoever is signed in: 401 for others. */
    requireUser: guard(async () => {}),
    /** People with a global role, such as super_admin: 403 for others. @param {string} role */
    requireGlobalRole: (role) => guard(hasRole(role)),
    /** People who proved less than so many seconds ago that it is them: 403 reauthentication_required for others. @param {number} seconds */
    requireFresh: (seconds) => guard(isFresh(verifier, seconds)),
    /**
     * People who have a permission in the organization that `org` names, by id or slug, or without it on the whole platform: 403 for others. It asks the server.
     *
     * @param {string} permission
     * @param {{org?: (request: Request) => string | undefined | null}} [where]
     */
    requirePermission: (permission, { org } = {}) => guard(isAllowed(verifier, permission, org)),
    respond,
    /**
     * A handler whose refusals are answers.
     *
     * @template {unknown[]} A
     * @param {(...args: A) => Response | Promise<Response>} handler
     * @returns {(...args: A) => Promise<Response>}
     */
    answering:
      (handler) =>
      async (...args) => {
        try {
          return await handler(...args);
        } catch (error) {
          return respond(error);
        }
      },
  };
}
