// Links and forms within the pages change the page in place; the address and the back button stay true.
import { arrive, begin, leave, leftAs, start as startEntries } from "./entries.js";
import { forget, pageAt, start as startFetching } from "./fetching.js";
import { addressOf, announce, facts, fits, onShown, open, opened, put } from "./page.js";
import { start as startWaiting, unreachable, wait } from "./waiting.js";

const listeners = [];
let shown = location.href; // the address whose page is shown; for a moment it may differ from the location
let underWay = null; // { controller, reason }
let goingBack = false;

export function start() {
  startEntries(opened);
  startWaiting();
  startFetching(isWithin);
  document.addEventListener("click", followLink);
  addEventListener("popstate", travel);
  onShown(({ reason }) => reason === "update" && forget());
  onShown(() => requestAnimationFrame(showCurrent));
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (type === "reload" || type === "back_forward") restore();
}

// Calls a listener with true or false after each fetch of a page: whether the server was reached.
export function onReached(listener) {
  listeners.push(listener);
}

// Shows an address of ours. `keep`: the address is in the history already. `reason`: see `onShown`.
// `fromTop`: the page begins at its top also where it is the same one under another filter.
// Resolves to true when its page is shown, to false when the one before stays, and to null when the
// browser leaves this document for it. An update gives way to a reader's own step; it rejects when there
// are no newer figures or the server is not reached.
export async function show(address, { keep = false, reason = "navigation", fromTop = false } = {}) {
  if (reason === "update" && underWay?.reason === "navigation") return false;
  if (reason === "update") forget();
  stop();
  const own = (underWay = { controller: new AbortController(), reason });
  const { signal } = own.controller;
  const came = reason === "navigation" ? wait() : () => {};
  signal.addEventListener("abort", came);
  let page = null;
  try {
    page = await pageAt(new URL(address, location.href).href, signal);
  } catch (failure) {
    if (signal.aborted) return false;
    notify(false);
    if (reason === "update") throw failure;
    unreachable();
    return false;
  } finally {
    came();
    if (underWay === own) underWay = null;
  }
  notify(true);
  return accept(page, { keep, reason, fromTop });
}

// Ends what is under way: its page is no longer wanted.
export function stop() {
  underWay?.controller.abort();
  underWay = null;
}

function accept(page, { keep, reason, fromTop }) {
  const isPage = page.document?.getElementById("content") && page.document.querySelector("header.top");
  if (reason === "update" && !(page.ok && isPage)) throw new RangeError("no newer figures");
  if (!isPage || !fits(page.document)) {
    // The browser shows what is no page of ours, and loads the scripts of another release.
    if (keep) location.reload();
    else location.assign(page.address);
    return null;
  }
  const same = pathOf(page.address) === pathOf(shown) && facts() !== null && page.document.getElementById("facts") !== null;
  if (reason === "navigation" && !keep) {
    leave(opened());
    if (page.address !== shown) begin(page.address);
  }
  shown = page.address;
  put(page.document, { reason, same });
  if (reason === "navigation" && (!same || fromTop)) enter();
  return true;
}

// Another page begins at its top, where a screen reader reads its title.
function enter() {
  scrollTo(0, 0);
  const title = document.querySelector("h1");
  title?.setAttribute("tabindex", "-1");
  title?.focus({ preventScroll: true });
  announce(document.title);
}

async function travel({ state }) {
  const target = location.href;
  if (!goingBack) leave(opened());
  const back = arrive(state);
  if (goingBack || withoutHash(target) === withoutHash(shown)) {
    goingBack = false;
    shown = target;
    restore();
    return;
  }
  const isShown = await show(target, { keep: true });
  if (isShown) restore();
  else if (isShown === false && location.href === target && !underWay && back) {
    goingBack = true; // the page is still the one before, so is the address then
    history.go(back);
  }
}

function restore() {
  const entry = leftAs();
  open(entry?.open ?? []);
  if (entry) scrollTo(0, entry.top);
}

function followLink(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (!isWithin(link)) return;
  event.preventDefault();
  // What is chosen in the filter form stays in sight; what a figure leads to begins anew.
  show(addressOf(link), { fromTop: link.closest("main") !== null && !link.closest("#filters") });
}

// Whether a link leads to a page of ours, and not to a place in this one.
function isWithin(link) {
  const { origin, pathname, hash } = new URL(addressOf(link));
  if (link.getAttribute("target") || link.hasAttribute("download") || origin !== location.origin || hash) return false;
  return pathname.startsWith("/manager/") && !pathname.startsWith("/manager/api/") && !pathname.startsWith("/manager/dashboard/status/");
}

// Where the row of pages is longer than the screen, it begins at its first whenever it is put in place.
function showCurrent() {
  const row = document.querySelector(".pages");
  const current = row?.querySelector("[aria-current=page]");
  if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}

function notify(isReached) {
  for (const listener of listeners) listener(isReached);
}

function pathOf(address) {
  return new URL(address).pathname;
}

function withoutHash(address) {
  return address.split("#")[0];
}
