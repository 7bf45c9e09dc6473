// Figures that are missing: the page turns into them as soon as they are there.
import { announce, facts, onShown, text } from "./page.js";
import { clearProgress, showTask } from "./progress.js";
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
  const { figures_url: asked } = facts();
  const task = await outcome(statusUrl, showTask, signal);
  if (!task) return;
  if (task.state === "succeeded") await catchUp();
  if (signal.aborted) {
    // Another page stands in the place of this one: mostly the one that was waited for.
    if (facts()?.figures_url === asked && facts().state !== "missing") announce(text("refresh_done"));
    return;
  }
  clearProgress();
  if (task.state !== "succeeded") tellFailure();
}

function tellFailure() {
  const notice = document.querySelector(".notice-missing");
  notice.textContent = text("preparing_failed");
  announce(notice.textContent);
}
