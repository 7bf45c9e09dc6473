"""Charts in a real browser: they take the place of drawings, answer pointer and keys, and can be kept."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.compute.charts.themes import THEMES
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.browser.looks import drawn, is_wider_than_the_screen, update

pytestmark = pytest.mark.slow

MANAGER, ANALYTICS = "/manager/dashboard?lang=es", "/manager/analytics?lang=es"
SENT = Filter.of({"state": "enviado"})
PROGRAM = "**/static/published/*"


@pytest.fixture(autouse=True)
def published(press, data_of) -> None:
    for product in ("dashboards", "charts"):
        press.publish(product, answers={EVERYTHING: data_of(product), SENT: data_of(product, scale=2)})


def bars(page: Page, chart: str) -> Locator:
    return page.locator(f".chart-{chart} .canvas .mark-rect.role-mark path")


def places(page: Page) -> list[dict[str, float]]:
    """Where everything of the charts stands."""
    return page.locator("figure, figure *:not(.canvas, .canvas *)").evaluate_all(
        "found => found.map(one => one.getBoundingClientRect().toJSON())"
    )


@pytest.mark.parametrize("path", [MANAGER, ANALYTICS])
def test_charts_take_over_and_nothing_moves(path, files, open_page) -> None:
    page = open_page(path, before=lambda page: page.route(PROGRAM, lambda _: None))
    page.wait_for_function("() => document.querySelector('.chart-tools:not([hidden])')")
    assert page.locator(".canvas").count() == 0
    before = places(page)
    page.unroute(PROGRAM)  # lets go of those that are held
    drawn(page)
    plots = page.locator(".plot")
    assert plots.count() == page.locator(".plot.drawn > .canvas svg").count() > 5
    assert places(page) == before
    for plot, canvas in zip(plots.all(), page.locator(".canvas svg").all(), strict=True):
        assert plot.bounding_box() == pytest.approx(canvas.bounding_box(), abs=1)
    # What is drawn is told in words, once; and nothing of it takes the focus.
    assert page.locator(".canvas:not([role=img][aria-label], [aria-hidden])").count() == 0
    assert page.locator(".canvas :is(a, [tabindex])").count() == 0
    assert not is_wider_than_the_screen(page)


def test_a_mark_tells_what_it_is_and_leads_to_it(files, open_page) -> None:
    page = drawn(open_page(MANAGER))
    sent = bars(page, "states").nth(1)
    sent.hover()
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_be_visible()
    expect(tooltip).to_contain_text("Enviado")
    expect(tooltip).to_contain_text("14.000.000")
    sizes = tooltip.locator("td").evaluate_all("found => found.map(one => getComputedStyle(one).fontSize)")
    assert set(sizes) == {"13px"}
    expect(page.locator(".chart-states .canvas")).to_have_class(re.compile("leads"))
    sent.click()
    page.wait_for_url("**/manager/dashboard?state=enviado*")
    expect(page.locator("#vg-tooltip-element")).not_to_be_visible()
    # Chosen already, it leads no further; another client does, under the same filter.
    drawn(page)
    bars(page, "client_performance").first.click()
    page.wait_for_url("**/manager/dashboard?client=Minera*&state=enviado*")


def test_without_scripts_names_lead_and_nothing_promises_more(files, open_page) -> None:
    page = open_page(MANAGER, java_script_enabled=False)
    assert not page.get_by_role("button", name="Descargar").first.is_visible()
    page.locator(".chart-client_performance .bar-label a").first.click()
    page.wait_for_url("**/manager/dashboard?client=Minera*")


@pytest.mark.parametrize("chart", ["monthly_trend", "payment_heatmap"])
def test_a_chart_can_be_kept_as_a_picture(chart, files, open_page, tmp_path: Path) -> None:
    page = drawn(open_page(ANALYTICS))
    figure = page.locator(f".chart-{chart}")
    title = figure.locator("h3").inner_text()
    stem = {"monthly_trend": "tendencia-mensual", "payment_heatmap": "cobros-por-cliente-y-mes"}[chart]
    found = {}
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            figure.get_by_role("button", name=f"como {kind.upper()}").click()
        assert download.value.suggested_filename == f"{stem}-2024-06-28.{kind}"
        download.value.save_as(tmp_path / kind)
        found[kind] = (tmp_path / kind).read_bytes()
        expect(page.locator("#announcement")).to_contain_text(f"{stem}-2024-06-28.{kind}")
    assert found["svg"].startswith(b"<svg")
    assert title in found["svg"].decode()
    assert THEMES["light"]["background"] in found["svg"].decode()
    assert found["png"].startswith(b"\x89PNG")
    assert int.from_bytes(found["png"][16:20]) > 1000


def test_charts_follow_the_colour_scheme(files, open_page) -> None:
    page = drawn(open_page(MANAGER, color_scheme="dark"))
    mark = bars(page, "states").first

    def expect_theme(theme: str) -> None:
        expect(mark).to_have_attribute("fill", THEMES[theme]["bar"]["color"])

    expect_theme("dark")
    page.emulate_media(color_scheme="light")
    expect_theme("light")
    assert page.locator(".plot.drawn").count() == page.locator(".plot").count() == 7


def test_newer_figures_change_what_is_drawn_without_drawing_it_anew(files, open_page, press, data_of) -> None:
    page = drawn(open_page(MANAGER))
    page.evaluate("document.querySelectorAll('.canvas').forEach(one => { one.stayed = true; })")
    assert bars(page, "states").count() == 6
    data = data_of("dashboards")
    states = data["charts"]["states"]["columns"]
    data["charts"]["states"]["columns"] = {name: values[:3] for name, values in states.items()}
    press.publish("dashboards", answers={EVERYTHING: data})
    page.wait_for_function(
        """was => fetch("/manager/api/dashboard", { cache: "no-cache" }).then(one => one.json())
            .then(one => one.meta.generation !== was)""",
        arg=page.evaluate("JSON.parse(document.getElementById('facts').textContent).generation"),
    )
    update(page)
    # At once, before anything is fetched, all of them stand on the new page.
    expect(page.locator(".plot.drawn")).to_have_count(7)
    drawn(page)
    expect(bars(page, "states")).to_have_count(3)
    assert page.evaluate("[...document.querySelectorAll('.canvas')].every(one => one.stayed)")


def test_each_currency_is_drawn_in_its_own_place(files, open_page, press, data_of) -> None:
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", currencies=("CLP", "USD"))})
    page = drawn(open_page(MANAGER))
    assert page.locator(".plot.drawn").count() == page.locator(".plot").count() == 14
    pesos, dollars = page.locator(".chart-states .plot").all()
    for place, amount in ((pesos, "14.000.000"), (dollars, "140.000")):
        assert place.locator(".mark-rect.role-mark path").count() == 6
        place.locator(".mark-rect.role-mark path").nth(1).hover()
        expect(page.locator("#vg-tooltip-element")).to_contain_text(amount)


def test_a_month_end_is_drawn_too(files, open_page, press, client, data_of) -> None:
    (entry,) = press.publish(
        "dashboards", answers={EVERYTHING: data_of("dashboards"), SENT: data_of("dashboards")}
    )
    History(client).keep(replace(entry, as_of=date(2024, 5, 31)))
    page = drawn(open_page(f"{MANAGER}&as_of=2024-05-31"))
    assert page.locator(".plot.drawn").count() == 7
    bars(page, "states").nth(1).click()
    page.wait_for_url("**/manager/dashboard?state=enviado&as_of=2024-05-31*")


def test_a_narrow_page_keeps_its_drawings_until_it_is_wide(files, open_page) -> None:
    requested: list[str] = []
    page = open_page(
        MANAGER,
        viewport={"width": 360, "height": 800},
        before=lambda page: page.on("request", lambda request: requested.append(request.url)),
    )
    drawn(page)
    assert page.locator(".canvas").count() == 0
    assert not [url for url in requested if "published" in url]
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator(".plot.drawn")).to_have_count(7)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.locator(".plot.drawn")).to_have_count(0)
    assert page.locator(".drawing").first.is_visible()


def test_a_changed_width_is_followed(files, open_page) -> None:
    page = drawn(open_page(MANAGER))
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(
        """() => [...document.querySelectorAll(".plot.drawn")].every(one =>
            Math.abs(one.clientWidth - one.querySelector(".canvas svg").width.baseVal.value) <= 1)"""
    )
    assert page.locator(".plot.drawn").count() == 7


def test_without_the_program_the_drawings_stay(open_page) -> None:
    page = open_page(MANAGER)
    page.wait_for_load_state("networkidle")
    assert page.locator(".canvas").count() == 0
    assert not page.locator(".chart-tools").first.is_visible()
    assert page.locator(".chart-states .bar").first.is_visible()


def test_a_chart_that_cannot_be_drawn_keeps_its_drawing(files, open_page) -> None:
    def spoil(route: Route) -> None:
        answer = route.fetch()
        figures = answer.json()
        del figures["data"]["charts"]["states"]
        route.fulfill(response=answer, json=figures)

    page = drawn(open_page(MANAGER, before=lambda page: page.route("**/manager/api/dashboard", spoil)))
    assert page.locator(".plot.drawn").count() == page.locator(".plot").count() - 1
    assert page.locator(".chart-states .bar").first.is_visible()


def test_a_page_is_printed_with_its_drawings(files, open_page) -> None:
    page = drawn(open_page(MANAGER))
    page.emulate_media(media="print")
    assert not page.locator(".canvas").first.is_visible()
    assert page.locator(".chart-states .bar").first.is_visible()
