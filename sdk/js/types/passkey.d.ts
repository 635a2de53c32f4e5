/** @param {string} text @returns {ArrayBuffer} */
export declare function toBuffer(text: string): ArrayBuffer;
/** @param {ArrayBuffer} buffer @returns {string} base64url without padding */
export declare function fromBuffer(buffer: ArrayBuffer): string;
/** @param {any} json @returns {PublicKeyCredentialCreationOptions} */
export declare const creationOptions: (json: any) => PublicKeyCredentialCreationOptions;
/** @param {any} json @returns {PublicKeyCredentialRequestOptions} */
export declare const requestOptions: (json: any) => PublicKeyCredentialRequestOptions;
/**
 * @param {any} credential a PublicKeyCredential
 * @returns {Record<string, unknown>} what the server reads
 */
export declare function credentialJSON(credential: any): Record<string, unknown>;
