"""A refresh from POST to the figures served, and whatever can be killed on the way."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.stack.addresses import OPENER
from kpi_pipeline.stack.dagster_client import DagsterClient, UnfinishedRun
from kpi_pipeline.stack.dispatcher import Dispatcher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RUNS = "{ runsOrError(limit: 100) { ... on Runs { results { runId status tags { key value } } } } }"


@dataclass(frozen=True)
class Run:
    """A run that works on a task."""

    run_id: str
    status: str
    entry: str


def post(machine: Any, path: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{machine.addresses.web_url}{path}", method="POST")
    with OPENER.open(request, timeout=15) as answer:
        assert answer.status == 202
        return json.load(answer)


def task_of(machine: Any, told: dict[str, Any]) -> dict[str, Any]:
    return machine.get(told["status_url"]).json()


def end_of(machine: Any, wait: Any, told: dict[str, Any]) -> dict[str, Any]:
    wait(lambda: task_of(machine, told)["state"] not in ("queued", "started"), 100, "the task ends")
    return task_of(machine, told)


def runs_of(machine: Any, told: dict[str, Any]) -> list[Run]:
    """Every run that works on a task."""
    request = urllib.request.Request(
        f"{machine.addresses.dagster_url}/graphql",
        json.dumps({"query": RUNS}).encode(),
        {"Content-Type": "application/json"},
    )
    with OPENER.open(request, timeout=15) as answer:
        found = json.load(answer)["data"]["runsOrError"]["results"]
    return [
        Run(run["runId"], run["status"], tag["value"])
        for run in found
        for tag in run["tags"]
        if tag["key"] == f"kpi-task/{told['task_id']}"
    ]


def all_run(machine: Any) -> bool:
    states = machine.states()
    return bool(states) and all(state.state == "RUNNING" for state in states.values())


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def taken_by_dispatcher(machine: Any) -> int:
    """How many requests the dispatcher holds and has not acknowledged."""
    with redis.Redis.from_url(machine.addresses.redis_url("pipeline")) as client:
        return len(client.xpending_range("kpi:requests", "pipeline", "-", "+", 10, consumername="dispatcher"))


def test_a_refresh_is_a_run_that_the_ui_shows_and_its_figures_are_served(stack, wait) -> None:
    told = post(stack, "/manager/dashboard/refresh?product=kpis")
    task = end_of(stack, wait, told)
    assert task["state"] == "succeeded"
    assert task["run_url"] == f"{stack.addresses.dagster_url}/runs/{task['run_id']}"
    assert task["progress"]["steps_done"] == task["progress"]["steps"] > 0
    timings = task["timings"]
    assert 0 < timings["started_s"] < timings["computed_s"] < timings["published_s"] <= timings["finished_s"]
    wait(
        lambda: stack.get("/manager/api/kpis").json()["meta"]["run_id"] == task["run_id"],
        10,
        "the run's figures are served",
    )
    assert [run.run_id for run in runs_of(stack, told)] == [task["run_id"]]


def test_the_button_works_without_javascript(stack, wait) -> None:
    request = urllib.request.Request(
        f"{stack.addresses.web_url}/manager/dashboard/refresh", b"lang=en", {"Accept": "text/html"}
    )
    with OPENER.open(request, timeout=15) as answer:  # follows the redirect
        address = answer.url.removeprefix(stack.addresses.web_url)
        assert "New figures are being computed" in answer.read().decode()
    assert address.startswith("/manager/dashboard?lang=en&task=")
    wait(lambda: b"The figures are up to date." in stack.get(address).body, 60, "the page says so")


def test_a_dispatcher_killed_between_taking_and_launching_loses_nothing(stack, wait) -> None:
    states = stack.states()
    with stopped(states["dagster-web"].pid):
        # The launch hangs: the request is taken, and its run is not recorded.
        told = post(stack, "/manager/dashboard/refresh?product=charts")
        wait(lambda: taken_by_dispatcher(stack) == 1, 20, "the dispatcher has taken the request")
        os.kill(states["dispatcher"].pid, signal.SIGKILL)
    assert end_of(stack, wait, told)["state"] == "succeeded"
    wait(lambda: taken_by_dispatcher(stack) == 0, 30, "the request is acknowledged")
    # The web server may have launched what the dead dispatcher had asked, or its successor did.
    assert len(runs_of(stack, told)) == 1
    wait(lambda: all_run(stack), 30, "every process runs")


def test_a_request_delivered_twice_makes_one_run(stack, wait) -> None:
    told = post(stack, "/manager/dashboard/refresh?product=kpis")
    wait(lambda: runs_of(stack, told), 30, "its run is recorded")
    (run,) = runs_of(stack, told)
    with redis.Redis.from_url(stack.addresses.redis_url("pipeline")) as client:
        wait(lambda: client.xlen("kpi:requests") == 0, 30, "the request is acknowledged")
        # As it stood in the stream before it was acknowledged, taken by a dispatcher that then died.
        fields = client.hgetall(f"kpi:task:{told['task_id']}")
        pid = stack.states()["dispatcher"].pid
        os.kill(pid, signal.SIGSTOP)
        # Below the last id of the stream no entry can be added: the group is set back instead.
        client.delete("kpi:requests")
        client.xadd("kpi:requests", fields, id=run.entry)
        client.xgroup_create("kpi:requests", "pipeline", id="0")
        client.xreadgroup("pipeline", "dispatcher", {"kpi:requests": ">"})
        os.kill(pid, signal.SIGKILL)
        wait(lambda: client.xlen("kpi:requests") == 0, 60, "it is delivered again, and acknowledged")
    assert end_of(stack, wait, told)["state"] == "succeeded"
    assert [one.run_id for one in runs_of(stack, told)] == [run.run_id]
    wait(lambda: all_run(stack), 30, "every process runs")


def test_a_task_fails_with_the_reason_of_its_run(stack, wait) -> None:
    demo = stack.home / "demo.db"
    aside = demo.rename(demo.with_suffix(".aside"))
    try:
        told = post(stack, "/manager/dashboard/refresh?product=financials")
        task = end_of(stack, wait, told)
    finally:
        aside.rename(demo)
    assert task["state"] == "failed"
    assert "read_source" in task["reason"]
    assert "demo.db" in task["reason"]


def test_a_task_whose_worker_is_killed_ends_with_the_retry(stack, wait) -> None:
    told = post(stack, "/manager/api/cache/clear?product=charts")["tasks"][0]
    wait(lambda: task_of(stack, told)["state"] == "started", 30, "its run is executed")
    lost = task_of(stack, told)["run_id"]
    os.kill(stack.states()["worker"].pid, signal.SIGKILL)
    wait(lambda: task_of(stack, told)["run_id"] != lost, 120, "the run is tried again")
    task = end_of(stack, wait, told)
    assert task["state"] == "succeeded"
    assert {run.run_id: run.status for run in runs_of(stack, told)} == {
        lost: "FAILURE",
        task["run_id"]: "SUCCESS",
    }
    wait(lambda: all_run(stack), 60, "every process runs")


class Dagster(DagsterClient):
    """Starts runs, and lists them until they end."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.runs: list[UnfinishedRun] = []
        self.launched: list[str] = []

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        self.launched.append(job)
        self.runs.append(UnfinishedRun(f"run {len(self.launched)}", job, False, 1.0, tags=tags))
        return self.runs[-1].run_id

    def unfinished_runs(self) -> list[UnfinishedRun]:
        return self.runs

    def run_with_tag(self, key: str, value: str) -> str | None:
        return None


def test_a_request_after_a_reading_waits_for_the_end_of_its_run(cache_url: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(cache_url) as client:
        requests, dagster = Requests(client), Dagster()
        dispatcher = Dispatcher(client, dagster, Archive(client, tmp_path))
        requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
        assert dispatcher.dispatch(0.01) == 0
        RunTasks(client).begin_reading("run 1", [])
        later = requests.submit(RequestKind.CLEAR, "kpis", EVERYTHING).id
        assert dispatcher.dispatch(0.01) == 1
        assert dispatcher.dispatch(0.01) == 1
        dagster.runs.clear()
        assert dispatcher.dispatch(0.01) == 0
        assert dagster.launched == ["refresh_kpis"] * 2
        assert requests.status(later).run_id == "run 2"
        assert client.xlen("kpi:requests") == 0


def test_who_waits_for_one_product_waits_for_no_run_of_all(cache_url: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(cache_url) as client:
        requests, dagster = Requests(client), Dagster()
        dispatcher = Dispatcher(client, dagster, Archive(client, tmp_path))
        automatic = requests.submit(RequestKind.REFRESH, "all", EVERYTHING, by="source_changes").id
        assert dispatcher.dispatch(0.01) == 0
        RunTasks(client).begin_reading("run 1", [automatic])
        requests.submit(RequestKind.REFRESH, "charts", EVERYTHING, by="refresh_charts_schedule")
        assert dispatcher.dispatch(0.01) == 1
        reader = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id
        another = requests.submit(RequestKind.CLEAR, "kpis", EVERYTHING).id
        assert dispatcher.dispatch(0.01) == 1
        assert dagster.launched == ["refresh_all", "refresh_kpis"]
        assert {requests.status(task).run_id for task in (reader, another)} == {"run 2"}
        RunTasks(client).begin_reading("run 2", [reader, another])
        requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
        requests.submit(RequestKind.REFRESH, "all", EVERYTHING)
        assert dispatcher.dispatch(0.01) == 3
        assert len(dagster.launched) == 2


def test_it_shows_the_monitor_that_it_reads_requests(cache_url: str, tmp_path: Path) -> None:
    with redis.Redis.from_url(cache_url) as client:
        requests = Requests(client)
        assert requests.silent_s() is None
        dispatcher = Dispatcher(client, DagsterClient("http://127.0.0.1:9"), Archive(client, tmp_path))
        assert dispatcher.dispatch(0.01) == 0
        assert requests.silent_s() is not None
