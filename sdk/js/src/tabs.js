/** @import { User } from "./index.js" */

/**
 * Who is signed in, as the tabs of one origin tell each other.
 *
 * @typedef {object} State
 * @property {string} [token] an access token
 * @property {number} [until] when it is to be renewed, in milliseconds since 1970
 * @property {User | null} [user] null for nobody; undefined leaves it as it was
 * @property {boolean} [failed] no answer was had: ask yourself
 */

const delivery = 1000; // milliseconds a message may take from one tab to another

/** The tabs of one origin that talk to one server. */
export class Tabs {
  #name;
  /** @type {State | undefined} */
  #last;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /**
   * @param {string} url
   * @param {(state: State) => void} hear is given what the other tabs tell
   */
  constructor(url, hear) {
    this.#name = `admit ${url}`;
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(this.#name);
    /** @type {any} */ (this.#channel).unref?.(); // a program outside a browser may end
    this.#channel.onmessage = (event) => {
      this.#last = event.data;
      hear(event.data);
      for (const go of this.#waiting) go();
    };
  }

  /** @param {State} state */
  tell(state) {
    this.#channel?.postMessage(state);
  }

  /**
   * Has one tab do something at a time. A tab that had to wait for another is told what came of it, and does it only if that was nothing.
   * Without Web Locks, which browsers have on https and localhost only, each tab does it.
   *
   * @param {() => Promise<void>} work tells the other tabs what came of it
   */
  async alone(work) {
    const locks = globalThis.navigator?.locks;
    if (!locks) return work();
    const before = this.#last;
    const free = await locks.request(this.#name, { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      return lock !== null;
    });
    if (free) return;
    await locks.request(this.#name, async () => {
      if (this.#last === before) await this.#message();
      if (this.#last === before || this.#last?.failed) await work();
    });
  }

  /** Waits for a message that is on its way. @returns {Promise<void>} */
  #message() {
    return new Promise((resolve) => {
      const go = () => {
        this.#waiting.delete(go);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(go, delivery);
      this.#waiting.add(go);
    });
  }

  close() {
    this.#channel?.close();
  }
}
