// The page that is shown: what it says of itself, and another one put in its place without a reload.

let told = null;
const listeners = [];

// What the server told: `serving/pages/page_facts.py`. Null on a page without figures.
export function facts() {
  return told;
}

// A text in the language of the page, its `{places}` filled.
export function text(name, values = {}) {
  return told.texts[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
}

// Calls a listener for the page that is shown and for each one to come: with `{ reason, before }`.
// `reason`: "load", "navigation" (another address) or "update" (newer figures at the same address).
// `before`: the `<main>` that was replaced; null after "load".
export function onShown(listener) {
  listeners.push(listener);
  listener({ reason: "load", before: null });
}

// Tells those who do not see the page.
export function announce(words) {
  document.getElementById("announcement").textContent = words;
}

// Puts another document's content in the place of this one's.
export function put(next, reason) {
  const before = document.getElementById("content");
  const focused = focusMark();
  const open = [...before.querySelectorAll("details[open][id]")].map((one) => one.id);
  document.title = next.title;
  document.documentElement.lang = next.documentElement.lang;
  document.querySelector("header.top").replaceWith(next.querySelector("header.top"));
  before.replaceWith(next.getElementById("content"));
  read();
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
  for (const listener of listeners) listener({ reason, before });
}

function read() {
  const block = document.getElementById("facts");
  told = block && JSON.parse(block.textContent);
}

// A selector of what has the focus: by id, by `data-focus`, or by name and value.
function focusMark() {
  const { id, dataset, name, value } = document.activeElement ?? {};
  if (id && id !== "content") return `#${CSS.escape(id)}`;
  if (dataset?.focus) return `[data-focus="${CSS.escape(dataset.focus)}"]`;
  if (name) return `[name="${CSS.escape(name)}"]` + (value && document.activeElement.matches("[type=checkbox]") ? `[value="${CSS.escape(value)}"]` : "");
  return null;
}

read();
