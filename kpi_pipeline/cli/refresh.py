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
from kpi_pipeline.cache.requests.fulfil import END_ROLLBACK_TAG, REQUESTED_BY_TAG, YES, refreshed_products
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
    job: str,
    requested_by: str,
    display: ProgressDisplay,
    *,
    ends_rollback: bool = False,
) -> Refresh:
    """Run a refresh job, show its progress, and verify what it published by reading it back.

    The run is tagged with `requested_by`, the command. With `ends_rollback` it also publishes a reading that
    was rolled back from.

    Raises:
        Problem: If the run fails, or its figures cannot be read back.
        CacheUnavailable: If Redis cannot be read.
        RedisUnusable: If Redis takes no writes, for which Dagster's queue would fail without a reason.
        DagsterUnreachable, RunRefused, RunUnfinished: As `run_job`.
    """
    check_redis(redis_address)
    begun = time.monotonic()
    tags = {REQUESTED_BY_TAG: requested_by, **({END_ROLLBACK_TAG: YES} if ends_rollback else {})}
    run_id, progress = run_job(server, job, tags, display)
    seconds = round(time.monotonic() - begun, 3)
    display.update(job, f"succeeded in {seconds:.1f} s", done=True)
    with connect(redis_address) as client:
        live = read_back(client, run_id, progress, refreshed_products(job))
    return Refresh(run_id, job, server.link(run_id), seconds, live)


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
        reason = f"{job} ended as {progress.status}: {server.failure_reason(run_id)}"
        raise Problem("\n  ".join(filter(None, (reason, f"The run: {server.link(run_id)}", advice))))
    return run_id, progress


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
