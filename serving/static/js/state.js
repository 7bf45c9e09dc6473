// How fresh the figures are: by the last answer of the server and by the time since.
import { ago, clockTime, now } from "./clock.js";
import { announce, facts, onShown, text } from "./page.js";

let answer = null; // what is known of the figures that are shown
const refreshed = new Set(); // the products of which newer figures are being computed

export function start() {
  onShown(() => {
    if (!facts()) return;
    answer = {
      state: facts().state,
      reachable: facts().reachable,
      freshUntil: Date.parse(facts().fresh_until),
      verifiedAt: Date.parse(facts().verified_at),
    };
    paint();
  });
  document.addEventListener("second", paint);
}

// Updates the freshness by the headers of an answer about the same figures.
export function update(headers) {
  const was = answer.reachable;
  answer.state = headers.get("X-Cache-State");
  answer.freshUntil = Date.parse(headers.get("X-Fresh-Until"));
  const verifiedAt = now() - 1000 * Number(headers.get("Age"));
  // An age has whole seconds: less than two do not matter.
  if (Math.abs(verifiedAt - answer.verifiedAt) > 2000) answer.verifiedAt = verifiedAt;
  answer.reachable = headers.get("X-Cache-Reachable") !== "no";
  announceReachability(was);
}

// Records that the source was checked again and holds what is shown.
export function confirm(verifiedAt, freshUntil) {
  Object.assign(answer, { verifiedAt, freshUntil });
  paint();
}

// Records that the figures that are shown are no longer the newest: there are none of their filter any more.
export function outdate() {
  answer.freshUntil = Math.min(answer.freshUntil, now());
  paint();
}

// Records that the server, or the cache behind it, cannot be reached.
export function lost() {
  if (!facts()) return;
  const was = answer.reachable;
  answer.reachable = false;
  announceReachability(was);
}

// Records whether newer figures of a product are being computed.
export function refreshes(product, isUnderWay) {
  if (isUnderWay) refreshed.add(product);
  else refreshed.delete(product);
  paint();
}

export function isReachable() {
  return answer.reachable;
}

// Until when the figures are fresh: it moves when the source has been checked again.
export function freshUntil() {
  return answer.freshUntil;
}

function announceReachability(was) {
  if (was !== answer.reachable) announce(text(answer.reachable ? "back_online" : "state_offline"));
  paint();
}

// One of `LIVE_STATES` of `serving/pages/live_state.py`, in the same order of importance.
function current() {
  if (answer.state === "historic") return "historic";
  if (!answer.reachable) return "offline";
  if (refreshed.has(facts().product)) return "refreshing";
  if (answer.state === "missing") return "missing";
  if (now() >= answer.freshUntil) return "stale";
  return facts().earlier ? "earlier" : "fresh";
}

function paint() {
  if (!facts()) return;
  const name = current();
  const label = text(`state_${name}`, name === "stale" ? { moment: clockTime(answer.freshUntil) } : {});
  for (const sign of document.querySelectorAll(".badge[data-state]")) show(sign, name, label);
  for (const notice of document.querySelectorAll("[data-while]")) notice.hidden = notice.dataset.while !== name;
  const age = document.getElementById("ago");
  const since = age && ago(answer.verifiedAt);
  if (age && age.textContent !== since) age.textContent = since;
}

function show(sign, name, label) {
  const element = sign.querySelector(".state-label");
  if (element.textContent !== label) element.textContent = label;
  const before = sign.dataset.state;
  if (before === name) return;
  sign.classList.replace(`badge-${before}`, `badge-${name}`);
  sign.classList.replace(`state-${before}`, `state-${name}`);
  sign.querySelector("use").setAttribute("href", `#state-${name}`);
  sign.dataset.state = name;
}
