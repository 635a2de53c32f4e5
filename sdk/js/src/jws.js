/** @import { Key } from "./keys.js" */

const longest = 8 << 10; // more than an access token can have

/** @type {Record<string, EcdsaParams | Algorithm>} how each algorithm is verified (RFC 7518, RFC 8037) */
const algorithms = {
  ES256: { name: "ECDSA", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
  RS256: { name: "RSASSA-PKCS1-v1_5" },
  HS256: { name: "HMAC" },
};

/**
 * Opens a signed token of one type (RFC 7515, RFC 8725 sections 3.1, 3.2 and 3.11).
 *
 * @param {string} token
 * @param {string} type the typ it must have
 * @param {(kid: unknown) => Promise<Key | undefined>} keyOf
 * @param {number} [most] bytes it may have
 * @returns {Promise<any>} its claims, undefined when it is not good
 */
export async function open(token, type, keyOf, most = longest) {
  if (typeof token !== "string" || token.length > most) return undefined;
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  const [protectedHeader, payload, signature] = parts.map(strictly);
  const header = object(protectedHeader);
  if (!header || !payload || !signature || header.typ !== type || "crit" in header || "b64" in header) return undefined;
  const key = await keyOf(header.kid);
  if (!key || key.algorithm !== header.alg) return undefined;
  const signed = new TextEncoder().encode(`${parts[0]}.${parts[1]}`);
  if (!(await crypto.subtle.verify(algorithms[key.algorithm], key.key, signature, signed))) return undefined;
  return object(payload);
}

/**
 * @param {string} text base64url without padding, in the one way it can be written
 * @returns {Uint8Array<ArrayBuffer> | undefined}
 */
function strictly(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  if (btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") !== text) return undefined;
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** @param {Uint8Array | undefined} bytes @returns {any} the JSON object they are */
function object(bytes) {
  if (!bytes) return undefined;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
