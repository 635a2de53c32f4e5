import { createAuth } from "/admit-client/index.js";

const { url } = await (await fetch("/settings.json")).json();
const auth = createAuth({ url, transport: "token" });

const at = (id) => document.getElementById(id);
const typed = (form) => Object.fromEntries(new FormData(form));

// signing in: with what was typed, then with whatever else is asked
async function enter(entering) {
  const { step, message } = await entering;
  at("status").textContent = message ?? "";
  at("in").hidden = step !== undefined || Boolean(auth.user);
  at("step").hidden = step === undefined;
  if (!step) return;
  const fields = step.prompt.fields.map(({ name, autocomplete }) => {
    const field = Object.assign(document.createElement("input"), { name, autocomplete, required: true });
    field.setAttribute("aria-label", name);
    return field;
  });
  const button = Object.assign(document.createElement("button"), { textContent: "Go on", className: "primary" });
  at("step").replaceChildren(...fields, button);
  at("step").onsubmit = does((form) => enter(step.prompt.method === "passkey" ? auth.passkeys.answer(step) : step.answer(typed(form))));
}

at("in").onsubmit = does((form) => enter(auth.signIn(typed(form))));
at("passkey").onclick = does(() => enter(auth.passkeys.signIn()));
at("add").onclick = does(() => auth.passkeys.register());
at("out").onclick = does(() => auth.signOut());

// the board: requests that carry who is signed in
async function list() {
  const answer = await auth.fetch("/orgs/acme/jobs");
  const jobs = answer.ok ? await answer.json() : [];
  at("jobs").replaceChildren(...jobs.map(({ title }) => Object.assign(document.createElement("li"), { textContent: title })));
  at("post").hidden = !(await auth.can("post_job", { org: "acme" }));
}

at("post").onsubmit = does(async (form) => {
  const headers = { "Content-Type": "application/json" };
  const answer = await auth.fetch("/orgs/acme/jobs", { method: "POST", headers, body: JSON.stringify(typed(form)) });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  form.reset();
  await list();
});

// who is signed in, in whichever tab
auth.onChange(does(show));
await does(auth.me.bind(auth))();

async function show() {
  at("in").hidden = Boolean(auth.user);
  at("board").hidden = !auth.user;
  at("who").textContent = auth.user?.email ?? "";
  if (auth.user) await list();
}

// what was refused is said, and what was cancelled is not
function does(work) {
  return async (event) => {
    event?.preventDefault?.();
    at("status").textContent = "";
    try {
      await work(event?.target);
    } catch (error) {
      if (error.name !== "NotAllowedError") at("status").textContent = error.message;
    }
  };
}
