"""What the page for engineers shows: generations with their life cycle, coverage, questions, the pipeline."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote

import redis

from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.cache.requests.stream import Backlog
from kpi_pipeline.cache.usage.coverage import MissedVariant, ProductCoverage, RequestedVariant
from kpi_pipeline.model.dimensions import PRODUCTS
from serving.cache_access import Connection

MISSES_SHOWN: Final = 20
"""How many missed variants the page lists, of all products together."""

REQUESTED_SHOWN: Final = 10
"""How many of the variants asked for most it lists, likewise."""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Life:
    """Where a generation stands in its life. Times are seconds since the epoch.

    Attributes:
        computed_at: When its figures were read from the source.
        verified_at: When the source last gave the same.
        fresh_until: Until when it is fresh.
        stale_until: Until when it may be shown.
        place: Where the present is, from 0 to 100: it is fresh up to 50, and stale up to 100.
    """

    computed_at: float
    verified_at: float
    fresh_until: float
    stale_until: float
    place: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the pipeline, and where it is shown; empty where nobody knows."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class ProductView:
    """One product.

    Attributes:
        product: Its name.
        state: `fresh`, `stale`, `expired`, or `missing` when nothing is published.
        entry: Its live generation; None when there is none.
        life: Where that stands; None without one.
        made_by: The run that made it; None without one.
        rebuilt_by: The run that makes the next one now; None when none does, or it cannot be read.
        month_ends: The month ends that are kept, the earliest first; None when they cannot be read.
    """

    product: str
    state: str
    entry: ManifestEntry | None
    life: Life | None
    made_by: Run | None
    rebuilt_by: Run | None
    month_ends: Sequence[date] | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """All that the page shows; a part that cannot be read is None.

    Attributes:
        products: Every product, live or not.
        coverage: Of each product.
        missed: Variants that were missed, most often first, each with its product.
        requested: Variants that were asked for, likewise.
        backlog: What the pipeline has yet to do.
        server: The server of the cache; `reachable` tells whether it answers.
        memory: What this process holds.
        reads: How this process has answered since it started.
        alarms: How often each was raised lately.
    """

    products: list[ProductView] | None
    coverage: list[ProductCoverage] | None
    missed: list[tuple[str, MissedVariant]]
    requested: list[tuple[str, RequestedVariant]]
    backlog: Backlog | None
    server: Mapping[str, Any]
    memory: Mapping[str, int]
    reads: Mapping[str, int]
    alarms: Mapping[str, int]


def system_view(connection: Connection, runs_url: str) -> SystemView:
    """Look at everything; what fails leaves the rest as it is.

    Args:
        connection: The cache.
        runs_url: Where the engineers' UI shows runs; empty where nobody knows.
    """
    status = connection.reader.status()
    # A server that does not answer is not asked for the rest: each question would take its time.
    reachable = status["redis"]["reachable"]
    coverage = _tried(lambda: [connection.coverage.of(name) for name in PRODUCTS]) if reachable else None
    missed = [(one.product, variant) for one in coverage or () for variant in one.missed]
    requested = [(one.product, variant) for one in coverage or () for variant in one.most_requested]
    missed.sort(key=lambda one: -one[1].missed.weight)
    requested.sort(key=lambda one: -one[1].requested.weight)
    return SystemView(
        products=_products(connection, runs_url, reachable=reachable),
        coverage=coverage,
        missed=missed[:MISSES_SHOWN],
        requested=requested[:REQUESTED_SHOWN],
        backlog=_tried(connection.pipeline_client.backlog) if reachable else None,
        server=status["redis"],
        memory=status["memory"],
        reads=status["reads"],
        alarms=status["alarms"],
    )


def life_of(entry: ManifestEntry, now: float) -> Life:
    """Where a generation stands.

    Args:
        entry: Its manifest entry.
        now: The present, in seconds since the epoch.
    """
    if now < entry.fresh_until:
        place = 50 * _part(entry.verified_at, entry.fresh_until, now)
    else:
        place = 50 + 50 * _part(entry.fresh_until, entry.stale_until, now)
    return Life(entry.computed_at, entry.verified_at, entry.fresh_until, entry.stale_until, round(place, 2))


def _products(connection: Connection, runs_url: str, *, reachable: bool) -> list[ProductView] | None:
    entries = _tried(connection.reader.manifest)
    if entries is None:
        return None
    now = time.time()
    found = []
    for product in PRODUCTS:
        entry = entries.get(product)
        holder = _tried(partial(connection.leases.holder, product)) if reachable else None
        found.append(
            ProductView(
                product=product,
                state=entry.state_at(now).value if entry else AnswerState.MISSING.value,
                entry=entry,
                life=life_of(entry, now) if entry else None,
                made_by=_run(entry.run_id, runs_url) if entry else None,
                rebuilt_by=_run(holder, runs_url) if holder else None,
                month_ends=_tried(partial(connection.reader.month_ends, product)),
            )
        )
    return found


def _run(run_id: str, runs_url: str) -> Run:
    return Run(run_id, f"{runs_url}/{quote(run_id, safe='')}" if runs_url else "")


def _tried(look: Callable[[], Read]) -> Read | None:
    """What can be read; None for what cannot, or may not."""
    try:
        return look()
    except (redis.RedisError, CacheUnavailable):
        return None


def _part(begin: float, end: float, now: float) -> float:
    return min(max((now - begin) / (end - begin), 0.0), 1.0) if end > begin else 1.0
