// Middleware for Express and whatever else calls (req, res, next).

import { AdmitError } from "./server.js";
import { hasRole, identify, isAllowed, isFresh, problem } from "./guard.js";

/** @import { Verifier } from "./server.js" */
/** @import { Caller } from "./guard.js" */

/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => Promise<void>} Middleware */

/**
 * Guards of routes. Each answers by itself who is not let through, with a problem (RFC 9457), and leaves who is in `req.user`.
 *
 * @param {Verifier} verifier
 */
export function guards(verifier) {
  /** @type {WeakMap<object, Caller>} */
  const known = new WeakMap(); // req.user may have been written by anybody

  /** @param {(caller: Caller, req: any) => Promise<void>} check @returns {Middleware} */
  const guard = (check) => async (req, res, next) => {
    try {
      const caller = known.get(req) ?? (await identify(verifier, authorization(req)));
      known.set(req, caller);
      req.user = caller.user;
      await check(caller, req);
    } catch (error) {
      if (!(error instanceof AdmitError)) return next(error);
      const { headers, body } = problem(verifier, error);
      res.writeHead(error.status, headers).end(body);
      return;
    }
    next();
  };

  return {
    /** Lets whoever is signed in through: 401 for others. */
    requireUser: guard(async () => {}),
    /** Lets people with a global role through, such as super_admin: 403 for others. @param {string} role */
    requireGlobalRole: (role) => guard(hasRole(role)),
    /**
     * Lets people through who proved less than so many seconds ago that it is them: 403 reauthentication_required for others.
     *
     * @param {number} seconds
     */
    requireFresh: (seconds) => guard(isFresh(verifier, seconds)),
    /**
     * Lets people through who have a permission in the organization that `org` names, by id or slug, or without it on the whole platform: 403 for others. It asks the
     * server, so that it goes by what holds now.
     *
     * @param {string} permission
     * @param {{org?: (req: any) => string | undefined | null}} [where]
     */
    requirePermission: (permission, { org } = {}) => guard(isAllowed(verifier, permission, org)),
  };
}

/** @param {{rawHeaders: string[]}} req every Authorization header, where Node joins or drops what comes twice */
function authorization({ rawHeaders }) {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1].toLowerCase() === "authorization");
}
