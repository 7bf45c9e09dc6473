"""Counts the runs that end, from what Dagster lists: a run whose process crashed tells of it nowhere else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from kpi_pipeline.model.pipeline_report import JobReport, RunCounts
from kpi_pipeline.stack.dagster_client import EndedRun, UnfinishedRun

OVERLAP_S: Final = 60.0
"""How far back the list of ended runs is read again: the end of a run is stored a moment after it."""

RECENT: Final = 500
"""How many counted runs are remembered: more than end within the overlap."""


class EndedRuns:
    """The runs that have ended since the first monitor.

    Args:
        now: The present, in seconds since the epoch.
        counts: What an earlier monitor has counted.
        jobs: The last runs that it knew.
    """

    def __init__(self, now: float, counts: RunCounts, jobs: Mapping[str, JobReport]) -> None:
        self._at = counts.at or now
        self._ended = {job: Counter(by_status) for job, by_status in counts.ended.items()}
        self._recent = dict.fromkeys(counts.recent)
        self.jobs = dict(jobs)

    @property
    def since(self) -> float:
        """From which moment on Dagster is to list ended runs, in seconds since the epoch."""
        return self._at - OVERLAP_S

    @property
    def counts(self) -> RunCounts:
        """How many have ended."""
        ended = {job: dict(by_status) for job, by_status in self._ended.items()}
        return RunCounts(ended, self._at, tuple(self._recent))

    def count(self, listed: Sequence[EndedRun], now: float) -> list[EndedRun]:
        """Count the runs that Dagster lists.

        Args:
            listed: The runs that have ended or were changed after `since`.
            now: The present, in seconds since the epoch.

        Returns:
            Those that were not counted before, the earliest first.
        """
        # An old run can be listed again because its tags were changed.
        fresh = [
            run
            for run in listed
            if run.run_id not in self._recent and (run.ended_at is None or run.ended_at > self.since)
        ]
        fresh.sort(key=lambda run: run.ended_at or now)
        for run in fresh:
            self._recent[run.run_id] = None
            self._ended.setdefault(run.job, Counter())[run.status] += 1
            self.jobs[run.job] = _job_report(run, now)
        for forgotten in list(self._recent)[:-RECENT]:
            del self._recent[forgotten]
        self._at = now
        return fresh


def unfinished_counts(runs: Sequence[UnfinishedRun]) -> dict[str, dict[str, int]]:
    """How many runs of each job wait, `queued`, or are under way, `started`."""
    counts: dict[str, dict[str, int]] = {}
    for run in runs:
        by_status = counts.setdefault(run.job, {"queued": 0, "started": 0})
        by_status["started" if run.started else "queued"] += 1
    return counts


def _job_report(run: EndedRun, now: float) -> JobReport:
    ended_at = run.ended_at or now
    seconds = None if run.started_at is None else round(max(ended_at - run.started_at, 0.0), 3)
    steps = {step: round(end - begin, 3) for step, (begin, end) in run.steps.items()}
    return JobReport(run.run_id, run.status, ended_at, seconds, steps)
