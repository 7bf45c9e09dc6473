"""The page of all charts in a real browser: each is drawn as the server draws it, in one language."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from kpi_pipeline.model.charts import CHARTS
from tests.chromium import Faults, chromium

pytestmark = pytest.mark.slow

MAKE = Path(__file__).parents[2] / "docs" / "charts" / "make.py"
LOOKS = [("es", "light"), ("en", "dark")]
"""Every language and every theme, once."""
SVG = "{http://www.w3.org/2000/svg}"
# What Vega-Lite says of layers in panels that have scales of their own; ours are such on purpose.
HARMLESS = "Detected faceted independent scales"
READ_TEXTS = "svg => [...svg.querySelectorAll('text')].map(text => text.textContent).filter(text => text)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("charts")
    looks = [f"{language}-{theme}" for language, theme in LOOKS]
    subprocess.run(
        [sys.executable, str(MAKE), str(made), *looks], check=True, capture_output=True, timeout=120
    )
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on any error, refused resource or failed request."""
    opened = browser.new_page(viewport={"width": 1700, "height": 900})
    faults = Faults()
    faults.watch(opened, [HARMLESS])
    yield opened
    opened.close()
    assert faults.found == []


def show(page: Page, folder: Path, language: str, theme: str) -> None:
    look = f"{language}-{theme}"
    page.goto(f"{(folder / 'index.html').as_uri()}#{look}")
    page.wait_for_selector(f"html[data-drawn={look}]", state="attached")


def server_texts(folder: Path, name: str, look: str) -> list[str]:
    root = ElementTree.parse(folder / f"{name}-{look}.svg").getroot()
    return [text.text for text in root.iter(f"{SVG}text") if text.text]


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_chart_is_drawn_as_on_the_server(language, theme, page, folder) -> None:
    show(page, folder, language, theme)
    ground = {"light": "rgb(255, 255, 255)", "dark": "rgb(25, 31, 40)"}[theme]
    for name, chart in CHARTS.items():
        article = page.locator(f"#{name}-{language}")
        assert article.locator("h2").inner_text() == chart.title.into(language)
        drawn = article.locator(".drawn svg")
        assert drawn.evaluate(READ_TEXTS) == server_texts(folder, name, f"{language}-{theme}")
        assert drawn.evaluate("svg => svg.querySelectorAll('path').length") > 5
        assert (
            article.locator(".drawn svg").evaluate(
                "svg => getComputedStyle(svg.closest('article')).backgroundColor"
            )
            == ground
        )
        picture = article.locator("img")
        picture.evaluate("picture => picture.decode()")
        assert picture.evaluate("picture => picture.naturalWidth") > 400
    other = {"es": "en", "en": "es"}[language]
    assert page.locator(f"article[lang={other}]").first.is_hidden()


def test_a_chart_has_its_sentences_and_its_data(page, folder) -> None:
    show(page, folder, "es", "light")
    ageing = page.locator("#ageing-es")
    assert "CLP: 9,8\N{NO-BREAK SPACE}% de lo no pagado tiene más de 120 días" in ageing.inner_text()
    ageing.locator("summary").click()
    assert ageing.locator("tbody tr").count() == 10
    assert ageing.locator("tbody tr").first.inner_text().split("\t") == [
        "0-30 días",
        "CLP",
        "$\N{NO-BREAK SPACE}3.100.000.000",
        "77",
        "45,3\N{NO-BREAK SPACE}%",
    ]


def test_a_mark_tells_its_values(page, folder) -> None:
    show(page, folder, "en", "dark")
    page.locator("#ageing-en .drawn .mark-rect path").first.hover()
    told = page.locator("#vg-tooltip-element")
    told.wait_for(state="visible")
    words = told.inner_text().split()
    assert {"Amount", "3,100,000,000", "Certificates", "77", "CLP"} <= set(words)


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_a_small_screen_is_not_overflowed_and_charts_stay_readable(language, theme, page, folder) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, folder, language, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for svg in page.locator(f"article[lang={language}] .drawn svg").all():
        # Drawn anew at that width, not shrunk until nobody can read it.
        assert svg.evaluate("svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width") == 1
        assert svg.evaluate("svg => svg.getBoundingClientRect().width") < 530
