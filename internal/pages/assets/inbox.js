// The page works without this. It copies codes and links, and says when there is something new.
for (const b of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  b.hidden = false;
  const idle = b.textContent;
  b.addEventListener("click", async () => {
    await navigator.clipboard.writeText(b.dataset.copy);
    b.textContent = "Copied";
    setTimeout(() => (b.textContent = idle), 2000);
  });
}

const news = document.getElementById("news");
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/dev/inbox.json" + location.search, { headers: { Accept: "application/json" } });
    const { items } = await answer.json();
    const newest = items[0]?.id ?? "";
    if (newest === news.dataset.newest) return;
    if (document.querySelector("details[open]") || document.activeElement?.id === "to") {
      news.textContent = "There are new messages. Reload to see them."; // somebody is reading
    } else {
      location.reload();
    }
  } catch {
    // the server is starting anew
  }
}
setInterval(look, 2000);
