// The refresh button: its request is followed, and ends in the new figures in place.
import { check, explainGone } from "./live.js";
import { announce, facts, onShown, text } from "./page.js";
import { clearProgress, showEnd, showTask, success } from "./progress.js";
import { freshUntil, lost, refreshes } from "./state.js";
import { outcome, pause } from "./task.js";

const KEPT = "refreshes"; // where a page that is reloaded finds what it was following
const TRIES = 5;
const TRY_MS = 150;
const ENDS = { failed: "refresh_failed", expired: "refresh_expired", unknown: "refresh_unknown" };

const followed = new Map(); // by product: { statusUrl, task } of what brings newer figures of it

export function start() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.refresh")) return;
    event.preventDefault();
    if (!followed.has(facts().product)) submit(event.target, facts().product);
  });
  for (const [product, statusUrl] of stored()) follow(product, statusUrl);
  onShown(shown);
}

// Checks until the page shows what was published a moment ago: not every process reads it at once.
export async function catchUp() {
  const page = facts();
  const before = freshUntil();
  for (let tried = 0; tried < TRIES && facts() === page; tried += 1) {
    await check();
    if (facts() !== page || freshUntil() > before) return;
    await pause(TRY_MS);
  }
}

function shown() {
  if (!facts()) return;
  const { product, refresh } = facts();
  if (refresh && !followed.has(product)) follow(product, refresh);
  forgetTask();
  if (!followed.has(product)) return;
  disable(true);
  showTask(followed.get(product).task);
}

// The task in the address is followed now: the address need not name it again.
function forgetTask() {
  const address = new URL(location.href);
  if (!address.searchParams.has("task")) return;
  address.searchParams.delete("task");
  history.replaceState(history.state, "", address);
}

async function submit(form, product) {
  begin(product, { statusUrl: null, task: { state: "queued" } });
  announce(text("state_refreshing"));
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
    if (answer.ok) return follow(product, (await answer.json()).status_url);
    if (answer.status === 400) {
      const said = await explainGone();
      end(product, said ? "" : text("refresh_refused"));
      return announce(said);
    }
  } catch {
    lost();
  }
  end(product, text("refresh_refused"));
}

async function follow(product, statusUrl) {
  const own = { statusUrl, task: { state: "queued" } };
  begin(product, own);
  const task = await outcome(statusUrl, (read) => {
    own.task = read;
    if (facts()?.product === product && (read.state === "queued" || read.state === "started")) showTask(read);
  });
  const page = facts();
  if (task.state === "succeeded" && page?.product === product) await catchUp();
  end(product, task.state in ENDS ? failure(task) : "");
  if (task.state in ENDS || facts()?.product !== product) return;
  showEnd(success(task));
  // Newer figures announce their own changes.
  if (facts() === page) announce(success(task));
}

function failure(task) {
  const message = text(task.source_failed ? "refresh_source_failed" : ENDS[task.state]);
  // The reason is an error in the engineers' words: readers are led to whoever reads those.
  return task.reason ? `${message} ${text("refresh_cause")}` : message;
}

function begin(product, own) {
  followed.set(product, own);
  store();
  refreshes(product, true);
  if (facts()?.product !== product) return;
  disable(true);
  showTask(own.task);
  showFailure("");
}

function end(product, failed) {
  followed.delete(product);
  store();
  refreshes(product, false);
  if (facts()?.product !== product) return;
  disable(false);
  clearProgress();
  showFailure(failed);
  if (failed) announce(failed);
}

function showFailure(message) {
  const notice = document.getElementById("refresh-failure");
  if (!notice) return;
  notice.textContent = message;
  notice.hidden = !message;
}

// Not by `disabled`: it would take the focus away.
function disable(isDisabled) {
  const button = document.getElementById("refresh");
  if (!button) return;
  button.disabled = false;
  button.setAttribute("aria-disabled", String(isDisabled));
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

function store() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...followed].map(([product, { statusUrl }]) => [product, statusUrl]).filter(([, statusUrl]) => statusUrl)));
  } catch {
    // A browser that stores nothing forgets it at a reload.
  }
}
