// Every page works without this, passkeys excepted. It shows passwords, copies, says that a form is busy, and reads passkeys.
const all = (what) => document.querySelectorAll(what);

document.querySelector("[data-focus]")?.focus();

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

if (navigator.clipboard) {
  for (const b of all("[data-copy]")) {
    const idle = b.textContent;
    b.hidden = false;
    b.addEventListener("click", async () => {
      await navigator.clipboard.writeText(b.dataset.copy);
      b.textContent = b.dataset.copied;
      setTimeout(() => (b.textContent = idle), 2000);
    });
  }
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
