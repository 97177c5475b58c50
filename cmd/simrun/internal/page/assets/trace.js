// What is chosen, by mouse and keys.

const data = JSON.parse(byId("data").textContent);
const chart = new Chart(data);
const view = { chosen: -1, lane: -1, violation: -1, hits: [], drawn: [0, 0] };
const scroller = byId("scroll"), plot = byId("plot"), axis = byId("axis"), names = byId("names");

// --- drawing ---

function nameOf(seen) {
  const { lane, index } = seen;
  const e = element("div", { class: `name g-${lane.group}${lane.under >= 0 ? " member" : ""}`, style: `top:${seen.y}px;height:${seen.height}px`, title: lane.note ? `${lane.name} (${lane.note})` : lane.name });
  e.append(element("span", {}, lane.name));
  if (lane.count > 1) {
    const open = chart.open.has(index);
    const button = element("button", { type: "button", class: "more", "aria-expanded": String(open), "data-lane": index, title: open ? "Fold them" : "Show each" }, `× ${lane.count}`);
    button.addEventListener("click", () => { toggleLane(index); });
    e.append(button);
  }
  return e;
}

function toggleLane(index) {
  if (chart.open.has(index)) chart.open.delete(index); else chart.open.add(index);
  chart.layout();
  redraw();
  names.querySelector(`[data-lane="${index}"]`)?.focus();
}

const whole = () => data.facts.length <= DRAWN_AT_ONCE;

// redraw draws all, or what is near what is in view.
function redraw() {
  const width = chart.width(), focused = plot.contains(document.activeElement);
  view.drawn = whole() ? [0, width] : [Math.max(0, scroller.scrollLeft - NEAR), Math.min(width, scroller.scrollLeft + scroller.clientWidth + NEAR)];
  names.replaceChildren(...chart.lanes.map(nameOf));
  names.style.height = `${chart.height}px`;
  const root = svg("svg", { width, height: chart.height, role: "group", "aria-label": "Facts by lane and time" }, chart.plot(...view.drawn));
  plot.replaceChildren(root);
  axis.replaceChildren(svg("svg", { width, height: AXIS }, chart.axis(...view.drawn)));
  stick();
  decorate();
  if (focused) elementOf(view.chosen)?.focus({ preventScroll: true });
}

// stick moves the labels of long bars into view.
function stick() {
  const left = scroller.scrollLeft + 8;
  for (const text of plot.querySelectorAll("text[data-least]")) text.setAttribute("x", Math.min(Math.max(text.dataset.least, left), text.dataset.most));
}

// decorate shows what is chosen on what is drawn.
function decorate() {
  const root = plot.firstChild;
  root.querySelectorAll(".guide").forEach((e) => e.remove());
  axis.querySelectorAll(".number").forEach((e) => e.remove());
  plot.querySelectorAll(".chosen, .told").forEach((e) => e.classList.remove("chosen", "told"));
  const facts = data.broken[view.violation] || [];
  root.classList.toggle("dim", facts.length > 0);
  facts.forEach((i, n) => {
    const x = chart.x(data.facts[i].x);
    root.append(svg("line", { x1: x, x2: x, y1: 0, y2: chart.height, class: "guide told-guide" }));
    const near = n > 0 && x - chart.x(data.facts[facts[n - 1]].x) < 16 ? 1 : 0;
    axis.firstChild.append(svg("g", { class: "number", transform: `translate(${x + near * 8} 11)` }, svg("circle", { r: 8 }), svg("text", { y: 4, "text-anchor": "middle" }, document.createTextNode(n + 1))));
    plot.querySelectorAll(`[data-fact="${i}"]`).forEach((e) => e.classList.add("told"));
  });
  if (view.chosen < 0) return;
  const fact = data.facts[view.chosen], x = chart.x(fact.x);
  root.append(svg("line", { x1: x, x2: x, y1: 0, y2: chart.height, class: "guide" }));
  plot.querySelectorAll(`.mark[data-fact="${view.chosen}"]`).forEach((e) => e.classList.add("chosen"));
  elementOf(view.chosen)?.classList.add("chosen");
  if (fact.session >= 0) plot.querySelector(`[data-session="${fact.session}"]`)?.classList.add("chosen");
}

// overview draws the whole run in one line: what matters most, and what is in
// view. It is bounded by its width: of alike marks at one place one is drawn.
function overview() {
  const box = byId("overview"), width = box.clientWidth, scale = width / data.width, high = 26;
  const g = svg("svg", { width, height: high, "aria-hidden": "true" });
  const add = (x, w, y, h, name) => g.append(svg("rect", { x, y, width: w, height: h, class: name }));
  for (const f of data.folds) if (f.w * scale >= 1) add(f.x * scale, f.w * scale, 0, high, "fold");
  for (const d of data.down) add(d.from * scale, Math.max(1, (d.until - d.from) * scale), 0, high, "o-down");
  const rows = { accepted: [4, 9], fault: [16, 6], crash: [0, high], stop: [0, high], attempt: [13, 3], outcome: [13, 3] }, drawn = new Set();
  data.facts.forEach((fact, i) => {
    const told = chart.broken.has(i), at = rows[fact.kind], x = Math.round(fact.x * scale);
    if (at && !drawn.has(fact.kind + x)) { drawn.add(fact.kind + x); add(x - 1, 2, at[0], at[1], `o-${fact.kind}`); }
    if (told && !drawn.has(x)) { drawn.add(x); add(x - 1.5, 3, 0, 3, "o-told"); add(x - 1.5, 3, high - 3, 3, "o-told"); }
  });
  g.append(svg("rect", { y: 1, height: high - 2, rx: 3, class: "o-view" }));
  box.replaceChildren(g);
  overviewAt();
}

function overviewAt() {
  const view = byId("overview").querySelector(".o-view"), scale = byId("overview").clientWidth / chart.width();
  if (!view) return;
  view.setAttribute("x", 1 + scroller.scrollLeft * scale);
  view.setAttribute("width", Math.max(4, Math.min(room(), chart.width()) * scale - 2));
}

function overviewGo(event) {
  const box = byId("overview").getBoundingClientRect();
  scroller.scrollLeft = ((event.clientX - box.left) / box.width) * chart.width() - room() / 2;
}

function zoomTo(zoom) {
  const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / chart.zoom;
  chart.zoom = Math.min(4, Math.max(0.05, zoom));
  redraw();
  scroller.scrollLeft = middle * chart.zoom - scroller.clientWidth / 2;
  if (!whole()) redraw();
  overviewAt();
}

const room = () => scroller.clientWidth - names.offsetWidth - 2;

// --- choosing ---

// elementOf is what is drawn of a fact in the lane that one is in.
function elementOf(i) {
  return plot.querySelector(`[data-lane="${view.lane}"][data-fact="${i}"]`) || byId(`fact-${i}`);
}

// choose chooses a fact. One that began a recipient's state, or matters to it,
// is drawn in that lane too: lane says in which one is.
function choose(i, { focus = true, lane } = {}) {
  if (i < 0 || i >= data.facts.length) return;
  const fact = data.facts[i];
  view.chosen = i;
  view.lane = chart.at.has(lane) ? lane : fact.lane;
  const x = chart.x(fact.x), y = chart.at.get(view.lane).y + (view.lane === fact.lane ? (fact.row || 0) * ROW : 0);
  showAt(x, y);
  if (x < view.drawn[0] || x > view.drawn[1]) redraw(); else decorate();
  if (focus) elementOf(i)?.focus({ preventScroll: true });
  tell(i);
  remember();
}

// The address says what is chosen, so that it can be pointed at: #fact=28, or
// #violation=1&fact=28. Both count from 1.
function remember() {
  const address = new URLSearchParams();
  if (view.violation >= 0) address.set("violation", view.violation + 1);
  if (view.chosen >= 0) address.set("fact", view.chosen + 1);
  try { history.replaceState(null, "", `#${address}`); } catch { /* a file may not have an address of its own */ }
}

function recall() {
  const address = new URLSearchParams(location.hash.slice(1)), fact = Number(address.get("fact")) - 1;
  if (address.has("violation")) chooseViolation(Number(address.get("violation")) - 1);
  if (address.has("fact") && fact !== view.chosen) choose(Math.min(Math.max(fact, 0), data.facts.length - 1));
}

// showAt scrolls until a place of the chart is well in view: the chart, and
// the page only when the chart alone does not do.
function showAt(x, y) {
  const left = scroller.scrollLeft, wide = room(), top = scroller.scrollTop, high = scroller.clientHeight - AXIS;
  if (x < left + 60 || x > left + wide - 60) scroller.scrollLeft = x - wide / 2;
  if (y < top || y + ROW > top + high) scroller.scrollTop = y - high / 2;
  const on = scroller.getBoundingClientRect().top + AXIS + y - scroller.scrollTop;
  if (on < AXIS || on > innerHeight - 2 * ROW) byId("chart").scrollIntoView({ block: "start" });
}

function unchoose() {
  view.chosen = view.lane = view.violation = -1;
  byId("fact").replaceChildren();
  byId("dialogue").hidden = true;
  byId("detail").classList.remove("open");
  pressViolation();
  decorate();
  remember();
}

// tell shows a fact in words, its raw line, and its dialogue if it has one.
function tell(i) {
  const fact = data.facts[i];
  byId("detail").classList.add("open");
  const told = (data.broken[view.violation] || []).indexOf(i);
  byId("fact").replaceChildren(
    ...(told < 0 ? [] : [element("p", { class: "why" }, element("b", {}, `${told + 1} of ${data.broken[view.violation].length}`), ` · ${document.querySelector(`[data-violation="${view.violation}"] .violation-button`).textContent}`)]),
    element("p", { class: "when" }, element("time", {}, data.instants[fact.at].t), ` · ${data.lanes[view.lane].name}`, element("span", { class: "count" }, `${i + 1} of ${data.facts.length}`)),
    element("p", { class: "words" }, fact.words),
    element("pre", { class: "raw", "aria-label": "The line of the trace" }, fact.raw));
  const box = byId("dialogue");
  box.hidden = fact.session < 0;
  if (fact.session >= 0) dialogue(box, fact.session, i);
}

function dialogue(box, number, current) {
  const session = data.sessions[number];
  const list = element("ol", { class: "lines" });
  for (const i of session.facts) {
    const fact = data.facts[i], side = { command: "C:", reply: "S:" }[fact.kind];
    const button = element("button", { type: "button", class: `line k-${fact.kind}`, "data-fact": i, "aria-current": i === current ? "true" : undefined },
      element("time", {}, data.instants[fact.at].t), element("b", {}, side || "·"), element("span", {}, side ? fact.say : fact.words));
    list.append(element("li", {}, button));
  }
  box.replaceChildren(element("h2", {}, "SMTP dialogue"), element("p", { class: "faint" }, `${session.name} → ${data.lanes[session.lane].name}${session.addr ? ` (${session.addr})` : ""}`), list);
  const now = list.querySelector("[aria-current]");
  if (now) box.scrollTop = Math.max(0, now.offsetTop - box.clientHeight / 2);
}

function pressViolation() {
  document.querySelectorAll("[data-violation]").forEach((e) => {
    const on = Number(e.dataset.violation) === view.violation;
    e.classList.toggle("active", on);
    e.querySelector(".violation-button").setAttribute("aria-pressed", String(on));
  });
}

function chooseViolation(v) {
  if (!data.broken.length) return;
  view.violation = (v + data.broken.length) % data.broken.length;
  pressViolation();
  const first = data.broken[view.violation][0];
  if (first === undefined) decorate(); else choose(first);
}

// --- stepping ---

// factsIn lists the facts that are drawn in a lane, in their order.
function factsIn(index) {
  const lane = data.lanes[index];
  if (lane.group === "recipient") return [...new Set([...(lane.bars || []).map((b) => b.fact), ...(lane.shown || [])])].sort((a, b) => a - b);
  return data.facts.flatMap((f, i) => (f.lane === index ? [i] : []));
}

function inLane(step) {
  const lane = view.lane < 0 ? chart.lanes[0].index : view.lane, all = factsIn(lane);
  const next = step > 0 ? all.find((i) => i > view.chosen) : all.findLast((i) => i < view.chosen);
  if (next !== undefined) choose(next, { lane });
}

// otherLane goes to the nearest fact in the next lane that has any.
function otherLane(step) {
  if (view.chosen < 0) return choose(0);
  const order = chart.lanes.map((s) => s.index), x = data.facts[view.chosen].x;
  for (let k = order.indexOf(view.lane) + step; k >= 0 && k < order.length; k += step) {
    const all = factsIn(order[k]);
    if (!all.length) continue;
    const distance = (i) => Math.abs(data.facts[i].x - x);
    return choose(all.reduce((best, i) => (distance(i) < distance(best) ? i : best)), { lane: order[k] });
  }
}

function nextOf(kinds) {
  for (let n = 1; n <= data.facts.length; n++) {
    const i = (view.chosen + n + data.facts.length) % data.facts.length;
    if (kinds.includes(data.facts[i].kind)) return choose(i);
  }
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  view.hits = [];
  if (wanted) data.facts.forEach((f, i) => { if (f.words.toLowerCase().includes(wanted) || f.raw.toLowerCase().includes(wanted)) view.hits.push(i); });
  if (view.hits.length) hit(0, view.hits.find((i) => i >= view.chosen) ?? view.hits[0]);
  else byId("found").textContent = wanted ? "none" : "";
}

function hit(step, at) {
  if (!view.hits.length) return;
  const now = view.hits.indexOf(at ?? view.chosen);
  const next = (Math.max(now, 0) + step + view.hits.length) % view.hits.length;
  byId("found").textContent = `${next + 1} of ${view.hits.length}`;
  choose(view.hits[next], { focus: step !== 0 });
}

function enter(target) {
  const number = target.closest?.("[data-session]")?.dataset.session;
  if (number !== undefined) choose(data.sessions[number].facts[0], { focus: false });
  if (!byId("dialogue").hidden) byId("dialogue").querySelector("[aria-current]")?.focus();
}

const keys = {
  ArrowRight: (e) => (e.shiftKey ? inLane(1) : choose(Math.min(view.chosen + 1, data.facts.length - 1))),
  ArrowLeft: (e) => (e.shiftKey ? inLane(-1) : choose(Math.max(view.chosen - 1, 0))),
  ArrowUp: () => otherLane(-1),
  ArrowDown: () => otherLane(1),
  Home: () => choose(0),
  End: () => choose(data.facts.length - 1),
  v: () => chooseViolation(view.violation + 1),
  V: () => chooseViolation(view.violation < 0 ? -1 : view.violation - 1),
  c: () => nextOf(["crash", "stop", "start"]),
  n: () => hit(1),
  N: () => hit(-1),
  "/": () => byId("search").focus(),
  "?": () => byId("help").showModal(),
  "+": () => zoomTo(chart.zoom * 1.4),
  "=": () => zoomTo(chart.zoom * 1.4),
  "-": () => zoomTo(chart.zoom / 1.4),
  0: () => zoomTo(room() / data.width),
  d: () => theme.toggle(),
  Escape: () => unchoose(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const inChart = plot.contains(event.target);
  if (event.target === byId("search")) {
    if (event.key === "Enter") { event.preventDefault(); hit(event.shiftKey ? -1 : 1, view.chosen); byId("search").focus(); }
    if (event.key === "Escape") { event.target.blur(); }
    return;
  }
  if (event.key === "Enter" && (inChart || event.target === document.body)) { event.preventDefault(); enter(event.target); return; }
  const key = keys[event.key];
  if (!key) return;
  event.preventDefault();
  key(event);
});

document.addEventListener("click", (event) => {
  const violation = event.target.closest(".violation-button");
  if (violation) return chooseViolation(Number(violation.closest("[data-violation]").dataset.violation));
  const fact = event.target.closest("[data-fact]"), session = event.target.closest("[data-session]");
  if (fact) return choose(Number(fact.dataset.fact), { focus: plot.contains(fact), lane: fact.dataset.lane && Number(fact.dataset.lane) });
  if (session) choose(data.sessions[session.dataset.session].facts[0]);
});

// --- printing: the chart in lines, like music ---

const LINE = 1010, MOST_LINES = 14, LABELS = 215;

function printChart() {
  const zoom = chart.zoom, box = byId("print-chart");
  chart.zoom = Math.min(1, Math.max(0.62, LINE / data.width));
  const total = chart.width(), lines = [];
  for (let from = 0; from < total && lines.length < MOST_LINES; from += LINE) lines.push(printLine(from, Math.min(from + LINE, total)));
  box.replaceChildren(...lines);
  if (total > LINE * MOST_LINES) box.append(element("p", {}, `The first ${Math.round((100 * LINE * MOST_LINES) / total)} % of the chart; the page on a screen shows all of it.`));
  chart.zoom = zoom;
  chart.layout();
}

function printLine(from, until) {
  const [first, last] = chart.range(from, until), used = new Set(data.facts.slice(first, last).map((f) => f.lane));
  chart.layout();
  const inView = (a, b) => chart.x(b) > from && chart.x(a) < until;
  const busy = chart.lanes.filter((s) => used.has(s.index) || (s.lane.bars || []).some((b) => inView(b.from, b.until)) || data.sessions.some((q) => q.lane === s.index && inView(q.from, q.until)));
  let y = 4;
  for (const s of busy) { s.y = y; y += s.height; }
  const labels = svg("g", {}, ...busy.map((s) => svg("text", { x: LABELS - 8, y: AXIS + s.y + 16, "text-anchor": "end" }, document.createTextNode(s.lane.name.length > 30 ? `${s.lane.name.slice(0, 29)}…` : s.lane.name + (s.lane.count > 1 ? ` × ${s.lane.count}` : "")))));
  const moved = (g, down) => svg("svg", { x: LABELS, y: down, width: LINE, height: down ? y : AXIS, overflow: "hidden" }, g);
  return svg("svg", { viewBox: `0 0 ${LABELS + LINE} ${AXIS + y + 8}`, width: "100%", class: "print-line" }, labels, moved(chart.axis(from, until, from), 0), moved(chart.plot(from, until, busy, from), AXIS));
}
addEventListener("beforeprint", printChart);

// --- beginning ---

function legend() {
  const rows = [
    ["accepted", "server ACCEPTS"], ["command", "C: the relay says"], ["reply", "S: the server says"], ["crash", "crash"],
    ["start", "process starts"], ["attempt", "attempt begins"], ["intent", "intent is durable"], ["dot", "the final dot leaves"],
    ["fault", "fault, trouble"], ["report", "report: stored, seen"], ["stored", "stored, queued"], ["erased", "erased, removed"],
    ["kept", "kept in a crash"], ["query", "DNS question"], ["answer", "DNS answer"], ["closed", "connection ends"],
  ];
  for (const list of document.querySelectorAll(".legend")) list.replaceChildren(...rows.map(([kind, text]) => {
    const shape = shapes[shapeOf[kind]];
    return element("li", {}, svg("svg", { width: 24, height: 24, viewBox: "-12 -12 24 24", "aria-hidden": "true" }, svg("g", { class: `mark m-${kind}${shape.hollow ? " hollow" : ""}` }, svg("path", { d: shape.d }))), text);
  }));
}

function about() {
  const folded = data.lanes.filter((l) => l.under >= 0).length, parts = [];
  if (folded) parts.push(`${folded} lanes that look alike are folded: × opens them`);
  if (!whole()) parts.push(`of ${data.facts.length.toLocaleString("en")} facts, those near the view are drawn`);
  byId("about").textContent = parts.join(" · ");
}

let waiting = false;
scroller.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const left = scroller.scrollLeft, right = left + scroller.clientWidth;
    if ((left < view.drawn[0] && view.drawn[0] > 0) || (right > view.drawn[1] && view.drawn[1] < chart.width())) redraw();
    else stick();
    overviewAt();
  });
});
byId("overview").addEventListener("pointerdown", (event) => { overviewGo(event); byId("overview").setPointerCapture(event.pointerId); });
byId("overview").addEventListener("pointermove", (event) => { if (event.buttons) overviewGo(event); });
addEventListener("resize", overview);
byId("previous").addEventListener("click", () => choose(Math.max(view.chosen - 1, 0), { focus: false }));
byId("next").addEventListener("click", () => choose(Math.min(view.chosen + 1, data.facts.length - 1), { focus: false }));
byId("next-violation").hidden = !data.broken.length;
byId("next-violation").addEventListener("click", () => chooseViolation(view.violation + 1));
byId("out").addEventListener("click", keys["-"]);
byId("in").addEventListener("click", keys["+"]);
byId("fit").addEventListener("click", keys[0]);
byId("help-button").addEventListener("click", keys["?"]);
byId("search").addEventListener("input", (event) => search(event.target.value));

legend();
about();
redraw();
const fitting = room() / data.width;
if (fitting >= 0.9) { chart.zoom = Math.min(fitting, 1.6); redraw(); }
overview();
recall();
addEventListener("hashchange", recall);
