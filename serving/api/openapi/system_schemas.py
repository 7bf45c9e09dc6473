"""The schemas of health, of the cache's status, and of requests and their tasks."""

from typing import Final

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.model.alerts.rule_kind import Group, Severity
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.health import HealthStatus
from kpi_pipeline.model.performance import WINDOWS, AnswerKind
from kpi_pipeline.model.pipeline_report import PipelineReport
from kpi_pipeline.model.readings import ReadingReport
from serving.api.openapi.json_schema import (
    BOOLEAN,
    DAY,
    INTEGER,
    MOMENT,
    NUMBER,
    SECONDS,
    TEXT,
    Schema,
    add_properties,
    described,
    list_of,
    map_of,
    object_of,
    one_of,
    or_null,
    ref,
    schemas_of,
)

PRODUCT: Final[Schema] = one_of(PRODUCTS)
TASK_ID: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
STATUS_URL: Final[Schema] = {
    "type": "string",
    "format": "uri-reference",
    "description": "Where the progress of the task is.",
}
FILTER: Final[Schema] = described(
    map_of(list_of(TEXT)), "Values by dimension; any of them. {} is everything."
)

_RETRY_AFTER: Final = described(INTEGER, "Seconds after which to look again.")
_STATUS: Final = one_of(status.value for status in HealthStatus)
_ANSWER_STATE: Final = one_of(state.value for state in AnswerState)


def system_schemas() -> dict[str, Schema]:
    """Each of them by name."""
    report, of_report = schemas_of(PipelineReport, "Pipeline")
    reading, of_reading = schemas_of(ReadingReport, "Reading")
    add_properties(reading, {"digest": TEXT})
    shares = {"refused_share": NUMBER, "refused_amount_shares": map_of(NUMBER)}
    add_properties(of_reading["ReadingRowReport"], shares)
    return {
        "PipelineReport": report,
        **of_report,
        "ReadingReport": reading,
        **of_reading,
        "Finding": _FINDING,
        "Verdict": object_of(_VERDICT),
        "SystemHealth": object_of({**_VERDICT, "checks": _CHECKS}),
        "CacheStatus": _CACHE_STATUS,
        "Performance": _PERFORMANCE,
        "Distribution": _DISTRIBUTION,
        "Alerts": _ALERTS,
        "Alert": _ALERT,
        "LiveReadings": object_of(_LIVE_READINGS),
        "Task": _TASK,
        "Request": _REQUEST,
        "Requests": _REQUESTS,
    }


_LIVE_READINGS: Final = {
    "mixed": described(BOOLEAN, "Whether products show different readings, and readers are to know it."),
    "products": map_of(
        object_of(
            {"reading": TEXT, "read_at": SECONDS, "checked_at": SECONDS, "rolled_back_at": or_null(SECONDS)}
        ),
        propertyNames=PRODUCT,
    ),
}
_FINDING: Final = object_of(
    {
        "condition": described(TEXT, "Stable name of what is wrong."),
        "status": _STATUS,
        "subjects": described(list_of(TEXT), "What it concerns: products, or parts of the system."),
        "reason": TEXT,
        "advice": TEXT,
    }
)
_VERDICT: Final = {
    "status": described(
        _STATUS, "`down` when no figures can be served, `degraded` when anything else is wrong."
    ),
    "findings": described(list_of(ref("Finding")), "What is wrong, the worst first."),
}
_PRODUCT_CHECK: Final = object_of(
    {
        "status": _STATUS,
        "state": one_of([*(state.value for state in AnswerState), "unreadable"]),
        "age_s": or_null(NUMBER),
        "as_of": or_null(DAY),
    }
)
_CHECKS: Final = object_of(
    {
        "redis": object_of({"status": _STATUS, "latency_ms": or_null(NUMBER)}),
        "products": object_of(dict.fromkeys(PRODUCTS, _PRODUCT_CHECK)),
        "source": object_of({"status": _STATUS, "held": or_null(TEXT)}),
        "readings": object_of({"status": _STATUS, **_LIVE_READINGS}),
        "cache": described(
            object_of(
                {
                    "status": _STATUS,
                    "lookups": or_null(INTEGER),
                    **dict.fromkeys(("hit_rate", "mean_s", "p95_s"), or_null(NUMBER)),
                }
            ),
            "Lookups and response times of the last hour.",
        ),
        "alarms": object_of({"status": _STATUS, "counts": map_of(INTEGER)}),
        "pipeline": object_of({"status": _STATUS, "report": or_null(ref("PipelineReport"))}),
    }
)
_ALERT: Final = object_of(
    {
        "rule": described(TEXT, "Name of the rule."),
        "subject": described(
            TEXT, "What it concerns: a product, a process, a currency, a client, a certificate."
        ),
        "severity": one_of(severity.value for severity in Severity),
        "group": one_of(group.value for group in Group),
        "since": described(SECONDS, "Since when the rule holds."),
        "begun_at": described(or_null(SECONDS), "When it was reported; null while it is pending."),
        "products": list_of(PRODUCT),
        **dict.fromkeys(("reason_es", "reason_en", "advice_es", "advice_en"), TEXT),
        "run": described(TEXT, "The run of Dagster that shows it; empty without one."),
        "page": described(TEXT, "The path of the page that shows it."),
    }
)
_ALERTS: Final = object_of(
    {
        "reachable": described(BOOLEAN, "Whether Redis, which holds the alerts, could be read."),
        "evaluated_at": or_null(SECONDS),
        "evaluated_by": described(TEXT, "`pipeline`, or the web process that stands in for it."),
        "problem": described(TEXT, "Why the file of rules cannot be used; empty where it can."),
        "firing": described(list_of(ref("Alert")), "The most severe first."),
        "pending": list_of(ref("Alert")),
        "undelivered": list_of(
            object_of({"route": TEXT, "attempts": INTEGER, "failure": TEXT, "due_at": SECONDS})
        ),
        "totals": described(
            object_of(dict.fromkeys(("firing", "pending", "undelivered"), INTEGER)),
            "How many each list has, whatever `limit` and `offset` leave out.",
        ),
    }
)
_ENTRY: Final = object_of(
    {
        "generation": TEXT,
        "state": _ANSWER_STATE,
        "as_of": DAY,
        "age_s": NUMBER,
        **dict.fromkeys(("computed_at", "verified_at", "fresh_until", "stale_until"), SECONDS),
        "fence": INTEGER,
        "watermark": or_null(TEXT),
        "run_id": TEXT,
        "variants": INTEGER,
        "bytes": INTEGER,
        "previous": list_of(TEXT),
    }
)
_CACHE_STATUS: Final = object_of(
    {
        "products": map_of(_ENTRY, propertyNames=PRODUCT),
        "redis": object_of(
            {
                "reachable": BOOLEAN,
                "latency_ms": or_null(NUMBER),
                "used_memory": or_null(INTEGER),
                "version": or_null(TEXT),
                "keys": or_null(INTEGER),
                "maxmemory": described(or_null(INTEGER), "In bytes; 0 without a limit."),
                "evicted_keys": or_null(INTEGER),
                "unsaved": described(or_null(list_of(TEXT)), "What of its persistence fails."),
            }
        ),
        "memory": object_of(dict.fromkeys(("payloads", "bytes", "limit"), INTEGER)),
        "reads": object_of(dict.fromkeys(("memory", "redis", "missing", "expired"), INTEGER)),
        "alarms": map_of(INTEGER),
        "source": object_of(
            {
                "accepted": or_null(ref("ReadingReport")),
                "held": or_null(
                    {
                        "allOf": [ref("ReadingReport")],
                        "type": "object",
                        "required": ["falls"],
                        "properties": {"falls": list_of(TEXT)},
                    }
                ),
            }
        ),
        "live_readings": ref("LiveReadings"),
    }
)
_DISTRIBUTION: Final = object_of(
    {
        "count": INTEGER,
        "bytes": described(INTEGER, "Sent with them; 0 where nothing is."),
        **dict.fromkeys(("mean_s", "p50_s", "p95_s", "p99_s"), or_null(NUMBER)),
    }
)
_LOOKUPS: Final = object_of(
    {
        "hit": described(INTEGER, "Answered with their own figures, fresh."),
        "stale": described(INTEGER, "With their own figures, stale."),
        "miss": described(INTEGER, "Not with their own figures."),
        "miss_reasons": map_of(INTEGER),
        "expired": described(INTEGER, "Not at all: the figures are too old."),
        "hit_rate": described(or_null(NUMBER), "Share of hits, fresh or stale."),
    }
)
_DISTRIBUTIONS: Final = map_of(ref("Distribution"))
_WINDOW: Final = object_of(
    {
        "seconds": INTEGER,
        "lookups": map_of(_LOOKUPS, propertyNames=PRODUCT),
        "answers": described(map_of(ref("Distribution"), propertyNames=one_of(AnswerKind)), "By kind."),
        "refreshes": described(_DISTRIBUTIONS, "From a request until its figures are served, by its kind."),
        "source_to_served": described(
            _DISTRIBUTIONS, "From a reading of the source until its figures are served, by product."
        ),
        "steps": described(_DISTRIBUTIONS, "Steps of runs that succeeded, by name."),
    }
)
_PERFORMANCE: Final = object_of(
    {"windows": object_of({window.name: _WINDOW for window in WINDOWS})},
    description="Percentiles are upper bounds, at most 19 % too high.",
)
_TASK: Final = object_of(
    {
        "id": TASK_ID,
        "state": one_of(state.value for state in TaskState),
        "kind": one_of(kind.value for kind in RequestKind),
        "product": PRODUCT,
        "filter": FILTER,
        "scope": TEXT,
        "asked_at": MOMENT,
        "started_at": or_null(MOMENT),
        "finished_at": or_null(MOMENT),
        "progress": object_of({"steps_done": INTEGER, "steps": or_null(INTEGER)}),
        "timings": described(
            object_of(
                dict.fromkeys(("started_s", "computed_s", "published_s", "finished_s"), or_null(NUMBER))
            ),
            "Seconds from the request.",
        ),
        "reason": described(
            or_null(TEXT),
            "Why it failed: in the pipeline's own words to those who may operate it, to others in words for "
            "readers, in the language of `Accept-Language`.",
        ),
        "source_failed": described(BOOLEAN, "Whether it failed because the source could not be read."),
        "rolled_back": described(
            or_null(object_of({"read_at": MOMENT, "rolled_back_at": MOMENT})),
            "The earlier reading that was gone back to, which holds newer figures back, and when; null as a "
            "rule.",
        ),
        "run_id": or_null(TEXT),
        "run_url": described(
            or_null(TEXT), "The run in the engineers' UI; null to those who may not operate it."
        ),
    }
)
_REQUEST: Final = object_of({"task_id": TASK_ID, "status_url": STATUS_URL, "retry_after": _RETRY_AFTER})
_REQUESTS: Final = object_of(
    {
        "tasks": list_of(object_of({"product": PRODUCT, "task_id": TASK_ID, "status_url": STATUS_URL})),
        "retry_after": _RETRY_AFTER,
    }
)
