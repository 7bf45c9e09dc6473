// How the figures stand to the present: what the server said last, and what time makes of it.
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

// Takes over what an answer about the same figures says of their age.
export function told(headers) {
  const was = answer.reachable;
  answer.state = headers.get("X-Cache-State");
  answer.freshUntil = Date.parse(headers.get("X-Fresh-Until"));
  const verifiedAt = now() - 1000 * Number(headers.get("Age"));
  // An age tells whole seconds: less than two do not matter.
  if (Math.abs(verifiedAt - answer.verifiedAt) > 2000) answer.verifiedAt = verifiedAt;
  answer.reachable = headers.get("X-Cache-Reachable") !== "no";
  tell(was);
}

// Notes that the server, or the cache behind it, cannot be reached.
export function lost() {
  if (!facts()) return;
  const was = answer.reachable;
  answer.reachable = false;
  tell(was);
}

// Notes whether newer figures of a product are being computed.
export function refreshes(product, isUnderWay) {
  if (isUnderWay) refreshed.add(product);
  else refreshed.delete(product);
  paint();
}

export function isReachable() {
  return answer.reachable;
}

// Until when the figures are fresh: it moves when the source has been looked at again.
export function freshUntil() {
  return answer.freshUntil;
}

function tell(was) {
  if (was !== answer.reachable) announce(text(answer.reachable ? "back_online" : "state_offline"));
  paint();
}

// One of `LIVE_STATES` of `serving/pages/live_state.py`, in the same order of importance.
function current() {
  if (answer.state === "historic") return "historic";
  if (!answer.reachable) return "offline";
  if (refreshed.has(facts().product)) return "refreshing";
  if (answer.state === "missing") return "missing";
  return now() < answer.freshUntil ? "fresh" : "stale";
}

function paint() {
  if (!facts()) return;
  const name = current();
  const words = text(`state_${name}`, name === "stale" ? { moment: clockTime(answer.freshUntil) } : {});
  for (const sign of document.querySelectorAll(".badge[data-state], .card-state[data-state]")) show(sign, name, words);
  for (const notice of document.querySelectorAll("[data-while]")) notice.hidden = notice.dataset.while !== name;
  const age = document.getElementById("ago");
  const since = age && ago(answer.verifiedAt);
  if (age && age.textContent !== since) age.textContent = since;
}

function show(sign, name, words) {
  const label = sign.querySelector(".state-label");
  if (label.textContent !== words) label.textContent = words;
  const before = sign.dataset.state;
  if (before === name) return;
  sign.classList.replace(`badge-${before}`, `badge-${name}`);
  sign.classList.replace(`state-${before}`, `state-${name}`);
  sign.querySelector("use").setAttribute("href", `#state-${name}`);
  sign.dataset.state = name;
}
