"""Warming: publish what is asked for, and verify it by reading back as serving does."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

import redis

from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry, MissReason
from kpi_pipeline.cache.publishing.integrity import read_back
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.cache.requests.tasks import RequestKind, Requests, TaskState, TaskStatus
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cli.console import Board
from kpi_pipeline.cli.filters import read_filter
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.filters import Filter

TIMEOUT_S: Final = 1800
"""How long a request is followed: as long as Dagster lets a run go on."""

_POLL_S: Final = 0.1
_ENDED: Final = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Warmed:
    """What came of one variant.

    Attributes:
        product: Whose.
        filter: Which certificates.
        generation: The live generation, when it holds the variant.
        task: The request.
        run_id: The run that worked on it, if one did.
        seconds: From the request until the variant was read back, or failed.
        problem: Why it is not warm; None when it is.
    """

    product: str
    filter: Filter
    generation: str | None
    task: str
    run_id: str | None
    seconds: float
    problem: str | None

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return {
            "product": self.product,
            "filter": self.filter.as_dict(),
            "generation": self.generation,
            "task": self.task,
            "run_id": self.run_id,
            "seconds": self.seconds,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading a whole generation back gave.

    Attributes:
        product: Whose.
        generation: Which.
        answers: How many were read, the catalogue included.
        problems: What is wrong, in words; empty when all is well.
    """

    product: str
    generation: str
    answers: int
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return asdict(self)


def warm_variants(
    client: redis.Redis, products: Sequence[str], given: Sequence[str], board: Board
) -> list[Warmed]:
    """Ask for one variant of some products, follow the requests, and read the variants back.

    Args:
        client: A client of the user `pipeline`.
        products: Of which.
        given: The filter as options, such as `client=X`.
        board: Where progress is shown.

    Raises:
        BadParameter: If a name or value of the filter is unknown; nothing is asked for then.
        Problem: If a product has never been published.
        CacheUnavailable: If Redis cannot be read.
    """
    reader = CacheReader(client, poll_s=0)
    try:
        requested = {product: read_filter(given, reader.catalogue(product)) for product in products}
    except NothingPublished as error:
        raise Problem(str(error)) from error
    with ThreadPoolExecutor(len(products)) as together:
        return list(
            together.map(lambda product: _warm(client, reader, product, requested[product], board), products)
        )


def verify(client: redis.Redis, products: Sequence[str], board: Board) -> list[Verified]:
    """Read every answer of the live generations back.

    Args:
        client: A client of the user `pipeline`.
        products: Of which.
        board: Where progress is shown.

    Raises:
        CacheUnavailable: If Redis cannot be read.
    """
    entries = CacheReader(client, poll_s=0).manifest()
    return [
        _verify(client, entries[product], board)
        if product in entries
        else Verified(product, "", 0, (f"no generation of {product} is live: see the run",))
        for product in products
    ]


def _verify(client: redis.Redis, entry: ManifestEntry, board: Board) -> Verified:
    name, answers = f"{entry.product} read back", 0
    problems: list[str] = []
    try:
        for answers, found in read_back(client, entry):
            problems += found
            board.show(name, f"{answers:,} of {entry.variants + 1:,}", changing=True)
    except redis.RedisError as error:
        raise CacheUnavailable(f"Redis cannot be read ({error}): see `kpi doctor`") from error
    reported_errors = f"{len(problems):,} problems" if problems else f"all {answers:,} answers read back"
    board.show(name, reported_errors, done=True)
    return Verified(entry.product, entry.generation, answers, tuple(problems))


def _warm(client: redis.Redis, reader: CacheReader, product: str, requested: Filter, board: Board) -> Warmed:
    begun = time.monotonic()
    try:
        UsageCounters(client).add_request(product, requested)
        task = Requests(client).submit(RequestKind.WARM, product, requested).id
        status = _follow(client, product, task, board)
    except redis.RedisError as error:
        raise CacheUnavailable(f"{product} cannot be asked for ({error}): see `kpi doctor`") from error
    generation, problem = None, _failure(task, status)
    if problem is None:
        generation, problem = _read(reader, product, requested)
    seconds = round(time.monotonic() - begun, 3)
    board.show(product, problem or f"fresh in {seconds:.1f} s", done=True)
    run_id = status.run_id if status else None
    return Warmed(product, requested, generation, task, run_id, seconds, problem)


def _follow(client: redis.Redis, product: str, task: str, board: Board) -> TaskStatus | None:
    """The state of a request when it has ended; the last one when it does not in time."""
    requests = Requests(client)
    deadline = time.monotonic() + TIMEOUT_S
    while (status := requests.status(task)) is not None:
        if status.state in _ENDED or time.monotonic() > deadline:
            break
        board.show(product, status.state.value)
        time.sleep(_POLL_S)
    return status


def _failure(task: str, status: TaskStatus | None) -> str | None:
    """Why a request was not fulfilled; None when it was."""
    if status is None:
        return f"the request {task} is lost: Redis was emptied meanwhile; try again"
    if status.state is TaskState.SUCCEEDED:
        return None
    if status.state is TaskState.FAILED:
        return status.reason
    return f"the request {task} was not fulfilled in time: `kpi status` shows whether runs are taken up"


def _read(reader: CacheReader, product: str, requested: Filter) -> tuple[str | None, str | None]:
    """The live generation that gives fresh figures of a filter, or what is wrong with it."""
    try:
        answer = reader.answer(product, requested)
    except NothingPublished as error:
        return None, str(error)
    if answer.miss is MissReason.NOT_PRECOMPUTED:
        return None, (
            "the precompute set has no room for it: raise KPI_PRECOMPUTE_MAX_VARIANTS or "
            "KPI_PRECOMPUTE_MAX_BYTES, see `kpi variants`"
        )
    if answer.miss is not None:
        return None, f"it cannot be read back ({answer.miss}): refresh {product} again"
    if answer.state is not AnswerState.FRESH or answer.entry is None:
        return None, f"what is live of {product} is {answer.state}: see the run"
    return answer.entry.generation, None
