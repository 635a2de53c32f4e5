export type Key = {
    algorithm: string;
    key: CryptoKey;
};
/**
 * @typedef {object} Key
 * @property {string} algorithm
 * @property {CryptoKey} key
 */
/** The public keys of a server (RFC 7517). They change: one that is not known may be new. */
export declare class Keys {
    #private;
    /**
     * @param {() => Promise<any>} read the key set
     * @param {(message: string, cause: unknown) => void} log
     */
    constructor(read: () => Promise<any>, log: (message: string, cause: unknown) => void);
    /** @param {unknown} kid @returns {Promise<Key | undefined>} */
    get(kid: unknown): Promise<Key | undefined>;
}
/** @param {string} secret ACCESS_SECRET @returns {Promise<Key>} */
export declare function shared(secret: string): Promise<Key>;
