"""The verdict on the health of the whole system, the same wherever it is shown."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.live_readings import LiveReadings, as_iso
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.model import health as conditions
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.health import Finding, Health, HealthStatus
from kpi_pipeline.model.pipeline_report import SILENT_S, PipelineReport
from kpi_pipeline.model.readings import SourceReadings

_SERVABLE: Final = (AnswerState.FRESH, AnswerState.STALE)


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What the verdict rests on.

    Attributes:
        reachable: Whether Redis answers.
        holds_answers: Whether this process holds answers that it can give without Redis.
        states: State of each live product; one that is not published has none.
        unreadable: Why a live product cannot be read, by product.
        readings: What was last read of the source.
        live_readings: The readings of the source that the products show.
        alarms: The recent count of each alarm.
        silent: Whether the pipeline does not report its state.
        report: How the pipeline is; None where that is not known.
    """

    reachable: bool
    holds_answers: bool
    states: Mapping[str, AnswerState]
    unreadable: Mapping[str, str]
    readings: SourceReadings
    live_readings: LiveReadings
    alarms: Mapping[str, int]
    silent: bool
    report: PipelineReport | None


def read_health(
    reader: CacheReader,
    status: Mapping[str, Any],
    read_catalogue: Callable[[str], object] | None = None,
) -> HealthFacts:
    """Read what the verdict rests on; it never fails.

    Args:
        reader: Reads the cache.
        status: What its `status` gave.
        read_catalogue: Reads the catalogue of a live product; `CacheReader.catalogue` if not given.
    """
    states = {product: AnswerState(entry["state"]) for product, entry in status["products"].items()}
    read = read_catalogue or reader.catalogue
    unreadable = {
        product: reason
        for product, state in states.items()
        if state in _SERVABLE and (reason := _unreadable(read, product))
    }
    reachable, report = status["redis"]["reachable"], reader.pipeline_report()
    silent = reachable and (report is None or report.at < reader.now() - SILENT_S)
    return HealthFacts(
        reachable=reachable,
        holds_answers=bool(status["memory"]["payloads"]),
        states=states,
        unreadable=unreadable,
        readings=reader.readings(),
        live_readings=_live_readings(reader),
        alarms=status["alarms"],
        silent=silent,
        report=None if silent else report,
    )


def health_of(facts: HealthFacts) -> Health:
    """The verdict."""
    findings = [
        *(() if facts.reachable else (Finding(conditions.REDIS_UNREACHABLE, ("redis",)),)),
        *_products(facts),
        *_source(facts.readings),
        *_live(facts.live_readings),
        *_alarms(facts.alarms),
        *((Finding(conditions.PIPELINE_SILENT, ("pipeline",)),) if facts.silent else ()),
        *(_pipeline(facts.report) if facts.report else ()),
        *_runs(facts),
    ]
    findings.sort(key=lambda finding: finding.condition.status is not HealthStatus.DOWN)
    servable = any(
        state in _SERVABLE and product not in facts.unreadable for product, state in facts.states.items()
    )
    if not servable or not (facts.reachable or facts.holds_answers):
        return Health(HealthStatus.DOWN, findings)
    return Health(HealthStatus.DEGRADED if findings else HealthStatus.OK, findings)


def _unreadable(read: Callable[[str], object], product: str) -> str:
    """Why a live generation cannot be used: lost, damaged or of another format; empty when it can."""
    try:
        read(product)
    except (NothingPublished, CorruptPayload) as error:
        return str(error)
    except CacheUnavailable:
        return ""  # that Redis does not answer is a finding of its own
    return ""


def _products(facts: HealthFacts) -> Iterator[Finding]:
    for product in PRODUCTS:
        values = {"product": product}
        state = facts.states.get(product)
        if state is None:
            yield Finding(conditions.PRODUCT_MISSING, (product,), values)
        elif state is AnswerState.EXPIRED:
            yield Finding(conditions.PRODUCT_EXPIRED, (product,), values)
        elif product in facts.unreadable:
            detail = {"detail": facts.unreadable[product]}
            yield Finding(conditions.PRODUCT_UNREADABLE, (product,), values | detail)
        elif state is AnswerState.STALE:
            yield Finding(conditions.PRODUCT_STALE, (product,), values)


def _source(readings: SourceReadings) -> Iterator[Finding]:
    if readings.held is None:
        return
    values = {"reading": readings.held.report.digest}
    if falls := [fall.as_text() for fall in readings.held.falls]:
        yield Finding(conditions.READING_FELL, ("source",), {**values, "detail": "; ".join(falls)})
    else:
        yield Finding(conditions.READING_REFUSED, ("source",), values)


def _live_readings(reader: CacheReader) -> LiveReadings:
    try:
        return reader.live_readings()
    except CacheUnavailable:
        return LiveReadings({}, mixed=False)  # that Redis does not answer is a finding of its own


def _live(readings: LiveReadings) -> Iterator[Finding]:
    rolled_back: dict[tuple[str, str], list[str]] = {}
    for product, one in readings.by_product.items():
        if one.rolled_back_at is not None:
            moments = as_iso(one.read_at), as_iso(one.rolled_back_at)
            rolled_back.setdefault(moments, []).append(product)
    for (read, at), products in rolled_back.items():
        values = {"products": ", ".join(products), "read": read, "at": at}
        yield Finding(conditions.PRODUCTS_ROLLED_BACK, tuple(products), values)
    if readings.mixed:
        yield Finding(conditions.READINGS_MIXED, ("readings",), {"detail": readings.as_text()})


def _alarms(alarms: Mapping[str, int]) -> Iterator[Finding]:
    if alarms:
        counts = ", ".join(f"{name} ({count})" for name, count in sorted(alarms.items()))
        yield Finding(conditions.ALARMS_RAISED, ("alarms",), {"detail": counts})


def _pipeline(report: PipelineReport) -> Iterator[Finding]:
    if not report.watched:
        yield Finding(conditions.STACK_UNWATCHED, ("pipeline",))
    if report.processes is not None and not report.processes:
        yield Finding(conditions.SUPERVISOR_SILENT, ("pipeline",))
    for process in report.processes or ():
        if not process.is_well:
            values = {"process": process.name, "state": process.state}
            yield Finding(conditions.PROCESS_STOPPED, ("pipeline",), values)
    if report.daemons is None:
        yield Finding(conditions.DAGSTER_UNREACHABLE, ("pipeline",))
    if silent := [daemon for daemon, healthy in (report.daemons or {}).items() if not healthy]:
        yield Finding(conditions.DAEMONS_SILENT, ("pipeline",), {"daemons": ", ".join(silent)})


def _runs(facts: HealthFacts) -> Iterator[Finding]:
    """The runs that failed, each once; those whose reading is held are told by that."""
    held = facts.readings.held.report.digest if facts.readings.held else None
    failed: dict[str, list[str]] = {}
    runs = facts.report.runs if facts.report else {}
    for product, run in runs.items():
        if run.failed and not (held and held in run.reason):
            failed.setdefault(run.run_id, []).append(product)
    for run_id, products in failed.items():
        run = runs[products[0]]
        values = {"products": ", ".join(products), "job": run.job, "run": run_id[:8], "detail": run.reason}
        yield Finding(conditions.RUN_FAILED, tuple(products), values)
