"""The pages in a real browser: nothing is refused, nothing fails, nothing overflows a small screen."""

from datetime import date
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import EXPECTED, PAGES
from serving.pages.addresses import page_path
from tests.serving.browser.looks import PHONE, has_stayed, is_wider_than_the_screen, mark
from tests.serving.payloads import CONSTRUCTORA, MINE, figures

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("es", "light", 1280), ("en", "dark", 360)], ids=["wide", "narrow"]
)
def test_every_page(language, scheme, width, open_page, press, data_of) -> None:
    for product in PRODUCTS:
        large = data_of(product, currencies=("CLP", "USD"), scale=100)
        press.publish(product, answers={EVERYTHING: large})
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for one in PAGES:
        page.goto(f"{page_path(one.name)}?lang={language}")
        led = {name for lead in one.leads for name in lead.parts}
        shown = [name for name in one.kpis if name not in {*led, "monthly_target", "annual_target"}]
        assert page.locator(".leads > .card").count() == len(one.leads)
        expected = sum(lead.figure == EXPECTED for lead in one.leads)
        assert page.locator(".card").count() == len(shown) + expected
        assert page.locator(".chart-figure").count() == len(one.charts)
        assert page.locator(".badge-fresh").is_visible()
        # The style sheet is applied, and nothing makes the page wider than the screen.
        assert page.locator(".card").first.evaluate("card => getComputedStyle(card).display") == "flex"
        assert not is_wider_than_the_screen(page)
        cut = page.locator(".value, .change, .card-head, .bar-value, .line-ends span").evaluate_all(
            "found => found.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
        )
        assert [text for text in cut if text] == []


@pytest.mark.parametrize("width", [390, 800, 1366])
def test_no_card_is_alone_in_its_row(width: int, open_page, press) -> None:
    press.publish()
    page = open_page(viewport={"width": width, "height": 800})
    for one in PAGES:
        page.goto(f"{page_path(one.name)}?lang=es")
        rows = page.locator(".cards").evaluate_all(
            """groups => groups.map(group => Object.values(Object.groupBy(
                group.children, (card) => card.getBoundingClientRect().top)).map(row => row.length))"""
        )
        for of_group in rows:
            assert 1 not in of_group or set(of_group) == {1}, (one.name, of_group)


@pytest.mark.parametrize("language", ["es", "en"])
def test_charts_begin_in_sight_on_a_laptop(language: str, open_page, press, keep) -> None:
    mine = Filter.of({"client": MINE})
    press.publish(
        "dashboards", answers={which: figures("dashboards", scale=9) for which in (EVERYTHING, mine)}
    )
    keep("dashboards", date(2024, 5, 31), scale=9)
    page = open_page(viewport={"width": 1366, "height": 768})
    for query in ("", f"&client={quote(MINE)}", "&as_of=2024-05-31"):
        page.goto(f"/manager/dashboard?lang={language}{query}")
        assert page.locator(".chip").count() == ("client" in query)
        assert page.locator(".chart-figure").first.bounding_box()["y"] < 600
        assert page.locator(".leads > .card").count() == 3


def test_a_phone_reaches_every_page(open_page, press) -> None:
    press.publish()
    page = mark(open_page(f"{page_path(PAGES[0].name)}?lang=es", **PHONE))
    pages = page.get_by_role("navigation", name="Páginas")
    for name in (*(one.label.es for one in reversed(PAGES)), "Sistema"):
        pages.get_by_role("link", name=name, exact=True).tap()
        expect(page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()
        current = pages.locator("[aria-current=page]")
        expect(current).to_have_text(name)
        expect(current).to_be_in_viewport(ratio=1)  # the row of pages is longer than the screen
        assert not is_wider_than_the_screen(page)
    assert has_stayed(page)


@pytest.mark.parametrize("height", [844, 330])
def test_what_figures_measure_stays_within_a_phone(open_page, press, height: int) -> None:
    press.publish()
    page = open_page("/manager/indicators?lang=es", **{**PHONE, "viewport": {"width": 360, "height": height}})
    # Of cards of the left and of the right column, at either end of the screen.
    beyond = page.locator(".about").evaluate_all(
        """abouts => abouts.flatMap((about) => ["start", "end"].map((block) => {
            about.scrollIntoView({ block });
            about.click();
            const { left, top, right, bottom } = about.nextElementSibling.getBoundingClientRect();
            about.click();
            return [left, top, innerWidth - right, innerHeight - bottom];
        })).filter((ends) => Math.min(...ends) < 0)"""
    )
    assert beyond == []


def test_all_that_sorts_a_list_is_in_sight_on_a_phone(open_page, press) -> None:
    press.publish()
    page = open_page("/manager/certificates?lang=es", **PHONE)
    width = page.viewport_size["width"]
    heads = [head.bounding_box() for head in page.locator(".list thead .sort").all()]
    assert len(heads) > 5
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in heads)


@pytest.mark.parametrize(
    "look", [{"viewport": {"width": 1366, "height": 768}}, PHONE], ids=["laptop", "phone"]
)
@pytest.mark.parametrize(
    "path",
    [
        f"/manager/compare?lang=es&dimension=client&value={quote(MINE)}&value={quote(CONSTRUCTORA)}",
        f"/manager/changes?lang=es&comparison=month_end&client={quote(CONSTRUCTORA)}",
        f"/manager/dashboard?lang=es&client={quote(MINE)}",
    ],
    ids=["compare", "changes", "figures"],
)
def test_the_bar_stays_in_sight_and_covers_nothing_focused(path, look, open_page, press) -> None:
    scales = {EVERYTHING: 1, Filter.of({"client": MINE}): 2, Filter.of({"client": CONSTRUCTORA}): 3}
    for product in PRODUCTS:
        press.publish(
            product, answers={which: figures(product, scale=scale) for which, scale in scales.items()}
        )
    page = open_page(path, **look)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("scrollY") > 100
    bar = page.locator(".filters").bounding_box()
    assert abs(bar["y"]) < 1
    assert bar["height"] < page.viewport_size["height"] / 5
    page.locator(".filters :is(summary, select, a):visible").first.focus()
    covered = page.locator("main :is(a[href], button, summary, select):visible").evaluate_all(
        """all => {
            const bar = document.querySelector(".filters");
            return all.reverse().filter(one => !bar.contains(one)).filter(one => {
                one.focus();
                if (document.activeElement !== one) return false;
                const { top, bottom } = one.getBoundingClientRect();
                const over = bar.getBoundingClientRect();
                return top >= over.top && bottom <= over.bottom;
            }).map(one => one.outerHTML.slice(0, 120));
        }"""
    )
    assert covered == []


def test_what_changed_is_cards_on_a_phone(open_page, press) -> None:
    press.publish()
    page = open_page("/manager/changes?lang=es&comparison=month_end&figure=receivable", **PHONE)
    rows = page.locator(".moved tbody tr")
    assert rows.count() > 0
    assert rows.first.evaluate("row => getComputedStyle(row).display") == "grid"
    beyond = page.locator(".moved .scroll").evaluate("list => list.scrollWidth > list.clientWidth")
    assert not beyond
    assert not is_wider_than_the_screen(page)


def test_values_side_by_side_are_lines_of_a_card_on_a_phone(open_page, press) -> None:
    scales = {EVERYTHING: 1, Filter.of({"client": MINE}): 2, Filter.of({"client": CONSTRUCTORA}): 3}
    press.publish("kpis", answers={which: figures("kpis", scale=scale) for which, scale in scales.items()})
    query = f"dimension=client&value={quote(MINE)}&value={quote(CONSTRUCTORA)}"
    page = open_page(f"/manager/compare?lang=es&{query}", **PHONE)
    card = page.locator(".compared-group tbody tr").first
    values = [one.bounding_box() for one in card.locator(".column-value").all()]
    difference = card.locator(".column-difference").bounding_box()
    assert values[1]["y"] >= values[0]["y"] + values[0]["height"]
    # Beside the value that it is of, not on a line of its own.
    assert abs(difference["y"] - values[1]["y"]) < values[1]["height"] / 2
    assert not is_wider_than_the_screen(page)


def test_a_list_of_what_is_expected_leads_with_it(open_page, press) -> None:
    press.publish()
    address = "/manager/certificates?standing=receivable&expected_in=next_30_days&lang=es"
    page = open_page(address, viewport={"width": 1366, "height": 900})
    for cell in page.locator(".list .column-expected").all():
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= 1366
    page = open_page(address, **PHONE)
    # Its chip comes first, and in a card it stands beside the client; the balance says what it is.
    sort, client, expected, balance = (
        page.locator(f".list {one}").first.bounding_box()
        for one in (
            "thead .column-expected",
            "tbody .column-client",
            "tbody .column-expected",
            "tbody .column-open",
        )
    )
    assert sort["x"] + sort["width"] <= page.viewport_size["width"]
    assert abs(expected["y"] - client["y"]) < client["height"]
    assert balance["y"] >= expected["y"] + expected["height"]
    heads = page.locator(".list tbody .column-open").first.evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )
    assert heads == '"Saldo"'


def test_the_data_behind_a_drawing_can_be_read(open_page, press) -> None:
    press.publish()
    page = open_page("/manager/dashboard?lang=en")
    trend = page.locator(".chart-monthly_trend")
    assert not trend.locator("table").is_visible()
    trend.locator("summary").click()
    assert trend.locator("table").is_visible()
    assert trend.locator("tbody tr").count() == 12


def test_another_page_keeps_the_filter(open_page, press, data_of) -> None:
    mine = Filter.of({"client": "Minera Ñandú"})
    for product in PRODUCTS:
        press.publish(product, answers={EVERYTHING: data_of(product), mine: data_of(product, scale=2)})
    page = open_page("/manager/dashboard?lang=es&client=minera nandu")
    page.get_by_role("navigation", name="Páginas").get_by_role("link", name="Costos", exact=True).click()
    page.wait_for_url("**/manager/costs?client=Minera*")
    assert page.locator(".chip").inner_text().startswith("Cliente:")
    assert page.get_by_role("link", name="Costos", exact=True).get_attribute("aria-current") == "page"
    assert "2.468" in page.locator(".card-costs .value").inner_text()


def test_a_filter_is_chosen_and_taken_back(open_page, press, data_of) -> None:
    press.publish("dashboards")
    page = open_page("/manager/dashboard?lang=es")
    page.locator("#summary-client").click()
    page.locator("#choice-client").get_by_label("Minera Ñandú").check()
    page.wait_for_url("**/manager/dashboard?*client=Minera*")
    assert page.locator(".chip").inner_text().startswith("Cliente:")
    assert page.locator(".badge-missing").is_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Quitar el filtro Minera Ñandú").click()
    page.wait_for_url("**/manager/dashboard?lang=es")
    assert page.locator(".badge-fresh").is_visible()
