// The page works without this. It brings the key from the address into the form, shows the password, and says that it is busy.
const at = (id) => document.getElementById(id);
const key = at("key"), field = at("key-field"), password = at("password"), show = at("show"), go = at("go");

// What stands behind # is sent to no server. It moves into the form and out of the address and the history.
function take() {
  const given = new URLSearchParams(location.hash.slice(1)).get("k");
  if (given) {
    history.replaceState(null, "", location.pathname);
    key.value = given;
    key.removeAttribute("aria-invalid");
    at("claim")?.setAttribute("open", "");
  }
  // A key that came with the link is nothing to look at, unless something is wrong with it.
  const good = key.value !== "" && key.getAttribute("aria-invalid") !== "true";
  field.hidden = at("how").hidden = good;
  at("ready").hidden = !good;
  if (given) at("email").focus();
}
take();
addEventListener("hashchange", take);

show.hidden = false;
function reveal(yes) {
  password.type = yes ? "text" : "password";
  show.textContent = yes ? "Hide" : "Show";
  show.setAttribute("aria-label", yes ? "Hide password" : "Show password");
}
show.addEventListener("click", () => reveal(password.type === "password"));

const idle = go.textContent;
go.form.addEventListener("submit", (e) => {
  if (go.getAttribute("aria-disabled") === "true") {
    e.preventDefault();
    return;
  }
  reveal(false); // so that a browser offers to keep it
  go.setAttribute("aria-disabled", "true");
  go.textContent = go.dataset.busy;
});
addEventListener("pageshow", () => {
  go.removeAttribute("aria-disabled");
  go.textContent = idle;
});
