// Every page works without this, passkeys excepted. It shows passwords, copies, prints, says that a form is busy, and reads passkeys.
const all = (what) => document.querySelectorAll(what);

document.querySelector("[data-focus]")?.focus();

// On a phone the navigation is a strip: the part one is in is in sight.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

for (const b of all("[data-reveal]")) {
  const field = document.getElementById(b.getAttribute("aria-controls"));
  const idle = b.textContent;
  b.hidden = false;
  b.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    b.textContent = shown ? b.dataset.shown : idle;
    b.setAttribute("aria-pressed", shown);
  });
  // so that a browser offers to keep it
  field.form.addEventListener("submit", () => (field.type = "password"));
}

for (const b of all("[data-print]")) {
  b.hidden = false;
  b.addEventListener("click", () => print());
}

if (navigator.clipboard) {
  for (const b of all("[data-copy]")) b.hidden = false;
  addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy]"), idle = b?.textContent;
    if (!b || idle === b.dataset.copied) return;
    await navigator.clipboard.writeText(b.dataset.copy);
    b.textContent = b.dataset.copied;
    setTimeout(() => (b.textContent = idle), 2000);
  });
}

// A form is sent once. Its button says so, and can still be reached.
for (const form of all("form[method=post]")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) {
      e.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const b = e.submitter;
    if (b?.dataset.busy) {
      b.dataset.idle = b.textContent;
      b.textContent = b.dataset.busy;
      b.setAttribute("aria-disabled", "true");
    }
  });
}
addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) delete form.dataset.sent;
  for (const b of all("[data-idle]")) {
    b.textContent = b.dataset.idle;
    b.removeAttribute("aria-disabled");
  }
});

// Six digits are a whole code: it is sent once, and again only by its button.
for (const field of all("[data-code]")) {
  let sent = false;
  field.addEventListener("input", () => {
    if (!sent && /^\d{6}$/.test(field.value.replace(/[\s-]/g, ""))) {
      sent = true;
      field.form.requestSubmit();
    }
  });
}

// Passkeys. A form with data-passkey asks for options at that address; one with data-sign has them. What was signed is sent with the form.
async function sign(form, options, how) {
  const make = form.dataset.create;
  const publicKey = PublicKeyCredential[make ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"](options);
  const made = await navigator.credentials[make ? "create" : "get"]({ publicKey, ...how });
  form.elements.credential.value = JSON.stringify(made.toJSON());
  form.requestSubmit ? form.requestSubmit() : form.submit();
}

async function ask(form) {
  if (form.dataset.sign) return JSON.parse(form.dataset.sign);
  const answer = await fetch(form.dataset.passkey, { method: "POST", headers: { Accept: "application/json" } });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  if (body.attempt) form.elements.attempt.value = body.attempt;
  return body.publicKey;
}

for (const form of all("[data-passkey], [data-sign]")) {
  const b = form.querySelector("button[type=button]"), status = form.querySelector("[role=status]");
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    status.textContent = form.dataset.off;
    continue;
  }
  b.hidden = false;
  let waiting; // for a passkey that is chosen in the field of the name
  b.addEventListener("click", async () => {
    waiting?.abort();
    status.textContent = "";
    try {
      await sign(form, await ask(form));
    } catch (e) {
      status.textContent = e.name === "NotAllowedError" || e.name === "AbortError" ? form.dataset.cancelled : e.message;
    }
  });
  if (form.dataset.passkey && document.querySelector("[autocomplete~=webauthn]") && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    waiting = new AbortController();
    try {
      await sign(form, await ask(form), { mediation: "conditional", signal: waiting.signal });
    } catch {
      // somebody signs in another way
    }
  }
}
