"""Pages are used with keys alone: what has the focus is always seen, and the focus is never lost."""

from itertools import count
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.browser.clients import with_clients
from tests.serving.browser.looks import has_stayed, mark, update
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAGE: Final = "/manager/dashboard?lang=es"
MOST: Final = 150
"""So many stops are more than a reader should ever have to pass."""
FAULT_OF_FOCUS: Final = """() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return "nothing has the focus";
    const { width, height, top, left, bottom, right } = focused.getBoundingClientRect();
    // A box is marked by the outline of its whole option.
    const isOutlined = [focused, focused.closest(".option")].filter(Boolean).some((one) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    });
    const isOnScreen = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    if (isOutlined && width && height && isOnScreen) return "";
    return `outlined ${isOutlined}, on screen ${isOnScreen}, ${width} x ${height}: ${focused.outerHTML}`;
}"""


@pytest.fixture(autouse=True)
def published(press, data_of, catalogue_of) -> None:
    held = with_clients(catalogue_of())
    mine = Filter.of({"client": "Minera Ñandú"})
    answers = {one: data_of("dashboards") for one in (EVERYTHING, mine)}
    press.publish("dashboards", answers=answers, catalogue=held)
    # Pages whose links have the focus are fetched ahead.
    press.publish("charts", "financials", "kpis", catalogue=held)


@pytest.fixture
def page(open_page) -> Page:
    return mark(open_page(PAGE))


def strike(page: Page, *keys: str) -> None:
    """Press keys one after another; what has the focus after each can be seen."""
    for key in keys:
        page.keyboard.press(key)
        assert page.evaluate(FAULT_OF_FOCUS) == "", key


def go_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press a key until an element has the focus."""
    passed: list[str] = []
    for _ in range(MOST):
        strike(page, key)
        if target.evaluate("one => one === document.activeElement"):
            return
        passed.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
    pytest.fail(f"{target} is not among {passed}")


def expect_focus(page: Page, target: Locator) -> None:
    expect(target).to_be_focused()
    assert page.evaluate(FAULT_OF_FOCUS) == ""


def test_what_is_repeated_is_skipped(page) -> None:
    strike(page, "Tab")
    expect_focus(page, page.get_by_role("link", name="Ir al contenido"))
    strike(page, "Enter")
    expect_focus(page, page.locator("#content"))
    strike(page, "Tab")
    expect_focus(page, page.locator("#copy-link"))
    strike(page, "Tab")
    expect_focus(page, page.locator("#refresh"))


def test_another_page_begins_at_its_title(page) -> None:
    go_to(page, page.locator(".pages a[href*=costs]"))
    page.keyboard.press("Enter")
    expect_focus(page, page.get_by_role("heading", level=1, name="Costos"))
    go_to(page, page.locator(".pages a[aria-current]"), "Shift+Tab")
    assert has_stayed(page)


def test_a_value_is_found_ticked_and_taken_back(page) -> None:
    summary = page.locator("#summary-client")
    go_to(page, page.locator("#summary-client"))
    strike(page, "Enter")
    choice = page.locator("#choice-client")
    expect_focus(page, choice.get_by_label("Buscar en Cliente"))
    page.keyboard.type("nandu")
    strike(page, "ArrowDown", "Space")
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Ñandú")
    expect_focus(page, choice.get_by_label("Minera Ñandú"))
    strike(page, "Escape")
    expect_focus(page, summary)
    expect(choice.locator(".popover")).not_to_be_visible()
    go_to(page, page.get_by_label("Quitar el filtro Minera Ñandú"))
    page.keyboard.press("Enter")
    expect(page.locator(".chips")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('#filters') !== null")
    assert page.evaluate(FAULT_OF_FOCUS) == ""
    assert has_stayed(page)


def test_a_period_is_chosen(page) -> None:
    summary = page.locator("#summary-period")
    go_to(page, summary)
    strike(page, "Enter")
    go_to(page, page.get_by_role("link", name="Últimos 3 meses"))
    page.keyboard.press("Enter")
    expect(page.locator(".chip-label")).to_have_text("Periodo: Últimos 3 meses")
    expect_focus(page, summary)


def test_figures_are_refreshed(page, client) -> None:
    requests, button = Requests(client), page.locator("#refresh")
    go_to(page, button)
    strike(page, "Enter")
    expect(page.locator(".badge-refreshing")).to_be_visible()
    expect_focus(page, button)
    (task,) = requests.take("test", 10, 5.0)
    requests.finished(task.id, ok=True)
    expect(page.locator(".badge-fresh")).to_be_visible()
    expect_focus(page, button)


def test_a_table_is_sorted(page) -> None:
    details = page.locator(".chart-states details")
    go_to(page, details.locator("summary"))
    strike(page, "Enter")
    head = details.get_by_role("columnheader", name="Certificados", exact=True)
    go_to(page, head.get_by_role("button"))
    strike(page, "Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect_focus(page, head.get_by_role("button"))


def test_a_chart_leads_to_what_it_is_about(page) -> None:
    clients = page.locator(".chart-client_performance")
    go_to(page, clients.locator("summary"))
    strike(page, "Enter")
    go_to(page, clients.get_by_role("link", name="Minera Ñandú", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Ñandú")
    assert page.evaluate(FAULT_OF_FOCUS) == ""
    assert has_stayed(page)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_for_those_who_want_no_motion(motion, open_page, press, data_of) -> None:
    page = open_page(PAGE, reduced_motion=motion)

    def check(animation: str) -> None:
        if motion == "reduce":
            assert animations(page) == []
        else:
            wait_until(lambda: animation in animations(page))

    page.locator("#refresh").click()
    expect(page.locator(".badge-refreshing")).to_be_visible()
    check("turn")
    scales = count(2)

    def is_marked() -> bool:
        # The page may have found the same figures by itself, and shows no change to itself.
        press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=next(scales))})
        update(page)
        return page.locator(".changed").first.is_visible()

    wait_until(is_marked)
    page.route("**/manager/costs*", lambda _: None)  # never answered
    page.evaluate("document.querySelector('.pages a[href*=costs]').click()")
    expect(page.locator(".progress-line")).to_be_visible()
    check("progress-line")


def animations(page) -> list[str]:
    """The names of what moves on a page."""
    return page.evaluate("document.getAnimations().map(one => one.animationName)")


def test_what_a_figure_measures_is_opened_and_closed(page) -> None:
    about = page.locator(".card-dso .about")
    about.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#about-dso")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#about-dso")).to_be_hidden()
    expect(about).to_be_focused()
