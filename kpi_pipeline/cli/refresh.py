"""Refreshing through Dagster: start runs, show how they go, and read back what came of them."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.cache.requests.fulfil import refreshed_products
from kpi_pipeline.cli.console import Board
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.stack.dagster_client import DagsterClient, RunProgress

TIMEOUT_S: Final = 1800
"""How long a refresh is followed: as long as Dagster lets a run go on."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What is live of one product after a refresh.

    Attributes:
        product: Which.
        generation: The live generation.
        outcome: `written` anew, or `unchanged`: the source gives the figures that were live before.
        run_id: The run that made it: the one asked for, or one that read the source later.
        variants: How many answers it holds.
        bytes: Its stored size.
        seconds: How long the run's step of the product took; None when a later run made it.
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
    """A refresh that succeeded.

    Attributes:
        run_id: Its run.
        job: Its job.
        link: The run's page.
        seconds: From the request until the run had ended.
        products: What is live now.
    """

    run_id: str
    job: str
    link: str
    seconds: float
    products: tuple[Refreshed, ...]

    def as_dict(self) -> dict[str, Any]:
        """The refresh as plain JSON values."""
        return asdict(self)


def not_fresh(client: redis.Redis) -> list[str]:
    """Products of which no fresh generation is live."""
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


def refresh(server: DagsterClient, redis_address: str, job: str, requested_by: str, board: Board) -> Refresh:
    """Run a job, show its progress, and verify by reading back what it has published.

    Args:
        server: Where it is run.
        redis_address: The cache.
        job: `refresh_all` or that of one product.
        requested_by: The command, for the run's tags.
        board: Where progress is shown.

    Raises:
        Problem: If the run fails, or what it published cannot be read; says why.
        DagsterUnreachable: If Dagster does not answer.
        RunRefused: If Dagster would not start the run.
        RunUnfinished: If it does not end in time.
    """
    begun = time.monotonic()
    run_id = server.launch(job, {"kpi/asked_by": requested_by})
    board.show(job, f"queued: {server.link(run_id)}")
    progress = RunProgress("QUEUED", None)
    for progress in server.follow(run_id, TIMEOUT_S):
        show_progress(board, job, progress)
    if progress.status != "SUCCESS":
        reason = server.failure_reason(run_id)
        board.show(job, progress.status.lower(), done=True)
        raise Problem(f"{job} ended as {progress.status}: {reason}\n  The run: {server.link(run_id)}")
    seconds = round(time.monotonic() - begun, 3)
    board.show(job, f"succeeded in {seconds:.1f} s", done=True)
    with connect(redis_address) as client:
        live = read_back(client, run_id, progress, refreshed_products(job))
    return Refresh(run_id, job, server.link(run_id), seconds, live)


def read_back(
    client: redis.Redis, run_id: str, progress: RunProgress, products: Sequence[str]
) -> tuple[Refreshed, ...]:
    """What is live of some products after a run, read through the cache as serving does.

    Raises:
        Problem: If the run's generation, or a later one, is not live or cannot be read.
    """
    reader = CacheReader(client)
    try:
        entries = reader.manifest()
        live = []
        for product in products:
            entry = entries.get(product)
            if entry is None or not _reads_back(reader, product):
                raise Problem(
                    f"{product} cannot be read back after run {run_id}: see `kpi doctor` and the run's page"
                )
            step = progress.steps.get(product) if entry.run_id == run_id else None
            live.append(
                Refreshed(
                    product=product,
                    generation=entry.generation,
                    outcome="written" if entry.verified_at == entry.computed_at else "unchanged",
                    run_id=entry.run_id,
                    variants=entry.variants,
                    bytes=entry.bytes,
                    seconds=step.seconds if step else None,
                )
            )
    except CacheUnavailable as error:
        raise Problem(f"what run {run_id} published cannot be read back: {error}") from error
    return tuple(live)


def _reads_back(reader: CacheReader, product: str) -> bool:
    try:
        reader.catalogue(product)
        answer = reader.answer(product, EVERYTHING)
    except NothingPublished:
        return False
    return answer.payload is not None and answer.answered == EVERYTHING


def show_progress(board: Board, job: str, progress: RunProgress) -> None:
    """Show how far a run and its steps are."""
    for name, step in progress.steps.items():
        took = "" if step.seconds is None else f" in {step.seconds:.2f} s"
        ended = step.status in {"SUCCESS", "FAILURE", "SKIPPED"}
        board.show(f"  {name}", f"{step.status.lower().replace('_', ' ')}{took}", done=ended)
    board.show(job, progress.status.lower(), changing=True)
