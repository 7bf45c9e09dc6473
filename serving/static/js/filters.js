// The filter form applies itself: what is ticked is shown a moment later, while more can be ticked.
import { start as startChoices } from "./choices.js";
import { fetchAhead } from "./fetching.js";
import { show, stop } from "./navigation.js";
import { announce, onShown, text } from "./page.js";

const PAUSE_MS = { checkbox: 250, date: 1000 }; // a day is typed in parts

let timer = 0;
let wanted = null; // the address of what is ticked and not shown yet

export function start() {
  startChoices();
  document.addEventListener("change", change);
  document.addEventListener("submit", submit);
  document.addEventListener("click", choosePeriod, true);
  onShown(({ reason, same }) => {
    // Newer figures have come in the middle of ticking: the new form does not have it.
    if (reason === "update" && wanted) apply();
    if (reason === "navigation" && same) announceFilters();
  });
}

function change({ target }) {
  const form = target.closest("form.filters");
  if (!form || !target.name) return;
  const isEnd = target.name === "from" || target.name === "to";
  // Two days are chosen together: what lies between one and the other is not computed.
  if (isEnd && target.closest(".bridge-form")) return alignDays(form, target);
  if (isEnd) alignRange(form.elements.from, form.elements.to, target);
  if (target.type === "date") {
    if (!target.validity.valid) return; // its year is not yet typed to the end
    const [from, to] = target.closest("fieldset").elements;
    alignRange(from, to, target);
  }
  stop(); // what it would show is not what is ticked now
  clearTimeout(timer);
  wanted = addressOf(form);
  fetchAhead(wanted); // most often nothing more is ticked
  timer = setTimeout(apply, PAUSE_MS[target.type] ?? 0);
}

function submit(event) {
  if (!event.target.matches("form.filters")) return;
  event.preventDefault();
  wanted = addressOf(event.target);
  apply();
}

async function apply() {
  clearTimeout(timer);
  const address = wanted;
  wanted = null;
  const isShown = await show(address);
  // The form shows the filter of the page, unless more has been ticked meanwhile.
  if (isShown === false && !wanted && location.href !== address) document.getElementById("filters")?.reset();
}

// Where a browser would send the form, without what is empty.
function addressOf(form) {
  const parameters = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(parameters).toString();
  return new URL(form.getAttribute("action") + (query && `?${query}`), location.href).href;
}

// A range whose ends have crossed is the month or day that was chosen last.
function alignRange(from, to, chosen) {
  if (from.value && to.value && from.value > to.value) (chosen === from ? to : from).value = chosen.value;
}

// The first of two days is before the last: the other one makes way.
function alignDays(form, chosen) {
  const { from, to } = form.elements;
  if (from.value < to.value) return;
  const days = [...(chosen === from ? to : from).options].map(({ value }) => value).sort();
  if (chosen === from) to.value = days.at(-1);
  else from.value = days.findLast((day) => day < to.value);
}

// A quick period is all there is to choose: its control closes, and keeps the focus.
function choosePeriod(event) {
  if (!event.target.closest("details.choice a.period") || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const choice = event.target.closest("details.choice");
  choice.querySelector("summary").focus();
  choice.open = false;
}

function announceFilters() {
  const chips = [...document.querySelectorAll("#filters .chip-label")].map((chip) => chip.textContent.trim());
  announce(chips.length ? text("filtered", { filters: chips.join("; ") }) : text("unfiltered"));
}
