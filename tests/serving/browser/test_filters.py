"""Filters and navigation in a real browser: pages change in place, by hand and by key."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.browser.clients import CLIENTS, with_clients
from tests.serving.browser.looks import PHONE, has_stayed, is_wider_than_the_screen, mark

pytestmark = pytest.mark.slow

PATH = "/manager/dashboard"
PAGE = f"{PATH}?lang=es"


@pytest.fixture(autouse=True)
def published(press, data_of, catalogue_of) -> None:
    """Figures of ten clients, each on its own too."""
    held = with_clients(catalogue_of())
    everything = {**data_of("dashboards"), "options": {"client": [3] * 9 + [0], "state": [2, 6, 13]}}
    under = {**data_of("dashboards", scale=2), "options": {"state": [2, 0, 4]}}
    mine = {Filter.of({"client": name}): under for name in CLIENTS}
    press.publish("dashboards", answers={EVERYTHING: everything, **mine}, catalogue=held)
    press.publish("kpis", "charts", "financials", catalogue=held)


@pytest.fixture
def page(open_page) -> Page:
    return mark(open_page(PAGE))


def requested(page: Page) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(page.url).query, keep_blank_values=True)


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.value ?? document.activeElement.id")


def option(page: Page, label: str):
    return page.locator("details.choice[open] .option", has_text=label).locator("input")


def announcement(page: Page):
    return page.locator("#announcement")


def test_what_is_ticked_applies_at_once_and_what_is_open_scrolled_and_focused_stays(open_page) -> None:
    page = mark(open_page(PAGE, viewport={"width": 1280, "height": 400}))
    length = page.evaluate("history.length")
    page.locator("#summary-client").click()
    # One right after the other, as a slow machine would not tick them.
    page.locator("#options-client").evaluate(
        """list => ["Minera Sur", "Vial Centro"].forEach((name) => {
            const box = list.querySelector(`input[value="${name}"]`);
            box.focus();
            box.click();
        })"""
    )
    scrolled = page.evaluate("document.querySelector('#options-client').scrollTop")
    expect(page.locator("#summary-client")).to_contain_text("2 elegidos")
    assert requested(page) == [("client", "Minera Sur"), ("client", "Vial Centro"), ("lang", "es")]
    assert page.evaluate("document.querySelector('#options-client').scrollTop") == scrolled > 0
    assert page.evaluate("history.length") == length + 1  # both were one step
    expect(page.locator("#choice-client .popover")).to_be_visible()
    assert focused(page) == "Vial Centro"
    expect(announcement(page)).to_have_text("Filtros: Cliente: Minera Sur; Cliente: Vial Centro")
    assert has_stayed(page)


def test_the_steps_back_bring_filters_scroll_and_disclosures(page) -> None:
    page.locator(".chart-monthly_trend summary").first.click()
    page.evaluate("scrollTo(0, 700)")
    page.evaluate("document.querySelector('#summary-client').click()")
    page.locator("#options-client input").nth(4).check()
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Sur")
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 600)")
    page.evaluate("document.querySelector('.pages a[href*=costs]').click()")
    expect(page.locator("h1")).to_have_text("Costos")
    assert page.evaluate("[scrollY, document.activeElement.tagName]") == [0, "H1"]
    expect(announcement(page)).to_contain_text("Costos")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Gestión")
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Sur")
    assert page.evaluate("scrollY") == 600
    assert page.locator(".chart-monthly_trend table").first.is_visible()
    page.go_back()
    expect(page.locator("#summary-client")).to_contain_text("Todos")
    expect(page.locator(".chips")).to_have_count(0)
    page.go_forward()
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Sur")
    assert has_stayed(page)
    page.reload()
    assert page.evaluate("scrollY") == 600


def test_options_are_found_and_chosen_by_keys(page) -> None:
    page.locator("#summary-client").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Buscar en Cliente")).to_be_focused()
    page.keyboard.type("ENERGIA")
    shown = page.locator("#options-client li:visible")
    expect(shown).to_have_text([re.compile("Alto Ñuble"), re.compile("Río Claro")])
    expect(announcement(page)).to_have_text("Coincidencias: 2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".chip-label")).to_have_text("Cliente: Energía Río Claro")
    # The search goes on where it was.
    expect(page.get_by_label("Buscar en Cliente")).to_have_value("ENERGIA")
    expect(shown).to_have_count(2)
    assert focused(page) == "Energía Río Claro"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Buscar en Cliente")).to_be_focused()
    page.keyboard.type(" xyz")
    expect(page.locator("#choice-client .no-matches")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#choice-client .popover")).not_to_be_visible()
    assert focused(page) == "summary-client"


def test_only_one_choice_is_open_and_a_click_outside_closes_it(page) -> None:
    page.locator("#summary-client").click()
    page.locator("#summary-state").click()
    expect(page.locator("details.choice[open]")).to_have_attribute("id", "choice-state")
    page.locator("h1").click()
    expect(page.locator("details.choice[open]")).to_have_count(0)
    page.locator("#summary-state").click()
    page.locator("#summary-project_type").focus()
    expect(page.locator("details.choice[open]")).to_have_count(0)


def test_an_impossible_value_cannot_be_chosen(page) -> None:
    page.locator("#summary-client").click()
    assert option(page, "Vial Costa").is_disabled()
    assert not option(page, "Vial Centro").is_disabled()


def test_a_dimension_a_chip_and_all_are_cleared(open_page) -> None:
    page = mark(open_page(f"{PAGE}&client=Minera+Sur&state=pagado&period=3m"))
    page.locator("#summary-client").click()
    page.locator("#clear-client").click()
    expect(page.locator(".chip-label")).to_have_text(["Periodo: Últimos 3 meses", "Estado: Pagado"])
    expect(page.locator("#choice-client .popover")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Quitar el filtro Pagado").click()
    expect(page.locator(".chip-label")).to_have_text(["Periodo: Últimos 3 meses"])
    assert page.evaluate("document.activeElement.closest('.chips') !== null")
    page.get_by_role("link", name="Quitar todos").click()
    expect(page.locator(".chips")).to_have_count(0)
    assert requested(page) == [("lang", "es")]
    expect(announcement(page)).to_have_text("Sin filtros")
    assert page.evaluate("document.activeElement.closest('#filters') !== null")
    assert has_stayed(page)


def test_a_period_closes_its_control_and_crossed_ends_are_one_month(page) -> None:
    page.locator("#summary-period").click()
    page.get_by_role("link", name="Últimos 3 meses").click()
    expect(page.locator("#summary-period")).to_contain_text("Últimos 3 meses")
    expect(page.locator("#choice-period .popover")).not_to_be_visible()
    assert focused(page) == "summary-period"
    page.locator("#summary-period").click()
    page.locator("select[name=to]").select_option("2023-09")
    expect(page.locator("#summary-period")).to_contain_text("sept 2023")
    assert requested(page) == [("from", "2023-09"), ("to", "2023-09"), ("lang", "es")]
    assert has_stayed(page)


def test_days_of_the_list_are_typed_and_crossed_ends_are_one_day(open_page) -> None:
    page = mark(open_page("/manager/certificates?lang=es"))
    page.locator("#summary-days").click()
    begin, end = page.locator("#sent_from"), page.locator("#sent_to")
    begin.focus()
    page.keyboard.type("05052024")  # the year is out of bounds until its last digit
    page.wait_for_url("**sent_from=2024-05-05*")
    expect(page.locator("#chips")).to_contain_text("desde el 5 may 2024")
    expect(page.locator("#choice-days")).to_have_attribute("open", "")
    end.fill("2024-04-01")
    end.blur()
    page.wait_for_url("**sent_to=2024-04-01*")
    expect(begin).to_have_value("2024-04-01")
    assert has_stayed(page)


def test_a_group_includes_its_values(page) -> None:
    page.locator("#summary-state").click()
    option(page, "Pendientes").check()
    expect(page.locator("#summary-state")).to_contain_text("Pendientes")
    sent = page.locator("#options-state input[value=enviado]")
    assert sent.is_checked()
    assert sent.is_disabled()
    option(page, "Pendientes").uncheck()
    expect(page.locator(".chips")).to_have_count(0)
    assert not sent.is_checked()
    assert sent.is_enabled()


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_choice_leaves_the_screen(width, open_page) -> None:
    page = open_page(PAGE, viewport={"width": width, "height": 800})
    if width < 700:
        assert not page.locator("#summary-client").is_visible()
        page.locator("#summary-all-filters").click()
    for summary in page.locator(".choice > summary").all():
        summary.press("Enter")
        box = page.locator("details.choice[open] .popover").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert not is_wider_than_the_screen(page)
        page.keyboard.press("Escape")


def test_a_phone_has_one_disclosure_and_a_sheet(open_page) -> None:
    page = mark(open_page(f"{PAGE}&client=Minera+Sur", **PHONE))
    page.get_by_text("Filtros (1)").tap()
    page.locator("#summary-client").tap()
    sheet = page.locator("#choice-client .popover")
    box = sheet.bounding_box()
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 360, 740)
    option(page, "Minera Ñandú").tap()
    expect(page.get_by_text("Filtros (2)")).to_be_visible()
    expect(sheet).to_be_visible()
    page.get_by_role("button", name="Listo").tap()
    expect(sheet).not_to_be_visible()
    page.locator("#summary-client").tap()
    page.touchscreen.tap(180, 20)  # the shade behind it
    expect(sheet).not_to_be_visible()
    assert has_stayed(page)


def test_without_scripts_the_form_is_sent(open_page) -> None:
    page = open_page(PAGE, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.get_by_text("Filtros", exact=True).click()
    page.locator("#summary-client").click()
    assert not page.locator("#search-client").is_visible()
    page.locator("#options-client .option", has_text="Minera Sur").click()
    page.locator("#options-client .option", has_text="Vial Centro").click()
    assert not is_wider_than_the_screen(page)
    page.get_by_role("button", name="Aplicar").click()
    page.wait_for_url("**client=Vial*")
    assert [value for name, value in requested(page) if name == "client"] == ["Minera Sur", "Vial Centro"]
    assert page.locator(".chip-label").all_inner_texts() == ["Cliente: Minera Sur", "Cliente: Vial Centro"]


def test_a_page_that_does_not_come_leaves_the_one_before(open_page) -> None:
    page = mark(open_page(PAGE, allow=("ERR_INTERNET_DISCONNECTED",)))
    page.route("**/manager/dashboard?client=*", lambda route: route.abort("internetdisconnected"))
    page.locator("#summary-client").click()
    option(page, "Minera Sur").check()
    expect(page.locator(".unreachable")).to_have_text(re.compile("^Sin conexión"))
    # The form says what the page shows.
    expect(option(page, "Minera Sur")).not_to_be_checked()
    assert requested(page) == [("lang", "es")]
    page.unroute_all()
    option(page, "Minera Sur").check()
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Sur")
    expect(page.locator(".unreachable")).not_to_be_visible()
    page.route("**/manager/dashboard?lang=es", lambda route: route.abort("internetdisconnected"))
    page.go_back()
    expect(page.locator(".unreachable")).to_be_visible()
    page.wait_for_url("**client=Minera*")  # the address is again that of what is shown
    expect(page.locator(".chip-label")).to_have_text("Cliente: Minera Sur")
    assert has_stayed(page)


def test_a_problem_is_shown_in_place_and_left_by_going_back(open_page) -> None:
    page = mark(open_page(PAGE, allow=("400 (BAD REQUEST)",)))
    page.evaluate("document.querySelector('.pages a').href = '/manager/dashboard?client=nobody'")
    page.locator(".pages a").first.click()
    expect(page.locator(".problem-status")).to_have_text("Problema 400")
    assert page.url.endswith("client=nobody")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    expect(page.locator("h1")).to_have_text("Gestión")
    assert page.locator("#summary-client").is_visible()
    assert has_stayed(page)


def test_scripts_of_another_release_are_loaded(page) -> None:
    # The page that is shown is that of the former release.
    page.evaluate("document.querySelector('script[type=module]').src = '/static/former/js/main.js'")
    page.locator(".pages").get_by_role("link", name="Costos").click()
    page.wait_for_url("**/manager/costs*")
    expect(page.locator("h1")).to_have_text("Costos")
    assert not has_stayed(page)


def test_a_slow_page_shows_a_line_and_gives_way_to_the_next_step(page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/manager/costs*", hold)
    line = page.locator(".progress-line")
    page.evaluate("document.querySelector('.pages a[href*=costs]').click()")
    expect(line).to_be_visible()
    expect(page.locator("#content")).to_have_attribute("aria-busy", "true")
    page.evaluate("document.querySelector('.pages a[href*=rework]').click()")
    expect(page.locator("h1")).to_have_text("Retrabajo")
    expect(line).not_to_be_visible()
    for route in held:
        route.continue_()
    page.evaluate("document.querySelector('.pages a[href*=dashboard]').click()")
    expect(page.locator("h1")).to_have_text("Gestión")
    assert page.evaluate("location.pathname") == PATH
    assert has_stayed(page)


def test_a_link_that_is_pointed_at_is_fetched_ahead_and_once(open_page) -> None:
    page = open_page(PAGE, before=lambda page: page.clock.install())
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(urlsplit(request.url).path))
    link = page.locator(".pages a[href*=costs]")
    with page.expect_response("**/manager/costs*"):
        link.hover()
    assert page.locator("h1").inner_text() == "Gestión"
    link.click()
    expect(page.locator("h1")).to_have_text("Costos")
    # Nor when the page that is shown is pointed at.
    page.mouse.move(640, 700)
    link.hover()
    page.clock.run_for(200)
    with page.expect_response("**/manager/rework*"):
        page.locator(".pages a[href*=rework]").hover()
    assert fetched.count("/manager/costs") == 1


def test_only_what_is_clicked_is_asked_of_the_pipeline(page, client) -> None:
    requests = Requests(client)
    page.locator("#summary-period").click()
    link = page.get_by_role("link", name="Últimos 3 meses")
    with page.expect_response(lambda answer: answer.status == 202) as pointed_at:
        link.hover()
    pointed_at.value.finished()
    assert requests.pending("test", 10) == []
    link.click()
    expect(page.locator(".badge-missing")).to_be_visible()
    assert [one.kind for one in requests.pending("test", 10)] == [RequestKind.WARM]


def test_what_a_figure_leads_to_begins_at_its_top_and_a_choice_leaves_the_page_where_it_is(page) -> None:
    page.evaluate("scrollTo(0, 400)")
    page.locator("a.bar-label").first.evaluate("link => link.click()")
    page.wait_for_url("**client=Minera**")
    page.wait_for_function("scrollY === 0")
    page.evaluate("scrollTo(0, 300)")
    expect(page.locator("#filters")).to_be_in_viewport()  # it stays at the edge
    page.locator(".chip > a").click()
    page.wait_for_url(f"**{PAGE}")
    assert page.evaluate("scrollY") == 300


def test_the_link_that_is_copied_names_filter_and_language(open_page) -> None:
    page = open_page(f"{PATH}?client=Minera Sur")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    expect(page.locator("#announcement")).to_have_text(re.compile("Enlace copiado|Link copied"))
    copied = page.evaluate("navigator.clipboard.readText()")
    language = page.evaluate("document.documentElement.lang")
    assert copied.endswith(f"{PATH}?client=Minera+Sur&lang={language}")


@pytest.mark.parametrize("is_refused", [False, True], ids=["copied", "selected"])
def test_a_link_is_copied_where_the_browser_lends_no_clipboard(is_refused: bool, open_page, address) -> None:
    # Any host but this machine, without HTTPS.
    page = open_page(allow=("Cross-Origin-Opener-Policy",))
    page.route(
        "http://kpi.test/**",
        lambda route: route.fulfill(response=route.fetch(url=elsewhere(route.request.url, address))),
    )
    page.goto(f"http://kpi.test{PATH}?client=Minera Sur&lang=es")
    assert page.evaluate("[isSecureContext, navigator.clipboard]") == [False, None]
    if is_refused:
        page.evaluate("document.execCommand = () => false")
    page.locator("#copy-link").click()
    said = "No se pudo copiar" if is_refused else "Enlace copiado"
    expect(page.locator("#announcement")).to_have_text(re.compile(said))
    expected = f"http://kpi.test{PATH}?client=Minera+Sur&lang=es"
    field = page.get_by_label("Enlace a esta página")
    if is_refused:
        expect(field).to_be_focused()
        assert page.evaluate("getSelection().toString()") == expected
        return
    expect(field).to_have_count(0)
    page.locator("#summary-client").click()
    page.get_by_label("Buscar en Cliente").press("Control+V")
    expect(page.get_by_label("Buscar en Cliente")).to_have_value(expected)


def elsewhere(url: str, host: str) -> str:
    """The same address of another host."""
    return f"{host}{url.partition('kpi.test')[2]}"
