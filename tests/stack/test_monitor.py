"""What the monitor reports, whatever Dagster and the supervisor answer."""

from pathlib import Path

import pytest

from kpi_pipeline.model.pipeline_report import PipelineReport, ProcessReport, RunReport
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RecentRun
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.monitor import HEARTBEAT_S, REASON_LENGTH, Monitor, StackState, stack_state

STACK = StackState((ProcessReport("worker", "RUNNING"),), watched=True)


class Dagster(DagsterClient):
    """Answers as told, without a server."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.away = False
        self.beats = {"SENSOR": 0.0}
        self.latest: dict[str, RecentRun] = {}
        self.reasons_asked: list[str] = []

    def heartbeats(self) -> dict[str, float]:
        if self.away:
            raise DagsterUnreachable("away")
        return self.beats

    def latest_runs(self, assets) -> dict[str, RecentRun]:
        assert "live_kpis" in assets
        return self.latest

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
    assert monitor.observe() == PipelineReport(7.0, STACK.processes, daemons=None)
    dagster.away = False
    assert monitor.observe().daemons == {"SENSOR": True}


def test_where_no_stack_runs_nothing_is_supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    home = Home(Settings())
    home.make()
    assert stack_state(home) == StackState(None, watched=True)
