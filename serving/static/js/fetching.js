// Pages as documents, fetched when they are wanted or, when a reader is about to want one, a moment before.

import { addressOf } from "./page.js";

const DWELL_MS = 60;
const YOUNG_MS = 5000;

let dwelling = 0; // the timer of a link that is pointed at
let pointedAt = null;
let ahead = null; // { address, since, page }: the page of such a link

// Fetches the pages of links that are pointed at or have the focus. `inside` returns whether a link is ours.
export function start(inside) {
  const dwell = ({ target, pointerType }) => {
    const link = target.closest?.("a[href]:not(.chart-mark)"); // marks are pointed at to read their values
    if (link === pointedAt) return;
    clearTimeout(dwelling);
    pointedAt = link;
    if (pointerType !== "touch" && link && inside(link)) dwelling = setTimeout(() => fetchAhead(addressOf(link)), DWELL_MS);
  };
  document.addEventListener("pointerover", dwell);
  document.addEventListener("focusin", dwell);
  // Between pressing and letting go there is time as well; a finger may only be scrolling.
  document.addEventListener("pointerdown", ({ target, button, pointerType }) => {
    const link = target.closest?.("a[href]");
    if (!button && pointerType !== "touch" && link && inside(link)) fetchAhead(addressOf(link));
  });
}

// The page at an address: `{ address, ok, document }`; `document` is null when the answer is no page.
// Rejects when there is no answer, or when the signal aborts it.
export async function pageAt(address, signal) {
  clearTimeout(dwelling); // what is pointed at was wanted, or another page is
  const fetched = isAhead(address) ? ahead.page : null;
  ahead = null;
  const page = (await fetched) ?? (await fetchPage(address, signal));
  signal.throwIfAborted();
  return page;
}

// Fetches a page that is about to be wanted; the one that is shown is not.
export function fetchAhead(address) {
  if (address === location.href || isAhead(address) || navigator.connection?.saveData) return;
  // That it fails, or is not there yet, matters when it is wanted: then it is fetched again.
  const page = fetchPage(address, undefined, { "X-Ahead": "1" }).catch(() => null);
  ahead = { address, since: performance.now(), page: page.then((one) => (one?.whole ? one : null)) };
}

// What was fetched ahead is older than what has been published since.
export function forget() {
  ahead = null;
}

function isAhead(address) {
  return ahead?.address === address && performance.now() - ahead.since < YOUNG_MS;
}

async function fetchPage(address, signal, headers = {}) {
  const answer = await fetch(address, { headers: { Accept: "text/html", ...headers }, signal });
  const isPage = answer.headers.get("Content-Type")?.startsWith("text/html");
  const next = isPage ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  const fragment = new URL(address).hash;
  return { address: answer.url + fragment, ok: answer.ok, whole: answer.status === 200, document: next };
}
