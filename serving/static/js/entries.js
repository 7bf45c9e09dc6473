// The entries of the history that are ours: each remembers how its page was left, for coming back to it.

const MOST = 50;
const KEPT = "entries";
const left = new Map(recall());
let present = history.state?.step === undefined ? { step: 0, name: newName() } : history.state;

// Restores in place of the browser, which would do it before the page is there.
// `opened` returns which disclosures are open.
export function start(opened) {
  history.scrollRestoration = "manual";
  history.replaceState(present, "");
  addEventListener("pagehide", () => {
    leave(opened());
    keep();
  });
}

// Records how the page of the present entry is left.
export function leave(open) {
  left.delete(present.name);
  left.set(present.name, { top: scrollY, open });
  if (left.size > MOST) left.delete(left.keys().next().value);
}

// Begins a new entry, after the present one.
export function begin(address) {
  present = { step: present.step + 1, name: newName() };
  history.pushState(present, "", address);
}

// The browser has gone to another entry. Returns how many steps lead back from it.
export function arrive(state) {
  const before = present.step;
  present = state?.step === undefined ? { step: before, name: newName() } : state;
  return before - present.step;
}

// How the page of the present entry was left; undefined when it has not been.
export function leftAs() {
  return left.get(present.name);
}

function newName() {
  return `${Date.now()}-${Math.random()}`;
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return []; // a browser may refuse its storage
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...left]));
  } catch {
    // Then a page that is loaded again begins at its top.
  }
}
