// Tables that can be searched, sorted and paged; without scripts each shows all its rows in their order.
import { announce, facts, onShown, text } from "./page.js";

const FEW = 8; // so many rows need no search
const SIZES = [10, 25, Infinity];
const QUIET_MS = 400; // a count is announced once typing pauses

const arrangements = new Map(); // by table: how the reader has arranged it, also when newer figures come
const shownTables = new Map(); // by table: its elements on the page that is shown
let quiet = 0;

export function start() {
  onShown(arrangeAll);
  document.addEventListener("click", press);
  document.addEventListener("input", search);
  document.addEventListener("change", resize);
}

function arrangeAll({ reason, same }) {
  shownTables.clear();
  if (reason !== "update" && !same) arrangements.clear();
  if (!facts()) return;
  for (const region of document.querySelectorAll("[data-table]")) {
    const name = region.getAttribute("aria-label");
    const table = take(region, name);
    if (!arrangements.has(name)) arrangements.set(name, { query: "", column: -1, down: false, size: 25, page: 0 });
    shownTables.set(name, table);
    addSorting(table);
    if (table.isSearched) addTools(table);
    apply(table);
  }
}

// A table as it was written: its rows with what is compared and searched in them.
function take(region, name) {
  const heads = [...region.querySelectorAll("thead th")];
  const rows = [...region.querySelectorAll("tbody tr")].map((row) => {
    const cells = [...row.cells];
    return { row, values: cells.map((cell) => cell.dataset.value ?? cell.textContent.trim()), words: plain(cells.map((cell) => cell.textContent).join(" ")) };
  });
  const isSearched = rows.length > FEW && region.closest(".table-section") !== null;
  return { region, name, heads, rows, ordered: rows, isSearched, body: region.querySelector("tbody") };
}

function addSorting({ heads, name }) {
  heads.forEach((head, column) => {
    const button = made("button", { type: "button", className: "sort" });
    button.dataset.focus = `sort ${column} ${name}`;
    button.append(...head.childNodes);
    head.append(button);
  });
}

function addTools(table) {
  const { region, name, rows } = table;
  const { query, size } = arrangements.get(name);
  const tools = made("div", { className: "table-tools" });
  tools.dataset.tools = name;
  const box = made("input", { type: "search", placeholder: text("table_search"), value: query, autocomplete: "off" });
  box.setAttribute("aria-label", text("table_search_in", { table: name }));
  box.dataset.focus = `search ${name}`;
  table.count = made("span", { className: "table-count" });
  tools.append(box, table.count);
  if (rows.length > SIZES[0]) tools.append(sizeChoice(name, size));
  region.before(tools);
  table.pages = made("nav", { className: "table-pages", hidden: true });
  table.pages.setAttribute("aria-label", text("table_pages", { table: name }));
  table.pages.dataset.tools = name;
  table.place = made("span");
  table.pages.append(turn(-1, name), table.place, turn(1, name));
  region.after(table.pages);
}

function sizeChoice(name, chosen) {
  const label = made("label", { className: "table-size", textContent: text("table_size") });
  const choice = made("select");
  choice.dataset.focus = `size ${name}`;
  for (const size of SIZES) choice.append(new Option(size === Infinity ? text("table_all") : size, size, false, size === chosen));
  label.append(choice);
  return label;
}

function turn(by, name) {
  const button = made("button", { type: "button", className: "turn", textContent: text(by < 0 ? "table_previous" : "table_next") });
  button.dataset.turn = by;
  button.dataset.focus = `turn ${by} ${name}`;
  return button;
}

// Puts the rows in the chosen order and shows those that match, one page at a time.
function apply(table) {
  const arranged = arrangements.get(table.name);
  const words = plain(arranged.query).split(/\s+/).filter(Boolean);
  const ordered = inOrder(table, arranged);
  const matches = ordered.filter(({ words: held }) => words.every((word) => held.includes(word)));
  const pages = table.isSearched ? Math.max(1, Math.ceil(matches.length / arranged.size)) : 1;
  arranged.page = Math.min(arranged.page, pages - 1);
  const first = pages > 1 ? arranged.page * arranged.size : 0;
  const last = pages > 1 ? first + arranged.size : matches.length;
  const sought = new Set(matches);
  for (const held of table.rows) held.row.hidden = !sought.has(held);
  // Rows of other pages are printed; those that do not match are not.
  matches.forEach(({ row }, at) => row.classList.toggle("other-page", at < first || at >= last));
  if (ordered !== table.ordered) table.body.append(...ordered.map(({ row }) => row));
  table.ordered = ordered;
  showOrder(table, arranged);
  if (table.isSearched) showCount(table, matches.length, arranged.page, pages);
}

function inOrder({ rows, heads }, { column, down }) {
  if (column < 0 || column >= heads.length) return rows;
  const compare = heads[column].classList.contains("number")
    ? (first, second) => Number(first) - Number(second)
    : new Intl.Collator(facts().language, { numeric: true, sensitivity: "base" }).compare;
  const way = down ? -1 : 1;
  // Unknown values come last either way.
  return rows.toSorted(({ values: first }, { values: second }) =>
    (first[column] === "") - (second[column] === "") || way * compare(first[column], second[column]));
}

function showOrder({ heads }, { column, down }) {
  heads.forEach((head, at) => {
    if (at === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

function showCount(table, matches, page, pages) {
  const all = table.rows.length;
  table.count.textContent = countText(matches, all);
  table.pages.hidden = pages === 1;
  table.place.textContent = text("table_page", { page: page + 1, pages });
  for (const button of table.pages.querySelectorAll("button")) {
    const next = page + Number(button.dataset.turn);
    // Not disabled: the focus would be lost at the last page.
    button.setAttribute("aria-disabled", String(next < 0 || next >= pages));
  }
}

function countText(matches, all) {
  return matches === all ? text("table_rows", { all }) : text("table_matches", { matches, all });
}

function press(event) {
  const sort = event.target.closest("button.sort");
  if (sort) return sortBy(sort);
  const button = event.target.closest("button[data-turn]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  const table = shownTables.get(button.closest("[data-tools]").dataset.tools);
  arrangements.get(table.name).page += Number(button.dataset.turn);
  apply(table);
  announce(table.place.textContent);
}

// First the most useful order: the largest number, the first name; then the reverse; then the original.
function sortBy(button) {
  const table = shownTables.get(button.closest("[data-table]").getAttribute("aria-label"));
  const head = button.closest("th");
  const column = table.heads.indexOf(head);
  const downFirst = head.classList.contains("number");
  const arranged = arrangements.get(table.name);
  if (arranged.column !== column) Object.assign(arranged, { column, down: downFirst });
  else if (arranged.down === downFirst) arranged.down = !downFirst;
  else arranged.column = -1;
  arranged.page = 0;
  apply(table);
  const way = arranged.column < 0 ? "table_unsorted" : arranged.down ? "table_descending" : "table_ascending";
  announce(text(way, { column: button.textContent.trim() }));
}

function search(event) {
  if (!event.target.matches(".table-tools [type=search]")) return;
  const table = shownTables.get(event.target.closest("[data-tools]").dataset.tools);
  Object.assign(arrangements.get(table.name), { query: event.target.value, page: 0 });
  apply(table);
  clearTimeout(quiet);
  quiet = setTimeout(() => announce(table.count.textContent), QUIET_MS);
}

function resize(event) {
  if (!event.target.matches(".table-size select")) return;
  const table = shownTables.get(event.target.closest("[data-tools]").dataset.tools);
  Object.assign(arrangements.get(table.name), { size: Number(event.target.value), page: 0 });
  apply(table);
}

// Words without accents and case.
function plain(words) {
  return words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function made(kind, properties = {}) {
  return Object.assign(document.createElement(kind), properties);
}
