"""A hang is told from a queue, and a silent sensor or schedule from one that is not due."""

from importlib.metadata import version
from pathlib import Path

import pytest
from dagster._daemon.monitoring import run_monitoring

from kpi_pipeline.model.pipeline_report import GIVEN_UP, WORKER_SILENT_S, StalledRun, TickReport
from kpi_pipeline.stack.dagster_client import Automation, UnfinishedRun
from kpi_pipeline.stack.stalls import (
    LONGEST_S,
    MISSED_S,
    QUEUED_S,
    QUIET_SHARE,
    UNSTARTED_S,
    RunWatch,
    TickWatch,
    WorkerWatch,
)

START = 1_000_000.0
QUIET_S = QUIET_SHARE * LONGEST_S


def waiting(run_id: str, since: float) -> UnfinishedRun:
    return UnfinishedRun(run_id, "refresh_kpis", False, since)


def under_way(run_id: str, sign_at: float, longest_s: float | None = None) -> UnfinishedRun:
    return UnfinishedRun(run_id, "refresh_all", True, sign_at, longest_s)


def mine(run: UnfinishedRun) -> StalledRun:
    return StalledRun(run.run_id, run.job, run.started, run.sign_at)


def ids(stalled) -> list[str]:
    return [run.run_id for run in stalled]


def test_a_run_that_nobody_starts_hangs() -> None:
    watch = RunWatch(START)
    run = waiting("a", START)
    assert watch.stalled([run], START + UNSTARTED_S) == ()
    assert ids(watch.stalled([run], START + UNSTARTED_S + 1)) == ["a"]


def test_a_queue_behind_a_long_run_is_no_hang_until_dagster_gives_its_runs_up() -> None:
    watch = RunWatch(START)
    queued = waiting("b", START)
    for after in (UNSTARTED_S + 1, QUEUED_S - 1):
        at = START + after
        assert watch.stalled([under_way("a", at - 30), queued], at) == ()
    # The one before it has ended a moment ago.
    assert watch.stalled([queued], START + QUEUED_S - 0.5) == ()
    at = START + QUEUED_S + 1
    assert ids(watch.stalled([under_way("a", at - 30), queued], at)) == ["b"]


def test_a_queue_behind_a_run_without_a_sign_hangs_with_it() -> None:
    watch = RunWatch(START)
    runs = [waiting("b", START), under_way("a", START)]
    assert watch.stalled(runs, START + QUIET_S) == ()
    assert ids(watch.stalled(runs, START + QUIET_S + UNSTARTED_S + 1)) == ["a", "b"]


def test_a_run_that_others_overtake_again_and_again_hangs() -> None:
    watch, at, idle_s = RunWatch(START), START, 0.0
    lost = waiting("lost", START)
    while idle_s < UNSTARTED_S:
        # Another run is executed, and then the worker has nothing to do but for what was lost.
        assert watch.stalled([under_way("a", at), lost], at) == ()
        at, idle_s = at + 30, idle_s + 20
        assert watch.stalled([lost], at, ended_at=at - 20) == (() if idle_s <= UNSTARTED_S else (mine(lost),))
    assert at - START < QUEUED_S
    fresh = waiting("fresh", at)
    assert ids(watch.stalled([under_way("b", at), lost, fresh], at + 5)) == ["lost"]


def test_a_worker_without_a_sign_hangs() -> None:
    watch = WorkerWatch()
    for after in (0, 5, WORKER_SILENT_S + 5):
        assert watch.silent({"kpi@here": b"%d" % after}, START + after) == {}
    last = START + WORKER_SILENT_S + 5
    signs = {"kpi@here": b"%d" % (WORKER_SILENT_S + 5), "kpi@there": b"1"}
    assert watch.silent(signs, last + WORKER_SILENT_S) == {}
    assert watch.silent({**signs, "kpi@there": b"2"}, last + WORKER_SILENT_S + 1) == {
        "kpi@here": WORKER_SILENT_S + 1
    }
    # It has ended, and its successor begins.
    assert watch.silent({}, last + 100) == {}
    assert watch.silent({"kpi@here": b"3"}, last + 101) == {}


def test_workers_have_time_after_their_signs_could_not_be_read() -> None:
    watch = WorkerWatch()
    watch.silent({"kpi@here": b"1"}, START)
    watch.restart()
    assert watch.silent({"kpi@here": b"1"}, START + WORKER_SILENT_S + 1) == {}


def test_a_run_that_may_take_longer_may_be_quiet_for_longer() -> None:
    watch = RunWatch(START)
    backfill = under_way("a", START, longest_s=2 * LONGEST_S)
    assert watch.stalled([backfill], START + QUIET_S + 1) == ()
    assert ids(watch.stalled([backfill], START + 2 * QUIET_S + 1)) == ["a"]


def test_a_worker_has_time_after_a_start_of_the_stack() -> None:
    left = waiting("a", START - 7 * QUEUED_S)
    assert ids(RunWatch(START).stalled([left], START + 1)) == ["a"]  # Dagster has given it up
    assert RunWatch(START).stalled([waiting("a", START - UNSTARTED_S)], START + UNSTARTED_S) == ()


@pytest.mark.parametrize(("interval", "bound"), [(1, MISSED_S), (10, MISSED_S), (300, 3000)])
def test_a_sensor_is_silent_after_several_of_its_intervals(interval: float, bound: float) -> None:
    watch = TickWatch()
    sensor = Automation("one", START, interval_s=interval)
    assert watch.failing([sensor], START) == ()
    assert watch.failing([sensor], START + bound) == ()
    (report,) = watch.failing([sensor], START + bound + 1)
    assert report == TickReport("one", "", START)


def test_a_schedule_is_silent_only_after_a_time_it_has_missed() -> None:
    watch = TickWatch()
    nightly = Automation("nightly", START - 80_000, due_at=START - 80_000)
    assert watch.failing([nightly], START) == ()
    assert watch.failing([nightly], START + 5_000) == ()
    missed = Automation("nightly", START - 80_000, due_at=START + 6_400)
    assert watch.failing([missed], START + 6_400 + MISSED_S) == ()
    (report,) = watch.failing([missed], START + 6_401 + MISSED_S)
    assert report == TickReport("nightly", "", START + 6_400, is_sensor=False)


def test_what_was_missed_while_the_stack_was_down_or_turned_off_is_not_silent() -> None:
    watch = TickWatch()
    old = Automation("sensor", START - 80_000, interval_s=10)
    due = Automation("schedule", None, due_at=START - 70_000)
    assert watch.failing([old, due], START) == ()
    assert watch.failing([old, due], START + MISSED_S) == ()
    later = START + 9_000
    on_again = Automation("later", START - 80_000, due_at=START - 1_000)
    assert watch.failing([on_again], later) == ()
    assert watch.failing([], later + 1) == ()
    assert watch.failing([old], later + 2) == ()


def test_one_that_fails_and_one_that_has_never_ticked() -> None:
    watch = TickWatch()
    failed = Automation("failed", START, "no such table", interval_s=10)
    never = Automation("never", None, interval_s=10)
    assert watch.failing([failed, never], START) == (TickReport("failed", "no such table"),)
    assert TickReport("never", "", START) in watch.failing([failed, never], START + MISSED_S + 1)


def test_dagster_words_its_reasons_for_runs_that_do_not_go_on_as_before() -> None:
    words = Path(run_monitoring.__file__).read_text()
    assert all(reason in words for reason in GIVEN_UP), f"dagster {version('dagster')} has new words"
