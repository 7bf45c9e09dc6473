"""axe looks for barriers in every page: what it can see of WCAG 2.2 AA, and of good practice."""

from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.pages import PAGES
from serving.pages.addresses import page_path
from tests.serving.browser.looks import PHONE
from tests.serving.payloads import figures

pytestmark = pytest.mark.slow

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS: Final = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": TAGS}}
MANAGER: Final = page_path("manager")
WIDE: Final = {"color_scheme": "light"}
NARROW: Final = {"color_scheme": "dark", **PHONE}
each_look = pytest.mark.parametrize("look", [WIDE, NARROW], ids=["light and wide", "dark and narrow"])


@pytest.fixture(autouse=True)
def published(press) -> None:
    empty = {"tables": {**figures("dashboards")["tables"], "collect_today": []}}
    press.publish("dashboards", answers={EVERYTHING: {**figures("dashboards"), **empty}})
    press.publish("charts", age_s=700)
    press.publish("financials", "kpis")


def barriers(page: Page) -> list[str]:
    """What axe finds: which rule is broken, how much that matters, and where."""
    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:200]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def test_axe_sees_barriers(open_page) -> None:
    page = open_page(MANAGER)
    page.evaluate("document.querySelector('.spark, .brand-mark').closest('a, li').append(new Image())")
    assert any(barrier.startswith("image-alt (critical)") for barrier in barriers(page))


@each_look
def test_no_page_has_barriers(look, open_page) -> None:
    page = open_page(f"{MANAGER}?lang=es", **look)
    found = []
    for one in PAGES:
        page.locator(".pages").get_by_role("link", name=one.label.es, exact=True).click()
        expect(page.locator("h1")).to_have_text(one.label.es)
        found += [(one.name, barrier) for barrier in barriers(page)]
    assert found == []


@each_look
def test_nor_has_what_is_no_page_of_figures(look, open_page) -> None:
    page = open_page(allow=("404", "400"), **look)
    found = []
    for path in ("/manager/system", "/manager/nothing", f"{MANAGER}?client=nobody"):
        page.goto(path)
        found += [(path, barrier) for barrier in barriers(page)]
    assert found == []


@each_look
def test_nor_has_what_can_be_opened(look, open_page) -> None:
    page = open_page(f"{MANAGER}?lang=en&client=minera+nandu", **look)
    expect(page.locator(".badge-missing")).to_be_visible()
    page.locator(".chart-figure details").evaluate_all("found => found.forEach(one => { one.open = true; })")
    if page.locator("#summary-all-filters").is_visible():
        page.locator("#summary-all-filters").click()
    found = []
    for name in ("period", "client"):
        page.locator(f"#summary-{name}").click()
        expect(page.locator(f"#choice-{name} .popover")).to_be_visible()
        found += [(name, barrier) for barrier in barriers(page)]
        page.keyboard.press("Escape")
    assert found == []
