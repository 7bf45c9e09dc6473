"""Requests of readers become one run a product, and none is lost."""

import os
import threading
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, RunRequest, SkipReason, build_sensor_context

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors import unfulfilled_requests as stream
from kpi_pipeline.sensors.unfulfilled_requests import requested_refreshes
from kpi_pipeline.settings import Settings
from serving.app import create_app
from tests.conftest import leave_idle

TWO = Filter.of({"client": ["a", "b"]})


@pytest.fixture(autouse=True)
def no_dispatcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sensor leaves nothing to a dispatcher."""
    monkeypatch.setattr(stream, "PATIENCE_S", 0.0)


def tick(instance: DagsterInstance) -> list[RunRequest]:
    with build_sensor_context(instance=instance, resources={"cache": CacheResource()}) as context:
        yielded = list(requested_refreshes(context))
    return [one for one in yielded if not isinstance(one, SkipReason)]


def record_run(instance: DagsterInstance, request: RunRequest) -> str:
    job = defs.resolve_job_def(str(request.job_name))
    return instance.create_run_for_job(job, tags=request.tags).run_id


def test_without_requests_there_is_no_run(requests: Requests, instance: DagsterInstance) -> None:
    assert tick(instance) == []


def test_a_new_request_is_left_to_the_dispatcher(
    requests: Requests, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    monkeypatch.setattr(stream, "PATIENCE_S", 60.0)
    assert tick(instance) == []
    monkeypatch.setattr(stream, "PATIENCE_S", 0.0)
    assert len(tick(instance)) == 1


@pytest.mark.slow
def test_1000_simultaneous_cold_requests_cause_one_run(
    requests: Requests, instance: DagsterInstance, demo_home: Path
) -> None:
    app = create_app(Settings(_env_file=None, KPI_HOME=demo_home, REDIS_URL=os.environ["REDIS_URL"]))
    gate = threading.Barrier(20)

    def submit() -> None:
        web = app.test_client()
        gate.wait()
        for _ in range(50):
            assert web.post("/manager/dashboard/refresh?product=kpis").status_code == 202

    threads = [threading.Thread(target=submit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (run,) = tick(instance)
    assert len([tag for tag in run.tags if tag.startswith("kpi-task/")]) == 1
    record_run(instance, run)
    assert tick(instance) == []


def test_requests_of_a_product_share_one_run_that_names_their_tasks(
    requests: Requests, instance: DagsterInstance
) -> None:
    tasks = [
        requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING),
        requests.submit(RequestKind.CLEAR, "kpis", EVERYTHING),
        requests.submit(RequestKind.REFRESH, "charts", EVERYTHING),
        requests.submit(RequestKind.WARM, "kpis", TWO),
    ]
    added, kpis, charts = tick(instance)
    assert (added.job_name, kpis.job_name, charts.job_name) == (
        "add_answers",
        "refresh_kpis",
        "refresh_charts",
    )
    assert {f"kpi-task/{task.id}" for task in tasks[:2]} == {
        tag for tag in kpis.tags if tag.startswith("kpi-task/")
    }
    assert f"kpi-task/{tasks[2].id}" in charts.tags
    assert f"kpi-task/{tasks[3].id}" in added.tags


def test_a_variant_asked_for_is_noted_for_the_next_generation(
    requests: Requests, instance: DagsterInstance
) -> None:
    requests.submit(RequestKind.WARM, "kpis", TWO)
    tick(instance)
    with connect(os.environ["REDIS_URL"]) as client:
        assert UsageCounters(client).most_requested_filters("kpis", 10) == [TWO]


def test_a_request_whose_run_was_never_recorded_is_delivered_again(
    requests: Requests, instance: DagsterInstance
) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    lost = tick(instance)
    assert tick(instance) == []
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        leave_idle(client, 61)
    again = tick(instance)
    # The same key: Dagster starts no second run when the first was recorded after all.
    assert [one.run_key for one in again] == [one.run_key for one in lost]


def test_a_request_whose_run_is_recorded_is_only_acknowledged(
    requests: Requests, instance: DagsterInstance
) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    record_run(instance, tick(instance)[0])
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        leave_idle(client, 61)
    assert tick(instance) == []
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.xlen("kpi:requests") == 0


def test_a_request_in_flight_is_not_asked_twice(requests: Requests, instance: DagsterInstance) -> None:
    first = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    second = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert (second.id, second.joined) == (first.id, True)
    (run,) = tick(instance)
    assert [tag for tag in run.tags if tag.startswith("kpi-task/")] == [f"kpi-task/{first.id}"]
    assert requests.status(first.id).state is TaskState.QUEUED


def test_a_request_joins_a_run_until_that_reads_the_source(
    requests: Requests, instance: DagsterInstance
) -> None:
    run = instance.create_run_for_job(defs.resolve_job_def("refresh_all"))
    joined = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id
    assert tick(instance) == []
    with connect(os.environ["REDIS_URL"]) as client:
        assert RunTasks(client).joined(run.run_id) == [joined]
        RunTasks(client).begin_reading(run.run_id, [])
        later = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING, by="refresh_kpis_schedule").id
        assert later != joined
        assert tick(instance) == []
        instance.report_run_failed(run, "ended")
        leave_idle(client, 61)
    (own,) = tick(instance)
    assert f"kpi-task/{later}" in own.tags


def test_more_requests_than_one_tick_takes_are_all_taken_in_the_end(
    requests: Requests, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "TAKEN_AT_ONCE", 2)
    requested = {
        requests.submit(RequestKind.WARM, "kpis", Filter.of({"client": f"c{n}"})).id for n in range(5)
    }
    taken = set()
    while found := tick(instance):
        taken |= {tag.removeprefix("kpi-task/") for run in found for tag in run.tags if "task/" in tag}
    assert taken == requested
