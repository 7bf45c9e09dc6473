// The marks of charts show their values when they are pointed at, focused or touched; arrow keys go from
// mark to mark, so that a chart is one stop of the Tab key: along the categories, and across the marks of
// their single series. It runs before the page is read to its end, and
// listens to the document alone: the marks that are there answer at once.

const AWAY = 14; // pixels between the pointer and the values

const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
tip.setAttribute("aria-hidden", "true"); // the same values as the names of marks
let shown = null; // the mark whose values are shown
let touched = null; // the mark that was shown when a finger came down
let byTouch = false;
let pointer = { x: 0, y: 0 };

document.addEventListener("pointerover", over);
document.addEventListener("pointermove", over);
document.addEventListener("pointerout", ({ target, relatedTarget, pointerType }) => {
  if (pointerType !== "touch" && markOf(target) !== markOf(relatedTarget)) hide();
});
document.addEventListener("pointerdown", ({ target, pointerType }) => {
  byTouch = pointerType === "touch";
  touched = shown;
  if (byTouch && !markOf(target)) hide();
});
document.addEventListener("focusin", ({ target }) => {
  const mark = markOf(target);
  if (!mark) return;
  stop(mark);
  if (mark.matches(":focus-visible")) showAt(mark);
});
document.addEventListener("focusout", ({ target }) => markOf(target) === shown && hide());
document.addEventListener("keydown", press);
document.addEventListener("scroll", follow, { capture: true, passive: true });
document.addEventListener("click", tap, { capture: true }); // before the page follows the link

function markOf(target) {
  return target?.closest?.("[data-marks] .chart-mark") ?? null;
}

function over({ target, pointerType, clientX, clientY }) {
  const mark = pointerType === "touch" ? null : markOf(target);
  if (!mark) return;
  pointer = { x: clientX, y: clientY };
  fill(mark);
  delete tip.dataset.still;
  place(clientX, clientY);
}

// The page moves below the pointer: another mark may be there now.
function follow() {
  if (!shown) return;
  if ("still" in tip.dataset) return showAt(shown);
  const mark = markOf(document.elementFromPoint(pointer.x, pointer.y));
  if (!mark) return hide();
  fill(mark);
  place(pointer.x, pointer.y);
}

// The first tap on a link shows its values, the second one follows it.
function tap(event) {
  const mark = byTouch ? markOf(event.target) : null;
  if (!mark) return;
  if (mark !== touched) event.preventDefault();
  if (mark !== touched || !mark.hasAttribute("href")) showAt(mark);
}

function press(event) {
  const mark = markOf(event.target);
  if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return hide();
  const group = mark.closest("[data-marks]");
  const marks = [...group.querySelectorAll(".chart-mark")];
  const at = marks.indexOf(mark);
  const to = nextCategory(event.key, group, marks, at) ?? target(event.key, at, Number(group.dataset.across ?? 1), marks.length - 1);
  if (to === null) return;
  event.preventDefault();
  marks[Math.min(Math.max(to, 0), marks.length - 1)].focus();
}

function target(key, at, across, last) {
  const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: last };
  return steps[key] ?? null;
}

// Where categories have marks of single series: the mark in the same place of the category before or after.
function nextCategory(key, group, marks, at) {
  const keys = group.matches(".bar-rows") ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  if (!keys.includes(key) || !marks.some(isPart)) return null;
  const begins = marks.flatMap((mark, place) => (isPart(mark) ? [] : [place]));
  const own = begins.findLastIndex((begin) => begin <= at);
  const to = own + (key === keys[0] ? -1 : 1);
  if (!(to in begins)) return at;
  return Math.min(begins[to] + at - begins[own], (begins[to + 1] ?? marks.length) - 1);
}

function isPart(mark) {
  return mark.classList.contains("part");
}

// Makes a mark the one that the Tab key stops at.
function stop(mark) {
  for (const other of mark.closest("[data-marks]").querySelectorAll(".chart-mark[tabindex='0']")) other.setAttribute("tabindex", "-1");
  mark.setAttribute("tabindex", "0");
}

// Shows the values of a mark beside it.
function showAt(mark) {
  fill(mark);
  tip.dataset.still = "";
  const { left, right, top, bottom } = mark.getBoundingClientRect();
  if (right - left < innerWidth / 3) place(right - AWAY + 6, Math.max(top, 0));
  else place(left + (right - left) / 3, bottom - AWAY + 4);
}

function fill(mark) {
  if (shown === mark && !tip.hidden) return;
  shown = mark;
  const [title, ...lines] = mark.getAttribute("aria-label").split("\n");
  const list = made("dl");
  for (const line of lines) {
    const [name, value] = line.split(":\t");
    list.append(made("dt", name), made("dd", value));
  }
  tip.replaceChildren(made("div", title, "tip-title"), list);
  if (byTouch && mark.hasAttribute("href")) tip.append(made("div", mark.closest("main").dataset.tapAgain, "tip-hint"));
  if (!tip.isConnected) document.body.append(tip);
  tip.hidden = false;
}

function place(x, y) {
  const { width, height } = tip.getBoundingClientRect();
  const left = x + AWAY + width > innerWidth - 8 ? x - AWAY - width : x + AWAY;
  const top = y + AWAY + height > innerHeight - 8 ? y - AWAY - height : y + AWAY;
  tip.style.left = `${Math.max(left, 8)}px`;
  tip.style.top = `${Math.max(top, 8)}px`;
}

// Hides the values that are shown.
export function hide() {
  shown = null;
  tip.hidden = true;
}

function made(kind, content = "", className = "") {
  return Object.assign(document.createElement(kind), { textContent: content, className });
}
