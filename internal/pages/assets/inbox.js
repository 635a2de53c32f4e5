// The page works without this. It says when there is something new.
const news = document.getElementById("news");
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("inbox.json" + location.search, { headers: { Accept: "application/json" } });
    const { items } = await answer.json();
    const newest = items[0]?.id ?? "";
    if (newest === news.dataset.newest) return;
    if (document.querySelector("details[open]") || document.activeElement?.id === "to") {
      news.textContent = news.dataset.news; // somebody is reading
    } else {
      location.reload();
    }
  } catch {
    // the server is starting anew
  }
}
setInterval(look, 2000);
