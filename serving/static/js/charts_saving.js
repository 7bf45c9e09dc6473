// A chart as a picture to keep: what the page shows of it, laid out at the width of pictures, as one plain
// SVG in the colours of the page.

const SCALE = 2; // pictures are looked at larger than on the page
const SVG = "http://www.w3.org/2000/svg";
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"];
const pen = document.createElement("canvas").getContext("2d");

// Makes a picture and hands it to the browser as a download; gives the name of its file.
export async function save(kind, figure, day) {
  const title = figure.querySelector("h3").textContent;
  const place = laidOut(figure);
  try {
    const picture = drawn(place, title, descriptionOf(figure));
    const file = `${plain(title)}-${day}.${kind}`;
    download(kind === "svg" ? new Blob([picture.text], { type: "image/svg+xml" }) : await raster(picture), file);
    return file;
  } finally {
    place.remove();
  }
}

function laidOut(figure) {
  const place = Object.assign(document.createElement("div"), { className: "picture", inert: true });
  place.setAttribute("aria-hidden", "true");
  const copy = figure.cloneNode(true);
  for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id");
  place.append(copy, Object.assign(document.createElement("p"), { className: "sentence", textContent: document.querySelector(".as-of")?.textContent ?? "" }));
  document.getElementById("content").append(place);
  return place;
}

function descriptionOf(figure) {
  return figure.querySelector("svg desc")?.textContent ?? figure.querySelector("[role=group][aria-label]")?.getAttribute("aria-label") ?? "";
}

// All that a place shows: `{ text, width, height }`.
function drawn(place, title, description) {
  const { left, top, width, height } = place.getBoundingClientRect();
  const root = made("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-family": getComputedStyle(place).fontFamily });
  root.append(named("title", title), named("desc", description));
  root.append(made("rect", { width, height, fill: getComputedStyle(place).backgroundColor }));
  visit(place, { left, top, root });
  return { text: new XMLSerializer().serializeToString(root), width, height };
}

function visit(node, at) {
  if (node.nodeType === Node.TEXT_NODE) return write(node, at);
  if (!(node instanceof Element)) return;
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden" || node.matches(".unseen, title, desc") || style.opacity === "0") return;
  if (node instanceof SVGTextContentElement) return writeMark(node, style, at);
  if (node instanceof SVGGeometryElement) return shape(node, style, at);
  if (node instanceof HTMLElement) fill(node, style, at);
  for (const child of node.childNodes) visit(child, at);
}

function fill(element, { backgroundColor, borderTopLeftRadius, borderTopWidth }, { left, top, root }) {
  const box = element.getBoundingClientRect();
  if (element.matches(".picture, .scroll") || /^(transparent|rgba\(.*, 0\))$/.test(backgroundColor) || !box.width) return;
  const edge = parseFloat(borderTopWidth) / 2; // half of it: cells share their borders
  const [width, height] = [box.width, box.height].map((length) => rounded(length - 2 * edge));
  const radius = parseFloat(borderTopLeftRadius) || null;
  root.append(made("rect", { x: rounded(box.left - left + edge), y: rounded(box.top - top + edge), width, height, rx: radius, fill: backgroundColor }));
}

// Words of HTML, line by line as they are broken.
function write(node, { left, top, root }) {
  if (!node.data.trim()) return;
  const { fontSize, fontWeight, fontFamily, fontStyle, color } = getComputedStyle(node.parentElement);
  pen.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  const ascent = pen.measureText("x").fontBoundingBoxAscent;
  const range = document.createRange();
  let line = null;
  const flush = () => line && root.append(named("text", line.words, { x: rounded(line.x - left), y: rounded(line.y - top + ascent), "font-size": fontSize, "font-weight": fontWeight, fill: color }));
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getClientRects()[0];
    if (!box) continue;
    if (line && Math.abs(line.y - box.top) < 2) line.words += ` ${word}`;
    else {
      flush();
      line = { words: word, x: box.left, y: box.top };
    }
  }
  flush();
}

function writeMark(element, { fontSize, fontWeight, textAnchor, fill: colour }, at) {
  const [x, y] = moved(element, at)(element.x.baseVal[0].value, element.y.baseVal[0].value + (element.dy.baseVal[0]?.value ?? 0));
  at.root.append(named("text", element.textContent, { x, y, "font-size": fontSize, "font-weight": fontWeight, "text-anchor": textAnchor, fill: colour }));
}

// A shape where it is seen, with the style that it has: lengths in percent and stretched boxes are resolved.
function shape(element, style, at) {
  const to = moved(element, at);
  const points = () => [...element.points].map(({ x, y }) => to(x, y).join(",")).join(" ");
  const value = (name) => element[name].baseVal.value;
  const is = element.localName;
  let form = null;
  if (is === "rect") {
    const { x, y, width, height } = element.getBBox();
    const [[x1, y1], [x2, y2]] = [to(x, y), to(x + width, y + height)];
    form = { x: x1, y: y1, width: rounded(x2 - x1), height: rounded(y2 - y1), rx: value("rx") || null };
  } else if (is === "line") {
    const [[x1, y1], [x2, y2]] = [to(value("x1"), value("y1")), to(value("x2"), value("y2"))];
    form = { x1, y1, x2, y2 };
  } else if (is === "circle") {
    const [cx, cy] = to(value("cx"), value("cy"));
    form = { cx, cy, r: rounded(value("r") * element.getScreenCTM().a) };
  } else if (is === "path") {
    const [from, end] = [0, element.getTotalLength()].map((length) => element.getPointAtLength(length));
    const [[x1, y1], [x2, y2]] = [to(from.x, from.y), to(end.x, end.y)];
    return at.root.append(made("line", { x1, y1, x2, y2, ...styles(style) }));
  } else form = { points: points() };
  if (element.matches(".hit")) return;
  at.root.append(made(is, { ...form, ...styles(style) }));
}

function styles(style) {
  return Object.fromEntries(STYLES.map((name) => [name, style.getPropertyValue(name)]).filter(([name, value]) => !(name === "stroke-dasharray" && value === "none")));
}

// Where a point of an element stands in the picture.
function moved(element, { left, top }) {
  const { a, b, c, d, e, f } = element.getScreenCTM();
  return (x, y) => [rounded(a * x + c * y + e - left), rounded(b * x + d * y + f - top)];
}

async function raster({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
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

function made(kind, attributes) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && name !== "xmlns") element.setAttribute(name, value);
  return element;
}

function named(kind, content, attributes = {}) {
  const element = made(kind, attributes);
  element.textContent = content;
  return element;
}

function rounded(number) {
  return Math.round(number * 100) / 100;
}
