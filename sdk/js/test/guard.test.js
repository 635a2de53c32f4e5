import assert from "node:assert/strict";
import { createServer, get } from "node:http";
import { test } from "node:test";
import { guards as expressGuards } from "../src/express.js";
import { guards as fetchGuards } from "../src/fetch.js";
import { sessionMark } from "../src/revoked.js";
import { createVerifier } from "../src/server.js";
import { claims, issuer, newKey, Server } from "./server.js";

async function meet(t) {
  const clock = { at: 1000 };
  t.mock.method(performance, "now", () => clock.at);
  const server = new Server(await newKey("k1"));
  const verifier = createVerifier(issuer, { fetch: server.fetch, log() {} });
  t.after(() => verifier.close());
  await server.beat("c1", { whole: true });
  const token = (change) => server.key.sign({ typ: "at+jwt" }, claims(change));
  return { server, verifier, token, clock };
}

/** The same routes by both kinds of guards, and how each is asked. */
const kinds = {
  async express(t, verifier) {
    const { requireUser, requireGlobalRole, requireFresh, requirePermission } = expressGuards(verifier);
    const org = (req) => new URL(req.url, "http://x").searchParams.get("org");
    const routes = {
      "/me": [requireUser, requireUser], "/admin": [requireUser, requireGlobalRole("super_admin")], "/fresh": [requireFresh(600)],
      "/post": [requirePermission("post_job", { org })], "/platform": [requirePermission("post_job")],
      "/broken": [requirePermission("post_job", { org: () => { throw new Error("broken"); } })],
    };
    const web = createServer((req, res) => {
      req.user = { id: "usr_made_up" };
      const list = routes[new URL(req.url, "http://x").pathname];
      const go = (i) => (error) => {
        if (error) return res.writeHead(500).end(String(error));
        if (i < list.length) return list[i](req, res, go(i + 1));
        res.end(JSON.stringify(req.user));
      };
      go(0)();
    });
    await new Promise((ready) => web.listen(0, "127.0.0.1", ready));
    t.after(() => web.close());
    const at = `http://127.0.0.1:${web.address().port}`;
    // two headers of one name, which fetch would join
    const twice = (Authorization) => new Promise((done, no) => get(`${at}/me`, { headers: { Authorization: [Authorization, Authorization] } }, (res) => done(res.resume().statusCode)).on("error", no));
    return Object.assign((path, headers) => fetch(at + path, { headers }), { twice });
  },
  async fetch(t, verifier) {
    // docs/javascript.md shows this
    const { requireUser, requirePermission, answering } = fetchGuards(verifier);
    const me = answering(async (request) => Response.json(await requireUser(request)));
    const orgOf = (request) => new URL(request.url).searchParams.get("org");
    const mayPost = requirePermission("post_job", { org: orgOf });
    const post = answering(async (request) => Response.json(await mayPost(request)));
    const { requireGlobalRole, requireFresh, respond } = fetchGuards(verifier);
    const handler = (guard) => answering(async (request) => Response.json(await guard(request)));
    assert.throws(() => respond(new Error("broken")), { message: "broken" });
    const routes = { "/me": me, "/admin": handler(requireGlobalRole("super_admin")), "/fresh": handler(requireFresh(600)), "/post": post, "/platform": handler(requirePermission("post_job")),
      "/broken": (request) => handler(requirePermission("post_job", { org: () => { throw new Error("broken"); } }))(request).catch((e) => new Response(String(e), { status: 500 })) };
    return (path, headers) => {
      const request = new Request(`http://127.0.0.1${path}`, { headers });
      return routes[new URL(request.url).pathname](request);
    };
  },
};

for (const [name, make] of Object.entries(kinds)) {
  test(`guards of ${name}`, async (t) => {
    const { server, verifier, token, clock } = await meet(t);
    const ask = await make(t, verifier);
    const bearer = async (change) => ({ Authorization: `Bearer ${await token(change)}` });
    const wants = async (path, headers, status, code) => {
      const response = await ask(path, await headers);
      const body = await response.text();
      assert.equal(response.status, status, `${path}: ${body}`);
      if (!code) return status === 200 ? JSON.parse(body) : body;
      const problem = JSON.parse(body);
      assert.equal(problem.code, code);
      assert.equal(problem.status, status);
      assert.equal(problem.type, `${issuer}/docs/errors#${code}`);
      assert.equal(response.headers.get("Content-Type"), "application/problem+json");
      assert.equal(response.headers.get("Cache-Control"), "no-store");
      const challenge = { unauthenticated: 'Bearer realm="admit"' }[code] ?? (status === 401 ? 'Bearer realm="admit", error="invalid_token"' : null);
      assert.equal(response.headers.get("WWW-Authenticate"), challenge);
      assert.equal(response.headers.get("Retry-After"), status === 503 ? "2" : null);
    };

    const good = await token();
    assert.equal((await wants("/me", bearer(), 200)).id, "usr_1");
    assert.equal((await wants("/me", { authorization: `bearer  ${good}` }, 200)).id, "usr_1");
    for (const Authorization of ["", "Bearer", "Bearer ", good, `Basic ${good}`, `Bearer ${good} x`, `Bearer ${good}, Bearer ${good}`, `Bearer\t${good}`]) {
      await wants("/me", { Authorization }, 401, "unauthenticated");
    }
    await wants("/me", [["Authorization", `Bearer ${good}`], ["Authorization", `Bearer ${good}`]], 401, "unauthenticated");
    if (ask.twice) assert.equal(await ask.twice(`Bearer ${good}`), 401);
    await wants("/me?access_token=" + good, {}, 401, "unauthenticated");
    await wants("/me", { Authorization: "Bearer a.b.c" }, 401, "invalid_token");

    await wants("/admin", bearer({ roles: ["user"] }), 403, "missing_role");
    await wants("/admin", {}, 401, "unauthenticated");
    await wants("/admin", bearer({ roles: ["super_admin"] }), 200);

    const at = Math.floor(Date.now() / 1000);
    await wants("/fresh", bearer({ auth_time: at - 590 }), 200);
    await wants("/fresh", bearer({ auth_time: at - 600 }), 403, "reauthentication_required");
    await wants("/fresh", bearer({ auth_time: undefined }), 403, "reauthentication_required");

    server.allowed = ({ permission, org_id }) => permission === "post_job" && org_id === "acme";
    await wants("/post?org=acme", bearer(), 200);
    await wants("/post?org=other", bearer(), 403, "missing_permission");
    await wants("/post", bearer(), 403, "missing_permission");
    await wants("/post?org=", bearer(), 403, "missing_permission");
    await wants("/platform", bearer(), 403, "missing_permission");
    await wants("/post?org=acme", {}, 401, "unauthenticated");
    assert.deepEqual(server.asked.checks.map((one) => one.org_id), ["acme", "other", "-", "-", undefined], "a name that was forgotten is not the whole platform");
    assert.match(await wants("/broken", bearer(), 500), /broken/);

    for (const [status, code, want] of [[401, "invalid_token", 401], [404, "check_unavailable", 503], [500, "check_unavailable", 503]]) {
      server.allowed = () => new Response("{}", { status });
      await wants("/post?org=acme", bearer(), want, code);
    }
    server.allowed = () => Response.json({ allowed: "yes" });
    await wants("/post?org=acme", bearer(), 403, "missing_permission");
    server.allowed = () => new Response("allowed");
    await wants("/post?org=acme", bearer(), 503, "check_unavailable");

    await server.beat("c2", { ended: [await sessionMark("ses_1")] });
    await wants("/me", bearer(), 401, "session_invalid");
    clock.at += 3001;
    await wants("/me", bearer({ sid: "ses_2" }), 503, "revocations_stale");
  });
}
