import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier } from "../src/server.js";
import { rightsMark, sessionMark } from "../src/revoked.js";
import { claims, issuer, newKey, Server, until } from "./server.js";

/** A server that was heard from, and a verifier of its tokens. */
async function meet(t, options = {}, key) {
  const clock = { at: 1000 }; // milliseconds: how busy the machine is must not matter
  t.mock.method(performance, "now", () => clock.at);
  const server = new Server(key ?? (await newKey("k1")));
  const verifier = createVerifier(issuer, { fetch: server.fetch, log() {}, ...options });
  t.after(() => verifier.close());
  if (!options.silent) {
    await server.beat("c1", { whole: true });
    await verifier.ready();
  }
  const token = (change, header) => server.key.sign({ typ: "at+jwt", ...header }, claims(change));
  const refuses = async (text, code = "invalid_token", what = code) => {
    await assert.rejects(async () => verifier.verify(await text), (error) => error.name === "AdmitError" && error.code === code, what);
  };
  return { server, verifier, token, refuses, clock };
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

for (const alg of ["ES256", "EdDSA", "RS256"]) {
  test(`a token by ${alg} says who it is`, async (t) => {
    const { verifier, token } = await meet(t, {}, await newKey("k1", alg));
    const at = Math.floor(Date.now() / 1000) - 5;
    const given = { roles: ["user", "manager"], org: "org_1", org_roles: ["recruiter"], act: { sub: "usr_2" }, auth_time: at };
    assert.deepEqual(await verifier.verify(await token(given)), {
      id: "usr_1", roles: ["user", "manager"], orgId: "org_1", orgRoles: ["recruiter"], sessionId: "ses_1", amr: ["pwd"], authAt: new Date(at * 1000), actorId: "usr_2",
    });
    const alone = await verifier.verify(await token());
    assert.deepEqual([alone.orgId, alone.actorId], [null, null]);
  });
}

test("hostile tokens", async (t) => {
  const { server, verifier, token, refuses } = await meet(t);
  const good = await token();
  await verifier.verify(good);
  const [header, payload, signature] = good.split(".");
  const other = await newKey("k1");
  const at = Math.floor(Date.now() / 1000);

  const texts = {
    "nothing": "", "no token": "x", "two parts": `${header}.${payload}`, "four parts": `${good}.`, "no string": 7,
    "no signature": `${header}.${payload}.`,
    "alg none": `${encode({ alg: "none", typ: "at+jwt", kid: "k1" })}.${payload}.`,
    "alg none with a signature": `${encode({ alg: "none", typ: "at+jwt", kid: "k1" })}.${payload}.${signature}`,
    "padding": `${good}==`, "a space": ` ${good}`, "a line": `${good}\n`, "not base64url": good.replace(/.$/, "+"),
    "the same signature, written in another way": good.slice(0, -1) + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(good.at(-1)) + 1],
    "another payload": `${header}.${encode(claims({ sub: "usr_2" }))}.${signature}`,
    "another header": `${encode({ alg: "ES256", kid: "k1", typ: "at+jwt", x: 1 })}.${payload}.${signature}`,
    "a header that is a list": `${encode([])}.${payload}.${signature}`,
    "too long": await token({ x: "x".repeat(9000) }),
  };
  for (const [what, text] of Object.entries(texts)) await refuses(text, "invalid_token", what);

  const headers = {
    "an ID token": { typ: "JWT" }, "no type": { typ: undefined }, "a message of the feed": { typ: "revocations+jwt" }, "a type in capitals": { typ: "AT+JWT" },
    "no key": { kid: undefined }, "another key": { kid: "k2" }, "a key that is no text": { kid: 1 }, "a prototype": { kid: "__proto__" },
    "another algorithm": { alg: "RS256" }, "HMAC with the public key": { alg: "HS256" }, "an algorithm of objects": { alg: "constructor" },
    "critical": { crit: ["exp"] }, "empty critical": { crit: [] }, "not encoded": { b64: false },
  };
  for (const [what, change] of Object.entries(headers)) await refuses(token({}, change), "invalid_token", what);
  await refuses(other.sign({ typ: "at+jwt" }, claims()), "invalid_token", "another key of the same name");
  await refuses(other.sign({ typ: "at+jwt", jwk: other.jwk, jku: "https://evil.example.com/jwks.json" }, claims()), "invalid_token", "a key that it brings along");

  const changes = {
    "another issuer": { iss: "https://evil.example.com" }, "an issuer with a slash": { iss: `${issuer}/` }, "no issuer": { iss: undefined },
    "another audience": { aud: "https://jobs.example.com" }, "several audiences": { aud: [issuer, "https://evil.example.com"] }, "a list of one audience": { aud: [issuer] }, "no audience": { aud: undefined },
    "expired": { exp: at - 1 }, "expires now": { exp: at }, "no end": { exp: undefined }, "an end that is a text": { exp: String(at + 900) }, "an end that is no number": { exp: null }, "half a second": { exp: at + 900.5 }, "forever": { exp: 1e300 },
    "not yet": { nbf: at + 40 }, "of tomorrow": { iat: at + 86400 }, "issued at a text": { iat: "now" },
    "no person": { sub: undefined }, "an empty person": { sub: "" }, "a person that is a number": { sub: 1 }, "no session": { sid: undefined },
    "a refresh token": { typ: "refresh" }, "no kind": { typ: undefined },
    "roles that are a text": { roles: "super_admin" }, "roles that are objects": { roles: [{}] }, "an organization that is a list": { org: ["org_1"] }, "an actor that is a number": { act: { sub: 1 } },
  };
  for (const [what, change] of Object.entries(changes)) await refuses(token(change), "invalid_token", what);
  await verifier.verify(await token({ nbf: at + 20, iat: at + 20 })); // clocks differ

  assert.equal(server.asked.keys, 1, "a key that is not known is asked for once in five seconds");
});

test("a token of nobody's clock is refused by the clock that is given", async (t) => {
  let now = Date.now();
  const { verifier, token, refuses } = await meet(t, { now: () => now });
  const text = await token();
  await verifier.verify(text);
  now += 901_000;
  await refuses(text);
});

test("with a secret only HS256 counts", async (t) => {
  t.mock.method(performance, "now", () => 1000);
  const secret = "a secret that both of us know, and nobody else";
  const server = new Server(await newKey("k1"));
  const key = await crypto.subtle.importKey("raw", Buffer.from(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const sign = async (header, body) => {
    const text = `${encode({ alg: "HS256", kid: "hs_1", ...header })}.${encode(body)}`;
    return `${text}.${Buffer.from(await crypto.subtle.sign("HMAC", key, Buffer.from(text))).toString("base64url")}`;
  };
  const verifier = createVerifier(issuer, { fetch: server.fetch, secret, log() {} });
  t.after(() => verifier.close());
  await server.tell(await server.message("c1", {}, "revocations+jwt", { sign }));
  assert.equal((await verifier.verify(await sign({ typ: "at+jwt" }, claims()))).id, "usr_1");
  for (const text of [await server.key.sign({ typ: "at+jwt" }, claims()), await sign({ typ: "at+jwt", alg: "none" }, claims())]) {
    await assert.rejects(() => verifier.verify(text), { code: "invalid_token" });
  }
  assert.equal(server.asked.keys, 0);
});

test("keys change", async (t) => {
  const { server, verifier, refuses, clock } = await meet(t);
  const next = await newKey("k2");
  const text = await next.sign({ typ: "at+jwt" }, claims());
  await refuses(text);
  clock.at += 1500;
  server.keys = [server.key.jwk, next.jwk, { kty: "oct", kid: "k3", k: "AAAA", alg: "HS256" }, { ...next.jwk, kid: "k4", alg: "none" }, { ...next.jwk, kid: "k5", use: "enc" }, { kid: "k6" }, null];
  await refuses(text); // it was asked a moment ago
  assert.equal(server.asked.keys, 1);
  clock.at += 5000;
  await server.beat();
  const seen = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(text)));
  assert.equal(seen.length, 20);
  assert.equal(server.asked.keys, 2, "of twenty who wait for a key one asks");
  for (const kid of ["k3", "k4", "k5", "k6"]) await refuses(next.sign({ typ: "at+jwt", kid }, claims()), "invalid_token", kid);
  server.keys = [next.jwk];
  clock.at += 6000;
  await server.tell(await server.message("c2", {}, "revocations+jwt", { sign: (h, c) => next.sign({ ...h, kid: "k7" }, c) })); // has the keys read anew
  await server.beat();
  await refuses(server.key.sign({ typ: "at+jwt" }, claims()), "invalid_token", "a key that was taken back");
});

test("what ended is refused", async (t) => {
  const { server, verifier, token, refuses } = await meet(t);
  const [mine, theirs] = [await token(), await token({ sid: "ses_2" })];
  await server.beat("c2", { ended: [await sessionMark("ses_1")] });
  await refuses(mine, "session_invalid");
  await verifier.verify(theirs);
  await server.beat("c3", { whole: true, ended: [await sessionMark("ses_2")] }); // the whole: what was heard before is forgotten
  await verifier.verify(mine);
  await refuses(theirs, "session_invalid");
  assert.deepEqual(server.asked.since, ["", "c1", "c2", "c3"]);
});

test("rights are other from a revision on, and only for those whom it is about", async (t) => {
  const { server, verifier, token, refuses } = await meet(t);
  await server.beat("c2", { changed: { [await rightsMark("", "usr_1")]: 5, [await rightsMark("org_1", "usr_1")]: 7, [await rightsMark("org_2", "")]: 9, [await rightsMark("org_3", "usr_2")]: 99 } });
  await server.beat("c3", { changed: { [await rightsMark("org_1", "usr_1")]: 6 } });
  const good = [[null, "az1.e.5"], ["org_1", "az1.e.7"], ["org_2", "az1.e.9"], ["org_3", "az1.e.5"]];
  for (const [org, rev] of good) await verifier.verify(await token({ org, rev }));
  const old = [[null, "az1.e.4"], ["org_1", "az1.e.6"], ["org_2", "az1.e.8"], [null, "az1.other.50"], [null, ""], [null, undefined], [null, 50], [null, "az1.e.x"], [null, "az1.e.-0"], [null, "az1.e. 9"]];
  for (const [org, rev] of old) await refuses(token({ org, rev }), "token_outdated", `${org} ${rev}`);
});

test("marks are those of the server", async () => {
  // printf 'session\0ses_1' | sha256sum, the first 16 bytes in base64url
  const { createHash } = await import("node:crypto");
  const mark = (text) => createHash("sha256").update(text).digest().subarray(0, 16).toString("base64url");
  assert.equal(await sessionMark("ses_1"), mark("session\0ses_1"));
  assert.equal(await rightsMark("", "usr_1"), mark("rights\0\0usr_1"));
});

test("silence is no consent", async (t) => {
  const warned = [];
  const { server, verifier, token, refuses, clock } = await meet(t, { silent: true, log: (text) => warned.push(text) });
  const text = await token();
  const wants = async (code) => {
    if (code) await refuses(text, code);
    else await verifier.verify(text);
    assert.equal(verifier.stale, code !== undefined);
  };
  await wants("revocations_stale");
  await server.beat("c1");
  await wants();
  clock.at += 3000;
  await wants();
  clock.at += 1;
  await wants("revocations_stale");
  await server.beat("c2");
  await wants();
  clock.at += 3001;
  server.away = true;
  server.waiting.shift().fail();
  await until(() => warned.length > 0);
  await wants("revocations_stale");
  server.away = false;
  await server.beat("c3");
  await wants();
  assert.deepEqual(warned, ["the revocation feed of the Admit server is not heard"]);
  assert.deepEqual(server.asked.since, ["", "c1", "c2", "c2", "c3"]); // from the place that was reached
});

test("where it is said so, a token is good while the server is away, and what was heard goes on to hold", async (t) => {
  const { server, verifier, token, refuses, clock } = await meet(t, { onStale: "accept" });
  await server.beat("c2", { ended: [await sessionMark("ses_2")] });
  clock.at += 60_000;
  assert.equal(verifier.stale, true);
  await verifier.verify(await token());
  await refuses(token({ sid: "ses_2" }), "session_invalid");
});

test("messages of others are not believed", async (t) => {
  const at = Math.floor(Date.now() / 1000);
  const other = await newKey("k1");
  const bad = {
    "another type": (s) => s.message("c2", {}, "at+jwt"),
    "another issuer": (s) => s.message("c2", { iss: "https://evil.example.com" }),
    "an old one": (s) => s.message("c2", { iat: at - 40 }),
    "one to come": (s) => s.message("c2", { iat: at + 40 }),
    "another key": (s) => s.message("c2", {}, "revocations+jwt", other),
    "no message": (s) => s.message("c2", { ended: undefined }),
    "no signature": async () => "{}",
  };
  for (const [what, make] of Object.entries(bad)) {
    await t.test(what, async (t) => {
      const { server, verifier, refuses, token } = await meet(t, { silent: true });
      await server.tell(await make(server));
      await refuses(token(), "revocations_stale");
      await server.beat("c3");
      await verifier.verify(await token());
      assert.deepEqual(server.asked.since, ["", "", "c3"]);
    });
  }
});

test("a refused place is begun anew", async (t) => {
  const { server } = await meet(t);
  await server.tell("{}", 422);
  await server.tell("{}", 503);
  assert.deepEqual(server.asked.since, ["", "c1", "", ""]);
});

test("ready can be given up, and an address is checked", async (t) => {
  const { verifier } = await meet(t, { silent: true });
  await assert.rejects(() => verifier.ready({ signal: AbortSignal.timeout(1) }), { name: "TimeoutError" });
  for (const text of ["", "auth.example.com", "ftp://auth.example.com", "https://auth.example.com?x=1"]) assert.throws(() => createVerifier(text), TypeError);
  assert.throws(() => createVerifier(issuer, { onStale: "maybe" }), TypeError);
});
