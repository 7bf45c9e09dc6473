// Missing figures: the page shows them as soon as they are computed.
import { announce, facts, onShown, text } from "./page.js";
import { clearProgress, showTask, success } from "./progress.js";
import { catchUp } from "./refresh.js";
import { outcome } from "./task.js";

let own = null;

export function start() {
  onShown(shown);
}

function shown() {
  own?.abort();
  own = new AbortController();
  if (facts()?.state === "missing" && facts().task) follow(facts().task.status_url, own.signal);
}

async function follow(statusUrl, signal) {
  const { figures_url: awaited } = facts();
  const task = await outcome(statusUrl, showTask, signal);
  if (!task) return;
  if (task.state === "succeeded") await catchUp();
  if (signal.aborted) {
    // Another page stands in the place of this one: mostly the awaited page.
    if (facts()?.figures_url === awaited && facts().state !== "missing") announce(success(task));
    return;
  }
  clearProgress();
  if (task.state !== "succeeded") showFailure();
}

function showFailure() {
  const notice = document.querySelector(".notice-missing");
  notice.textContent = text("preparing_failed");
  announce(notice.textContent);
}
