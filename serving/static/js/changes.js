// What newer figures changed: each number that differs shows its value before.
import { announce, facts, onShown, text } from "./page.js";

const MARKED_MS = 60_000;
const NAMED = 3; // so many cards are read out
const NEXT_TO_A_NUMBER = ".was";

let clearing = 0;

export function start() {
  onShown(({ reason, before }) => {
    clearTimeout(clearing);
    if (reason === "update" && facts() && answersTheSame(before)) mark(before);
  });
}

// The figures of a wider filter are no earlier value of these.
function answersTheSame(before) {
  const block = before.querySelector("#facts");
  const earlier = block && JSON.parse(block.textContent);
  return earlier !== null && earlier.figures_url === facts().figures_url && earlier.state !== "missing" && facts().state !== "missing";
}

function mark(before) {
  const main = document.getElementById("content");
  const cards = differing(cardValues(before), cardValues(main));
  const cells = differing(tableValues(before), tableValues(main));
  for (const change of cards) markCard(change);
  for (const change of cells) markCell(change);
  clearing = setTimeout(clear, MARKED_MS);
  announce(news(cards, cards.length + cells.length));
}

function differing(earlier, later) {
  return [...later]
    .map(([key, element]) => ({ element, before: earlier.has(key) ? written(earlier.get(key)) : null, value: written(element) }))
    .filter(({ before, value }) => before !== null && before !== value);
}

function cardValues(main) {
  const values = new Map();
  for (const card of main.querySelectorAll(".card"))
    card.querySelectorAll(".value").forEach((value, place) => values.set(`${nameOf(card, "card-")} ${place}`, value));
  return values;
}

// Numbers of tables by what they stand under and beside: rows may come, go and move.
function tableValues(main) {
  const values = new Map();
  for (const table of main.querySelectorAll("table")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    const title = table.caption?.textContent ?? "";
    for (const row of table.tBodies[0]?.rows ?? []) {
      const cells = [...row.cells];
      const names = cells.filter((cell) => !cell.matches(".number")).map(written);
      cells.forEach((cell, place) => {
        if (cell.matches(".number")) values.set(JSON.stringify([title, ...names, heads[place]]), cell);
      });
    }
  }
  return values;
}

function markCard({ element, before }) {
  element.classList.add("changed");
  const was = made("span", "was", text("was", { value: before }));
  was.title = text("changed", { value: before });
  element.closest(".figure").append(was);
}

function markCell({ element, before }) {
  element.classList.add("changed");
  const label = text("changed", { value: before });
  element.dataset.title = element.title;
  element.title = element.title ? `${element.title} · ${label}` : label;
  element.append(made("span", "was unseen", ` (${label})`));
}

function clear() {
  for (const was of document.querySelectorAll(NEXT_TO_A_NUMBER)) was.remove();
  for (const element of document.querySelectorAll(".changed")) {
    element.classList.remove("changed");
    if ("title" in element.dataset) element.title = element.dataset.title;
  }
}

function news(cards, count) {
  if (!count) return text(facts().earlier ? "news_none_earlier" : "news_none");
  const summary = text("news", { count });
  const named = cards.slice(0, NAMED).map(({ element, before, value }) =>
    text("news_of", { label: element.closest(".card").querySelector("h3, h4").textContent, value, before }));
  return [summary, ...named].join(" ");
}

function nameOf(card, prefix) {
  return [...card.classList].find((name) => name.startsWith(prefix));
}

// The text of an element without what was marked beside it.
function written(element) {
  const own = [...element.childNodes].filter((node) => !node.matches?.(NEXT_TO_A_NUMBER));
  return own.map((node) => node.textContent).join("").replace(/\s+/g, " ").trim();
}

function made(kind, className, label) {
  return Object.assign(document.createElement(kind), { className, textContent: label });
}
