import type { User, Verifier } from "./server.js";
export type Guard = (request: Request) => Promise<User>;
/** @import { User, Verifier } from "./server.js" */
/** @import { Caller } from "./guard.js" */
/** @typedef {(request: Request) => Promise<User>} Guard says who sent a request, or throws the AdmitError that `answering` answers with */
/**
 * Guards of handlers.
 *
 * @param {Verifier} verifier
 */
export declare function guards(verifier: Verifier): {
    /** Whoever is signed in: 401 for others. */
    requireUser: Guard;
    /** People with a global role, such as super_admin: 403 for others. @param {string} role */
    requireGlobalRole: (role: string) => Guard;
    /** People who proved less than so many seconds ago that it is them: 403 reauthentication_required for others. @param {number} seconds */
    requireFresh: (seconds: number) => Guard;
    /**
     * People who have a permission in the organization that `org` names, by id or slug, or without it on the whole platform: 403 for others. It asks the server.
     *
     * @param {string} permission
     * @param {{org?: (request: Request) => string | undefined | null}} [where]
     */
    requirePermission: (permission: string, { org }?: {
        org?: (request: Request) => string | undefined | null;
    }) => Guard;
    respond: (error: unknown) => Response;
    /**
     * A handler whose refusals are answers.
     *
     * @template {unknown[]} A
     * @param {(...args: A) => Response | Promise<Response>} handler
     * @returns {(...args: A) => Promise<Response>}
     */
    answering: <A extends unknown[]>(handler: (...args: A) => Response | Promise<Response>) => (...args: A) => Promise<Response>;
};
