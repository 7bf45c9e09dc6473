// Charts that answer the pointer: after the first paint they take the place of the server's drawings.
import { announce, facts, onShown, text } from "./page.js";
import { foresee, loadDrawings, loadFigures, loadProgram, rowsOf } from "./charts_source.js";
import { Plot, fits, mayFit } from "./charts_plot.js";
import { save } from "./charts_saving.js";

const SLICE_MS = 40; // so long may drawing keep the page from answering

const dark = matchMedia("(prefers-color-scheme: dark)");
const plots = new Map(); // by chart, currency and KPI: what stands on the page
const sizes = new ResizeObserver((changes) => resized(changes.map(({ target }) => target)));
let source = null; // of the page that is shown: what its charts are drawn with
let turn = 0; // each page and look has its own: what comes late for an earlier one is dropped

export function start() {
  onShown(begin);
  dark.addEventListener("change", begin);
  document.addEventListener("click", pressed);
}

function begin() {
  const own = ++turn;
  const place = document.querySelector(".charts[data-program]");
  source = place && facts() ? sourceOf(place) : null;
  sizes.disconnect();
  document.getElementById("vg-tooltip-element")?.classList.remove("visible"); // what it told of may be gone
  adopt();
  if (!source) return;
  source.place.querySelectorAll(".chart-tools").forEach((tools) => tools.removeAttribute("hidden"));
  drawAll(own).catch(() => own === turn && clear()); // the drawings stay
}

// `ready` loads what to draw with, once and only if something is to be drawn.
function sourceOf(place) {
  const { program, pictures, plotsLight, plotsDark } = place.dataset;
  const files = { program, pictures, look: dark.matches ? plotsDark : plotsLight };
  let loading = null;
  return { ...files, place, theme: dark.matches ? "dark" : "light", ready: () => (loading ??= load(files)) };
}

// The places of plots, each with its size: all are measured before anything is drawn.
function boxes() {
  return [...source.place.querySelectorAll(".plot")].map((box) => {
    const { currency, kpi } = box.dataset;
    const name = box.closest("[data-chart]").dataset.chart;
    const { top, bottom } = box.getBoundingClientRect();
    const away = Math.max(top - innerHeight, -bottom, 0);
    return { box, name, currency, kpi, away, width: box.clientWidth, height: box.clientHeight, key: [name, currency, kpi].join(" ") };
  });
}

// What was drawn goes over to the page that has replaced its own, so that nothing flashes.
function adopt() {
  const kept = new Set();
  for (const one of source && plots.size > 0 ? boxes() : []) {
    const plot = plots.get(one.key);
    if (plot?.look !== source.look || !fits(one)) continue;
    plot.takeOver(one.box);
    kept.add(one.key);
  }
  for (const key of [...plots.keys()]) {
    if (!kept.has(key)) drop(key);
  }
}

function drop(key) {
  plots.get(key)?.remove();
  plots.delete(key);
}

function clear() {
  for (const key of [...plots.keys()]) drop(key);
}

// All that is needed is fetched while the page is painted; the program is run after that.
async function load({ program: address, look }) {
  foresee(address);
  const run = painted().then(() => loadProgram(address));
  const [program, drawings, figures] = await Promise.all([run, loadDrawings(look), loadFigures()]);
  return { program, drawings, figures };
}

async function painted() {
  if (performance.getEntriesByName("first-contentful-paint").length > 0) return;
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

async function drawAll(own) {
  if (mayFit(source.place)) await source.ready();
  await painted();
  if (own !== turn) return;
  let begun = performance.now();
  for (const one of boxes().sort((one, other) => one.away - other.away)) {
    await draw(one, own);
    if (own !== turn) return;
    if (performance.now() < begun + SLICE_MS) continue;
    await pause();
    begun = performance.now();
    if (own !== turn) return;
  }
  source.place.dataset.drawn = "";
  performance.mark("charts-drawn");
}

async function draw(one, own) {
  const { box, key } = one;
  try {
    if (!fits(one)) drop(key);
    else if (plots.has(key)) await plots.get(key).update(one, rowsIn(one, await source.ready()));
    else await add(one, own);
  } catch {
    drop(key); // the drawing stays
  }
  if (own === turn) sizes.observe(box);
}

async function add(one, own) {
  const plot = new Plot(one.name, source.look);
  const ready = await source.ready();
  await plot.draw(one, rowsIn(one, ready), ready);
  if (own !== turn) return plot.remove();
  drop(one.key); // drawn twice at once, the later one counts
  plots.set(one.key, plot);
  plot.takeOver(one.box);
}

function rowsIn({ name, currency, kpi }, { drawings: { charts }, figures }) {
  return rowsOf(figures.charts[name], charts[name]).filter(
    (row) => (!currency || row.currency === currency) && (kpi === undefined || row.kpi === kpi),
  );
}

// Whoever presses a key meanwhile is answered first.
function pause() {
  return globalThis.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}

async function resized(targets) {
  const own = turn;
  for (const one of source ? boxes().filter(({ box }) => targets.includes(box)) : []) {
    if (own !== turn) return;
    if (fits(one) && plots.has(one.key)) await plots.get(one.key).resize(one);
    else await draw(one, own);
  }
}

async function pressed(event) {
  const button = event.target.closest("[data-save]");
  if (!button || !source) return;
  const figure = button.closest("[data-chart]");
  const title = figure.querySelector("h3").textContent;
  const subtitle = document.querySelector(".as-of")?.textContent ?? "";
  try {
    const file = await save(button.dataset.save, { ...source, ...(await source.ready()), name: figure.dataset.chart, title, subtitle });
    announce(text("chart_saved", { file }));
  } catch {
    announce(text("chart_not_saved"));
  }
}
