// The progress of a request, in the place of the times in the heading: nothing on the page moves.
import { facts, text } from "./page.js";

const DONE_MS = 6000;

let clearing = 0;

// Shows a task that is under way.
export function showTask(task) {
  const [label, bar] = parts();
  if (!label) return;
  const { steps, steps_done: done } = task.progress ?? {};
  label.textContent = text(`phase_${phase(task)}`) + (steps ? ` ${text("refresh_step", { done: Math.min(done + 1, steps), steps })}` : "");
  bar.hidden = false;
  if (steps) Object.assign(bar, { max: steps, value: done });
  else bar.removeAttribute("value");
}

// How a task that succeeded has left the figures: a rollback holds newer ones back.
export function success(task) {
  return text(task.rolled_back ? "refresh_held" : "refresh_done");
}

// Shows for a moment how it ended.
export function showEnd(message) {
  const [label, bar] = parts();
  if (!label) return;
  label.textContent = message;
  bar.hidden = true;
  clearing = setTimeout(clearProgress, DONE_MS);
}

export function clearProgress() {
  clearTimeout(clearing);
  const place = document.getElementById("refresh-progress");
  if (!place) return;
  place.hidden = true;
  place.replaceChildren();
  document.querySelector(".times").hidden = false;
}

function phase({ state, progress, timings }) {
  if (state === "queued") return "queued";
  if (timings?.computed_s != null) return "publishing";
  return progress?.steps_done ? "computing" : "reading";
}

function parts() {
  clearTimeout(clearing);
  const place = document.getElementById("refresh-progress");
  if (!place || !facts()) return [];
  if (!place.firstChild) {
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", text("refresh_progress"));
    place.append(document.createElement("span"), bar);
  }
  place.hidden = false;
  document.querySelector(".times").hidden = true;
  return place.children;
}
