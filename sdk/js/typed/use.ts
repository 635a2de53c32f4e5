// What an editor and a compiler know of the package. It is compiled, and never run.

import { AdmitError, createAuth, type Entry, type Step, type User } from "admit-client";
import { guards as express } from "admit-client/express";
import { guards as fetching } from "admit-client/fetch";
import { createVerifier, type User as Caller } from "admit-client/server";

const auth = createAuth({ url: "https://auth.example.com", transport: "token", apis: ["https://api.example.com"] });
const entry: Entry = await auth.signIn({ email: "ann@example.com", password: "password123", remember: true });
const step: Step | undefined = entry.step;
const next: Entry | undefined = await step?.answer({ code: "123456" }, { trust: true });
const fields: ("text" | "password" | "code")[] | undefined = step?.prompt.fields.map((one) => one.type);
const me: User | null = await auth.me();
const answer: Response = await auth.fetch("/jobs", { method: "POST" });
const may: boolean = await auth.can("post_job", { org: "acme" });
const end: () => void = auth.onChange((user) => user?.email);
await auth.passkeys.signIn({ suggest: true, signal: new AbortController().signal });
try {
  await auth.signOut();
} catch (error) {
  if (error instanceof AdmitError) console.log(error.code, error.status, error.retryAfter, error.errors.map((one) => one.field));
}
// @ts-expect-error there is no such transport
createAuth({ url: "https://auth.example.com", transport: "carrier pigeon" });
// @ts-expect-error a server has an address
createAuth({});

const admit = createVerifier("https://auth.example.com", { audience: "jobs", onStale: "accept" });
const caller: Caller = await admit.verify("a.b.c");
const since: number = caller.authAt.getTime();
const { requirePermission } = express(admit);
const middleware: (req: any, res: any, next: () => void) => void = requirePermission("post_job", { org: (req) => req.params.org });
const { requireUser, answering } = fetching(admit);
const handler: (request: Request) => Promise<Response> = answering(async (request: Request) => Response.json(await requireUser(request)));
// @ts-expect-error it is refuse or accept
createVerifier("https://auth.example.com", { onStale: true });
// @ts-expect-error a permission has a name
requirePermission({ org: () => "acme" });

console.log(next, fields, me, answer, may, end, since, middleware, handler);
