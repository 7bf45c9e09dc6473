// One drawn chart: it fills the box of the server's drawing, which stays below it and keeps its place.
import { options } from "./charts_source.js";
import { show } from "./navigation.js";

const LEAST_WIDTH = 400; // below it the server's drawing can be read better; small ones have no words

export function fits({ box, kpi, width, height }) {
  return height > 0 && (kpi !== undefined || width >= LEAST_WIDTH) && box.isConnected;
}

// Whether any plot of a page may fit, told without measuring: it is not painted yet.
export function mayFit(place) {
  return innerWidth >= LEAST_WIDTH || place.querySelector("[data-kpi]") !== null;
}

export class Plot {
  constructor(name, look) {
    this.name = name;
    this.look = look; // in which language and theme it is drawn: another look is another plot
    this.canvas = document.createElement("div");
    this.canvas.className = "canvas";
    const marks = document.createElement("div");
    marks.setAttribute("aria-hidden", "true"); // each mark calls itself a picture, and has no name
    this.canvas.append(marks);
  }

  // Draws rows into the plot's own element, which is on no page yet.
  async draw(size, rows, { program, drawings }) {
    this.take(size);
    const spec = filled(drawings.charts[this.name].spec, this.name, rows, size);
    const { view } = await program(this.canvas.firstChild, spec, { mode: "vega", ...options(drawings.numbers) });
    this.view = view;
    view.addEventListener("click", (event, item) => this.follow(event, item));
    view.addEventListener("mousemove", (event, item) => this.canvas.classList.toggle("leads", this.addressOf(item) !== null));
  }

  // Puts other rows into what is drawn.
  async update(size, rows) {
    this.take(size);
    this.view.data(this.name, rows);
    await this.view.width(size.width).height(size.height).runAsync();
  }

  async resize(size) {
    if (this.width === size.width && this.height === size.height) return;
    this.take(size);
    await this.view.width(size.width).height(size.height).runAsync();
  }

  take({ width, height }) {
    Object.assign(this, { width, height });
  }

  // Stands in a box instead of its drawing.
  takeOver(box) {
    this.box = box;
    const { column, addresses } = box.closest("[data-addresses]")?.dataset ?? {};
    Object.assign(this, { column, addresses: JSON.parse(addresses ?? "{}") });
    this.describe(box.dataset.label);
    if (this.canvas.parentElement !== box) box.append(this.canvas);
    box.classList.add("drawn");
  }

  // One picture with one name, whatever is within it; or none to those to whom the words beside it say all.
  describe(label) {
    if (label === undefined) return this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
  }

  // Gives the place back to the drawing.
  remove() {
    this.box?.classList.remove("drawn");
    this.canvas.remove();
    this.view?.finalize();
  }

  // Where a mark leads: the page narrowed to the value that it stands for.
  addressOf(item) {
    return this.addresses?.[item?.datum?.[this.column]] ?? null;
  }

  follow(event, item) {
    const address = this.addressOf(item);
    if (address === null) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) open(address, "_blank", "noopener");
    else show(address);
  }
}

function filled(spec, name, values, { width, height }) {
  const data = spec.data.map((one) => (one.name === name ? { ...one, values } : one));
  return { ...spec, data, width, height };
}
