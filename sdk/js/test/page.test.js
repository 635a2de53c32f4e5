import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuth } from "../src/index.js";
import { creationOptions, credentialJSON, fromBuffer, requestOptions, toBuffer } from "../src/passkey.js";

const url = "https://auth.example.com";
const ann = { id: "usr_1", email: "ann@example.com" };

/** A client of a server that answers as the test says, and what it was asked. */
function meet(t, answers, options = {}) {
  const asked = [];
  const fetch = async (request) => {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    asked.push({
      what: `${request.method} ${pathname}${search}`, credentials: request.credentials, token: request.headers.get("Authorization"),
      type: request.headers.get("Content-Type"), body: text && JSON.parse(text),
    });
    const answer = answers[`${request.method} ${pathname}`];
    if (!answer) throw new Error(`nobody asks for ${request.method} ${pathname}`);
    const [status, body, headers] = await answer(asked.at(-1));
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
  };
  const auth = createAuth({ url, fetch, ...options });
  t.after(() => auth.close());
  return { auth, asked, what: () => asked.splice(0).map((one) => one.what) };
}

const refusal = (status, code) => [status, { code, detail: "No.", status, request_id: "req_1" }, { "Retry-After": "7" }];

test("signing in with the cookie", async (t) => {
  let signed = false;
  const { auth, asked, what } = meet(t, {
    "POST /auth/login": () => ((signed = true), [200, ann]),
    "GET /auth/me": () => (signed ? [200, ann] : refusal(401, "session_invalid")),
    "POST /auth/logout": () => ((signed = false), [200, { message: "You are signed out." }]),
    "GET /jobs": () => [200, []],
  });
  const told = [];
  const end = auth.onChange((user) => told.push(user?.id ?? null));
  assert.equal(auth.user, undefined);
  assert.equal(await auth.me(), null);
  assert.deepEqual(await auth.signIn({ email: "ann@example.com", password: "password123" }), { user: ann, recoveryCodes: undefined });
  assert.deepEqual(auth.user, ann);
  assert.equal(await auth.refresh(), true);
  await auth.fetch(`${url}/jobs`);
  assert.ok(asked.every((one) => one.credentials === "include" && one.token === null));
  assert.deepEqual(asked[1], { what: "POST /auth/login?transport=cookie", credentials: "include", token: null, type: "application/json", body: { email: "ann@example.com", password: "password123" } });
  what();
  await auth.signOut();
  assert.equal(auth.user, null);
  end();
  await auth.signIn({ email: "ann@example.com", password: "password123" });
  assert.deepEqual(told, [null, "usr_1", null]);
});

/** A server with tokens t1, t2 …, of which only the last is good. */
function tokens(t, answers = {}, options = {}) {
  let n = 0;
  const state = { session: true, life: 900 };
  const issue = () => ({ access_token: `t${++n}`, token_type: "bearer", expires_in: state.life });
  const bearing = (answer) => ({ token }) => (token === `Bearer t${n}` ? [200, answer] : refusal(401, "invalid_token"));
  return {
    state,
    ...meet(t, {
      "POST /auth/login": () => ((state.session = true), [200, issue()]),
      "POST /api/v1/refresh": () => (state.session ? [200, issue()] : refusal(401, "refresh_token_invalid")),
      "POST /api/v1/logout": () => (state.session ? ((state.session = false), [200, { message: "" }]) : refusal(401, "refresh_token_invalid")),
      "GET /auth/me": bearing(ann), "GET /jobs": bearing([]), "POST /jobs": bearing({}), "POST /auth/reauthenticate": bearing({ fresh_until: "" }),
      "POST /auth/switch-org": () => [200, { org_id: "org_1", roles: ["owner"], ...issue() }],
      ...answers,
    }, { transport: "token", ...options }),
    outdate: () => n++,
  };
}

test("an access token is got when it is needed, and kept", async (t) => {
  const { auth, asked, what } = tokens(t);
  assert.deepEqual(await auth.me(), ann);
  assert.equal((await auth.fetch(`${url}/jobs`)).status, 200);
  assert.deepEqual(asked.map((one) => [one.what, one.token, one.credentials]), [
    ["POST /api/v1/refresh", null, "include"], ["GET /auth/me", "Bearer t1", "same-origin"], ["GET /jobs", "Bearer t1", "same-origin"],
  ]);
  what();
  await auth.signIn({ email: "ann@example.com", password: "password123" });
  assert.deepEqual(what(), ["POST /auth/login?transport=page", "GET /auth/me"]);
  assert.deepEqual(await auth.switchOrg("acme"), { org_id: "org_1", roles: ["owner"] });
  assert.equal((await auth.fetch(`${url}/jobs`)).status, 200);
  what();
  await auth.reauthenticate({ password: "password123" });
  assert.deepEqual(what(), ["POST /auth/reauthenticate", "POST /api/v1/refresh"]);
});

test("what is answered with 401 is sent again once, with its body", async (t) => {
  const { auth, asked, what, outdate, state } = tokens(t);
  await auth.me();
  outdate();
  what();
  assert.equal((await auth.fetch(`${url}/jobs`, { method: "POST", body: `{"title":"Cook"}` })).status, 200);
  assert.deepEqual(asked.map((one) => [one.what, one.body]), [["POST /jobs", { title: "Cook" }], ["POST /api/v1/refresh", ""], ["POST /jobs", { title: "Cook" }]]);
  what();
  const { auth: never, what: its } = tokens(t, { "GET /jobs": () => refusal(401, "invalid_token") });
  assert.equal((await never.fetch(`${url}/jobs`)).status, 401);
  assert.deepEqual(its(), ["POST /api/v1/refresh", "GET /jobs", "POST /api/v1/refresh", "GET /jobs"]);
  outdate();
  state.session = false;
  assert.equal((await auth.fetch(`${url}/jobs`)).status, 401);
  assert.equal(auth.user, null);
  assert.deepEqual(what(), ["GET /jobs", "POST /api/v1/refresh"]);
});

test("many who need a token ask for it once", async (t) => {
  const { auth, what, outdate } = tokens(t);
  await Promise.all(Array.from({ length: 10 }, () => auth.fetch(`${url}/jobs`)));
  assert.deepEqual(what().filter((one) => one.includes("refresh")).length, 1);
  outdate();
  const all = await Promise.all(Array.from({ length: 10 }, () => auth.fetch(`${url}/jobs`)));
  assert.ok(all.every((one) => one.status === 200));
  assert.deepEqual(what().filter((one) => one.includes("refresh")).length, 1);
});

test("a token that runs out is renewed before it is sent", async (t) => {
  const { auth, what, state } = tokens(t);
  state.life = 5; // less than what is left for the way
  await auth.me();
  await auth.fetch(`${url}/jobs`);
  assert.deepEqual(what(), ["POST /api/v1/refresh", "GET /auth/me", "POST /api/v1/refresh", "GET /jobs"]);
});

test("who is signed out is told so, and a server that is away signs nobody out", async (t) => {
  const { auth, what, state } = tokens(t);
  await auth.me();
  state.session = false;
  await auth.signOut(); // it had ended before
  assert.equal(auth.user, null);
  assert.equal(await auth.refresh(), false);
  what();
  const { auth: other } = tokens(t, { "POST /api/v1/refresh": () => refusal(503, "database_unavailable") });
  await assert.rejects(() => other.me(), { code: "database_unavailable", status: 503, retryAfter: 7, requestId: "req_1", message: "No." });
  assert.equal(other.user, undefined);
  const { auth: alone } = meet(t, { "GET /auth/me": () => Promise.reject(new TypeError("fetch failed")), "POST /auth/logout": () => Promise.reject(new TypeError("fetch failed")) });
  await assert.rejects(() => alone.me(), (e) => e.name === "AdmitError" && e.code === "unreachable" && e.status === 0 && e.cause instanceof TypeError);
  await assert.rejects(() => alone.signOut(), { code: "unreachable" });
});

test("a token goes to no other site", async (t) => {
  const { auth, asked } = tokens(t, {}, { apis: ["https://api.example.com/v1"] });
  for (const to of ["https://evil.example.com/jobs", "http://auth.example.com/jobs", "https://auth.example.com:444/jobs", "https://auth.example.com.evil.example/jobs"]) {
    await assert.rejects(() => auth.fetch(to), TypeError);
  }
  assert.deepEqual(asked, []);
  assert.equal((await auth.fetch("https://api.example.com/jobs")).status, 200);
});

test("steps", async (t) => {
  const totp = { id: "secret/1", prompt: { method: "totp", fields: [{ name: "code", type: "code", autocomplete: "one-time-code" }] }, methods: ["totp", "recoverycode"], trust_days: 30 };
  const { auth, asked, what } = meet(t, {
    "POST /auth/login": () => [401, { code: "step_required", detail: "", status: 401, attempt: totp }],
    "POST /auth/attempts": () => [201, totp],
    "POST /auth/attempts/secret%2F1/method": () => [200, { ...totp, id: "secret2", prompt: { method: "recoverycode", fields: [] } }],
    "POST /auth/attempts/secret2/answer": ({ body }) => (body.values.code === "right" ? [200, { ...ann, recovery_codes: ["a"] }] : refusal(401, "code_wrong")),
    "POST /auth/signup": () => [202, { message: "Look into your mail." }],
  });
  const { step, user } = await auth.signIn({ email: "ann@example.com", password: "password123" });
  assert.equal(user, undefined);
  assert.deepEqual([step.id, step.prompt, step.methods, step.trustDays], [totp.id, totp.prompt, totp.methods, 30]);
  const other = await step.use("recoverycode");
  assert.equal(other.prompt.method, "recoverycode");
  await assert.rejects(() => other.answer({ code: "wrong" }), { code: "code_wrong" });
  assert.deepEqual(await other.answer({ code: "right" }, { trust: true }), { user: ann, recoveryCodes: ["a"] });
  assert.deepEqual(asked.at(-1).body, { values: { code: "right" }, trust: true });
  what();
  assert.equal((await auth.begin({ identifier: "ann@example.com", method: "otp" })).id, totp.id);
  assert.deepEqual(await auth.signUp({ email: "ann@example.com", password: "password123" }), { message: "Look into your mail." });
});

test("answers that are none", async (t) => {
  const { auth } = meet(t, { "GET /a": () => [502], "GET /b": () => [200, "text"], "GET /c": () => [422, { code: "invalid", detail: "No.", errors: [{ field: "name", message: "Too long." }] }], "POST /api/v1/check": () => [200, { allowed: true }], "DELETE /d": () => [204] });
  await assert.rejects(() => auth.call("GET", "/a"), { code: "unexpected_answer", status: 502 });
  await assert.rejects(() => auth.call("GET", "/c"), { code: "invalid", errors: [{ field: "name", message: "Too long." }], retryAfter: undefined });
  assert.equal(await auth.call("DELETE", "/d"), undefined);
  assert.equal(await auth.can("post_job", { org: "acme" }), true);
  const page = createAuth({ url, fetch: async () => new Response("<html>") });
  t.after(() => page.close());
  await assert.rejects(() => page.me(), { code: "unexpected_answer", status: 200 });
});

test("passkeys as JSON and as browsers want them", () => {
  for (const bytes of [[], [0], [255, 254, 253], [62, 63, 251, 240]]) {
    const text = Buffer.from(bytes).toString("base64url");
    assert.equal(fromBuffer(Uint8Array.from(bytes).buffer), text);
    assert.deepEqual([...new Uint8Array(toBuffer(text))], bytes);
  }
  const made = creationOptions({ rp: { id: "localhost" }, challenge: "-_8", user: { id: "AQI", name: "ann" }, excludeCredentials: [{ id: "Aw", type: "public-key" }] });
  assert.deepEqual([new Uint8Array(made.challenge), new Uint8Array(made.user.id), new Uint8Array(made.excludeCredentials[0].id)], [Uint8Array.of(251, 255), Uint8Array.of(1, 2), Uint8Array.of(3)]);
  assert.deepEqual([made.rp, made.user.name, made.excludeCredentials[0].type], [{ id: "localhost" }, "ann", "public-key"]);
  assert.equal(requestOptions({ challenge: "AQ" }).allowCredentials, undefined);
  const bytes = (...list) => Uint8Array.from(list).buffer;
  const common = { id: "Aw", rawId: bytes(3), type: "public-key", authenticatorAttachment: null, getClientExtensionResults: () => ({ credProps: { rk: true } }) };
  assert.deepEqual(JSON.parse(JSON.stringify(credentialJSON({ ...common, response: { clientDataJSON: bytes(1), attestationObject: bytes(2), getTransports: () => ["usb"] } }))), {
    id: "Aw", rawId: "Aw", type: "public-key", clientExtensionResults: { credProps: { rk: true } }, response: { clientDataJSON: "AQ", attestationObject: "Ag", transports: ["usb"] },
  });
  assert.deepEqual(credentialJSON({ ...common, response: { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3), userHandle: null } }).response, { clientDataJSON: "AQ", authenticatorData: "Ag", signature: "Aw" });
});
