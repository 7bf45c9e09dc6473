"""What the monitor reports, whatever Dagster and the supervisor answer."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.keys import DISPATCHER_KEY, REQUESTS_KEY
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.pipeline_report import (
    LAST_RUNS,
    WORKER_SILENT_S,
    JobReport,
    PipelineReport,
    ProcessReport,
    RequestsReport,
    RunCounts,
    RunReport,
    StalledRun,
    TickReport,
)
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import (
    Automation,
    DagsterClient,
    DagsterUnreachable,
    EndedRun,
    RecentRun,
    UnfinishedRun,
)
from kpi_pipeline.stack.dispatcher import CONSUMER
from kpi_pipeline.stack.ended_runs import OVERLAP_S
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.monitor import (
    HEARTBEAT_S,
    REASON_LENGTH,
    Monitor,
    StackState,
    requests_state,
    stack_state,
)
from kpi_pipeline.stack.stalls import UNSTARTED_S

STACK = StackState((ProcessReport("worker", "RUNNING"),), watched=True)


class Dagster(DagsterClient):
    """Answers as told, without a server."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.away = False
        self.beats = {"SENSOR": 0.0}
        self.latest: dict[str, RecentRun] = {}
        self.reasons_asked: list[str] = []
        self.unfinished: list[UnfinishedRun] = []
        self.ended: list[EndedRun] = []
        self.ended_since: list[float] = []
        self.turned_on: list[Automation] = []

    def heartbeats(self) -> dict[str, float]:
        if self.away:
            raise DagsterUnreachable("away")
        return self.beats

    def latest_runs(self, assets) -> dict[str, RecentRun]:
        assert "live_kpis" in assets
        return self.latest

    def ended_runs(self, since: float) -> list[EndedRun]:
        self.ended_since.append(since)
        return self.ended

    def unfinished_runs(self) -> list[UnfinishedRun]:
        return self.unfinished

    def automations(self, now: float) -> list[Automation]:
        return self.turned_on

    def failure_reason(self, run_id: str) -> str:
        self.reasons_asked.append(run_id)
        return f"{run_id}: " + "x" * 2 * REASON_LENGTH


@pytest.fixture
def dagster() -> Dagster:
    return Dagster()


def ended(run_id: str, status: str) -> RecentRun:
    return RecentRun(run_id, "refresh_kpis", status, 1.0, None if status == "STARTED" else 2.0, 1.0, "")


def test_a_run_under_way_leaves_the_one_before_it_known(dagster) -> None:
    monitor = Monitor(dagster, lambda: STACK)
    assert monitor.observe().runs == {}
    dagster.latest = {"live_kpis": ended("a", "FAILURE")}
    failed = monitor.observe().runs["kpis"]
    assert failed == RunReport("a", "refresh_kpis", "FAILURE", 2.0, failed.reason)
    assert len(failed.reason) == REASON_LENGTH
    dagster.latest = {"live_kpis": ended("b", "STARTED")}
    assert monitor.observe().runs["kpis"] == failed
    dagster.latest = {"live_kpis": ended("b", "SUCCESS")}
    assert monitor.observe().runs["kpis"].run_id == "b"
    monitor.observe()
    assert dagster.reasons_asked == ["a"]  # each is asked for once


def test_a_new_monitor_knows_the_runs_of_the_one_before(dagster) -> None:
    before = PipelineReport(1.0, runs={"kpis": RunReport("a", "refresh_kpis", "FAILURE", 1.0, "why")})
    dagster.latest = {"live_kpis": ended("b", "STARTED")}
    assert Monitor(dagster, lambda: STACK, before).observe().runs == before.runs


def test_a_daemon_without_a_sign_is_not_healthy_once_it_had_time_for_one(dagster) -> None:
    now = 1000.0
    monitor = Monitor(dagster, lambda: STACK, clock=lambda: now)
    assert monitor.observe().daemons == {"SENSOR": True}
    now += HEARTBEAT_S + 1
    assert monitor.observe().daemons == {"SENSOR": False}
    dagster.beats["SENSOR"] = now - 30
    assert monitor.observe().daemons == {"SENSOR": True}


def test_without_dagster_its_daemons_are_unknown_and_the_rest_is_reported(dagster) -> None:
    monitor = Monitor(dagster, lambda: STACK, clock=lambda: 7.0)
    dagster.away = True
    assert monitor.observe() == PipelineReport(
        7.0, STACK.processes, daemons=None, run_counts=RunCounts(at=7.0)
    )
    dagster.away = False
    assert monitor.observe().daemons == {"SENSOR": True}


def test_a_run_that_no_worker_starts_is_reported_as_soon_as_it_has_waited_too_long(dagster) -> None:
    now = 1000.0
    monitor = Monitor(dagster, lambda: STACK, clock=lambda: now)
    dagster.unfinished = [UnfinishedRun("a", "refresh_kpis", False, now)]
    assert monitor.observe().stalled == ()
    now += UNSTARTED_S + 1
    assert monitor.observe().stalled == (StalledRun("a", "refresh_kpis", False, 1000.0),)
    # A run that has just ended shows that the worker works: it would have started this one.
    dagster.latest = {"live_charts": replace(ended("b", "SUCCESS"), ended_at=now)}
    assert monitor.observe().stalled == (StalledRun("a", "refresh_kpis", False, 1000.0),)


def test_runs_that_end_are_counted_once_also_by_the_next_monitor(dagster) -> None:
    now, told = 1000.0, []
    monitor = Monitor(dagster, lambda: STACK, on_ended=told.append, clock=lambda: now)
    first = EndedRun("a", "refresh_kpis", "SUCCESS", 998.0, 1000.5, {"live_kpis": (999.0, 1000.0)})
    dagster.ended = [EndedRun("b", "clean_up", "FAILURE", None, 1000.9), first]
    dagster.unfinished = [
        UnfinishedRun("c", "refresh_kpis", True, 1000.0),
        UnfinishedRun("d", "refresh_kpis", False, 1000.0),
    ]
    report = monitor.observe()
    assert report.run_counts.ended == {"refresh_kpis": {"SUCCESS": 1}, "clean_up": {"FAILURE": 1}}
    assert report.jobs["refresh_kpis"] == JobReport("a", "SUCCESS", 1000.5, 2.5, {"live_kpis": 1.0})
    assert report.jobs["clean_up"] == JobReport("b", "FAILURE", 1000.9)
    assert report.unfinished == {"refresh_kpis": {"queued": 1, "started": 1}}
    now += 5
    assert monitor.observe().run_counts.ended == report.run_counts.ended
    now += 3600  # the monitor was down
    dagster.ended = [EndedRun("e", "clean_up", "CANCELED", 1100.0, 1200.0), *dagster.ended]
    later = Monitor(
        dagster, lambda: STACK, PipelineReport.from_json(report.to_json()), on_ended=told.append
    ).observe()
    assert dagster.ended_since[-1] == report.run_counts.at - OVERLAP_S
    assert later.run_counts.ended["clean_up"] == {"FAILURE": 1, "CANCELED": 1}
    assert later.jobs["refresh_kpis"] == report.jobs["refresh_kpis"]
    assert [run.run_id for run in told] == ["a", "b", "e"]


def test_the_last_runs_of_all_jobs_are_kept_and_each_reason_asked_once(dagster) -> None:
    monitor = Monitor(dagster, lambda: STACK, clock=lambda: 1000.0)
    dagster.ended = [
        EndedRun(f"run-{at}", "clean_up", "FAILURE" if at == 3 else "SUCCESS", 1000.0, 1000.0 + at)
        for at in range(LAST_RUNS + 2)
    ]
    report = monitor.observe()
    assert [run.ended_at for run in report.last_runs] == [1011.0 - at for at in range(LAST_RUNS)]
    (failed,) = (run for run in report.last_runs if run.failed)
    assert failed.reason.startswith("run-3: ")
    known = PipelineReport.from_json(report.to_json())
    later = Monitor(dagster, lambda: STACK, known, clock=lambda: 1000.0).observe()
    assert later.last_runs == report.last_runs
    assert dagster.reasons_asked == ["run-3"]


def test_a_sensor_that_fails_is_reported_at_once_and_its_reason_shortened(dagster) -> None:
    monitor = Monitor(dagster, lambda: STACK)
    dagster.turned_on = [Automation("source_changes", 0.0, "x" * 2 * REASON_LENGTH, interval_s=10)]
    (tick,) = monitor.observe().ticks
    assert (tick.name, len(tick.failure)) == ("source_changes", REASON_LENGTH)
    dagster.turned_on = [Automation("source_changes", 0.0, interval_s=10)]
    assert monitor.observe().ticks == ()


def test_what_dagster_does_not_tell_leaves_the_rest_reported(dagster) -> None:
    requests, now = RequestsReport(1, 2.0, 3.0), 1000.0
    monitor = Monitor(
        dagster, lambda: STACK, requests=lambda: requests, disk_free=lambda: 7, clock=lambda: now
    )
    # What waited while the stack was down has had no time yet.
    assert monitor.observe().requests == RequestsReport(1, 0.0, 0.0)
    now += 10
    dagster.turned_on = [Automation("source_changes", 0.0, "why", interval_s=10)]
    assert monitor.observe().ticks == (TickReport("source_changes", "why"),)
    dagster.away = True
    report = monitor.observe()
    assert (report.daemons, report.ticks, report.stalled) == (None, (), ())
    assert (report.requests, report.disk_free) == (requests, 7)
    assert PipelineReport.from_json(report.to_json()) == report


def test_requests_that_nobody_reads_and_a_dispatcher_that_has_stopped_reading(each_cache_url: str) -> None:
    with redis.Redis.from_url(each_cache_url) as client:
        assert requests_state(client) == RequestsReport(0, 0.0, None)
        requests = Requests(client)
        requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
        before = requests_state(client)
        assert (before.unread, before.silent_s) == (1, None)
        assert before.unread_s >= 0
        # Taken and not yet done is not unread.
        assert len(requests.take(CONSUMER, 10, 0.01)) == 1
        taken = requests_state(client)
        assert (taken.unread, taken.unread_s) == (0, 0.0)
        # Signs are those of the dispatcher, not of the sensor that reads in its place.
        assert taken.silent_s is None
        requests.sign()
        assert requests_state(client).silent_s >= 0
        client.pexpire(DISPATCHER_KEY, client.pttl(DISPATCHER_KEY) - 70_000)
        assert 70 <= requests_state(client).silent_s < 90
        client.xadd(REQUESTS_KEY, {"old": "1"}, id=f"{int(time.time() * 1000) + 1}-0")
        assert requests_state(client).unread == 1


def test_where_no_stack_runs_nothing_is_supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    home = Home(Settings())
    home.make()
    assert stack_state(home) == StackState(None, watched=True)


def test_a_worker_that_gives_no_sign_is_reported(dagster) -> None:
    now = [1_000.0]
    signs = {"kpi@here": b"1"}
    monitor = Monitor(dagster, lambda: STACK, worker_signs=lambda: signs, clock=lambda: now[0])
    assert monitor.observe().silent_workers == {}
    now[0] += WORKER_SILENT_S + 1
    assert monitor.observe().silent_workers == {"kpi@here": WORKER_SILENT_S + 1}
    signs["kpi@here"] = b"2"
    assert monitor.observe().silent_workers == {}


def test_a_worker_has_time_after_redis_was_away(dagster) -> None:
    now, is_away = [1_000.0], [False]

    def signs() -> dict[str, bytes]:
        if is_away[0]:
            raise redis.ConnectionError("away")
        return {"kpi@here": b"1"}

    monitor = Monitor(dagster, lambda: STACK, worker_signs=signs, clock=lambda: now[0])
    monitor.observe()
    is_away[0] = True
    with pytest.raises(redis.ConnectionError):
        monitor.observe()
    now[0] += WORKER_SILENT_S + 1
    is_away[0] = False
    assert monitor.observe().silent_workers == {}
