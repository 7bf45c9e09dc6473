// The controls of the filter form: only one is open; it can be searched and used by keys.
import { announce, onShown, text } from "./page.js";

const MARGIN = 8;
const QUIET_MS = 400; // a count is announced once typing pauses

let quiet = 0;

export function start() {
  document.addEventListener("toggle", toggled, true);
  document.addEventListener("click", click);
  document.addEventListener("focusin", closeOthers);
  document.addEventListener("input", search);
  document.addEventListener("keydown", press);
  onShown(() => {
    const choice = openChoice();
    if (!choice) return;
    place(choice);
    filter(choice);
  });
}

function openChoice() {
  return document.querySelector("details.choice[open]");
}

function close(choice, focus = true) {
  choice.open = false;
  if (focus) choice.querySelector("summary").focus();
}

function toggled({ target }) {
  if (!target.matches?.("details.choice[open]")) return;
  for (const other of document.querySelectorAll("details.choice[open]")) if (other !== target) other.open = false;
  // Opened by hand, where a field with the focus does not call up a keyboard over the sheet.
  if (document.activeElement?.parentElement !== target || !matchMedia("(hover: hover)").matches) return;
  target.querySelector(".search")?.focus({ preventScroll: true });
}

// Within the window, whichever control of the row it belongs to.
function place(choice) {
  const popover = choice.querySelector(".popover");
  popover.style.translate = "";
  if (getComputedStyle(popover).position === "fixed") return;
  const { right } = popover.getBoundingClientRect();
  const over = right + MARGIN - document.documentElement.clientWidth;
  if (over > 0) popover.style.translate = `${-over}px 0`;
}

function click({ target }) {
  const opening = target.closest("details.choice:not([open]) > summary");
  if (opening) place(opening.parentElement); // its own event comes after it has been painted
  const choice = openChoice();
  if (!choice) return;
  if (target.closest(".close")) close(choice);
  // The shade behind a sheet belongs to its control, but to nothing within it.
  else if (!choice.contains(target) || target === choice) close(choice, target === choice);
}

// The keyboard has gone on to something that an open control may cover.
function closeOthers({ target }) {
  const choice = openChoice();
  if (choice && !choice.contains(target)) close(choice, false);
}

function search({ target }) {
  if (!target.matches(".search")) return;
  const choice = target.closest("details.choice");
  const count = filter(choice);
  clearTimeout(quiet);
  quiet = setTimeout(() => announce(text("matches", { count })), QUIET_MS);
}

// Shows the options that have every word of the search, and returns how many they are.
function filter(choice) {
  const field = choice.querySelector(".search");
  if (!field) return 0;
  const sought = plain(field.value).split(" ").filter(Boolean);
  let count = 0;
  for (const item of choice.querySelectorAll(".option-list li")) {
    const label = plain(item.querySelector(".option-label").textContent);
    item.hidden = !sought.every((word) => label.includes(word));
    count += !item.hidden;
  }
  choice.querySelector(".no-matches").hidden = count > 0;
  return count;
}

function plain(label) {
  return label.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function press(event) {
  const choice = event.target.closest?.("details.choice[open]");
  if (!choice || event.altKey || event.ctrlKey || event.metaKey) return;
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  const isField = event.target.matches(".search, select, [type=date]");
  if (event.key === "Escape") close(choice);
  else if (event.key === "Enter" && event.target.matches("[type=checkbox]")) event.target.click();
  else if (event.key === "Enter" && event.target.matches(".search")) toggleOnly(choice);
  else if (!step || event.target.matches("select, [type=date]") || (isField && Math.abs(step) > 1) || !walk(choice, step)) return;
  event.preventDefault();
}

// Ticks the one option that is left, or goes to the first of several.
function toggleOnly(choice) {
  const boxes = shownBoxes(choice);
  if (boxes.length === 1) boxes[0].click();
  else boxes[0]?.focus();
}

// From the field or the summary to the options, from one to the next, and back.
function walk(choice, step) {
  const boxes = shownBoxes(choice);
  if (!boxes.length) return false;
  const next = boxes.indexOf(document.activeElement) + step;
  if (next === -1 && step === -1) (choice.querySelector(".search") ?? choice.querySelector("summary")).focus();
  else boxes[Math.min(Math.max(next, 0), boxes.length - 1)].focus();
  return true;
}

function shownBoxes(choice) {
  return [...choice.querySelectorAll(".option-list li:not([hidden]) input:not(:disabled)")];
}
