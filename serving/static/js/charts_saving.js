// A chart as a picture to keep: all its panels under its title, in the colours of the page.
import { loadDrawings, options, rowsOf } from "./charts_source.js";

const SCALE = 2; // pictures are looked at larger than on the page

// Makes a picture and hands it to the browser as a download; gives the name of its file.
export async function save(kind, { name, title, subtitle, program, pictures, theme, figures }) {
  const { charts, numbers, themes } = await loadDrawings(pictures);
  const { spec } = charts[name];
  const datasets = { [name]: rowsOf(figures.charts[name], charts[name]) };
  const config = { ...themes[theme], padding: 16 };
  const titled = { ...spec, title: { text: title, subtitle, subtitleColor: config.axis.labelColor }, datasets };
  const { view } = await program(document.createElement("div"), titled, { mode: "vega-lite", config, ...options(numbers) });
  try {
    const file = `${plain(title)}-${figures.asOf}.${kind}`;
    download(kind === "svg" ? await svgOf(view) : await pngOf(view), file);
    return file;
  } finally {
    view.finalize();
  }
}

async function svgOf(view) {
  return new Blob([await view.toSVG()], { type: "image/svg+xml" });
}

async function pngOf(view) {
  const canvas = await view.toCanvas(SCALE);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function download(picture, file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it in its own time
}

// A title as the name of a file: without accents, signs and spaces.
function plain(title) {
  return title.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}
