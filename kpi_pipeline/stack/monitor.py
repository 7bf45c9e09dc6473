"""The monitor: reports how the pipeline is, so that serving, which reaches only Redis, can say so.

Started as `python -m kpi_pipeline.stack.monitor`. Once it ends, serving says that the pipeline is silent.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import redis

from kpi_pipeline.cache.pipeline_report import publish_report, published_report
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.pipeline_report import PipelineReport, ProcessReport, RunReport
from kpi_pipeline.stack.dagster_client import FINISHED, DagsterClient, DagsterUnreachable, RunRefused
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.process_start import start_process
from kpi_pipeline.stack.supervision import control, read_states, running_addresses

PERIOD_S: Final = 5.0
"""Seconds between two reports."""

HEARTBEAT_S: Final = 180
"""A daemon without a sign for so many seconds is not healthy; it gives one every half minute."""

REASON_LENGTH: Final = 300
"""How many characters of the reason of a failure are reported; Dagster shows all of it."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StackState:
    """The supervised processes and whether they are watched, as in `PipelineReport`."""

    processes: tuple[ProcessReport, ...] | None
    watched: bool


class Monitor:
    """Observes the supervisor and Dagster.

    Args:
        dagster: Dagster's web server.
        stack: Reads the state of the supervised processes.
        before: The last report of an earlier monitor, whose runs stay known.
        clock: The present, in seconds since the epoch.
    """

    def __init__(
        self,
        dagster: DagsterClient,
        stack: Callable[[], StackState],
        before: PipelineReport | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dagster = dagster
        self._stack = stack
        self._clock = clock
        self._started_at = clock()
        self._failure = ""
        self._runs: dict[str, RunReport] = dict(before.runs) if before else {}

    def observe(self) -> PipelineReport:
        """How the pipeline is now; it never fails."""
        daemons, failure = None, ""
        try:
            daemons = self._daemons()
            self._observe_runs()
        except (DagsterUnreachable, RunRefused) as error:
            failure = str(error)
        if failure and not self._failure:
            _LOG.warning("Dagster cannot be observed: %s", failure)
        self._failure = failure
        stack = self._stack()
        return PipelineReport(
            self._clock(), stack.processes, watched=stack.watched, daemons=daemons, runs=dict(self._runs)
        )

    def _daemons(self) -> Mapping[str, bool]:
        # A daemon has time to give its first sign after a start.
        earliest = self._clock() - HEARTBEAT_S
        heartbeats = self._dagster.heartbeats()
        return {daemon: max(at, self._started_at) >= earliest for daemon, at in heartbeats.items()}

    def _observe_runs(self) -> None:
        """Note the runs that have ended; one under way leaves the one before it known."""
        latest = self._dagster.latest_runs([f"live_{product}" for product in PRODUCTS])
        for product in PRODUCTS:
            run = latest.get(f"live_{product}")
            known = self._runs.get(product)
            if run is None or run.status not in FINISHED or (known and known.run_id == run.run_id):
                continue
            reason = self._dagster.failure_reason(run.run_id) if run.status == "FAILURE" else ""
            if len(reason) > REASON_LENGTH:
                reason = f"{reason[: REASON_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}"
            self._runs[product] = RunReport(
                run.run_id, run.job, run.status, run.ended_at or self._clock(), reason
            )


def stack_state(home: Home) -> StackState:
    """The processes of the stack of a KPI_HOME."""
    addresses = running_addresses(home)
    if addresses is None:
        return StackState(None, watched=True)
    states = read_states(control(addresses))
    processes = tuple(ProcessReport(state.name, state.state, state.detail) for state in states)
    return StackState(processes, watched=StackLock(home.lock_file).held())


def run() -> None:
    """Report until the process is ended.

    Raises:
        SystemExit: If settings name no servers; says what to set.
    """
    settings, client, dagster = start_process("monitor")
    home = Home(settings)
    monitor = None
    while True:
        try:
            if monitor is None:
                monitor = Monitor(dagster, lambda: stack_state(home), published_report(client))
            publish_report(client, monitor.observe())
        except redis.RedisError as error:
            _LOG.warning("the state of the pipeline is not reported: %s", error)
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    run()
