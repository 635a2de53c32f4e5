import type { Verifier } from "./server.js";
export type Middleware = (req: any, res: any, next: (error?: unknown) => void) => Promise<void>;
/** @import { Verifier } from "./server.js" */
/** @import { Caller } from "./guard.js" */
/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => Promise<void>} Middleware */
/**
 * Guards of routes. Each answers by itself who is not let through, with a problem (RFC 9457), and leaves who is in `req.user`.
 *
 * @param {Verifier} verifier
 */
export declare function guards(verifier: Verifier): {
    /** Lets whoever is signed in through: 401 for others. */
    requireUser: Middleware;
    /** Lets people with a global role through, such as super_admin: 403 for others. @param {string} role */
    requireGlobalRole: (role: string) => Middleware;
    /**
     * Lets people through who proved less than so many seconds ago that it is them: 403 reauthentication_required for others.
     *
     * @param {number} seconds
     */
    requireFresh: (seconds: number) => Middleware;
    /**
     * Lets people through who have a permission in the organization that `org` names, by id or slug, or without it on the whole platform: 403 for others. It asks the
     * server, so that it goes by what holds now.
     *
     * @param {string} permission
     * @param {{org?: (req: any) => string | undefined | null}} [where]
     */
    requirePermission: (permission: string, { org }?: {
        org?: (req: any) => string | undefined | null;
    }) => Middleware;
};
