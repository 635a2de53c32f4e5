import { fromBuffer } from "./passkey.js";

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
export const isMessage = (m) =>
  typeof m.iss === "string" && Number.isSafeInteger(m.iat) && typeof m.cursor === "string" && typeof m.whole === "boolean" && Number.isSafeInteger(m.keep) &&
  typeof m.epoch === "string" && Array.isArray(m.ended) && m.changed !== null && typeof m.changed === "object";

/** @param {string[]} parts */
async function mark(...parts) {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return fromBuffer(sum.slice(0, 16));
}

/** @param {string} sid */
export const sessionMark = (sid) => mark("session", sid);

/** @param {string} org @param {string} user */
export const rightsMark = (org, user) => mark("rights", org, user);

/** Which access tokens count no more, as far as was heard. */
export class Revoked {
  #epoch = "";
  /** @type {Map<string, number>} until when each is remembered, in milliseconds */
  #ended = new Map();
  /** @type {Map<string, {revision: number, until: number}>} */
  #changed = new Map();
  #swept = 0;

  /** @param {Message} m @param {number} now in milliseconds */
  add(m, now) {
    if (m.whole) {
      this.#ended.clear();
      this.#changed.clear();
    }
    this.#epoch = m.epoch;
    const until = now + m.keep * 1000;
    for (const one of m.ended) this.#ended.set(one, until);
    for (const [one, revision] of Object.entries(m.changed)) {
      this.#changed.set(one, { revision: Math.max(revision, this.#changed.get(one)?.revision ?? -1), until });
    }
    if (now - this.#swept < 60_000) return;
    this.#swept = now;
    for (const [one, until] of this.#ended) if (now > until) this.#ended.delete(one);
    for (const [one, { until }] of this.#changed) if (now > until) this.#changed.delete(one);
  }

  /** How much is remembered. */
  get size() {
    return this.#ended.size + this.#changed.size;
  }

  /** @param {string} mark of a session */
  ended(mark) {
    return this.#ended.has(mark);
  }

  /** @param {string[]} marks of rights @param {unknown} revision the rev of a token */
  outdated(marks, revision) {
    const start = `az1.${this.#epoch}.`;
    const number = typeof revision === "string" && revision.startsWith(start) ? revision.slice(start.length) : "";
    const at = /^\d{1,15}$/.test(number) ? Number(number) : -1;
    return marks.some((one) => at < (this.#changed.get(one)?.revision ?? -1));
  }
}
