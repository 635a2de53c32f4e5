// The matrix of roles works without this. It tints what was changed, counts it, and finds rows while one types.
const form = document.querySelector(".matrix-form"), status = form.querySelector("[data-count]");
const boxes = form.querySelectorAll("td input");
let elsewhere = status ? Number(status.dataset.count) : 0; // changes in rows that are not shown
for (const b of boxes) if ("changed" in b.dataset) elsewhere--;

form.addEventListener("change", (e) => {
  const b = e.target.closest("td input");
  if (!b) return;
  // what the page came with may be a change itself
  const changed = (b.checked !== b.defaultChecked) !== ("changed" in b.dataset);
  b.parentElement.classList.toggle("changed", changed);
  const n = elsewhere + form.querySelectorAll("td.changed").length;
  status.textContent = n === 0 ? status.dataset.none : n === 1 ? status.dataset.single : status.dataset.many.replace("7", n);
});

const find = document.getElementById("q");
find.addEventListener("input", () => {
  const text = find.value.toLowerCase();
  for (const row of form.querySelectorAll("tbody tr:not(.group)")) row.hidden = !row.cells[0].textContent.toLowerCase().includes(text);
  for (const part of form.querySelectorAll("tbody")) part.hidden = !part.querySelector("tr:not(.group, [hidden])");
});
