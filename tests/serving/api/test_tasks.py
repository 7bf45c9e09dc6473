"""The state of a request over HTTP, as the page and clients poll it."""

import time

import pytest

from kpi_pipeline.cache.keys import task_key
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.app import create_app

MINE = Filter.of({"client": "Minera Ñandú"})


@pytest.fixture
def requests(client) -> Requests:
    return Requests(client)


@pytest.fixture
def task(requests) -> str:
    return requests.submit(RequestKind.WARM, "kpis", MINE).id


def test_a_request_from_queued_to_succeeded(web, requests, task) -> None:
    response = web.get(f"/manager/dashboard/status/{task}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "Retry-After" in response.headers
    status = response.get_json()
    assert status.pop("asked_at").endswith("Z")
    assert status == {
        "id": task,
        "state": "queued",
        "kind": "warm",
        "product": "kpis",
        "filter": {"client": ["Minera Ñandú"]},
        "scope": "all",
        "started_at": None,
        "finished_at": None,
        "progress": {"steps_done": 0, "steps": None},
        "timings": dict.fromkeys(("started_s", "computed_s", "published_s", "finished_s")),
        "reason": None,
        "source_failed": False,
        "rolled_back": None,
        "run_id": None,
        "run_url": None,
    }
    requests.started(task, "run/7")
    started = web.get(f"/manager/dashboard/status/{task}").get_json()
    assert (started["state"], started["run_id"]) == ("started", "run/7")
    assert started["run_url"] == "http://127.0.0.1:3000/runs/run%2F7"
    requests.progressed("run/7", 5, 4, computed_at=time.time(), published_at=time.time())
    published = web.get(f"/manager/dashboard/status/{task}").get_json()
    assert published["progress"] == {"steps_done": 4, "steps": 5}
    timings = published["timings"]
    assert 0 <= timings["started_s"] <= timings["computed_s"] <= timings["published_s"]
    assert timings["finished_s"] is None
    requests.finished(task, ok=True)
    response = web.get(f"/manager/dashboard/status/{task}")
    assert response.get_json()["state"] == "succeeded"
    assert response.get_json()["finished_at"]
    assert "Retry-After" not in response.headers


def test_a_request_that_a_rollback_held_back_tells_of_it(web, press, client, requests, task) -> None:
    press.publish(reading="first", age_s=400)
    press.publish(reading="second", age_s=300)
    Rollback(client).roll_back(["kpis"])
    requests.finished(task, ok=True)
    status = web.get(f"/manager/dashboard/status/{task}").get_json()
    assert status["rolled_back"] == web.get("/manager/api/kpis").get_json()["meta"]["rolled_back"]
    assert status["rolled_back"] is not None
    other = requests.submit(RequestKind.REFRESH, "charts", EVERYTHING).id
    assert web.get(f"/manager/dashboard/status/{other}").get_json()["rolled_back"] is None


@pytest.mark.parametrize(
    ("reason", "is_of_source"),
    [("read_source: no route to host 10.0.0.1", True), ("cube: no memory", False)],
)
def test_a_failed_request_tells_why(web, press, requests, task, reason: str, is_of_source: bool) -> None:
    press.publish("kpis")
    requests.finished(task, ok=False, reason=reason)
    status = web.get(f"/manager/dashboard/status/{task}").get_json()
    assert (status["state"], status["reason"], status["source_failed"]) == ("failed", reason, is_of_source)
    # On a page in the words of its reader, and without the engineers'.
    page = web.get(f"/manager/indicators?lang=en&task={task}").text
    notice = page.partition('class="notice notice-refresh-failed"')[2].partition("</p>")[0]
    assert ("The source of the data does not answer" in notice) is is_of_source
    assert ("New figures could not be computed" in notice) is not is_of_source
    assert "10.0.0.1" not in page


def test_without_an_engineers_ui_there_is_no_link(cache_url, settings_of, requests, task) -> None:
    requests.started(task, "run-7")
    web = create_app(settings_of(REDIS_URL=cache_url)).test_client()
    status = web.get(f"/manager/dashboard/status/{task}").get_json()
    assert (status["run_id"], status["run_url"]) == ("run-7", None)


@pytest.mark.parametrize("task_id", ["0" * 32, "x", "of:" + "0" * 32, "%00"])
def test_an_unknown_request(task_id, web, task) -> None:
    response = web.get(f"/manager/dashboard/status/{task_id}")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert response.get_json()["type"] == "/problems/request-unknown"


def test_a_damaged_request_is_unknown(web, client, task) -> None:
    client.hset(task_key(task), "state", "odd")
    assert web.get(f"/manager/dashboard/status/{task}").status_code == 404
    client.delete(task_key(task))
    client.set(task_key(task), "not a hash")
    response = web.get(f"/manager/dashboard/status/{task}")
    assert response.status_code == 503
