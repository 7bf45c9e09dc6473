"""The verdict on the health of the whole system, the same wherever it is shown."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.model import health_conditions as conditions
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.health import Finding, Health, HealthStatus
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.performance import FEW_LOOKUPS, HOUR, LOW_HIT_RATE, SLOW_S, Performance
from kpi_pipeline.model.phrases import Count, Duration, Moment, Phrase, Phrases, Share, Size, Value
from kpi_pipeline.model.pipeline_report import (
    DISPATCHER_SILENT_S,
    ELLIPSIS,
    LOW_DISK_BYTES,
    SOURCE_SENSOR,
    UNREAD_S,
    PipelineReport,
    RequestsReport,
    RunReport,
)
from kpi_pipeline.model.readings import SourceReadings

_SERVABLE: Final = (AnswerState.FRESH, AnswerState.STALE)

_LOST: Final = Text("su catálogo se ha perdido o es de otra versión", "{error}")
_DAMAGED: Final = Text("lo guardado está dañado", "{error}")

_FULL_SHARE: Final = 0.9
"""Above this share of its maxmemory the server is nearly full: a publication holds two generations."""


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
        server: The server, as of `server_status`.
        last_hour: What was measured within the last hour; None where that cannot be read.
        unreadable_month_ends: The months, as YYYY-MM and in order, whose ends another version kept.
        agreements: What the last audits of figures found.
    """

    reachable: bool
    holds_answers: bool
    states: Mapping[str, AnswerState]
    unreadable: Mapping[str, str | Phrase]
    readings: SourceReadings
    live_readings: LiveReadings
    alarms: Mapping[str, int]
    silent: bool
    report: PipelineReport | None
    server: Mapping[str, Any] = field(default_factory=dict)
    last_hour: Performance | None = None
    unreadable_month_ends: tuple[str, ...] = ()
    agreements: Agreements = field(default_factory=Agreements)


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
    silent = reachable and (report is None or report.is_silent(reader.now()))
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
        server=status["redis"],
        last_hour=_last_hour(reader) if reachable else None,
        unreadable_month_ends=_unreadable_month_ends(reader),
        agreements=reader.agreements() if reachable else Agreements(),
    )


def health_of(facts: HealthFacts) -> Health:
    """The verdict."""
    findings = [
        *(_server(facts.server) if facts.reachable else (Finding(conditions.REDIS_UNREACHABLE, ("redis",)),)),
        *_products(facts),
        *_disagreements(facts.agreements),
        *_month_ends(facts.unreadable_month_ends),
        *source_findings(facts.readings),
        *_live(facts.live_readings),
        *_hit_rate(facts.last_hour),
        *_answer_times(facts.last_hour),
        *_alarms(facts.alarms),
        *((Finding(conditions.PIPELINE_SILENT, ("pipeline",)),) if facts.silent else ()),
        *(pipeline_findings(facts.report) if facts.report else ()),
        *_runs(facts),
    ]
    findings.sort(key=lambda finding: finding.condition.status is not HealthStatus.DOWN)
    servable = any(
        state in _SERVABLE and product not in facts.unreadable for product, state in facts.states.items()
    )
    if not servable or not (facts.reachable or facts.holds_answers):
        return Health(HealthStatus.DOWN, findings)
    return Health(HealthStatus.DEGRADED if findings else HealthStatus.OK, findings)


def _unreadable(read: Callable[[str], object], product: str) -> str | Phrase:
    """Why a live generation cannot be used: lost, damaged or of another format; empty when it can."""
    try:
        read(product)
    except NothingPublished as error:
        return Phrase(_LOST, {"error": str(error)})
    except CorruptPayload as error:
        return Phrase(_DAMAGED, {"error": str(error)})
    except CacheUnavailable:
        return ""  # that Redis does not answer is a finding of its own
    return ""


def _server(server: Mapping[str, Any]) -> Iterator[Finding]:
    limit = server.get("maxmemory") or 0
    if limit and server["used_memory"] > _FULL_SHARE * limit:
        values = {"share": Share(server["used_memory"] / limit)}
        yield Finding(conditions.REDIS_NEARLY_FULL, ("redis",), values)
    if evicted := server.get("evicted_keys"):
        yield Finding(conditions.REDIS_EVICTS, ("redis",), {"count": Count(evicted)})
    if unsaved := server.get("unsaved"):
        yield Finding(conditions.REDIS_UNSAVED, ("redis",), {"detail": ", ".join(unsaved)})


def _products(facts: HealthFacts) -> Iterator[Finding]:
    for product in PRODUCTS:
        values: dict[str, str | Value] = {"product": product}
        state = facts.states.get(product)
        if state is None and not facts.reachable:
            continue  # what is published is not known
        if state is None:
            yield Finding(conditions.PRODUCT_MISSING, (product,), values)
        elif state is AnswerState.EXPIRED:
            yield Finding(conditions.PRODUCT_EXPIRED, (product,), values)
        elif product in facts.unreadable:
            values["detail"] = facts.unreadable[product]
            yield Finding(conditions.PRODUCT_UNREADABLE, (product,), values)
        elif state is AnswerState.STALE:
            yield Finding(conditions.PRODUCT_STALE, (product,), values)


def _disagreements(agreements: Agreements) -> Iterator[Finding]:
    for product, hold in agreements.holds.items():
        first = hold.first[0] if hold.first else None
        values: dict[str, str | Value] = {
            "product": product,
            "count": Count(hold.disagreeing),
            "filter": str(Filter.of(first.filter)) if first else "?",
            **{name: str(getattr(first, name, "?")) for name in ("figure", "published", "recomputed")},
        }
        yield Finding(conditions.FIGURES_DISAGREE, (product,), values)


def _month_ends(unreadable: tuple[str, ...]) -> Iterator[Finding]:
    if unreadable:
        values: dict[str, str | Value] = {
            "count": Count(len(unreadable)),
            "first": unreadable[0],
            "last": unreadable[-1],
        }
        yield Finding(conditions.MONTH_ENDS_UNREADABLE, ("month_ends",), values)


def source_findings(readings: SourceReadings) -> Iterator[Finding]:
    """The reading of the source that is held, if one is."""
    if readings.held is None:
        return
    values: dict[str, str | Value] = {"reading": readings.held.report.digest}
    if falls := tuple(fall.as_phrase() for fall in readings.held.falls):
        yield Finding(conditions.READING_FELL, ("source",), values | {"detail": Phrases(falls)})
    else:
        yield Finding(conditions.READING_REFUSED, ("source",), values)


def _unreadable_month_ends(reader: CacheReader) -> tuple[str, ...]:
    try:
        return reader.month_ends.unreadable()
    except CacheUnavailable:
        return ()  # that Redis does not answer is a finding of its own


def _live_readings(reader: CacheReader) -> LiveReadings:
    try:
        return reader.live_readings()
    except CacheUnavailable:
        return LiveReadings({}, mixed=False)  # that Redis does not answer is a finding of its own


def _live(readings: LiveReadings) -> Iterator[Finding]:
    rolled_back: dict[tuple[int, int], list[str]] = {}
    for product, one in readings.by_product.items():
        if one.rolled_back_at is not None:
            moments = int(one.read_at), int(one.rolled_back_at)
            rolled_back.setdefault(moments, []).append(product)
    for (read, at), products in rolled_back.items():
        yield Finding(
            conditions.PRODUCTS_ROLLED_BACK,
            tuple(products),
            {"products": ", ".join(products), "read": Moment(read), "at": Moment(at)},
        )
    if readings.mixed:
        yield Finding(conditions.READINGS_MIXED, ("readings",), {"detail": readings.as_phrases()})


def _last_hour(reader: CacheReader) -> Performance | None:
    try:
        return reader.performance(HOUR)
    except CacheUnavailable:
        return None


def _hit_rate(last_hour: Performance | None) -> Iterator[Finding]:
    if last_hour is None:
        return
    lookups = last_hour.all_lookups
    rate = lookups.hit_rate
    if rate is not None and rate < LOW_HIT_RATE and lookups.count >= FEW_LOOKUPS:
        yield Finding(
            conditions.HIT_RATE_LOW, ("cache",), {"share": Share(rate), "count": Count(lookups.count)}
        )


def _answer_times(last_hour: Performance | None) -> Iterator[Finding]:
    if last_hour is None or last_hour.all_answers.count < FEW_LOOKUPS:
        return
    p95 = last_hour.all_answers.quantile_s(0.95)
    if p95 is not None and p95 > SLOW_S:
        yield Finding(conditions.ANSWERS_SLOW, ("cache",), {"p95": Duration(p95)})


def _alarms(alarms: Mapping[str, int]) -> Iterator[Finding]:
    if alarms:
        counts = ", ".join(f"{name} ({count})" for name, count in sorted(alarms.items()))
        yield Finding(conditions.ALARMS_RAISED, ("alarms",), {"detail": counts})


def pipeline_findings(report: PipelineReport) -> Iterator[Finding]:
    """What is wrong with the processes of the pipeline, each cause once.

    A process that has stopped explains what does not happen without it, and so does a silent daemon.
    """
    if not report.watched:
        yield Finding(conditions.STACK_UNWATCHED, ("pipeline",))
    if report.processes is not None and not report.processes:
        yield Finding(conditions.SUPERVISOR_SILENT, ("pipeline",))
    stopped = {process.name: process.state for process in report.processes or () if not process.is_well}
    for name, state in stopped.items():
        yield Finding(conditions.PROCESS_STOPPED, ("pipeline",), {"process": name, "state": state})
    if report.daemons is None and "dagster-web" not in stopped:
        yield Finding(conditions.DAGSTER_UNREACHABLE, ("pipeline",))
    silent = [daemon for daemon, healthy in (report.daemons or {}).items() if not healthy]
    if silent and "dagster-daemon" not in stopped:
        yield Finding(conditions.DAEMONS_SILENT, ("pipeline",), {"daemons": ", ".join(silent)})
    if "worker" not in stopped:
        for worker, silent_s in report.silent_workers.items():
            yield Finding(
                conditions.WORKER_SILENT, ("pipeline",), {"worker": worker, "silence": Duration(silent_s)}
            )
        yield from _stalled(report)
    # Without Dagster the dispatcher waits for it.
    if "dispatcher" not in stopped and report.daemons is not None:
        yield from _requests(report.requests)
    if not silent and "dagster-daemon" not in stopped:
        yield from _silent_ticks(report)
    yield from _failed_ticks(report)
    if report.disk_free is not None and report.disk_free < LOW_DISK_BYTES:
        yield Finding(conditions.DISK_NEARLY_FULL, ("pipeline",), {"free": Size(report.disk_free)})


def _stalled(report: PipelineReport) -> Iterator[Finding]:
    """The runs that do not go on: one finding, for those that wait are held up by those that hang."""
    if not report.stalled:
        return
    runs = sorted(report.stalled, key=lambda run: (not run.started, run.since))
    values: dict[str, str | Value] = {
        "runs": ", ".join(f"{run.job} ({run.run_id[:8]})" for run in runs),
        "wait": Duration(report.at - runs[0].since),
    }
    condition = conditions.RUNS_STALLED if runs[0].started else conditions.RUNS_UNSTARTED
    yield Finding(condition, ("pipeline",), values)


def _requests(requests: RequestsReport | None) -> Iterator[Finding]:
    if requests is None:
        return
    count = Count(requests.unread)
    if requests.silent_s is not None and requests.silent_s > DISPATCHER_SILENT_S:
        silence = Duration(requests.silent_s)
        yield Finding(conditions.DISPATCHER_SILENT, ("pipeline",), {"silence": silence, "count": count})
    elif requests.unread_s > UNREAD_S:
        wait = Duration(requests.unread_s)
        yield Finding(conditions.REQUESTS_UNREAD, ("pipeline",), {"wait": wait, "count": count})


def _silent_ticks(report: PipelineReport) -> Iterator[Finding]:
    silent = {tick.name: tick.silent_since for tick in report.ticks if tick.silent_since is not None}
    if silent:
        silence = Duration(report.at - min(silent.values()))
        yield Finding(
            conditions.TICKS_MISSING, ("pipeline",), {"names": ", ".join(silent), "silence": silence}
        )


def _failed_ticks(report: PipelineReport) -> Iterator[Finding]:
    """The sensors and schedules whose last tick failed: one finding for each reason.

    A run that failed because the source does tells of it too.
    """
    names: dict[str, list[str]] = {}
    for tick in report.ticks:
        if tick.failure:
            names.setdefault(tick.failure, []).append(tick.name)
    for reason, failed in names.items():
        values = {"names": ", ".join(failed), "detail": reason}
        if failed != [SOURCE_SENSOR]:
            yield Finding(conditions.TICKS_FAILED, ("pipeline",), values)
        elif not any(run.failed and _has_cause(run, reason) for run in report.runs.values()):
            yield Finding(conditions.SOURCE_UNPROBED, ("source",), values)


def _runs(facts: HealthFacts) -> Iterator[Finding]:
    """The runs that failed, each once, but for those that another finding explains.

    That is a reading or a product that is held, or a worker that does nothing. Runs that fail because the
    source fails now are one finding.
    """
    if facts.report is None:
        return
    held = facts.readings.held.report.digest if facts.readings.held else None
    stopped = any(one.name == "worker" and not one.is_well for one in facts.report.processes or ())
    idle = stopped or bool(facts.report.stalled)
    failed: dict[str, dict[str, RunReport]] = {}
    for product, run in facts.report.runs.items():
        explained = bool(held and held in run.reason) or product in facts.agreements.holds
        if run.failed and not explained and not (idle and run.given_up):
            cause = "source" if _has_cause(run, facts.report.source_failure) else run.run_id
            failed.setdefault(cause, {})[product] = run
    for cause, by_product in failed.items():
        runs = {run.run_id: run for run in by_product.values()}
        values = {
            "products": ", ".join(by_product),
            "job": ", ".join(run.job for run in runs.values()),
            "run": ", ".join(run_id[:8] for run_id in runs),
            "detail": next(iter(runs.values())).reason,
        }
        subjects = (*by_product, "source") if cause == "source" else tuple(by_product)
        yield Finding(conditions.RUN_FAILED, subjects, values)


def _has_cause(run: RunReport, cause: str) -> bool:
    """Whether a run failed for a reason; both may have been shortened."""
    _, _, reason = run.reason.partition(": ")
    shorter, longer = sorted((reason.rstrip(ELLIPSIS), cause.rstrip(ELLIPSIS)), key=len)
    return bool(shorter) and longer.startswith(shorter)
