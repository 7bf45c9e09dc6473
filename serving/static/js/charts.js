// Charts: their tools, and their pictures as files. How their marks show values stands in `marks.js`.
import { hide } from "./marks.js";
import { announce, facts, onShown, text } from "./page.js";

export function start() {
  onShown(begin);
  document.addEventListener("click", keep);
}

function begin() {
  hide();
  document.querySelectorAll(".chart-tools").forEach((tools) => tools.removeAttribute("hidden"));
}

async function keep(event) {
  const button = event.target.closest("[data-save]");
  if (!button) return;
  try {
    const { save } = await import("./charts_saving.js");
    announce(text("chart_saved", { file: await save(button.dataset.save, button.closest("[data-chart]"), facts().as_of) }));
  } catch {
    announce(text("chart_not_saved"));
  }
}
