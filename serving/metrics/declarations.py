"""Every metric that `/metrics` exposes: its name, meaning and labels."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name; one that counts ends in `_total`, any other in its unit if it has one.
        kind: What it is for Prometheus.
        text: What it measures.
        labels: What its series are told apart by; never `job` or `instance`, which Prometheus sets itself.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()


HTTP_REQUESTS: Final = Metric(
    "kpi_http_requests_total", "counter", "Requests that were answered.", ("route", "status")
)
HTTP_DURATION: Final = Metric(
    "kpi_http_request_duration_seconds", "histogram", "Time from a request until its answer.", ("route",)
)
HTTP_BYTES: Final = Metric(
    "kpi_http_response_bytes_total", "counter", "Bytes of bodies that were sent, compressed.", ("route",)
)
LOOKUPS: Final = Metric(
    "kpi_lookups_total",
    "counter",
    "Lookups of figures by outcome: hit, stale, miss with its reason, expired.",
    ("product", "outcome", "reason"),
)

OF_REQUESTS: Final = (HTTP_REQUESTS, HTTP_DURATION, HTTP_BYTES, LOOKUPS)
"""What the serving processes of this machine count."""

REDIS_UP: Final = Metric("kpi_redis_up", "gauge", "1 while Redis answers, else 0.")
REDIS_MEMORY: Final = Metric("kpi_redis_memory_used_bytes", "gauge", "Memory that Redis uses.")
REDIS_MAXMEMORY: Final = Metric(
    "kpi_redis_memory_max_bytes", "gauge", "Memory that Redis may use; 0 without a limit."
)
REDIS_EVICTIONS: Final = Metric(
    "kpi_redis_evicted_keys_total", "counter", "Keys that Redis has evicted for want of memory."
)
GENERATION_STATE: Final = Metric(
    "kpi_generation_state",
    "gauge",
    "1 for the state of a product's live generation, else 0: fresh, stale, expired, missing.",
    ("product", "state"),
)
GENERATION_AGE: Final = Metric(
    "kpi_generation_age_seconds", "gauge", "Time since the source last confirmed the figures.", ("product",)
)
GENERATION_FRESH_UNTIL: Final = Metric(
    "kpi_generation_fresh_until_timestamp_seconds", "gauge", "Until when the figures are fresh.", ("product",)
)
GENERATION_VARIANTS: Final = Metric(
    "kpi_generation_variants", "gauge", "Variants that the live generation holds.", ("product",)
)
GENERATION_BYTES: Final = Metric(
    "kpi_generation_bytes", "gauge", "Stored size of the live generation.", ("product",)
)
AUDITED_FIGURES: Final = Metric(
    "kpi_audited_figures", "gauge", "Figures that the last audit has recomputed.", ("product",)
)
AUDIT_DISAGREEMENTS: Final = Metric(
    "kpi_audit_disagreements", "gauge", "Those of them that are published otherwise.", ("product",)
)
AUDIT_AGREEMENT: Final = Metric(
    "kpi_audit_agreement_ratio",
    "gauge",
    "Share of all figures that agrees at least, as the sample shows with a confidence of 95%.",
    ("product",),
)
AUDIT_AGE: Final = Metric("kpi_audit_age_seconds", "gauge", "Time since the last audit.", ("product",))
PRODUCT_HELD: Final = Metric(
    "kpi_product_held", "gauge", "1 while nothing newer of a product goes live, else 0.", ("product",)
)
ALARMS: Final = Metric("kpi_alarms", "gauge", "Alarms of the last 24 hours.", ("alarm",))
QUARANTINE: Final = Metric(
    "kpi_quarantine_ratio", "gauge", "Share of the rows of the source that was refused.", ("table",)
)
READING_HELD: Final = Metric(
    "kpi_reading_held", "gauge", "1 while a reading of the source is held back, else 0."
)
LISTENERS: Final = Metric(
    "kpi_event_listeners", "gauge", "Open pages that are told of new figures by all processes that do."
)
QUEUE_LENGTH: Final = Metric("kpi_request_queue_length", "gauge", "Requests that nobody has read.")
QUEUE_OLDEST: Final = Metric(
    "kpi_request_queue_oldest_seconds", "gauge", "How long the oldest of them waits; 0 without one."
)
REPORT_AGE: Final = Metric(
    "kpi_pipeline_report_age_seconds", "gauge", "Time since the pipeline last reported its state."
)
PROCESS_UP: Final = Metric(
    "kpi_process_up", "gauge", "1 while a process of the stack runs or starts, else 0.", ("process",)
)
RUNS: Final = Metric(
    "kpi_runs_total", "counter", "Runs that ended: succeeded, failed, canceled.", ("job_name", "status")
)
RUNS_UNFINISHED: Final = Metric(
    "kpi_runs_unfinished",
    "gauge",
    "Runs that wait (queued) or go on (started).",
    ("job_name", "status"),
)
RUN_DURATION: Final = Metric(
    "kpi_last_run_duration_seconds", "gauge", "Duration of the last run of a job that ended.", ("job_name",)
)
RUN_ENDED: Final = Metric(
    "kpi_last_run_end_timestamp_seconds", "gauge", "When the last run of a job ended.", ("job_name", "status")
)
STEP_DURATION: Final = Metric(
    "kpi_last_run_step_duration_seconds", "gauge", "Duration of each step of that run.", ("job_name", "step")
)
DISK_FREE: Final = Metric("kpi_disk_free_bytes", "gauge", "Free space on the disk of KPI_HOME.")

OF_STATE: Final = (
    *(REDIS_UP, REDIS_MEMORY, REDIS_MAXMEMORY, REDIS_EVICTIONS),
    *(GENERATION_STATE, GENERATION_AGE, GENERATION_FRESH_UNTIL, GENERATION_VARIANTS, GENERATION_BYTES),
    *(AUDITED_FIGURES, AUDIT_DISAGREEMENTS, AUDIT_AGREEMENT, AUDIT_AGE, PRODUCT_HELD),
    *(ALARMS, QUARANTINE, READING_HELD, LISTENERS),
    *(QUEUE_LENGTH, QUEUE_OLDEST),
    *(REPORT_AGE, PROCESS_UP, RUNS, RUNS_UNFINISHED, RUN_DURATION, RUN_ENDED, STEP_DURATION, DISK_FREE),
)
"""What is read from Redis when it is asked for, the same for every serving process."""

METRICS: Final = (*OF_REQUESTS, *OF_STATE)
"""All of them."""
