// Options and credentials of WebAuthn (Level 3, section 5.1.8 and 5.1.9) as JSON and as browsers want them. The methods that browsers have for that are
// missing in some, and password managers replace the credential by an object on which they fail, so everything is done here.

/** @param {string} text @returns {ArrayBuffer} */
export function toBuffer(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0)).buffer;
}

/** @param {ArrayBuffer} buffer @returns {string} base64url without padding */
export function fromBuffer(buffer) {
  let binary = "";
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {any[] | undefined} list */
const descriptors = (list) => list?.map((one) => ({ ...one, id: toBuffer(one.id) }));

/** @param {any} json @returns {PublicKeyCredentialCreationOptions} */
export const creationOptions = (json) => ({
  ...json,
  challenge: toBuffer(json.challenge),
  user: { ...json.user, id: toBuffer(json.user.id) },
  excludeCredentials: descriptors(json.excludeCredentials),
});

/** @param {any} json @returns {PublicKeyCredentialRequestOptions} */
export const requestOptions = (json) => ({ ...json, challenge: toBuffer(json.challenge), allowCredentials: descriptors(json.allowCredentials) });

/**
 * @param {any} credential a PublicKeyCredential
 * @returns {Record<string, unknown>} what the server reads
 */
export function credentialJSON(credential) {
  const { response } = credential;
  /** @type {Record<string, unknown>} */
  const out = { clientDataJSON: fromBuffer(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) out[name] = fromBuffer(response[name]);
  }
  if (response.getTransports) out.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: fromBuffer(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: out,
  };
}
