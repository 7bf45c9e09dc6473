"""Refreshing through Dagster: start runs, show their progress, and read the published figures back."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.cache.requests.fulfil import refresh_job, refreshed_products
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.cli.console import ProgressDisplay
from kpi_pipeline.cli.problems import NotRunning, Problem
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import FINISHED, DagsterClient, RunProgress
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.redis_check import check_redis
from kpi_pipeline.stack.supervision import running_addresses

TIMEOUT_S: Final = 1800
"""How long a refresh is followed: Dagster's limit for a run."""

PATIENCE_S: Final = 3.0
"""After so many seconds in which nothing of a run goes on, it is said for what it waits."""

HANDED_ON_S: Final = 30.0
"""How long after the end of a run its outcome may reach the tasks that had joined it."""

_POLL_S: Final = 0.1

ROLLED_BACK: Final = "rolled back"
"""Outcome of a product that stays on the earlier reading to which an administrator has taken it."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The live generation of one product after a refresh.

    `outcome` is `written`, `unchanged` when the source gives the figures that were live before, or `rolled
    back` when an administrator has taken the product to an earlier reading and the run did not end that.
    `run_id` is the requested run, or one that read the source later; `seconds`, the duration of the run's
    step for the product, is None then.
    """

    product: str
    generation: str
    outcome: str
    run_id: str
    variants: int
    bytes: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Refresh:
    """A successful refresh: its run, the seconds it took from the request, and the live generations."""

    run_id: str
    job: str
    link: str
    seconds: float
    products: tuple[Refreshed, ...]


class WaitNotice:
    """Says once for which runs another one waits, on its line of a display.

    Args:
        server: Dagster's web server.
        name: The line.
        display: The display.
    """

    def __init__(self, server: DagsterClient, name: str, display: ProgressDisplay) -> None:
        self._server = server
        self._name = name
        self._display = display
        self._since = time.monotonic()
        self._is_told = False

    def observe(self, own: str | None, *, waits: bool) -> bool:
        """Note whether the run waits.

        Args:
            own: Its id; None where it is not known.
            waits: Whether nothing of it goes on.

        Returns:
            Whether the line says for what it waits.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        if not waits:
            self._since, self._is_told = time.monotonic(), False
        elif not self._is_told and time.monotonic() >= self._since + PATIENCE_S:
            runs = [run for run in self._server.unfinished_runs() if run.started and run.run_id != own]
            if runs:
                named = ", ".join(f"{run.job} ({self._server.link(run.run_id)})" for run in runs)
                self._display.update(self._name, f"waits for {named}, and goes on by itself after that")
                self._is_told = True
        return self._is_told


def dagster_client(settings: Settings) -> DagsterClient:
    """A client of the running stack's web server, else of the one that the settings name.

    Raises:
        NotRunning: If there is neither.
    """
    addresses = running_addresses(Home(settings))
    if addresses is not None:
        return DagsterClient(addresses.dagster_url)
    if settings.dagster_url is not None:
        return DagsterClient(str(settings.dagster_url))
    raise NotRunning(settings)


def not_fresh(client: redis.Redis) -> list[str]:
    """Products without a fresh live generation.

    Raises:
        CacheUnavailable: If Redis cannot be read.
    """
    reader = CacheReader(client)
    entries = reader.manifest()
    now = time.time()
    return [
        product
        for product in PRODUCTS
        if product not in entries
        or entries[product].state_at(now) is not AnswerState.FRESH
        or not _reads_back(reader, product)
    ]


def refresh(
    server: DagsterClient,
    redis_address: str,
    product: str,
    requested_by: str,
    display: ProgressDisplay,
    *,
    ends_rollback: bool = False,
    rebuilds: bool = False,
) -> Refresh:
    """Request a refresh, show the progress of its run, and verify what that published by reading it back.

    The run may be one that is under way: a request joins a run that will read the source.

    Args:
        server: Dagster's web server.
        redis_address: Where requests and figures are.
        product: The product, or `ALL_PRODUCTS`.
        requested_by: The command, for the run's tags.
        display: Shows the progress.
        ends_rollback: Whether to publish also a reading that was rolled back from.
        rebuilds: Whether to read and write also what has not changed.

    Raises:
        Problem: If the run fails, or its figures cannot be read back.
        CacheUnavailable: If Redis cannot be read.
        RedisUnusable: If Redis takes no writes, for which Dagster's queue would fail without a reason.
        DagsterUnreachable, RunRefused, RunUnfinished: As `run_job`.
    """
    check_redis(redis_address)
    begun, job = time.monotonic(), refresh_job(product)
    with connect(redis_address) as client:
        kind = RequestKind.CLEAR if rebuilds else RequestKind.REFRESH
        task = Requests(client).submit(
            kind, product, EVERYTHING, by=requested_by, ends_rollback=ends_rollback
        )
        run_id, progress = _follow_task(client, server, task.id, job, display)
        seconds = round(time.monotonic() - begun, 3)
        display.update(job, f"succeeded in {seconds:.1f} s", done=True)
        live = read_back(client, run_id, progress, refreshed_products(job))
    return Refresh(run_id, job, server.link(run_id), seconds, live)


def _follow_task(
    client: redis.Redis, server: DagsterClient, task: str, job: str, display: ProgressDisplay
) -> tuple[str, RunProgress]:
    """Follow the run that works on a task, and another where that is canceled or lost."""
    failed = ""
    while True:
        run_id = _run_of(client, server, task, job, display, failed)
        progress = follow_run(server, job, run_id, display)
        if progress.status == "SUCCESS":
            return run_id, progress
        failed = run_id


def _run_of(
    client: redis.Redis,
    server: DagsterClient,
    task: str,
    job: str,
    display: ProgressDisplay,
    failed: str,
) -> str:
    """Wait for the run that works on a task, other than one that has failed."""
    requests, notice = Requests(client), WaitNotice(server, job, display)
    ended_at = time.monotonic()
    while True:
        status = requests.status(task)
        if status is None:
            raise Problem(f"the request {task} was lost because Redis was emptied: run the command again")
        run_id = status.run_id
        if run_id is not None and run_id != failed:
            return run_id
        if status.state is TaskState.EXPIRED:
            raise Problem(
                f"the request {task} was not fulfilled in time: run `kpi status` to see whether runs are "
                "executed"
            )
        if failed and (status.state is TaskState.FAILED or time.monotonic() > ended_at + HANDED_ON_S):
            progress = next(iter(server.follow(failed, TIMEOUT_S)))
            raise failure(server, job, failed, progress)
        if status.state is TaskState.FAILED:
            raise Problem(f"{job} was not started: {status.reason}")
        if not notice.observe(failed or None, waits=True):
            display.update(job, "requested", transient=True)
        time.sleep(_POLL_S)


def run_job(
    server: DagsterClient,
    job: str,
    tags: Mapping[str, str],
    display: ProgressDisplay,
    timeout_s: float = TIMEOUT_S,
    advice: str = "",
) -> tuple[str, RunProgress]:
    """Run a job and show its progress; returns the run's id and its final progress.

    Raises:
        Problem: If the run fails; says why, followed by `advice`.
        DagsterUnreachable: If Dagster does not answer.
        RunRefused: If Dagster does not start the run.
        RunUnfinished: If the run does not end in time.
    """
    run_id = server.launch(job, tags)
    progress = follow_run(server, job, run_id, display, timeout_s)
    if progress.status != "SUCCESS":
        raise failure(server, job, run_id, progress, advice)
    return run_id, progress


def follow_run(
    server: DagsterClient, job: str, run_id: str, display: ProgressDisplay, timeout_s: float = TIMEOUT_S
) -> RunProgress:
    """Show the progress of a run until it ends; returns its final progress.

    Raises:
        DagsterUnreachable: If Dagster does not answer.
        RunUnfinished: If the run does not end in time.
    """
    display.update(job, f"queued: {server.link(run_id)}")
    notice, progress = WaitNotice(server, job, display), RunProgress("QUEUED", None)
    for progress in server.follow(run_id, timeout_s):
        for name, step in progress.steps.items():
            duration = "" if step.seconds is None else f" in {step.seconds:.2f} s"
            ended = step.status in {"SUCCESS", "FAILURE", "SKIPPED"}
            display.update(f"  {name}", f"{step.status.lower().replace('_', ' ')}{duration}", done=ended)
        waits = progress.status not in FINISHED and all(
            step.status != "IN_PROGRESS" for step in progress.steps.values()
        )
        if not notice.observe(run_id, waits=waits):
            display.update(job, progress.status.lower(), transient=True)
    if progress.status != "SUCCESS":
        display.update(job, progress.status.lower(), done=True)
    return progress


def failure(server: DagsterClient, job: str, run_id: str, progress: RunProgress, advice: str = "") -> Problem:
    """Why a run did not succeed, followed by `advice`."""
    reason = f"{job} ended as {progress.status}: {server.failure_reason(run_id)}"
    return Problem("\n  ".join(filter(None, (reason, f"The run: {server.link(run_id)}", advice))))


def read_back(
    client: redis.Redis, run_id: str, progress: RunProgress, products: Sequence[str]
) -> tuple[Refreshed, ...]:
    """The live generations of some products after a run, read through the cache as serving does.

    Raises:
        Problem: If neither the run's generation nor a later one is live and readable.
        CacheUnavailable: If Redis cannot be read.
    """
    reader = CacheReader(client)
    entries = reader.manifest()
    live = []
    for product in products:
        entry = entries.get(product)
        if entry is None or not _reads_back(reader, product):
            raise Problem(
                f"{product} cannot be read back after run {run_id}: see the run's page, or run `kpi doctor`"
            )
        step = progress.steps.get(product) if entry.run_id == run_id else None
        live.append(
            Refreshed(
                product=product,
                generation=entry.generation,
                outcome=_outcome(entry),
                run_id=entry.run_id,
                variants=entry.variants,
                bytes=entry.bytes,
                seconds=step.seconds if step else None,
            )
        )
    return tuple(live)


def _outcome(entry: ManifestEntry) -> str:
    if entry.rolled_back_at is not None:
        return ROLLED_BACK
    return "written" if entry.verified_at == entry.computed_at else "unchanged"


def _reads_back(reader: CacheReader, product: str) -> bool:
    try:
        reader.catalogue(product)
        answer = reader.answer(product, EVERYTHING)
    except NothingPublished:
        return False
    return answer.payload is not None and answer.answered == EVERYTHING
