// How far an export is, asked for now and then. The page is loaded anew once that is over; without this its link does so.
const bar = document.querySelector("[data-progress]");

async function look() {
  try {
    const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
    const now = await answer.json();
    if (answer.status < 500 && now.state !== "running") return location.reload();
    if (answer.ok) [bar.max, bar.value] = [now.total, now.done];
  } catch {
    // the network is away for a moment
  }
  setTimeout(look, 2000);
}

setTimeout(look, 1000);
