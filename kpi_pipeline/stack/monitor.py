"""The monitor: reports how the pipeline is, so that serving, which reaches only Redis, can say so.

Started as `python -m kpi_pipeline.stack.monitor`. Once it ends, serving says that the pipeline is silent.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import redis

from kpi_pipeline.cache.connection import FAILURES, is_damage
from kpi_pipeline.cache.pipeline_report import publish_report, published_report
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.worker_signs import last_signs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.pipeline_report import (
    ELLIPSIS,
    LAST_RUNS,
    PipelineReport,
    ProcessReport,
    RequestsReport,
    RunReport,
    StalledRun,
    TickReport,
)
from kpi_pipeline.stack.dagster_client import (
    FINISHED,
    DagsterClient,
    DagsterUnreachable,
    EndedRun,
    RecentRun,
    RunRefused,
    UnfinishedRun,
)
from kpi_pipeline.stack.ended_runs import EndedRuns, unfinished_counts
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.process_start import start_process
from kpi_pipeline.stack.publication_times import PublicationTimes
from kpi_pipeline.stack.stalls import RunWatch, TickWatch, WorkerWatch
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
    """Observes the supervisor, Dagster and the requests.

    Args:
        dagster: Dagster's web server.
        stack: Reads the state of the supervised processes.
        before: The last report of an earlier monitor, whose runs stay known.
        requests: Reads the state of the requests; what it raises, `observe` raises.
        worker_signs: Reads the last sign of each worker; likewise.
        disk_free: Reads the free space of the disk of KPI_HOME.
        on_ended: Called with each run that has ended, once; what it raises, `observe` raises.
        clock: The present, in seconds since the epoch.
    """

    def __init__(
        self,
        dagster: DagsterClient,
        stack: Callable[[], StackState],
        before: PipelineReport | None = None,
        *,
        requests: Callable[[], RequestsReport | None] = lambda: None,
        worker_signs: Callable[[], Mapping[str, bytes]] = lambda: {},
        disk_free: Callable[[], int | None] = lambda: None,
        on_ended: Callable[[EndedRun], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dagster = dagster
        self._stack = stack
        self._clock = clock
        self._started_at = clock()
        self._requests = requests
        self._worker_signs = worker_signs
        self._disk_free = disk_free
        self._run_watch = RunWatch(self._started_at)
        self._tick_watch = TickWatch()
        self._worker_watch = WorkerWatch()
        self._failure = ""
        self._runs: dict[str, RunReport] = dict(before.runs) if before else {}
        self._on_ended = on_ended
        known = before or PipelineReport(self._started_at)
        self._last_runs = known.last_runs
        self._ended = EndedRuns(self._started_at, known.run_counts, known.jobs)

    def observe(self) -> PipelineReport:
        """How the pipeline is now."""
        daemons, failure = None, ""
        stalled: tuple[StalledRun, ...] = ()
        ticks: tuple[TickReport, ...] = ()
        unfinished: list[UnfinishedRun] = []
        ended: list[EndedRun] = []
        try:
            daemons = self._daemons()
            self._observe_runs()
            ended = self._ended.count(self._dagster.ended_runs(self._ended.since), self._clock())
            self._last_runs = self._with_latest(ended)
            unfinished = self._dagster.unfinished_runs()
            stalled = self._stalled(unfinished)
            ticks = self._ticks()
        except (DagsterUnreachable, RunRefused) as error:
            failure = str(error)
        if failure and not self._failure:
            _LOG.warning("Dagster cannot be observed: %s", failure)
        self._failure = failure
        for run in ended:
            self._on_ended(run)
        stack, requests = self._stack(), self._requests()
        return PipelineReport(
            self._clock(),
            stack.processes,
            watched=stack.watched,
            daemons=daemons,
            runs=dict(self._runs),
            last_runs=self._last_runs,
            stalled=stalled,
            silent_workers=self._silent_workers(),
            requests=requests and self._since_start(requests),
            ticks=ticks,
            disk_free=self._disk_free(),
            jobs=dict(self._ended.jobs),
            run_counts=self._ended.counts,
            unfinished=unfinished_counts(unfinished),
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
            self._runs[product] = RunReport(
                run.run_id, run.job, run.status, run.ended_at or self._clock(), self._reason(run)
            )

    def _with_latest(self, ended: Sequence[EndedRun]) -> tuple[RunReport, ...]:
        """The last runs, with those that have ended since."""
        new = [
            RunReport(run.run_id, run.job, run.status, run.ended_at or self._clock(), self._reason(run))
            for run in ended
        ]
        ordered = sorted((*new, *self._last_runs), key=lambda run: -run.ended_at)
        return tuple(ordered[:LAST_RUNS])

    def _reason(self, run: RecentRun | EndedRun) -> str:
        """Why a run failed; empty where it did not. Dagster is asked once for each."""
        if run.status != "FAILURE":
            return ""
        known = (one.reason for one in (*self._runs.values(), *self._last_runs) if one.run_id == run.run_id)
        return next(known, None) or _shortened(self._dagster.failure_reason(run.run_id))

    def _stalled(self, unfinished: Sequence[UnfinishedRun]) -> tuple[StalledRun, ...]:
        ended_at = max((run.ended_at for run in self._runs.values()), default=0.0)
        return self._run_watch.stalled(unfinished, self._clock(), ended_at)

    def _silent_workers(self) -> Mapping[str, float]:
        try:
            signs = self._worker_signs()
        except FAILURES:
            self._worker_watch.restart()
            raise
        return self._worker_watch.silent(signs, self._clock())

    def _since_start(self, requests: RequestsReport) -> RequestsReport:
        """The requests as if none had waited before this monitor: the stack may have been down."""
        most_s = max(self._clock() - self._started_at, 0.0)
        silent_s = None if requests.silent_s is None else min(requests.silent_s, most_s)
        return RequestsReport(requests.unread, min(requests.unread_s, most_s), silent_s)

    def _ticks(self) -> tuple[TickReport, ...]:
        now = self._clock()
        failing = self._tick_watch.failing(self._dagster.automations(now), now)
        return tuple(replace(tick, failure=_shortened(tick.failure)) for tick in failing)


def _shortened(reason: str) -> str:
    return reason if len(reason) <= REASON_LENGTH else f"{reason[: REASON_LENGTH - 1]}{ELLIPSIS}"


def stack_state(home: Home) -> StackState:
    """The processes of the stack of a KPI_HOME."""
    addresses = running_addresses(home)
    if addresses is None:
        return StackState(None, watched=True)
    states = read_states(control(addresses))
    processes = tuple(ProcessReport(state.name, state.state, state.detail) for state in states)
    return StackState(processes, watched=StackLock(home.lock_file).held())


def requests_state(client: redis.Redis) -> RequestsReport:
    """The state of the requests.

    Args:
        client: A client of the user `pipeline`.

    Raises:
        redis.RedisError: If Redis fails.
    """
    requests = Requests(client)
    unread, unread_s = requests.unread()
    return RequestsReport(unread, unread_s, requests.silent_s())


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
                monitor = Monitor(
                    dagster,
                    lambda: stack_state(home),
                    published_report(client),
                    requests=lambda: requests_state(client),
                    worker_signs=lambda: last_signs(client),
                    disk_free=home.free_bytes,
                    on_ended=PublicationTimes(client).record,
                )
            publish_report(client, monitor.observe())
        except FAILURES as error:
            _LOG.warning("the state of the pipeline is not reported: %s", error, exc_info=is_damage(error))
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    run()
