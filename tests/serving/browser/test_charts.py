"""Charts in a real browser: marks show their values, lead to what they are about, and charts can be kept."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.palette import PANEL, SERIES, TEXT, THEMES
from tests.serving.browser.looks import PHONE, has_stayed, is_wider_than_the_screen, mark, update

pytestmark = pytest.mark.slow

MANAGER, ANALYTICS = "/manager/dashboard?lang=es", "/manager/analytics?lang=es"
SENT = Filter.of({"state": "enviado"})
ABOVE = {"x": 4, "y": 2}
"""Within the mark of a month, and above its columns."""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def published(press, data_of) -> None:
    for product in ("dashboards", "charts", "financials"):
        press.publish(product, answers={EVERYTHING: data_of(product), SENT: data_of(product, scale=2)})


@pytest.fixture
def page(open_page) -> Page:
    return ready(open_page(MANAGER))


def ready(page: Page) -> Page:
    """Wait until scripts have seen the page."""
    page.wait_for_selector(".chart-tools:not([hidden])")
    return page


def marks(page: Page, chart: str) -> Locator:
    return page.locator(f".chart-{chart} [data-marks] .chart-mark")


def whole(page: Page, chart: str) -> Locator:
    """The marks of categories, without those of single series."""
    return page.locator(f".chart-{chart} [data-marks] .chart-mark:not(.part)")


def values(page: Page) -> list[str]:
    """What is shown of a mark, line by line."""
    expect(page.locator(".tip")).to_be_visible()
    return page.locator(".tip").inner_text().replace("\xa0", " ").split("\n")


@pytest.mark.parametrize("path", [MANAGER, ANALYTICS, "/manager/cash-flow?lang=es", "/manager/costs?lang=es"])
def test_every_mark_shows_its_values(path, open_page) -> None:
    page = ready(open_page(path))
    every = page.locator("[data-marks] .chart-mark")
    assert every.count() > 10
    empty = every.evaluate_all(
        """marks => marks.filter(one => {
            one.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, clientX: 9, clientY: 9 }));
            const tip = document.querySelector(".tip");
            const [title, ...lines] = one.getAttribute("aria-label").split("\\n");
            const shown = [...tip.querySelectorAll("dd")].map(value => value.textContent);
            return tip.hidden || tip.querySelector(".tip-title").textContent !== title || !shown.length
                || shown.length !== lines.length || shown.some(value => !value);
        }).map(one => one.getAttribute("aria-label"))"""
    )
    assert empty == []
    assert not is_wider_than_the_screen(page)


def test_values_are_shown_while_a_mark_is_pointed_at(page) -> None:
    marks(page, "states").nth(1).hover()
    assert values(page) == [
        "Enviado", "Monto", "$14.000.000", "Certificados", "3", "Abre", "sus certificados",
    ]  # fmt: skip
    whole(page, "monthly_trend").last.scroll_into_view_if_needed()
    whole(page, "monthly_trend").last.hover(position=ABOVE)
    assert values(page) == [
        "jun 2024", "Propuesto", "$1.080.000.000", "Aprobado", "$960.000.000",
        "Cobrado", "$840.000.000", "DSO", "42,0 días",
    ]  # fmt: skip
    marks(page, "monthly_trend").last.hover()
    assert values(page) == ["jun 2024", "Cobrado", "$840.000.000", "Abre", "sus certificados"]
    page.locator("h1").hover()
    expect(page.locator(".tip")).not_to_be_visible()


def test_a_mark_leads_to_what_it_is_about_in_place(page) -> None:
    mark(page)
    marks(page, "client_performance").first.click()
    page.wait_for_url("**/manager/dashboard?client=Minera*")
    month = whole(page, "monthly_trend").nth(10)
    # The address changes at once; the marks follow with the page.
    expect(month).to_have_attribute("href", re.compile(r"\?month=2024-05&client=Minera"))
    month.click(position=ABOVE)
    page.wait_for_url("**/manager/dashboard?month=2024-05&client=Minera*")
    assert has_stayed(page)


def test_each_series_leads_to_its_certificates(page) -> None:
    for chart, place, standing in (("client_performance", 2, "overdue"), ("monthly_trend", 1, "approved")):
        page.locator(f".chart-{chart} .chart-mark.part").nth(place).click()
        page.wait_for_url(f"**/manager/certificates?*standing={standing}&*")
        page.go_back()
        expect(page.locator("h1")).to_have_text("Gestión")
    # What is beside the bars of a row is its name's.
    page.locator(".chart-client_performance .bar-row").first.click(position={"x": 3, "y": 2})
    page.wait_for_url("**/manager/dashboard?client=Minera*")


def test_keys_go_along_the_categories_and_across_their_series(page) -> None:
    for chart, along, back, across in (
        ("client_performance", "ArrowDown", "ArrowUp", "ArrowRight"),
        ("monthly_trend", "ArrowRight", "ArrowLeft", "ArrowDown"),
    ):
        every, categories = marks(page, chart), whole(page, chart)
        every.first.focus()
        page.keyboard.press(along)
        expect(categories.nth(1)).to_be_focused()
        page.keyboard.press(across)
        expect(every.nth(5)).to_be_focused()
        page.keyboard.press(back)
        expect(every.nth(1)).to_be_focused()
        page.keyboard.press(back)  # there is none before it
        expect(every.nth(1)).to_be_focused()
        assert values(page)[-2:] == ["Abre", "sus certificados"]


def test_marks_are_reached_and_followed_by_keys(page) -> None:
    buckets = marks(page, "ageing")
    buckets.first.focus()
    page.keyboard.press("Shift")  # a key: the focus is to be seen
    page.keyboard.press("ArrowDown")
    expect(buckets.nth(1)).to_be_focused()
    assert values(page)[0] == "31\N{EN DASH}60 días"
    for key, place in (("ArrowRight", 2), ("End", 4), ("ArrowDown", 4), ("ArrowUp", 3), ("Home", 0)):
        page.keyboard.press(key)
        expect(buckets.nth(place)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).not_to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    page.keyboard.press("Tab")  # beyond the chart, and back to the mark that was left
    expect(page.locator(".chart-ageing summary")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(buckets.last).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/manager/certificates?standing=receivable&issued_to=2024-02-28*")


def test_a_chart_is_one_stop_of_the_tab_key(page) -> None:
    stops = page.locator("[data-marks]").evaluate_all(
        "all => all.map(one => one.querySelectorAll('.chart-mark:not([tabindex=\"-1\"])').length)"
    )
    assert len(stops) > 5
    assert set(stops) == {1}


def test_cells_are_walked_in_both_directions(open_page) -> None:
    page = ready(open_page(ANALYTICS))
    cells = marks(page, "payment_heatmap")
    cells.first.focus()
    page.keyboard.press("ArrowDown")
    expect(cells.nth(12)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cells.nth(13)).to_be_focused()
    opens = ["Abre", "sus certificados"]
    assert values(page) == ["Minera Ñandú · ago 2023", "Monto", "$7.000.000", *opens]


def test_a_finger_first_reads_and_then_opens(open_page) -> None:
    page = ready(open_page(MANAGER, **PHONE))
    sent = marks(page, "states").nth(1)
    sent.scroll_into_view_if_needed()
    sent.tap()
    assert values(page) == [
        "Enviado",
        "Monto",
        "$14.000.000",
        "Certificados",
        "3",
        "Abre",
        "sus certificados",
        "Toque de nuevo para abrir",
    ]
    tip = page.locator(".tip").bounding_box()
    assert tip["x"] >= 0
    assert tip["x"] + tip["width"] <= 360
    assert "state=" not in page.url
    sent.tap()
    page.wait_for_url("**/manager/certificates?state=enviado&standing=not_cancelled*")


def test_the_focus_stays_on_its_mark_when_newer_figures_come(page, press, data_of) -> None:
    bucket = marks(page, "ageing").first
    bucket.focus()
    page.keyboard.press("End")
    before = marks(page, "ageing").last.get_attribute("aria-label")
    generation = "JSON.parse(document.getElementById('facts').textContent).generation"
    was = page.evaluate(generation)
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=2)})
    update(page)
    page.wait_for_function(f"was => {generation} !== was", arg=was)
    expect(marks(page, "ageing").last).to_be_focused()
    assert marks(page, "ageing").last.get_attribute("aria-label") != before


def test_without_scripts_marks_lead_and_nothing_promises_more(open_page) -> None:
    page = open_page(MANAGER, java_script_enabled=False)
    assert not page.get_by_role("button", name="Descargar").first.is_visible()
    marks(page, "client_performance").first.click()
    page.wait_for_url("**/manager/dashboard?client=Minera*")


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[Page, str, str], tuple[str, bytes]]:
    """Keep a chart as a picture: the name of its file, and its content."""

    def keep(page: Page, chart: str, kind: str) -> tuple[str, bytes]:
        with page.expect_download() as download:
            page.locator(f".chart-{chart} [data-save={kind}]").click()
        name = download.value.suggested_filename
        expect(page.locator("#announcement")).to_contain_text(name)
        download.value.save_as(tmp_path / name)
        return name, (tmp_path / name).read_bytes()

    return keep


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("chart", "stem", "series", "texts"),
    [
        ("monthly_trend", "tendencia-mensual", "approved", ["DSO (eje derecho)", "1.500 M", "2024"]),
        ("client_performance", "desempeno-por-cliente", "overdue", ["Minera Ñandú", "90,0 M", "Los demás"]),
        ("concentration", "concentracion-de-cuentas-por-cobrar", "cumulative_share", ["100%", "60,0%"]),
        ("payment_heatmap", "cobros-por-cliente-y-mes", None, ["jul 23", "77,0 M"]),
        ("stages", "tiempo-por-etapa", "others", ["Total", "52,0 días"]),
        ("kpi_trend", "evolucion-de-los-indicadores", None, ["DSO"]),
    ],
)
def test_a_chart_is_kept_as_it_is_drawn(chart, stem, series, texts, theme, open_page, kept) -> None:
    page = ready(open_page(ANALYTICS, color_scheme=theme))
    title = page.locator(f".chart-{chart} h3").inner_text()
    name, picture = kept(page, chart, "svg")
    assert name == f"{stem}-2024-06-28.svg"
    root = ElementTree.fromstring(picture)
    assert root.find(f"{SVG}title").text == title
    said = [element.text.replace("\xa0", " ") for element in root.iter(f"{SVG}text")]
    assert title in said
    assert set(texts) <= set(said)
    assert "Datos al 28 jun 2024" in " ".join(said)
    at = THEMES.index(theme)
    fills = {element.get("fill") for element in root.iter()}
    assert {rgb(PANEL[at]), rgb(TEXT[at])} <= fills
    colours = fills | {element.get("stroke") for element in root.iter()}
    if series in SERIES:
        assert rgb(SERIES[series][at]) in colours
    assert not [colour for colour in colours if colour and ("var(" in colour or "color(" in colour)]
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter(f"{SVG}rect"):
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert -1 <= x <= x + float(element.get("width")) <= width + 1
        assert -1 <= y <= y + float(element.get("height")) <= height + 1


def test_names_stand_beside_their_cells_in_a_picture(open_page, kept) -> None:
    _, picture = kept(ready(open_page(ANALYTICS, **PHONE)), "payment_heatmap", "svg")
    at = {
        element.text.replace("\xa0", " "): (float(element.get("x")), float(element.get("y")))
        for element in ElementTree.fromstring(picture).iter(f"{SVG}text")
    }
    (name, row), (cell, same_row) = at["Minera Ñandú"], at["70,0 M"]
    assert name < cell
    assert row == pytest.approx(same_row, abs=8)
    assert at["Cliente"][0] < at["jul 23"][0] < at["jun 24"][0]


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_a_picture_is_the_same_on_a_phone_and_named_in_its_language(open_page, kept) -> None:
    page = ready(open_page("/manager/analytics?lang=en", **PHONE))
    name, picture = kept(page, "monthly_trend", "png")
    assert name == "monthly-trend-2024-06-28.png"
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) > 1400
    assert not is_wider_than_the_screen(page)
    assert page.locator(".picture").count() == 0


def test_charts_follow_the_colour_scheme(open_page) -> None:
    page = ready(open_page(MANAGER, color_scheme="dark"))
    bar = page.locator(".chart-monthly_trend .column.series-approved").first
    expect(bar).to_have_css("fill", rgb(SERIES["approved"].dark))
    page.emulate_media(color_scheme="light")
    expect(bar).to_have_css("fill", rgb(SERIES["approved"].light))


@pytest.mark.parametrize("look", [{}, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", [MANAGER, ANALYTICS, "/manager/cash-flow?lang=es"])
def test_labels_do_not_overlap(path, look, open_page) -> None:
    page = ready(open_page(path, **look))
    overlapping = page.locator(".plot, .bar-axis").evaluate_all(
        """drawings => drawings.flatMap(one => {
            const boxes = [...one.querySelectorAll("text")]
                .map(text => [text.textContent, text.getBoundingClientRect()])
                .filter(([, box]) => box.width);
            return boxes.flatMap(([said, a], at) => boxes.slice(at + 1)
                .filter(([, b]) => a.left < b.right && b.left < a.right)
                .filter(([, b]) => a.top < b.bottom - 1 && b.top < a.bottom - 1)
                .map(([other]) => `${said} / ${other}`));
        })"""
    )
    assert overlapping == []


def test_a_chart_of_several_currencies_has_marks_of_each(open_page, press, data_of) -> None:
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", currencies=("CLP", "USD"))})
    page = ready(open_page(MANAGER))
    pesos, dollars = page.locator(".chart-states [data-marks]").all()
    for group, amount in ((pesos, "$14.000.000"), (dollars, "US$140.000,00")):
        group.scroll_into_view_if_needed()
        group.locator(".chart-mark").nth(1).hover()
        assert amount in values(page)


def test_a_page_is_printed_without_what_is_pressed(page) -> None:
    marks(page, "states").first.hover()
    page.emulate_media(media="print")
    assert not page.locator(".tip").is_visible()
    assert not page.locator(".chart-tools").first.is_visible()
    assert page.locator(".chart-states .column").first.is_visible()
    assert page.locator(".chart-monthly_trend polyline.line").first.is_visible()
