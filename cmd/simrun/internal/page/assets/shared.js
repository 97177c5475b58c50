"use strict";

// What both pages do: the theme, and copying.

const byId = (id) => document.getElementById(id);

// element makes an element with attributes and children, never from markup.
function element(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== false) e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null));
  return e;
}

// The theme follows the system until it is chosen; the choice is kept where
// the browser allows it, which for a file it may not.
const theme = {
  get dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },
  set(name) {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("simrun-theme", name); } catch { /* it is not kept */ }
    this.show();
  },
  toggle() { this.set(this.dark ? "light" : "dark"); },
  show() { if (byId("theme")) byId("theme").textContent = this.dark ? "Light" : "Dark"; },
  start() {
    try {
      const kept = localStorage.getItem("simrun-theme");
      if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
    } catch { /* nothing is kept */ }
    this.show();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
    byId("theme").addEventListener("click", () => this.toggle());
  },
};
theme.start();

// copyText copies, by the old way where the new one is refused: a page from a
// disk is no secure context for every browser.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const from = button.dataset.from ? byId(button.dataset.from) : button.parentElement.querySelector("code");
  const done = await copyText(from.textContent);
  const before = button.textContent;
  button.textContent = done ? "Copied" : "Select and copy it";
  setTimeout(() => { button.textContent = before; }, 1500);
});
