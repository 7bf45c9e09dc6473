// Draws every chart from its specification and its columns, in the language and theme of the address.
const { charts, decimals, themes, numbers } = JSON.parse(document.getElementById("data").textContent);

// Columns hold amounts in minor units; a specification draws whole units.
function rowsOf({ columns, amounts }) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, at) => {
    const row = Object.fromEntries(names.map((name) => [name, columns[name][at]]));
    for (const amount of amounts) {
      if (row[amount] !== null) row[amount] /= 10 ** decimals[row.currency];
    }
    return row;
  });
}

// Panels are as wide as there is room, down to what still can be read.
async function fit(view, place, panels, signal) {
  const room = place.clientWidth - place.querySelector("svg").width.baseVal.value;
  if (room >= 0) return;
  await view.signal(signal, Math.max(view.signal(signal) + room / panels, 140)).runAsync();
  await view.resize().runAsync();
}

async function draw() {
  const look = location.hash;
  const [language, theme] = (look.slice(1) || "es-light").split("-");
  const root = document.documentElement;
  root.lang = language;
  root.dataset.theme = theme;
  delete root.dataset.drawn;
  for (const article of document.querySelectorAll(`article[lang="${language}"]`)) {
    const name = article.dataset.chart;
    const place = article.querySelector(".drawn");
    const spec = { ...charts[name].specs[language], datasets: { [name]: rowsOf(charts[name]) } };
    const { view } = await vegaEmbed(place, spec, {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      actions: false,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
      config: themes[theme],
      formatLocale: numbers[language],
    });
    await fit(view, place, spec.columns ?? 1, spec.facet ? "child_width" : "width");
    article.querySelector("img").src = `${name}-${language}-${theme}.svg`;
    if (location.hash !== look) return; // another look was chosen meanwhile, and is being drawn
  }
  root.dataset.drawn = `${language}-${theme}`;
}

addEventListener("hashchange", draw);
draw();
