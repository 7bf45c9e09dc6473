// Shows that a page is loading, if that takes a moment, and that a page could not be loaded.
import { announce, text } from "./page.js";

const SLOW_MS = 150;
const SHOWN_MS = 8000;

let line = null;
let notice = null;
let hiding = 0;

export function start() {
  line = appended("div", "progress-line");
  notice = appended("p", "unreachable");
}

// Shows that something is awaited, until the returned function is called.
export function wait() {
  notice.hidden = true;
  const timer = setTimeout(() => mark(true), SLOW_MS);
  return () => {
    clearTimeout(timer);
    mark(false);
  };
}

// Shows that nothing was loaded and the page has not changed.
export function unreachable() {
  notice.textContent = text("unreachable");
  notice.hidden = false;
  announce(notice.textContent);
  clearTimeout(hiding);
  hiding = setTimeout(() => (notice.hidden = true), SHOWN_MS);
}

function mark(isAwaited) {
  line.hidden = !isAwaited;
  document.getElementById("content").setAttribute("aria-busy", isAwaited);
}

function appended(tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  element.hidden = true;
  document.body.append(element);
  return element;
}
