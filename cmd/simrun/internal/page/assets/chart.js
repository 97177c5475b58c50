// The chart draws the data that the page was made with. It knows where things
// are, not what was chosen; trace.js tells it that.

const ROW = 24, AXIS = 42, GAP = 10, LETTER = 6.4;
// Up to so many facts are drawn at once; of more, those near what is in view.
const DRAWN_AT_ONCE = 3000, NEAR = 1200;

const signs = { delivered: "✓", failed: "✗", refused: "✗", unknown: "?", doubt: "?", held: "‖", intent: "✎", attempt: "▸", queued: "…" };
const finals = new Set(["delivered", "failed", "unknown", "refused"]);

// Shapes around 0,0. A shape may carry a letter.
const shapes = {
  tick: { d: "M-1.5-6h3v12h-3z" },
  up: { d: "M-2-9h4v9h-4z" },
  down: { d: "M-2 0h4v9h-4z" },
  diamond: { d: "M0-10 10 0 0 10-10 0z" },
  hollowDiamond: { d: "M0-6 6 0 0 6-6 0z", hollow: true },
  circle: { d: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z" },
  hollowCircle: { d: "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z", hollow: true },
  square: { d: "M-4-4h8v8h-8z" },
  hollowSquare: { d: "M-3.6-3.6h7.2v7.2h-7.2z", hollow: true },
  halfSquare: { d: "M-4 4h8v-8zM-4-4h8v8h-8z", hollow: true },
  triangle: { d: "M0-6 6 5h-12z" },
  cross: { d: "M-5-3-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0z" },
  check: { d: "M-6 0-4-2-1.5 1 4-5.5 6-3.5-1.5 5z" },
  flag: { d: "M-4-7h9l-2.5 3 2.5 3h-7v8h-2z" },
  play: { d: "M-4-6 6 0-4 6z" },
  stop: { d: "M-5-5h10v10h-10z" },
  bolt: { d: "M2-11-6 2h4l-2 9 9-13h-5z" },
  letter: { d: "M-5-7h10v10l-5 4-5-4z" },
  bracket: { d: "M-3-7h6v2h-4v10h4v2h-6z" },
  closing: { d: "M3-7h-6v2h4v10h-4v2h6z" },
};
const shapeOf = {
  command: "up", reply: "down", accepted: "diamond", "refused-recipient": "cross", "report-seen": "letter", report: "letter",
  unlawful: "cross", connect: "bracket", closed: "closing", "connect-failed": "cross", query: "hollowCircle", answer: "circle",
  stored: "square", erased: "hollowSquare", kept: "halfSquare", fault: "triangle", trouble: "triangle", crash: "bolt", start: "play",
  stop: "stop", heal: "flag", plan: "flag", operator: "flag", submit: "up", submitted: "check", refused: "cross", "submit-unknown": "cross",
  intent: "hollowDiamond", dot: "circle", attempt: "play", damaged: "cross", halt: "cross", doubt: "triangle", queued: "square", removed: "hollowSquare",
};

function svg(name, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) if (value !== undefined) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

class Chart {
  constructor(data) {
    this.data = data;
    this.zoom = 1;
    this.open = new Set();
    this.broken = new Map();
    data.broken.forEach((facts, v) => facts.forEach((f) => { if (!this.broken.has(f)) this.broken.set(f, v); }));
    this.layout();
  }

  // layout finds which lanes are seen, and where.
  layout() {
    let y = 4, group = "";
    this.lanes = [];
    this.at = new Map();
    this.data.lanes.forEach((lane, index) => {
      if (lane.under >= 0 && !this.open.has(lane.under)) return;
      if (group && group !== lane.group) y += GAP;
      group = lane.group;
      const seen = { lane, index, y, height: lane.rows * ROW };
      this.lanes.push(seen);
      this.at.set(index, seen);
      y += seen.height;
    });
    this.height = y + 6;
  }

  width() { return Math.ceil(this.data.width * this.zoom); }
  x(x) { return x * this.zoom; }
  place(fact) { return { x: this.x(fact.x), y: this.at.get(fact.lane).y + (fact.row || 0) * ROW + ROW / 2 }; }

  // range returns which facts stand between two places.
  range(from, until) {
    const facts = this.data.facts, edge = (x) => {
      let low = 0, high = facts.length;
      while (low < high) { const middle = (low + high) >> 1; if (this.x(facts[middle].x) < x) low = middle + 1; else high = middle; }
      return low;
    };
    return [edge(from), edge(until)];
  }

  // plot draws what stands between two places, moved left by from.
  plot(from, until, lanes = this.lanes, offset = 0) {
    const inView = (a, b) => this.x(b) >= from && this.x(a) <= until;
    const g = svg("g", offset ? { transform: `translate(${-offset} 0)` } : {});
    const height = lanes.length ? lanes.at(-1).y + lanes.at(-1).height : 0;
    lanes.forEach((s, i) => { if (i % 2) g.append(svg("rect", { x: from, y: s.y, width: until - from, height: s.height, class: "band" })); });
    for (const f of this.data.folds) if (inView(f.x, f.x + f.w)) g.append(svg("rect", { x: this.x(f.x), y: 0, width: this.x(f.w), height, class: "fold" }));
    for (const d of this.data.down) {
      if (!inView(d.from, d.until)) continue;
      g.append(svg("rect", { x: this.x(d.from), y: 0, width: this.x(d.until - d.from), height, class: "down" }));
    }
    const [first, last] = this.range(from - 20, until + 20);
    for (let i = first; i < last; i++) this.across(g, i, height);
    for (const seen of lanes) for (const bar of seen.lane.bars || []) if (inView(bar.from, bar.until)) this.bar(g, seen, bar);
    const seenLanes = new Set(lanes.map((s) => s.index));
    this.data.sessions.forEach((s, i) => { if (seenLanes.has(s.lane) && inView(s.from, s.until)) this.session(g, s, i); });
    for (let i = first; i < last; i++) if (seenLanes.has(this.data.facts[i].lane)) g.append(this.mark(i));
    for (const seen of lanes) {
      for (const i of seen.lane.shown || []) {
        const x = this.x(this.data.facts[i].x);
        if (x >= from - 20 && x <= until + 20) g.append(this.mark(i, seen));
      }
    }
    return g;
  }

  // across draws what concerns all lanes.
  across(g, i, height) {
    const { kind, x } = this.data.facts[i], next = this.data.facts[i + 1];
    if (!["crash", "stop", "start", "fault", "heal"].includes(kind)) return;
    g.append(svg("line", { x1: this.x(x), x2: this.x(x), y1: 0, y2: height, class: `across ${kind}` }));
    const free = next ? this.x(next.lane === this.data.facts[i].lane ? next.x - x : 99) : this.x(this.data.width - x);
    if (kind !== "fault" && free > 50) g.append(svg("text", { x: this.x(x) + 10, y: this.lanes[0].y + 16, class: `event ${kind}` }, document.createTextNode(kind)));
  }

  bar(g, seen, bar) {
    const x = this.x(bar.from), width = Math.max(this.x(bar.until - bar.from), 3), sign = signs[bar.state] || "";
    // A mark at the begin of a bar stands before its label.
    const marked = (seen.lane.shown || []).some((i) => Math.abs(this.x(this.data.facts[i].x - bar.from)) < 22 && this.data.facts[i].x >= bar.from - 13) ? 24 : 6;
    const text = `${sign} ${bar.label}`, room = text.length * LETTER + 4 + marked;
    const final = finals.has(bar.state), y = seen.y + 4, height = ROW - 8;
    const e = svg("g", { class: `state st-${bar.state}`, "data-fact": bar.fact, "data-lane": seen.index, role: "button", tabindex: -1, "aria-label": `${seen.lane.name}: ${bar.label}` },
      svg("title", {}, document.createTextNode(`${seen.lane.name}: ${bar.label}`)));
    const solid = final ? Math.min(width, room) : width;
    if (final && width > solid) e.append(svg("rect", { x: x + solid, y: y + height / 2 - 2, width: width - solid, height: 4, class: "rest" }));
    e.append(svg("rect", { x, y, width: solid, height, rx: 4, class: "body" }));
    // The label of a long bar may move in it, to stay in view.
    const least = x + marked, most = final ? least : x + width - room + marked;
    if (width >= room) e.append(svg("text", { x: least, y: y + height - 4.5, "data-least": least, "data-most": most }, document.createTextNode(text)));
    else if (width >= 13) e.append(svg("text", { x: x + width / 2, y: y + height - 4.5, "text-anchor": "middle" }, document.createTextNode(sign)));
    g.append(e);
  }

  session(g, s, i) {
    const seen = this.at.get(s.lane), x = this.x(s.from) - 6, width = this.x(s.until - s.from) + 12;
    const name = `SMTP session of ${s.name}, ${s.facts.length} facts${s.took ? ", the message was accepted" : ""}`;
    g.append(svg("g", { class: s.took ? "session took" : "session", "data-session": i, role: "button", tabindex: -1, "aria-label": name },
      svg("title", {}, document.createTextNode(`${name}: click to read the dialogue`)),
      svg("rect", { x, y: seen.y + (s.row || 0) * ROW + 2, width, height: ROW - 4, rx: 5 })));
  }

  // mark draws a fact in its lane, or in another that shows it too.
  mark(i, other) {
    const fact = this.data.facts[i], place = this.place(fact), y = other ? other.y + ROW / 2 : place.y, time = this.data.instants[fact.at].t;
    let name = shapeOf[fact.kind] || "tick", state = "";
    if (fact.kind === "outcome") { name = { delivered: "check", failed: "cross" }[fact.state] || "hollowCircle"; state = ` st-${fact.state}`; }
    const shape = shapes[name];
    const g = svg("g", {
      class: `mark m-${fact.kind}${shape.hollow ? " hollow" : ""}${state}${this.broken.has(i) ? " broken" : ""}`, "data-fact": i,
      transform: `translate(${place.x.toFixed(1)} ${y})`, "data-lane": other?.index, role: "button", tabindex: -1, "aria-label": `${time} ${fact.words}`,
    });
    if (!other) g.id = `fact-${i}`;
    g.append(svg("title", {}, document.createTextNode(`${time}  ${fact.words}`)), svg("rect", { x: -5, y: -11, width: 10, height: 22, class: "touch" }));
    if (this.broken.has(i)) g.append(svg("circle", { r: 12, class: "ring" }));
    g.append(svg("path", { d: shape.d }));
    if (fact.kind === "accepted") g.append(svg("path", { d: "M-4.5 0-3-1.5-1 .5 3-3.5 4.5-2-1 3.5z", class: "inner" }));
    return g;
  }

  // axis draws the times between two places.
  axis(from, until, offset = 0) {
    const g = svg("g", offset ? { transform: `translate(${-offset} 0)` } : {});
    const inView = (x, w) => this.x(x + w) >= from && this.x(x) <= until;
    const taken = [], breaks = new Set();
    for (const f of this.data.folds) {
      breaks.add(f.x + f.w);
      if (!inView(f.x, f.w)) continue;
      const x = this.x(f.x), middle = x + this.x(f.w) / 2;
      g.append(svg("path", { d: `M${middle - 5} ${AXIS - 3}l4-10m2 10l4-10`, class: "break" }));
      if (this.x(f.w) > 36) g.append(svg("text", { x: middle, y: 14, class: "fold-text", "text-anchor": "middle" }, document.createTextNode(f.for)));
    }
    const instants = this.data.instants.filter((t) => inView(t.x, t.w));
    for (const t of instants) g.append(svg("rect", { x: this.x(t.x), y: AXIS - 5, width: Math.max(this.x(t.w) - 1, 1), height: 4, class: "instant" }));
    const label = (t) => {
      const x = this.x(t.x), end = x + t.t.length * LETTER + 10;
      if (taken.some(([a, b]) => x < b && end > a)) return;
      taken.push([x, end]);
      g.append(svg("text", { x, y: AXIS - 14 }, document.createTextNode(t.t)));
    };
    instants.filter((t) => t.x <= 20 || breaks.has(t.x)).forEach(label);
    instants.forEach(label);
    return g;
  }
}
