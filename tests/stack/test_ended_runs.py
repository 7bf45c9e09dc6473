"""Which runs are counted that Dagster lists as ended."""

from kpi_pipeline.model.pipeline_report import RunCounts
from kpi_pipeline.stack.dagster_client import EndedRun
from kpi_pipeline.stack.ended_runs import OVERLAP_S, RECENT, EndedRuns


def run(run_id: str, ended_at: float | None, job: str = "clean_up") -> EndedRun:
    return EndedRun(run_id, job, "SUCCESS", 1.0, ended_at)


def test_the_end_of_a_run_that_is_stored_late_is_counted() -> None:
    ended = EndedRuns(1000.0, RunCounts(), {})
    ended.count([run("a", 1004.0)], 1005.0)
    assert ended.count([run("a", 1004.0), run("b", 1003.0)], 1010.0) == [run("b", 1003.0)]
    assert ended.counts.ended == {"clean_up": {"SUCCESS": 2}}


def test_an_old_run_whose_tags_change_is_not_counted_again() -> None:
    ended = EndedRuns(1000.0, RunCounts(), {})
    assert ended.count([run("old", 1000.0 - OVERLAP_S - 1)], 1005.0) == []
    assert ended.counts.ended == {}


def test_a_run_without_an_end_counts_as_ended_now() -> None:
    ended = EndedRuns(1000.0, RunCounts(), {})
    assert ended.count([run("a", None)], 1005.0)
    assert ended.jobs["clean_up"].ended_at == 1005.0


def test_what_is_remembered_is_bounded() -> None:
    ended = EndedRuns(0.0, RunCounts(), {})
    ended.count([run(str(number), 1.0 + number) for number in range(RECENT + 5)], 5.0)
    assert len(ended.counts.recent) == RECENT
    assert "0" not in ended.counts.recent
