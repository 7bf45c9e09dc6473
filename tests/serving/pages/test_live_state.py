"""The live state of a page, and the refresh that it follows, without JavaScript."""

import re
from dataclasses import replace

import pytest

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.scopes import WHOLE_FIRM
from serving.app import create_app
from serving.cache_access import CacheAccess
from serving.catalogue import Catalogue
from serving.lookup import look_up
from serving.lookup_result import LookupResult
from serving.pages.live_state import LIVE_STATES, PROPAGATION_S, Refreshing, live_state, refreshing
from serving.pages.texts import texts_in
from serving.pages.writing import Writer, writer_for
from serving.pipeline_client import PipelineClient
from tests.waiting import wait_until

RUNNING = Refreshing("running", "/manager/dashboard/status/x", 0, 0)


@pytest.fixture
def result(press, cache_url, settings_of) -> LookupResult:
    press.publish("dashboards")
    return look_up(CacheAccess(settings_of(REDIS_URL=cache_url)).current(WHOLE_FIRM), "dashboards", [])


@pytest.fixture
def english(catalogue_of) -> Writer:
    return writer_for("en", Catalogue.model_validate(catalogue_of()), "America/Santiago")


@pytest.mark.parametrize(
    ("changes", "refresh", "name", "label"),
    [
        ({}, None, "fresh", "Up to date"),
        ({}, RUNNING, "refreshing", "Refreshing…"),
        ({}, replace(RUNNING, state="done"), "fresh", "Up to date"),
        ({}, replace(RUNNING, state="failed"), "fresh", "Up to date"),
        ({"state": AnswerState.MISSING}, None, "missing", "Being prepared"),
        ({"state": AnswerState.STALE}, RUNNING, "refreshing", "Refreshing…"),
        ({"reachable": False}, RUNNING, "offline", "Offline"),
        ({"state": AnswerState.STALE, "reachable": False}, None, "offline", "Offline"),
        ({"state": AnswerState.HISTORIC, "reachable": False}, None, "historic", "Month end"),
    ],
)
def test_what_matters_most_is_said(changes, refresh, name, label, result, english) -> None:
    state = live_state(replace(result, **changes), refresh, english)
    assert (state.name, state.label) == (name, label)


def test_old_figures_say_since_when(result, english) -> None:
    at = 1719576000.0  # eight in the morning in Santiago
    entry = replace(result.entry, computed_at=at, verified_at=at, fresh_until=at)
    state = live_state(replace(result, state=AnswerState.STALE, entry=entry, now=at + 60), None, english)
    assert (state.name, state.label) == ("stale", "Out of date since 08:00")


def test_every_state_has_a_text_an_icon_and_a_text_for_scripts(web, press) -> None:
    press.publish("dashboards")
    page = web.get("/manager/dashboard").text
    for name in LIVE_STATES:
        assert texts_in("es")[f"state_{name}"] == texts_in("es")[f"js_state_{name}"]
        assert f'<symbol id="state-{name}"' in page


def test_the_heading_shows_the_state_once_for_all_cards(web, press) -> None:
    press.publish("dashboards", age_s=700)
    page = web.get("/manager/dashboard?lang=en").text
    assert page.count('class="card panel') > 1
    assert len(re.findall('data-state="stale"', page)) == 1
    assert len(re.findall(r"Out of date since \d\d:\d\d<", page)) == 1


HOME = "/manager/dashboard"


def reloads_after(response) -> str | None:
    """Seconds after which the page loads itself again where there are no scripts."""
    assert "Refresh" not in response.headers  # it would reload a page that scripts keep up to date
    reload = re.search(
        r'<noscript><meta http-equiv="refresh" content="(\d+)"></noscript>', response.get_data(as_text=True)
    )
    return reload[1] if reload else None


@pytest.fixture
def requests(client) -> Requests:
    return Requests(client)


@pytest.fixture
def task(press, requests) -> str:
    press.publish()
    return requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING).id


def test_the_button_posts_what_the_page_shows(web, press, client) -> None:
    press.publish()
    shown = web.get(f"{HOME}?client=Minera Ñandú&state=pagado&lang=en").get_data(as_text=True)
    (form,) = re.findall(r'<form class="refresh".*?</form>', shown, re.DOTALL)
    assert 'method="post" action="/manager/dashboard/refresh"' in form
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', form))
    assert hidden == {
        "client": "Minera Ñandú",
        "state": "pagado",
        "lang": "en",
        "product": "dashboards",
        "page": "manager",
    }
    assert ">Refresh</button>" in form


@pytest.mark.parametrize(
    ("page_name", "path"),
    [
        ("cash_flow", "/manager/cash-flow"),
        ("manager", HOME),
        ("", HOME),
        ("//evil.example", HOME),
        ("x/../..", HOME),
    ],
)
def test_the_button_leads_back_to_its_page(page_name, path, web, press, requests) -> None:
    press.publish()
    form = {"product": "financials", "page": page_name, "lang": "en", "client": "Minera Ñandú"}
    response = web.post(f"{HOME}/refresh", data=form, headers={"Accept": "text/html"})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{path}?client=Minera+%C3%91and%C3%BA&lang=en&task=")
    assert [task.product for task in requests.pending("test", 10)] == ["financials"]


def test_a_page_that_waits_refreshes_itself_until_it_is_done(web, requests, task) -> None:
    address = f"{HOME}?lang=en&task={task}"
    waiting = web.get(address)
    assert reloads_after(waiting) == "1"
    assert "badge-refreshing" in waiting.get_data(as_text=True)
    assert "New figures are being computed" in waiting.get_data(as_text=True)
    requests.started(task, "run-1")
    requests.progressed("run-1", 5, 2)
    assert "step 2 of 5" in web.get(address).get_data(as_text=True)
    requests.finished(task, ok=True)
    wait_until(lambda: reloads_after(web.get(address)) is None)
    done = web.get(address)
    assert "badge-fresh" in done.get_data(as_text=True)
    assert "The figures are up to date." in done.get_data(as_text=True)


def test_a_refresh_is_not_done_before_every_process_reads_the_new_figures(client, requests, task) -> None:
    requests.finished(task, ok=True)
    pipeline_client = PipelineClient(client)
    finished_at = pipeline_client.status(task).finished_at
    before = refreshing(pipeline_client, task, finished_at + PROPAGATION_S - 0.01)
    after = refreshing(pipeline_client, task, finished_at + PROPAGATION_S + 0.01)
    assert (before.state, after.state) == ("running", "done")


def test_a_failed_refresh_is_shown_and_the_figures_stay(web, requests, task) -> None:
    requests.finished(task, ok=False, reason="a path that is nobody's business")
    failed = web.get(f"{HOME}?lang=en&task={task}")
    shown = failed.get_data(as_text=True)
    assert failed.status_code == 200
    assert reloads_after(failed) is None
    assert "could not be computed" in shown
    assert f"/manager/dashboard/status/{task}" in shown
    assert "nobody" not in shown


@pytest.mark.parametrize("task_id", ["", "0" * 32, "<script>", "of:x"])
def test_a_task_that_nobody_knows_is_no_matter(web, press, task_id) -> None:
    press.publish()
    response = web.get(f"{HOME}?task={task_id}")
    assert response.status_code == 200
    assert "notice-refresh" not in response.get_data(as_text=True)
    assert "<script>" not in response.get_data(as_text=True)


def test_a_task_that_cannot_be_read_is_no_matter(client, press, cache_url, settings_of, task) -> None:
    web = create_app(settings_of(REDIS_URL=cache_url)).test_client()
    client.delete(f"kpi:task:{task}")
    client.set(f"kpi:task:{task}", "odd")
    assert web.get(f"{HOME}?task={task}").status_code == 200
