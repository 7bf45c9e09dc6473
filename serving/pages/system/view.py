"""The content of the system page: generations with their life cycle, use of the cache, the pipeline."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Self, TypeVar

from kpi_pipeline.cache.connection import FAILURES
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.cache.requests.deliveries import Backlog
from kpi_pipeline.cache.usage.coverage import MissedVariant, ProductCoverage, RequestedVariant
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.pipeline_report import PipelineReport, ProcessReport, RunReport
from kpi_pipeline.model.readings import SourceReadings
from serving.cache_access import Connection
from serving.pages.addresses import run_url
from serving.pages.live_state import EARLIER
from serving.system_health import reported_listeners

MISSES_SHOWN: Final = 20
"""How many missed variants the page lists, of all products together."""

REQUESTED_SHOWN: Final = 10
"""How many of the most requested variants it lists, likewise."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Life:
    """Where a generation stands in its life. Times are seconds since the epoch.

    Attributes:
        computed_at: When its figures were read from the source.
        verified_at: When the source last confirmed them.
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
    """A run of the pipeline, and where it is shown; empty where no UI is configured."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """How a run of a job ended, in Dagster's terms, when, in seconds since the epoch, and why it failed."""

    run: Run
    job: str
    status: str
    ended_at: float
    reason: str

    @classmethod
    def of(cls, run: RunReport) -> Self:
        """From the report of the pipeline."""
        return cls(Run(run.run_id, run_url(run.run_id)), run.job, run.status, run.ended_at, run.reason)


@dataclass(frozen=True, slots=True)
class ProductView:
    """One product.

    Attributes:
        product: Its name.
        state: `fresh`, `earlier` when it is rolled back, `stale`, `expired`, or `missing` when nothing is
            published.
        entry: Its live generation; None when there is none.
        life: Where that stands; None without one.
        made_by: The run that made it; None without an entry.
        last_run: The last run that was to make one and has ended; None where that is not known.
        rebuilt_by: The run that makes the next one now; None when none does, or it cannot be read.
        month_ends: The month ends that are kept, the earliest first; None when they cannot be read.
    """

    product: str
    state: str
    entry: ManifestEntry | None
    life: Life | None
    made_by: Run | None
    last_run: LastRun | None
    rebuilt_by: Run | None
    month_ends: Sequence[date] | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """All that the page shows; a part that cannot be read is None.

    Attributes:
        products: Every product, live or not.
        last_runs: The last runs that have ended, those that failed first; empty where none is known.
        processes: The supervised processes; empty where they are not known.
        daemons: Whether each daemon of Dagster is healthy; empty where that is not known.
        coverage: Of each product.
        missed: Variants with the most misses, each with its product.
        requested: The most requested variants, likewise.
        backlog: Requests that the pipeline has yet to do.
        server: The server of the cache; `reachable` is whether it answers.
        memory: What this process holds.
        listeners: How many open pages are told of new figures.
        reads: The reads of this process since it started.
        alarms: The recent count of each.
        source: What was last read of the source, and what is not published of it.
        agreements: What the last audits of figures found.
        audited_s: How many seconds ago the oldest of them was; None without one.
    """

    products: list[ProductView] | None
    last_runs: Sequence[LastRun]
    processes: Sequence[ProcessReport]
    daemons: Mapping[str, bool]
    coverage: list[ProductCoverage] | None
    missed: list[tuple[str, MissedVariant]]
    requested: list[tuple[str, RequestedVariant]]
    backlog: Backlog | None
    server: Mapping[str, Any]
    memory: Mapping[str, int]
    listeners: int | None
    reads: Mapping[str, int]
    alarms: Mapping[str, int]
    source: SourceReadings
    agreements: Agreements
    audited_s: float | None


def system_view(
    connection: Connection, status: Mapping[str, Any], report: PipelineReport | None
) -> SystemView:
    """Read everything; what fails leaves the rest as it is.

    Args:
        connection: Where to read.
        status: What `CacheReader.status` gave.
        report: How the pipeline is; None where that is not known.
    """
    # A server that does not answer is not read any further: each read would wait for its time-out.
    reachable = status["redis"]["reachable"]
    coverage = _try(lambda: [connection.coverage.of(name) for name in PRODUCTS]) if reachable else None
    products = coverage or ()
    missed = [(product.product, variant) for product in products for variant in product.missed]
    requested = [(product.product, variant) for product in products for variant in product.most_requested]
    missed.sort(key=lambda variant: -variant[1].missed.weight)
    requested.sort(key=lambda variant: -variant[1].requested.weight)
    agreements = connection.reader.agreements() if reachable else Agreements()
    audited_at = agreements.checked_at
    return SystemView(
        products=_products(connection, report, reachable=reachable),
        last_runs=_last_runs(report),
        processes=(report and report.processes) or (),
        daemons=(report and report.daemons) or {},
        coverage=coverage,
        missed=missed[:MISSES_SHOWN],
        requested=requested[:REQUESTED_SHOWN],
        backlog=_try(connection.pipeline_client.backlog) if reachable else None,
        server=status["redis"],
        memory=status["memory"],
        listeners=reported_listeners(connection) if reachable else None,
        reads=status["reads"],
        alarms=status["alarms"],
        source=connection.reader.readings(),
        agreements=agreements,
        audited_s=None if audited_at is None else max(time.time() - audited_at, 0.0),
    )


def life_of(entry: ManifestEntry, now: float) -> Life:
    """Where a generation stands at `now`, in seconds since the epoch."""
    if now < entry.fresh_until:
        place = 50 * _part(entry.verified_at, entry.fresh_until, now)
    else:
        place = 50 + 50 * _part(entry.fresh_until, entry.stale_until, now)
    return Life(entry.computed_at, entry.verified_at, entry.fresh_until, entry.stale_until, round(place, 2))


def _state(connection: Connection, entry: ManifestEntry | None) -> str:
    if entry is None:
        return AnswerState.MISSING.value
    state = connection.reader.state_of(entry)
    return EARLIER if state is AnswerState.FRESH and entry.rolled_back_at is not None else state.value


def _products(
    connection: Connection, report: PipelineReport | None, *, reachable: bool
) -> list[ProductView] | None:
    entries = _try(connection.reader.manifest)
    if entries is None:
        return None
    now = time.time()
    products = []
    for product in PRODUCTS:
        entry = entries.get(product)
        holder = _try(partial(connection.leases.holder, product)) if reachable else None
        products.append(
            ProductView(
                product=product,
                state=_state(connection, entry),
                entry=entry,
                life=life_of(entry, now) if entry else None,
                made_by=Run(entry.run_id, run_url(entry.run_id)) if entry else None,
                last_run=_last_run(report, product),
                rebuilt_by=Run(holder, run_url(holder)) if holder else None,
                month_ends=_try(partial(connection.reader.month_ends.days, product)),
            )
        )
    return products


def _last_run(report: PipelineReport | None, product: str) -> LastRun | None:
    run = report.runs.get(product) if report else None
    return None if run is None else LastRun.of(run)


def _last_runs(report: PipelineReport | None) -> list[LastRun]:
    runs = sorted(report.last_runs if report else (), key=lambda run: (not run.failed, -run.ended_at))
    return list(map(LastRun.of, runs))


def _try(read: Callable[[], Result]) -> Result | None:
    """The result of a read; None when it fails or is not permitted."""
    try:
        return read()
    except (*FAILURES, CacheUnavailable):
        return None


def _part(begin: float, end: float, now: float) -> float:
    return min(max((now - begin) / (end - begin), 0.0), 1.0) if end > begin else 1.0
