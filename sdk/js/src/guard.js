import { AdmitError, refusal } from "./server.js";

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
export async function identify(verifier, given) {
  const token = given.length === 1 ? /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(given[0])?.[1] : undefined; // RFC 6750, section 2.1
  if (!token) throw refusal("unauthenticated");
  return { user: await verifier.verify(token), token };
}

/** @param {string} role */
export const hasRole = (role) => async (/** @type {Caller} */ { user }) => {
  if (!user.roles.includes(role)) throw new AdmitError({ code: "missing_role", status: 403, detail: `This needs the role ${role}.` });
};

/** @param {Verifier} verifier @param {number} seconds */
export const isFresh = (verifier, seconds) => async (/** @type {Caller} */ { user }) => {
  if (verifier.now() - user.authAt.getTime() >= seconds * 1000) throw refusal("reauthentication_required");
};

/**
 * @template R
 * @param {Verifier} verifier
 * @param {string} permission
 * @param {((request: R) => string | undefined | null) | undefined} org
 */
export const isAllowed = (verifier, permission, org) => async (/** @type {Caller} */ { token }, /** @type {R} */ request) => {
  // A name that was forgotten does not mean the whole platform: no organization is called so.
  const allowed = await verifier.may(token, permission, org && (org(request) || "-"));
  if (!allowed) throw new AdmitError({ code: "missing_permission", status: 403, detail: `This needs the permission ${permission}.` });
};

/**
 * A refusal on the wire (RFC 9457).
 *
 * @param {Verifier} verifier
 * @param {AdmitError} error
 * @returns {{headers: Record<string, string>, body: string}}
 */
export function problem(verifier, { code, status, message, retryAfter }) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  if (status === 401) headers["WWW-Authenticate"] = code === "unauthenticated" ? `Bearer realm="admit"` : `Bearer realm="admit", error="invalid_token"`;
  if (retryAfter) headers["Retry-After"] = String(retryAfter);
  /** @type {Record<number, string>} */
  const titles = { 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" };
  return { headers, body: JSON.stringify({ type: `${verifier.issuer}/docs/errors#${code}`, title: titles[status], status, detail: message, code }) };
}
