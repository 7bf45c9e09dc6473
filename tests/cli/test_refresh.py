"""A run that is followed: what it waits for is said once, and it goes on."""

from collections.abc import Iterator

import pytest

from kpi_pipeline.cli import refresh
from kpi_pipeline.cli.console import ProgressDisplay
from kpi_pipeline.cli.refresh import run_job
from kpi_pipeline.stack.dagster_client import DagsterClient, RunProgress, StepProgress, UnfinishedRun

WAITING = RunProgress("STARTING", None)
BLOCKED = RunProgress("STARTED", None, {"roll_up": StepProgress("SUCCESS", 1.0)})
AT_WORK = RunProgress("STARTED", None, {"kpis": StepProgress("IN_PROGRESS", None)})
DONE = RunProgress("SUCCESS", 1.0)
OTHER = UnfinishedRun("other", "refresh_all", True, 1.0)
SAID = "refresh_kpis: waits for refresh_all (http://dagster/runs/other), and goes on by itself after that"


class Dagster(DagsterClient):
    """Has runs under way, and one that is followed."""

    def __init__(self, progress: list[RunProgress], *unfinished: UnfinishedRun) -> None:
        super().__init__("http://dagster")
        self._run = progress
        self._unfinished = [*unfinished, UnfinishedRun("own", "refresh_kpis", True, 1.0)]

    def launch(self, job: str, tags: object) -> str:
        return "own"

    def follow(self, run_id: str, timeout_s: float, poll_s: float = 0.2) -> Iterator[RunProgress]:
        yield from self._run

    def unfinished_runs(self) -> list[UnfinishedRun]:
        return self._unfinished


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(refresh, "PATIENCE_S", 0.0)

    def of(server: Dagster) -> list[str]:
        with ProgressDisplay() as display:
            run_job(server, "refresh_kpis", {}, display)
        return capsys.readouterr().out.splitlines()

    return of


@pytest.mark.parametrize("waits", [WAITING, BLOCKED])
def test_what_a_run_waits_for_is_said_once(lines, waits: RunProgress) -> None:
    told = lines(Dagster([waits, waits, waits, AT_WORK, DONE], OTHER))
    assert told.count(SAID) == 1
    assert told.index(SAID) < told.index("  kpis: in progress")


@pytest.mark.parametrize(
    "server",
    [
        Dagster([WAITING, AT_WORK, DONE]),
        Dagster([AT_WORK, AT_WORK, DONE], OTHER),
        Dagster([WAITING, DONE], UnfinishedRun("behind", "refresh_all", False, 1.0)),
    ],
    ids=["nothing else runs", "it is at work", "the others wait too"],
)
def test_nothing_is_said_of_a_run_that_waits_for_none(lines, server: Dagster) -> None:
    assert not [line for line in lines(server) if "waits for" in line]


def test_a_short_wait_is_not_worth_a_word(lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "PATIENCE_S", 60.0)
    assert SAID not in lines(Dagster([WAITING, AT_WORK, DONE], OTHER))
