// The page works without this, by its button. It shows a colour while it is chosen, and keeps what was chosen in the address.
const form = document.getElementById("theme");
let turn = 0;

async function show() {
  const mine = ++turn;
  const address = form.action + "?" + new URLSearchParams(new FormData(form));
  const answer = await fetch(address);
  if (mine !== turn || !answer.ok) return; // something else was chosen meanwhile, or it can be no theme yet
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["preview-css", "result"]) document.getElementById(id).replaceWith(page.getElementById(id));
  for (const b of document.querySelectorAll("#result [data-copy]")) b.hidden = !navigator.clipboard;
  history.replaceState(null, "", address);
}

form.addEventListener("input", () => show().catch(() => {})); // the network is away for a moment
