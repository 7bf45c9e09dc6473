"""The pages in a real browser: nothing is refused, nothing fails, nothing overflows a small screen."""

import shutil
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import PAGES
from serving.pages.addresses import page_path
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.slow


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@pytest.fixture
def address(app) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        skip_or_fail("chromium is not installed (Debian package chromium)")
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=options)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that fails the test on any error, refused resource or failed request."""
    opened = browser.new_page(locale="es-CL")
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.append(request.url))
    yield opened
    opened.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page(language, width, scheme, page, address, press, data_of) -> None:
    for product in PRODUCTS:
        large = data_of(product, currencies=("CLP", "USD"), scale=100)
        press.publish(product, answers={EVERYTHING: large})
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for one in PAGES:
        page.goto(f"{address}{page_path(one.name)}?lang={language}", wait_until="networkidle")
        assert page.locator(".card").count() == len(one.kpis)
        assert page.locator(".chart-figure").count() == len(one.charts)
        assert page.locator(".badge-fresh").is_visible()
        # The style sheet is applied, and nothing makes the page wider than the screen.
        assert page.locator(".card").first.evaluate("card => getComputedStyle(card).display") == "grid"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = page.locator(".value, .course, .card-foot, .bar-value, .line-ends span").evaluate_all(
            "found => found.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
        )
        assert [text for text in cut if text] == []


def test_the_data_behind_a_drawing_can_be_read(page, address, press) -> None:
    press.publish()
    page.goto(f"{address}/manager/dashboard?lang=en")
    trend = page.locator(".chart-monthly_trend")
    assert not trend.locator("table").is_visible()
    trend.locator("summary").click()
    assert trend.locator("table").is_visible()
    assert trend.locator("tbody tr").count() == 12


def test_another_page_keeps_the_filter(page, address, press, data_of) -> None:
    mine = Filter.of({"client": "Minera Ñandú"})
    for product in PRODUCTS:
        press.publish(product, answers={EVERYTHING: data_of(product), mine: data_of(product, scale=2)})
    page.goto(f"{address}/manager/dashboard?lang=es&client=minera nandu")
    page.get_by_role("navigation", name="Páginas").get_by_role("link", name="Costos").click()
    page.wait_for_url("**/manager/costs?client=Minera*")
    assert page.locator(".chip").inner_text().startswith("Cliente:")
    assert page.get_by_role("link", name="Costos").get_attribute("aria-current") == "page"
    assert "2.468" in page.locator(".card-costs .value").inner_text()


def test_a_filter_is_chosen_and_taken_back(page, address, press, data_of) -> None:
    press.publish("dashboards")
    page.goto(f"{address}/manager/dashboard?lang=es")
    page.locator("#summary-client").click()
    page.locator("#choice-client").get_by_label("Minera Ñandú").check()
    page.wait_for_url("**/manager/dashboard?*client=Minera*")
    assert page.locator(".chip").inner_text().startswith("Cliente:")
    assert page.locator(".badge-missing").is_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Quitar el filtro Minera Ñandú").click()
    page.wait_for_url("**/manager/dashboard?lang=es")
    assert page.locator(".badge-fresh").is_visible()
