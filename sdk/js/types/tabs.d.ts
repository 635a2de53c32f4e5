/** @import { User } from "./index.js" */
import type { User } from "./index.js";
export type State = {
    /**
     * an access token
     */
    token?: string;
    /**
     * when it is to be renewed, in milliseconds since 1970
     */
    until?: number;
    /**
     * null for nobody; undefined leaves it as it was
     */
    user?: User | null;
    /**
     * no answer was had: ask yourself
     */
    failed?: boolean;
};
/** The tabs of one origin that talk to one server. */
export declare class Tabs {
    #private;
    /**
     * @param {string} url
     * @param {(state: State) => void} hear is given what the other tabs tell
     */
    constructor(url: string, hear: (state: State) => void);
    /** @param {State} state */
    tell(state: State): void;
    /**
     * Has one tab do something at a time. A tab that had to wait for another is told what came of it, and does it only if that was nothing.
     * Without Web Locks, which browsers have on https and localhost only, each tab does it.
     *
     * @param {() => Promise<void>} work tells the other tabs what came of it
     */
    alone(work: () => Promise<void>): Promise<void>;
    close(): void;
}
