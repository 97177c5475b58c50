// Filtering, and remembering the filter in the address: it can be sent along.

const form = byId("filter"), runs = [...document.querySelectorAll(".run")];
const texts = new Map(runs.map((run) => [run, run.textContent.toLowerCase()]));

function filter() {
  const q = form.q.value.trim().toLowerCase(), theme = form.theme.value, status = form.status.value;
  let shown = 0;
  for (const run of runs) {
    const fits = (!theme || run.dataset.themeOf === theme) && (!status || run.dataset.status === status) && (!q || texts.get(run).includes(q));
    run.hidden = !fits;
    shown += fits;
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector(".run:not([hidden])");
  byId("nothing").hidden = shown > 0;
  byId("shown").textContent = shown === runs.length ? `${shown} runs` : `${shown} of ${runs.length} runs`;
  openAll(null);
}

function remember() {
  const address = new URLSearchParams();
  for (const name of ["q", "theme", "status"]) if (form[name].value) address.set(name, form[name].value);
  try { history.replaceState(null, "", `#${address}`); } catch { /* a file may not have an address of its own */ }
}

function recall() {
  const address = new URLSearchParams(location.hash.slice(1));
  for (const name of ["q", "theme", "status"]) if (address.has(name)) form[name].value = address.get(name);
  filter();
  const run = runs.find((r) => r.dataset.name === address.get("run"));
  if (run) { run.open = true; run.scrollIntoView(); }
}

const seen = () => runs.filter((run) => !run.hidden);
function openAll(open) {
  if (open !== null) for (const run of seen()) run.open = open;
  byId("open-all").textContent = seen().length && seen().every((run) => run.open) ? "Close all" : "Open all";
}

form.addEventListener("input", () => { filter(); remember(); });
form.addEventListener("submit", (event) => event.preventDefault());
byId("open-all").addEventListener("click", () => openAll(!seen().every((run) => run.open)));
document.addEventListener("toggle", () => openAll(null), true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input")) return;
  event.preventDefault();
  form.q.focus();
});
document.addEventListener("click", (event) => {
  const save = event.target.closest(".save");
  if (!save) return;
  const url = URL.createObjectURL(new Blob([byId(save.dataset.from).textContent], { type: "text/plain" }));
  element("a", { href: url, download: save.dataset.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
addEventListener("hashchange", recall);
recall();
