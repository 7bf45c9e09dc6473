// What charts are drawn from: the drawing program, how each chart is drawn, and the figures of the page.
import { facts } from "./page.js";

const files = new Map();

// Lets the browser fetch and compile the drawing program, which is not run before it is needed.
export function foresee(address) {
  if (document.head.querySelector(`link[href="${address}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: address }));
}

export async function loadProgram(address) {
  return (await import(address)).default;
}

// How every chart is drawn: `{ charts, numbers }`, and the themes of pictures. Fetched once.
export function loadDrawings(address) {
  if (!files.has(address)) files.set(address, loadJson(address));
  return files.get(address);
}

// The charts of the page's figures by name; fails where newer figures have come since it was written.
export async function loadFigures() {
  const { figures_url, generation } = facts();
  const { data, meta } = await loadJson(figures_url, { cache: "no-cache" });
  if (meta.generation !== generation) throw new TypeError("other figures than those shown");
  return { charts: data.charts, asOf: meta.as_of };
}

async function loadJson(address, how = {}) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, ...how });
  if (!answer.ok) throw new TypeError(`${address}: ${answer.status}`);
  return answer.json();
}

// The data of a chart as the rows that it is drawn from; fails where they lack a column, as old ones may.
// Columns hold amounts in minor units; charts draw whole units.
export function rowsOf({ columns }, { columns: names, amounts }) {
  const { decimals } = facts();
  if (!names.every((name) => name in columns)) throw new TypeError("other columns than are drawn");
  return columns[names[0]].map((_, at) => {
    const row = Object.fromEntries(names.map((name) => [name, columns[name][at]]));
    for (const amount of amounts) {
      if (row[amount] !== null) row[amount] /= 10 ** decimals[row.currency];
    }
    return row;
  });
}

// What the drawing program is told of every drawing. `logLevel` 0: what it warns of is no fault of the page.
export function options(numbers) {
  return { renderer: "svg", ast: true, actions: false, defaultStyle: false, logLevel: 0, tooltip: { disableDefaultStyle: true }, formatLocale: numbers };
}
