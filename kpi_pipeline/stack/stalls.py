"""What should go on and does not: runs that no worker starts or finishes, silent sensors and schedules."""

from collections.abc import Sequence
from typing import Final

from kpi_pipeline.model.pipeline_report import StalledRun, TickReport
from kpi_pipeline.stack.dagster_client import Automation, UnfinishedRun

UNSTARTED_S: Final = 90.0
"""A run that has waited for so many seconds while no worker does anything is stalled.

A warm worker starts a run within a second; one that itself starts needs up to a minute on a busy machine.
"""

QUEUED_S: Final = 600.0
"""A run that has waited for so many seconds is stalled, even behind others: Dagster fails it then."""

LONGEST_S: Final = 900.0
"""How long a run may take whose job does not say."""

QUIET_SHARE: Final = 0.5
"""A run without a sign for this share of the longest it may take is stalled: a step takes much less."""

MISSED_TICKS: Final = 10
"""A sensor is silent after so many of its intervals, a few of which a long tick takes."""

MISSED_S: Final = 300.0
"""Neither a sensor nor a schedule is silent earlier: a tick may probe a large source for some minutes."""


class RunWatch:
    """Finds the runs that do not go on, and tells them from those that wait behind a run under way.

    Args:
        now: The present, in seconds since the epoch: a worker has had no time to work before.
    """

    def __init__(self, now: float) -> None:
        self._worked_at = now

    def stalled(
        self, runs: Sequence[UnfinishedRun], now: float, ended_at: float = 0.0
    ) -> tuple[StalledRun, ...]:
        """The runs that do not go on.

        Args:
            runs: All that are unfinished.
            now: The present, in seconds since the epoch.
            ended_at: When a run last ended, likewise.
        """
        quiet = [run for run in runs if run.started and now - run.sign_at > _quiet_s(run)]
        at_work = any(run.started for run in runs if run not in quiet)
        self._worked_at = max(self._worked_at, now if at_work else ended_at)
        idle_s = now - self._worked_at
        waiting = [
            run
            for run in runs
            if not run.started and now - run.sign_at > (UNSTARTED_S if idle_s > UNSTARTED_S else QUEUED_S)
        ]
        return tuple(StalledRun(run.run_id, run.job, run.started, run.sign_at) for run in quiet + waiting)


class TickWatch:
    """Finds the sensors and schedules that should work and do not.

    Each has time to tick from when it is first seen turned on: its daemon may have started with the monitor.
    """

    def __init__(self) -> None:
        self._on_since: dict[str, float] = {}

    def failing(self, automations: Sequence[Automation], now: float) -> tuple[TickReport, ...]:
        """Those whose last tick failed, or that have not ticked for far longer than they should.

        Args:
            automations: All that are turned on.
            now: The present, in seconds since the epoch.
        """
        self._on_since = {one.name: self._on_since.get(one.name, now) for one in automations}
        reports = (
            TickReport(one.name, one.failure, self._silent_since(one, now), one.interval_s is not None)
            for one in automations
        )
        return tuple(report for report in reports if report.failure or report.silent_since is not None)

    def _silent_since(self, one: Automation, now: float) -> float | None:
        """Since when it should have ticked; None where it is on time."""
        last = max(one.ticked_at or 0.0, self._on_since[one.name])
        if one.interval_s is not None:
            return last if now - last > max(MISSED_S, MISSED_TICKS * one.interval_s) else None
        due = one.due_at
        return due if due is not None and due > last and now - due > MISSED_S else None


def _quiet_s(run: UnfinishedRun) -> float:
    return QUIET_SHARE * (LONGEST_S if run.longest_s is None else run.longest_s)
