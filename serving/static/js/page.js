// The page that is shown: its facts, and another page put in its place without a reload.

let pageFacts = null;
let texts = {};
const listeners = [];

// The facts of the page, from `serving/pages/page_facts.py`. Null on a page without figures, such as a problem.
export function facts() {
  return pageFacts;
}

// A text in the language of the page, its places filled: `{count}`, or `{count:row|rows}` for the noun that agrees; empty before any page has brought its texts.
export function text(name, values = {}) {
  return (texts[name] ?? "").replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, place, singular, plural) =>
    singular === undefined ? values[place] : `${values[place]}` === "1" ? singular : plural,
  );
}

// Calls a listener for the page that is shown and for each one to come: with `{ reason, before, same }`.
// `reason`: "load", "navigation" (another address) or "update" (newer figures at the same address).
// `before`: the `<main>` that was replaced; null after "load". `same`: whether it is the same page, maybe
// under another filter.
export function onShown(listener) {
  listeners.push(listener);
  listener({ reason: "load", before: null, same: false });
}

// Announces a message to those who do not see the page.
export function announce(message) {
  document.getElementById("announcement").textContent = message;
}

// Where a link leads, one in a drawing too.
export function addressOf(link) {
  return new URL(link.getAttribute("href"), location.href).href;
}

// Whether scripts and styles of this page fit another document: those of another release would not.
export function fits(next) {
  return releaseOf(next) === releaseOf(document);
}

// Puts another document's content in the place of this one's. What a reader has opened, written, scrolled
// and focused stays when it is the `same` page.
export function put(next, { reason, same }) {
  const before = document.getElementById("content");
  const kept = same ? stateOf(before) : { open: [] };
  const focus = same && focusOf(document.activeElement);
  document.title = next.title;
  document.documentElement.lang = next.documentElement.lang;
  document.querySelector("header.top").replaceWith(next.querySelector("header.top"));
  before.replaceWith(next.getElementById("content"));
  read();
  restore(kept);
  for (const listener of listeners) listener({ reason, before, same });
  // After the listeners: they may add to the page what had the focus.
  if (focus) focusAgain(focus);
}

// Which disclosures are open, but for the choices of the filter form.
export function opened() {
  return [...document.querySelectorAll("#content details[open][id]:not(.choice)")].map((one) => one.id);
}

export function open(ids) {
  for (const id of ids) document.getElementById(id)?.setAttribute("open", "");
}

function stateOf(main) {
  return {
    open: [...main.querySelectorAll("details[open][id]")].map((one) => one.id),
    scrolled: [...main.querySelectorAll("details[open] [data-scrolls][id]")].filter((one) => one.scrollTop).map((one) => [one.id, one.scrollTop]),
    written: [...main.querySelectorAll("input[type=search][id]")].filter((one) => one.value).map((one) => [one.id, one.value]),
    chosen: [...main.querySelectorAll("select[id]")].filter((one) => one.selectedIndex >= 0 && !one.selectedOptions[0].defaultSelected).map((one) => [one.id, one.value]),
  };
}

function restore({ open: ids, scrolled = [], written = [], chosen = [] }) {
  open(ids);
  for (const [id, value] of [...written, ...chosen]) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  for (const [id, top] of scrolled) {
    const list = document.getElementById(id);
    if (list) list.scrollTop = top;
  }
}

// How to find again what has the focus: itself, or else the innermost part of the page around it.
function focusOf(focused) {
  if (!focused || focused === document.body || focused.id === "content") return null;
  const around = [];
  for (let part = focused.parentElement; part; part = part.parentElement) if (part.id) around.push(part.id);
  const inHeader = [...document.querySelectorAll("header.top a")].indexOf(focused);
  return { mark: markOf(focused), around, inHeader };
}

// A selector: by id, by `data-focus`, or by name and value.
function markOf({ id, dataset, name, type, value }) {
  if (id) return `#${CSS.escape(id)}`;
  if (dataset.focus) return `[data-focus="${CSS.escape(dataset.focus)}"]`;
  if (!name) return null;
  return `[name="${CSS.escape(name)}"]` + (type === "checkbox" ? `[value="${CSS.escape(value)}"]` : "");
}

function focusAgain({ mark, around, inHeader }) {
  // Others may have the same name and value: hidden fields take no focus.
  const same = mark ? [...document.querySelectorAll(mark)] : [document.querySelectorAll("header.top a")[inHeader]];
  if (same.some(takesFocus)) return;
  const inside = "a[href], button, summary, input:not([type=hidden])";
  for (const id of around) {
    for (const one of document.getElementById(id)?.querySelectorAll(inside) ?? []) if (takesFocus(one)) return;
  }
}

function takesFocus(element) {
  element?.focus({ preventScroll: true });
  return !!element && document.activeElement === element;
}

function read() {
  const block = document.getElementById("facts");
  pageFacts = block && JSON.parse(block.textContent);
  texts = pageFacts?.texts ?? texts;
}

function releaseOf(page) {
  const script = page.querySelector("script[type=module]")?.getAttribute("src");
  return `${script} ${page.querySelector("link[rel=stylesheet]")?.getAttribute("href")}`;
}

document.documentElement.classList.add("scripted");
read();
