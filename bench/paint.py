"""How soon the manager page is painted, its charts answer, and another filter is shown, in headless Chromium.

    .venv/bin/python bench/paint.py [http://127.0.0.1:5000/manager/dashboard] [--runs 7]

The stack must run (`kpi up`). Charts answer when a mark that is pointed at shows its values. Cold is a
browser that has never been there, warm is one that comes again.
"""

import argparse
import shutil
import statistics
import sys
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

URL: Final = "http://127.0.0.1:5000/manager/dashboard"
LONGEST_MS: Final = 20_000
OPTIONS: Final = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")

TARGETS: Final = {
    "cold: first contentful paint, ms": 300,
    "cold: charts answer, ms": 300,
    "cold: transferred, KB": 120,
    "warm: first contentful paint, ms": 300,
    "warm: charts answer, ms": 300,
    "another filter: click to painted, ms": 100,
}
"""What is promised of each figure."""

WATCH: Final = """(() => {
  const look = () => {
    const mark = document.querySelector("[data-marks] .chart-mark");
    mark?.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, clientX: 9, clientY: 9 }));
    const value = document.querySelector(".tip:not([hidden]) dd");
    if (value?.textContent) performance.mark("charts-answer");
    else setTimeout(look, 5);
  };
  look();
})()"""
"""Points at the first mark of a page, from its first moment on, until its values are shown."""

MEASURE: Final = """() => {
  const at = (name) => performance.getEntriesByName(name)[0].startTime;
  const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {
    "first contentful paint, ms": at("first-contentful-paint"),
    "charts answer, ms": at("charts-answer"),
    "transferred, KB": loaded.reduce((sum, entry) => sum + entry.transferSize, 0) / 1000,
    "requests": loaded.filter((entry) => entry.transferSize > 0).length,
  };
}"""
ANSWERED: Final = """() => ["charts-answer", "first-contentful-paint"].every(
  (name) => performance.getEntriesByName(name).length)"""

SWITCH: Final = """async (link) => {
  const frame = () => new Promise(requestAnimationFrame);
  const before = document.getElementById("content");
  const begun = performance.now();
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  while (document.getElementById("content") === before) await frame();
  await frame();
  await frame();
  return performance.now() - begun;
}"""
"""Follows a link within the page until what it leads to is painted."""

SWITCHES: Final = 5
"""Clients that are chosen and left again."""


def load(page: Page, url: str) -> dict[str, float]:
    """Show the page and wait until its charts answer; returns its figures."""
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function(ANSWERED, timeout=LONGEST_MS)
    figures: dict[str, float] = page.evaluate(MEASURE)
    return figures


def visits(browser: Browser, url: str) -> dict[str, float]:
    """One browser's first visit and its second."""
    context = browser.new_context(locale="es-CL", viewport={"width": 1280, "height": 900})
    figures = {}
    for visit in ("cold", "warm"):
        page = context.new_page()
        figures |= {f"{visit}: {name}": value for name, value in load(page, url).items()}
        if visit == "warm":
            figures["another filter: click to painted, ms"] = statistics.median(switches(page))
        page.close()
    context.close()
    return figures


def switches(page: Page) -> list[float]:
    """Milliseconds of each choice of a client, and of each return to all of them."""
    taken: list[float] = []
    for place in range(SWITCHES):
        client = page.locator(".chart-client_performance a.bar-row").nth(place)
        taken += [float(link.evaluate(SWITCH)) for link in (client, page.locator(".chip a").first)]
    return taken


def main() -> None:
    """Print the median of each figure and what part of its target it takes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("url", nargs="?", default=URL)
    options.add_argument("--runs", type=int, default=7)
    chosen = options.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        visits(browser, chosen.url)  # the first one finds cold processes
        measured = [visits(browser, chosen.url) for _ in range(chosen.runs)]
        browser.close()
    print(f"{chosen.url}, {chosen.runs} runs")
    print(f"{'':<36}{'median':>8}{'least':>8}{'most':>8}{'target':>8}{'ratio':>8}")
    for name in measured[0]:
        values = [figures[name] for figures in measured]
        median, target = statistics.median(values), TARGETS.get(name)
        against = f"{target:>8}{median / target:>8.2f}" if target else ""
        print(f"{name:<36}{median:>8.0f}{min(values):>8.0f}{max(values):>8.0f}{against}")


if __name__ == "__main__":
    main()
