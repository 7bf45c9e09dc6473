// Checks whether there are newer figures, when it hears of some or else at intervals, and puts them in place.
import { isFromStore, learn } from "./clock.js";
import { isConnected, start as startEvents } from "./events.js";
import { pageAt } from "./fetching.js";
import { onReached, show } from "./navigation.js";
import { facts, onShown, text } from "./page.js";
import { confirm, isReachable, lost, outdate, update } from "./state.js";

const SOON_S = 3; // for missing figures that have no task to follow
const AGAIN_S = 5; // after a first failure; twice as long after each further one
const LONGEST_S = 300;
const PATIENCE_MS = 10_000;
const RARELY = 20; // how many times as long to wait where newer figures are heard of

let etag = null; // of the figures that are shown; known from the first check on
let failures = 0;
let due = 0;
let timer = 0;
let checking = null;
let heardOf = null; // { own, spread }: other figures than those that are shown, not checked yet

export function start() {
  onShown(shown);
  onReached((isReached) => isReached || checking || missed());
  startEvents({ heard, connected: plan });
  document.addEventListener("visibilitychange", wait);
  addEventListener("online", checkSoon);
  addEventListener("offline", checkSoon);
  // A page that the browser had kept may be of any age.
  addEventListener("pageshow", (event) => event.persisted && checkSoon());
}

// Checks once; never twice at the same time. Resolves when the page shows the newest figures.
export async function check() {
  if (checking || !isWatched()) return;
  const own = (checking = new AbortController());
  heardOf = null;
  const page = facts();
  try {
    const answer = await request(page.figures_url, own.signal);
    if (page === facts()) await take(answer, page, own.signal);
  } catch {
    if (page === facts()) failed();
  } finally {
    if (checking === own) {
      checking = null;
      plan();
    }
  }
}

function shown({ reason }) {
  if (reason !== "update") {
    checking?.abort();
    checking = null;
    failures = 0;
  }
  if (heardOf && isShown(heardOf.own)) heardOf = null;
  etag = null;
  if (facts() && !facts().reachable) failures = Math.max(failures, 1);
  plan();
  if (reason === "load" && isFromStore()) check();
}

async function request(address, signal) {
  const headers = etag ? { "If-None-Match": etag } : {};
  const sent = Date.now();
  const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
  learn(answer, sent);
  // Read to its end: a body that is dropped counts as a failed request.
  const body = await answer.text();
  return { status: answer.status, headers: answer.headers, body };
}

async function take({ status, headers, body }, page, signal) {
  if (status === 503 && JSON.parse(body).type.endsWith("/expired")) {
    failures += 1; // there is a connection, and the figures are as old as their state shows
    return;
  }
  if (status === 401) return location.reload(); // the session is over: the page leads to where one signs in
  if (status === 400 || status === 404) return gone(page, signal);
  if (status !== 200 && status !== 202 && status !== 304) return failed();
  document.getElementById("gone").hidden = true;
  etag = headers.get("ETag");
  update(headers);
  failures = isReachable() ? 0 : failures + 1;
  const isMissing = status === 202;
  const isOther = headers.get("X-Generation") !== page.generation || `${readingsOf(headers)}` !== `${page.readings}`;
  if (isOther || isMissing !== (page.state === "missing"))
    await show(location.href, { keep: true, reason: "update" });
  // Another process may have answered, which has not read the newer figures yet.
  if (facts() !== page && facts()?.generation !== headers.get("X-Generation")) failures += 1;
}

// Shows that the newest figures do not know the filter any more, if its address says so. Returns what it shows.
export async function explainGone() {
  const page = facts();
  try {
    await gone(page, AbortSignal.timeout(PATIENCE_MS));
  } catch {
    if (page === facts()) failed();
  }
  const notice = document.getElementById("gone");
  return page === facts() && !notice.hidden ? notice.querySelector("span").textContent : "";
}

// The newest figures do not know the filter any more. The page says so as its address would.
async function gone(page, signal) {
  const { document: problem } = await pageAt(location.href, signal);
  const cause = problem?.querySelector(".problem-cause")?.textContent;
  const wider = problem?.querySelector(".to-wider");
  if (page !== facts()) return;
  if (!cause || !wider) return failed();
  failures += 1; // the value may come back
  outdate();
  const notice = document.getElementById("gone");
  const [said, link] = notice.children;
  const message = text("gone", { cause });
  if (!notice.hidden && said.textContent === message) return;
  said.textContent = message;
  link.textContent = wider.textContent;
  link.setAttribute("href", wider.getAttribute("href"));
  notice.hidden = false;
}

// What is said of the readings of the source that pages show, as in the facts of a page.
function readingsOf(headers) {
  return ["X-Rolled-Back-At", "X-Mixed-Readings"].map((name) => headers.get(name)).filter(Boolean);
}

// The page that a reader wanted did not come.
function missed() {
  if (!isWatched()) return;
  failed();
  plan();
}

function failed() {
  failures += 1;
  lost();
}

// The live figures of some products are others than before.
function heard({ products, spread_s: spread }) {
  const own = facts() && products[facts().product];
  if (!own || !isWatched()) return;
  if (isShown(own) && isReachable()) return confirm(Date.parse(own.verified_at), Date.parse(own.fresh_until));
  heardOf = { own, spread };
  if (!checking) plan();
}

// Whether the page shows these figures, and says of the readings of the source what is to be said.
function isShown({ generation, readings }) {
  return facts().state !== "missing" && generation === facts().generation && `${readings}` === `${facts().readings}`;
}

// Checks at once, or as soon as the page is visible.
function checkSoon() {
  due = 0;
  if (!document.hidden) check();
}

function plan() {
  due = Date.now() + 1000 * waitS();
  wait();
}

// Waits until the next check is due: in a page that is not visible, until it is visible again.
function wait() {
  clearTimeout(timer);
  if (!document.hidden && isWatched()) timer = setTimeout(check, Math.max(0, due - Date.now()));
}

function waitS() {
  if (!isWatched()) return 0;
  const { poll_s: period, state, task } = facts();
  if (failures) return Math.min(LONGEST_S, Math.min(AGAIN_S, period) * 2 ** (failures - 1)) * between(0.5, 1);
  if (heardOf) return between(0, heardOf.spread); // not all pages at once
  if (state === "missing" && !task) return Math.min(SOON_S, period);
  return period * (isConnected() ? RARELY : 1) * between(0.9, 1.1);
}

// Month ends do not change.
function isWatched() {
  return facts() !== null && facts().state !== "historic";
}

function between(low, high) {
  return low + Math.random() * (high - low);
}
