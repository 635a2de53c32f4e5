import { AdmitError } from "./error.js";
export { AdmitError };
export type User = {
    /**
     * usr_…
     */
    id: string;
    email: string | null;
    email_verified: boolean;
    username: string | null;
    phone: string | null;
    name: string;
    /**
     * global ones
     */
    roles: string[];
    organizations: string[];
    /**
     * a guest
     */
    is_anonymous: boolean;
    second_factors: string[];
    mfa: {
        enrolled: boolean;
        required: boolean;
    };
    language: string | null;
    time_zone: string | null;
    created_at: string;
};
export type Prompt = {
    method: string;
    /**
     * what to type
     */
    fields: {
        name: string;
        type: "text" | "password" | "code";
        autocomplete: string;
    }[];
    /**
     * what a device is to sign, or what else is needed for the answer
     */
    challenge?: any;
    /**
     * where the browser goes for the answer
     */
    redirect?: string;
    /**
     * a second factor is set up with the answer
     */
    enrol?: boolean;
    /**
     * seconds until something can be sent again
     */
    retry_after?: number;
};
export type Entry = {
    user?: User;
    step?: Step;
    message?: string;
    /**
     * those of a second factor that was set up on the way; shown this once
     */
    recoveryCodes?: string[];
};
export type Options = {
    /**
     * where Admit is: https://auth.example.com, its BASE_URL
     */
    url: string;
    /**
     * `cookie`: a session cookie of that server, for apps that it answers itself or through a gateway. `token`: an access token in
     * memory for your own services, and a refresh token in a cookie that no script reads
     */
    transport?: "cookie" | "token";
    /**
     * origins of your services that `fetch` may send the access token or the cookie to, beside Admit and the page's own
     */
    apis?: string[];
    fetch?: typeof globalThis.fetch;
};
export type Door = {
    ask: (path: string, body: unknown) => Promise<any>;
    enter: (path: string, body: unknown) => Promise<Entry>;
};
/**
 * Begins. There is one for each server and page.
 *
 * @param {Options} options
 * @returns {Auth}
 */
export declare const createAuth: (options: Options) => Auth;
/** Who is signed in on this page, in all tabs of its origin. */
export declare class Auth {
    #private;
    /** Passkeys of this person and device. */
    passkeys: Passkeys;
    /** Who is signed in as far as is known: null for nobody, undefined until `me` or signing in has told. @type {User | null | undefined} */
    user: User | null | undefined;
    /** @param {Options} options */
    constructor({ url, transport, apis, fetch }: Options);
    /**
     * Makes an account and signs in.
     *
     * @param {{email?: string, username?: string, phone?: string, password: string, name?: string, invite_token?: string}} who
     * @returns {Promise<Entry>}
     */
    signUp(who: {
        email?: string;
        username?: string;
        phone?: string;
        password: string;
        name?: string;
        invite_token?: string;
    }): Promise<Entry>;
    /**
     * Signs in with a password. Where a second factor is set up, the answer is the step that asks for it.
     *
     * @param {{email?: string, username?: string, phone?: string, identifier?: string, password: string, remember?: boolean}} who
     * @returns {Promise<Entry>}
     */
    signIn(who: {
        email?: string;
        username?: string;
        phone?: string;
        identifier?: string;
        password: string;
        remember?: boolean;
    }): Promise<Entry>;
    /**
     * Begins to sign in another way: with a code by mail, for example.
     *
     * @param {{identifier?: string, method?: string}} [how]
     * @returns {Promise<Step>}
     */
    begin(how?: {
        identifier?: string;
        method?: string;
    }): Promise<Step>;
    /** Ends the session, in all tabs. */
    signOut(): Promise<void>;
    /**
     * Asks who is signed in: null for nobody.
     *
     * @returns {Promise<User | null>}
     */
    me(): Promise<User | null>;
    /**
     * Gets a new access token, for all tabs at once: after a change of rights, or to see whether there is still a session. With the cookie there is none, and nothing to do.
     *
     * @returns {Promise<boolean>} whether there is a session
     */
    refresh(): Promise<boolean>;
    /**
     * A request to one of your services, as `fetch` makes it: with the access token, which is renewed first where it has run out, or with the cookie. One that is answered
     * with 401 is sent again once with a new token.
     *
     * @param {RequestInfo | URL} input
     * @param {RequestInit} [init]
     * @returns {Promise<Response>}
     */
    fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
    /**
     * Calls any route of Admit's API in the name of who is signed in, and throws an AdmitError when it is refused.
     *
     * @param {string} method
     * @param {string} path such as /auth/sessions
     * @param {unknown} [body] sent as JSON
     * @returns {Promise<any>} what it answers, undefined for nothing
     */
    call(method: string, path: string, body?: unknown): Promise<any>;
    /**
     * Asks whether who is signed in may do something, for what a page shows. The service that does it asks by itself.
     *
     * @param {string} permission
     * @param {{org?: string}} [where] an organization, by id or slug; without one it is about the whole platform
     * @returns {Promise<boolean>}
     */
    can(permission: string, { org }?: {
        org?: string;
    }): Promise<boolean>;
    /**
     * Works in another organization from now on; null is none.
     *
     * @param {string | null} org its id or slug
     * @returns {Promise<{org_id: string | null, roles: string[]}>}
     */
    switchOrg(org: string | null): Promise<{
        org_id: string | null;
        roles: string[];
    }>;
    /**
     * Proves again that it is them, after `reauthentication_required`. `passkeys.reauthenticate` does it with a passkey.
     *
     * @param {{password?: string, code?: string, credential?: unknown, method?: string}} proof
     * @returns {Promise<{fresh_until: string}>}
     */
    reauthenticate(proof: {
        password?: string;
        code?: string;
        credential?: unknown;
        method?: string;
    }): Promise<{
        fresh_until: string;
    }>;
    /**
     * Tells whenever somebody signs in or out, in whichever tab.
     *
     * @param {(user: User | null) => void} listener
     * @returns {() => void} ends it
     */
    onChange(listener: (user: User | null) => void): () => void;
    /** Hears no more of other tabs. */
    close(): void;
}
/** One step of signing in. Answer what its prompt asks, or choose another of its methods. */
export declare class Step {
    #private;
    /** The attempt. It is a secret. */
    id: string;
    prompt: Prompt;
    /** Ways to go on. */
    methods: string[];
    /** For how many days this browser can be trusted, if it can. */
    trustDays: number | undefined;
    /**
     * @param {{id: string, prompt: Prompt, methods: string[], trust_days?: number}} step
     * @param {Door} door
     */
    constructor(step: {
        id: string;
        prompt: Prompt;
        methods: string[];
        trust_days?: number;
    }, door: Door);
    /**
     * Answers with what was typed into the fields of the prompt.
     *
     * @param {Record<string, string>} values
     * @param {{remember?: boolean, trust?: boolean}} [how]
     * @returns {Promise<Entry>}
     */
    answer(values: Record<string, string>, how?: {
        remember?: boolean;
        trust?: boolean;
    }): Promise<Entry>;
    /**
     * Goes on in another way.
     *
     * @param {string} method one of `methods`
     * @returns {Promise<Step>}
     */
    use(method: string): Promise<Step>;
}
/** Passkeys: made, and shown to get in. Who closes the browser's question causes its NotAllowedError. */
export declare class Passkeys {
    #private;
    /**
     * @param {Auth} auth
     * @param {Door} door
     */
    constructor(auth: Auth, door: Door);
    /** Whether this browser knows passkeys on this page. */
    get supported(): boolean;
    /** Whether this browser offers them among the suggestions of a field with autocomplete="username webauthn". */
    suggests(): Promise<boolean>;
    /**
     * Adds one to the account of who is signed in. It needs a proof that is less than ten minutes old.
     *
     * @param {{name?: string}} [what] empty is named after what keeps it
     * @returns {Promise<{id: string, name: string, synced: boolean}>}
     */
    register({ name }?: {
        name?: string;
    }): Promise<{
        id: string;
        name: string;
        synced: boolean;
    }>;
    /**
     * Signs in with one. With `suggest` it waits until one is chosen among the suggestions of a field; end that with `signal` when somebody signs in another way.
     *
     * @param {{suggest?: boolean, signal?: AbortSignal, identifier?: string, remember?: boolean}} [how]
     * @returns {Promise<Entry>}
     */
    signIn({ suggest, signal, identifier, remember }?: {
        suggest?: boolean;
        signal?: AbortSignal;
        identifier?: string;
        remember?: boolean;
    }): Promise<Entry>;
    /**
     * Answers a step whose prompt asks for one.
     *
     * @param {Step} step
     * @param {{remember?: boolean, trust?: boolean}} [how]
     */
    answer(step: Step, how?: {
        remember?: boolean;
        trust?: boolean;
    }): Promise<Entry>;
    /** Proves again that it is them, after `reauthentication_required`. */
    reauthenticate(): Promise<{
        fresh_until: string;
    }>;
}
