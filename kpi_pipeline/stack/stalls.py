"""What should go on and does not: runs that no worker starts or finishes, silent workers and sensors."""

from collections.abc import Mapping, Sequence
from typing import Final

from kpi_pipeline.model.pipeline_report import WORKER_SILENT_S, StalledRun, TickReport
from kpi_pipeline.stack.dagster_client import Automation, UnfinishedRun

UNSTARTED_S: Final = 90.0
"""A run that has waited for so many seconds in all while no worker did anything is stalled.

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

    A run that waits although a worker could have started it, all in all for long, was lost on its way to the
    workers: those that were created after it may be started.

    Args:
        now: The present, in seconds since the epoch: a worker has had no time to work before.
    """

    def __init__(self, now: float) -> None:
        self._observed_at = now
        self._idle_s: dict[str, float] = {}
        """For how long each run that waits has done so while no worker did anything."""

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
        is_idle = not any(run.started for run in runs if run not in quiet)
        waiting = [run for run in runs if not run.started]
        idle_since = max(self._observed_at, ended_at)
        self._idle_s = {
            run.run_id: self._idle_s.get(run.run_id, 0.0)
            + (max(0.0, now - max(idle_since, run.sign_at)) if is_idle else 0.0)
            for run in waiting
        }
        self._observed_at = now
        left = [
            run for run in waiting if self._idle_s[run.run_id] > UNSTARTED_S or now - run.sign_at > QUEUED_S
        ]
        return tuple(StalledRun(run.run_id, run.job, run.started, run.sign_at) for run in quiet + left)


class WorkerWatch:
    """Finds the workers that give no sign.

    A worker has time for the next one from when its last was first seen, by the clock of the watch alone.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[bytes, float]] = {}

    def silent(self, signs: Mapping[str, bytes], now: float) -> dict[str, float]:
        """For how many seconds each worker has given no sign, of those that hang.

        Args:
            signs: The last sign of each worker: any value, another one with each sign.
            now: The present, in seconds since the epoch.
        """
        self._seen = {
            worker: known if (known := self._seen.get(worker, (b"", now)))[0] == sign else (sign, now)
            for worker, sign in signs.items()
        }
        return {worker: now - at for worker, (_, at) in self._seen.items() if now - at > WORKER_SILENT_S}

    def restart(self) -> None:
        """Give every worker time again: signs could not be read, nor perhaps be given."""
        self._seen.clear()


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
