// The page works without this. It brings the key from the address into the form.
const at = (id) => document.getElementById(id);
const key = at("key"), field = at("key-field");

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
