"""The state of the cache and of the pipeline as metrics, read from Redis when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.agreement import Agreements, least_share
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.pipeline_report import PipelineReport
from serving.cache_access import Connection
from serving.metrics import declarations as metrics
from serving.metrics.declarations import Metric
from serving.system_health import cache_status, reported_listeners

_STATES: Final = (AnswerState.FRESH, AnswerState.STALE, AnswerState.EXPIRED, AnswerState.MISSING)
_ENDED: Final[Mapping[str, str]] = {"SUCCESS": "succeeded", "FAILURE": "failed", "CANCELED": "canceled"}
"""How a run ended, by Dagster's term for it."""

Sample = tuple[tuple[str, ...], float]
"""The values of a metric's labels, and its value."""


class StateCollector(Collector):
    """Reads the state at each scrape; what cannot be read is left out.

    Args:
        connection: The cache; None where no server is known.
    """

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection

    def collect(self) -> Iterator[Family]:
        """The metrics."""
        status = cache_status(self._connection)
        yield from _redis(status["redis"])
        yield from _products(status["products"])
        yield _family(metrics.ALARMS, [((name,), count) for name, count in status["alarms"].items()])
        yield from _source(status["source"], reachable=status["redis"]["reachable"])
        if self._connection is None:
            return
        listening = reported_listeners(self._connection) if status["redis"]["reachable"] else None
        if listening is not None:
            yield _single(metrics.LISTENERS, listening)
        if status["redis"]["reachable"]:
            yield from _audits(self._connection.reader.agreements(), self._connection.reader.now())
        report = self._connection.reader.pipeline_report()
        if report is not None:
            yield from _pipeline(report, self._connection.reader.now())


def state_registry(connection: Connection | None) -> CollectorRegistry:
    """The state as it is when it is written; None where no server is known."""
    registry = CollectorRegistry()
    registry.register(StateCollector(connection))
    return registry


def _redis(server: Mapping[str, Any]) -> Iterator[Family]:
    yield _single(metrics.REDIS_UP, float(server["reachable"]))
    if server["reachable"]:
        yield _single(metrics.REDIS_MEMORY, server["used_memory"])
        yield _single(metrics.REDIS_MAXMEMORY, server["maxmemory"])
        yield _single(metrics.REDIS_EVICTIONS, server["evicted_keys"])


def _products(live: Mapping[str, Mapping[str, Any]]) -> Iterator[Family]:
    states = {product: live.get(product, {}).get("state", AnswerState.MISSING.value) for product in PRODUCTS}
    shown = [(product, state.value) for product in PRODUCTS for state in _STATES]
    yield _family(
        metrics.GENERATION_STATE,
        [((product, state), float(states[product] == state)) for product, state in shown],
    )
    for metric, name in (
        (metrics.GENERATION_AGE, "age_s"),
        (metrics.GENERATION_FRESH_UNTIL, "fresh_until"),
        (metrics.GENERATION_VARIANTS, "variants"),
        (metrics.GENERATION_BYTES, "bytes"),
    ):
        yield _family(metric, [((product,), entry[name]) for product, entry in live.items()])


def _audits(agreements: Agreements, now: float) -> Iterator[Family]:
    found = agreements.by_product.items()
    yield _family(metrics.AUDITED_FIGURES, [((product,), one.figures) for product, one in found])
    yield _family(metrics.AUDIT_DISAGREEMENTS, [((product,), one.disagreeing) for product, one in found])
    shares = [((product,), least_share(one.agreeing, one.figures)) for product, one in found]
    yield _family(metrics.AUDIT_AGREEMENT, [(labels, share) for labels, share in shares if share is not None])
    ages = [((product,), max(now - one.checked_at, 0.0)) for product, one in found]
    yield _family(metrics.AUDIT_AGE, ages)
    held = [((product,), float(product in agreements.holds)) for product in PRODUCTS]
    yield _family(metrics.PRODUCT_HELD, held)


def _source(source: Mapping[str, Any], *, reachable: bool) -> Iterator[Family]:
    accepted, held = source["accepted"], source["held"]
    if accepted is not None:
        tables = ("certificates", "costs")
        shares = [((table,), accepted[table]["refused_share"]) for table in tables]
        yield _family(metrics.QUARANTINE, [(labels, share) for labels, share in shares if share is not None])
    if reachable:
        yield _single(metrics.READING_HELD, float(held is not None))


def _pipeline(report: PipelineReport, now: float) -> Iterator[Family]:
    yield _single(metrics.REPORT_AGE, max(now - report.at, 0.0))
    if report.requests is not None:
        yield _single(metrics.QUEUE_LENGTH, report.requests.unread)
        yield _single(metrics.QUEUE_OLDEST, report.requests.unread_s)
    processes = [((process.name,), float(process.is_well)) for process in report.processes or ()]
    yield _family(metrics.PROCESS_UP, processes)
    ended = [
        ((job, named), by_status.get(status, 0))
        for job, by_status in report.run_counts.ended.items()
        for status, named in _ENDED.items()
    ]
    yield _family(metrics.RUNS, ended)
    unfinished = [
        ((job, status), count)
        for job, by_status in report.unfinished.items()
        for status, count in by_status.items()
    ]
    yield _family(metrics.RUNS_UNFINISHED, unfinished)
    yield from _jobs(report)
    if report.disk_free is not None:
        yield _single(metrics.DISK_FREE, report.disk_free)


def _jobs(report: PipelineReport) -> Iterator[Family]:
    jobs = report.jobs.items()
    yield _family(
        metrics.RUN_DURATION, [((job,), run.seconds) for job, run in jobs if run.seconds is not None]
    )
    yield _family(
        metrics.RUN_ENDED, [((job, _ENDED.get(run.status, run.status)), run.ended_at) for job, run in jobs]
    )
    steps = [((job, step), seconds) for job, run in jobs for step, seconds in run.steps.items()]
    yield _family(metrics.STEP_DURATION, steps)


def _single(metric: Metric, value: float) -> Family:
    return _family(metric, [((), value)])


def _family(metric: Metric, samples: Sequence[Sample]) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name.removesuffix("_total"), metric.text, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
