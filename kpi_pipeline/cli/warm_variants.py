"""Warming: publish requested variants, and verify what is live by reading it back as serving does."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import redis
import typer

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.publishing.integrity import read_back
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState, TaskStatus
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cli.console import ProgressDisplay
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.cli.refresh import WaitNotice
from kpi_pipeline.model.filter_parameters import FILTER_NAMES, QueryError, parse_filter
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RunRefused

TIMEOUT_S: Final = 1800
"""How long a request is followed: Dagster's limit for a run."""

_POLL_S: Final = 0.1
_ENDED: Final = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Warmed:
    """Result of warming one variant: the live generation that holds it, or a problem.

    `seconds` is the time from the request until the variant was read back, or failed.
    """

    product: str
    filter: Filter
    generation: str | None
    task: str
    run_id: str | None
    seconds: float
    problem: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of reading a whole generation back: number of answers, catalogue included, and problems."""

    product: str
    generation: str
    answers: int
    problems: tuple[str, ...]


def read_filter(options: Sequence[str], catalogue: Mapping[str, Any]) -> Filter:
    """Parse a filter from options such as `client=X`; a repeated name selects any of its values.

    Names and values may have any spelling that serving accepts.

    Raises:
        BadParameter: If an option is not a name and a value, or either is unknown; lists the allowed ones.
    """
    pairs = []
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not value.strip():
            names = ", ".join(FILTER_NAMES)
            raise typer.BadParameter(
                f"--filter needs name=value, such as client=X, and not {option!r}; names are: {names}"
            )
        pairs.append((name, value))
    try:
        return parse_filter(pairs, catalogue)
    except QueryError as error:
        raise typer.BadParameter(str(error)) from error


def warm_variants(
    client: redis.Redis,
    server: DagsterClient,
    products: Sequence[str],
    options: Sequence[str],
    display: ProgressDisplay,
) -> list[Warmed]:
    """Request one variant of some products, follow the requests, and read the variants back.

    Args:
        client: A client of the user `pipeline`.
        server: Dagster's web server, which knows for what a request waits.
        products: The products.
        options: The filter, as `read_filter` takes it.
        display: Shows the progress.

    Raises:
        BadParameter: If a name or value of the filter is unknown; nothing is requested then.
        Problem: If a product has never been published.
        CacheUnavailable: If Redis cannot be read.
        RedisError: If Redis cannot be written.
    """
    reader = CacheReader(client, poll_s=0)
    try:
        filters = {product: read_filter(options, reader.catalogue(product)) for product in products}
    except NothingPublished as error:
        raise Problem(str(error)) from error
    with ThreadPoolExecutor(len(products)) as threads:
        return list(
            threads.map(
                lambda product: _warm(client, server, reader, product, filters[product], display), products
            )
        )


def verify(client: redis.Redis, products: Sequence[str], display: ProgressDisplay) -> list[Verified]:
    """Read every answer of the live generations back, with a client of the user `pipeline`.

    Raises:
        CacheUnavailable: If Redis cannot be read.
        RedisError: If Redis fails meanwhile.
    """
    entries = CacheReader(client, poll_s=0).manifest()
    return [
        _verify(client, entries[product], display)
        if product in entries
        else Verified(product, "", 0, (f"no generation of {product} is live: see the run",))
        for product in products
    ]


def _verify(client: redis.Redis, entry: ManifestEntry, display: ProgressDisplay) -> Verified:
    name, answers = f"{entry.product} read back", 0
    problems: list[str] = []
    for answers, batch_problems in read_back(client, entry):
        problems += batch_problems
        display.update(name, f"{answers:,} of {entry.keys:,}", transient=True)
    result = f"{len(problems):,} problems" if problems else f"all {answers:,} answers read back"
    display.update(name, result, done=True)
    return Verified(entry.product, entry.generation, answers, tuple(problems))


def _warm(
    client: redis.Redis,
    server: DagsterClient,
    reader: CacheReader,
    product: str,
    variant: Filter,
    display: ProgressDisplay,
) -> Warmed:
    begun = time.monotonic()
    UsageCounters(client).add_request(product, variant)
    task = Requests(client).submit(RequestKind.WARM, product, variant, needs_refresh=True).id
    status = _follow(client, server, product, task, display)
    generation, problem = None, _failure(task, status)
    if problem is None:
        generation, problem = _read(reader, product, variant)
    seconds = round(time.monotonic() - begun, 3)
    display.update(product, problem or f"fresh in {seconds:.1f} s", done=True)
    run_id = status.run_id if status else None
    return Warmed(product, variant, generation, task, run_id, seconds, problem)


def _follow(
    client: redis.Redis, server: DagsterClient, product: str, task: str, display: ProgressDisplay
) -> TaskStatus | None:
    """Wait for the end of a request; returns its last status, None when it was lost."""
    requests, notice = Requests(client), WaitNotice(server, product, display)
    deadline = time.monotonic() + TIMEOUT_S
    while (status := requests.status(task)) is not None:
        if status.state in _ENDED or time.monotonic() > deadline:
            break
        is_told = False
        # Requests are followed in Redis: without Dagster's server that goes on.
        with suppress(DagsterUnreachable, RunRefused):
            is_told = notice.observe(status.run_id, waits=status.state is TaskState.QUEUED)
        if not is_told:
            display.update(product, status.state.value)
        time.sleep(_POLL_S)
    return status


def _failure(task: str, status: TaskStatus | None) -> str | None:
    """Why a request was not fulfilled; None when it was."""
    if status is None:
        return f"the request {task} was lost because Redis was emptied: run the command again"
    if status.state is TaskState.SUCCEEDED:
        return None
    if status.state is TaskState.FAILED:
        return status.reason
    return f"the request {task} was not fulfilled in time: run `kpi status` to see whether runs are executed"


def _read(reader: CacheReader, product: str, variant: Filter) -> tuple[str | None, str | None]:
    """The live generation that holds fresh figures of a variant, or what is wrong with it."""
    try:
        answer = reader.answer(product, variant)
    except NothingPublished as error:
        return None, str(error)
    if answer.miss is MissReason.NOT_PRECOMPUTED:
        return None, (
            "the precompute set has no room for it: raise KPI_PRECOMPUTE_MAX_VARIANTS or "
            "KPI_PRECOMPUTE_MAX_BYTES; `kpi variants` shows how many are used"
        )
    if answer.miss is not None:
        return None, f"it cannot be read back ({answer.miss}): run `kpi warm --product {product}`"
    if answer.state is not AnswerState.FRESH or answer.entry is None:
        return None, f"the live figures of {product} are {answer.state}: see the run"
    return answer.entry.generation, None
