"""Month ends that should be kept and are not are published by themselves, one at a time, the latest first."""

import json
import time
from datetime import date
from typing import Final

import redis
from dagster import DefaultSensorStatus, RunRequest, SensorEvaluationContext, SensorResult, SkipReason, sensor

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.keys import CATALOGUE
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.fulfil import REQUESTED_BY_TAG
from kpi_pipeline.compute.months import last_month_ended, month_end, month_number, month_of, month_text
from kpi_pipeline.jobs import BACKFILL_MONTH_ENDS, RECONCILE, REFRESH_ALL
from kpi_pipeline.model.dimensions import MONTH, PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.runs_in_progress import under_way
from kpi_pipeline.settings import current_settings

RETRY_S: Final = 3600.0
"""How long after a run for a month end that is still missing the next one is requested."""

_WAITS_FOR: Final = (BACKFILL_MONTH_ENDS.name, REFRESH_ALL.name, RECONCILE.name)


@sensor(
    job=BACKFILL_MONTH_ENDS,
    minimum_interval_seconds=30,
    default_status=DefaultSensorStatus.RUNNING,
    description="Publishes those of the last KPI_BACKFILL_MONTHS month ends that are not kept, one at a "
    "time: after the first start, after an upgrade, and once another source is chosen.",
)
def missing_month_ends(
    context: SensorEvaluationContext, cache: CacheResource, source: SourceResource
) -> SensorResult | SkipReason:
    """Request the latest month end that is missing, when nothing else is published.

    The cursor holds when each that is still missing was requested: one that cannot be published is tried
    again every `RETRY_S`, and does not keep others waiting.
    """
    if not source.is_chosen():
        return SkipReason("no source is chosen: run `kpi load`")
    if under_way(context.instance, _WAITS_FOR):
        return SkipReason("a run is under way that publishes everything, or month ends")
    try:
        missing = _missing(cache, source.today())
    except (NoRedis, redis.RedisError) as error:
        return SkipReason(f"Redis does not answer, so it is not known what is kept: {error}")
    now = time.time()
    requested = {month: at for month, at in json.loads(context.cursor or "{}").items() if month in missing}
    # What was noted by a clock that has been set back since holds nothing up.
    due = [month for month in missing if abs(now - requested.get(month, 0.0)) >= RETRY_S]
    if not due:
        reason = f"tried within the hour: {', '.join(missing)}" if missing else "every month end is kept"
        return SensorResult(skip_reason=reason, cursor=json.dumps(requested))
    month = due[0]
    return SensorResult(
        run_requests=[RunRequest(partition_key=month, tags={REQUESTED_BY_TAG: "missing_month_ends"})],
        cursor=json.dumps({**requested, month: now}),
    )


def _missing(cache: CacheResource, today: date) -> list[str]:
    """The months whose ends should be kept and are not, the latest first."""
    settings = current_settings()
    publisher = Publisher(cache.client)
    live = {product: publisher.live(product) for product in PRODUCTS}
    sources = {product: entry.source for product, entry in live.items() if entry is not None}
    over = last_month_ended(today, settings.calendar_day())
    first = max(over - settings.backfill_months + 1, month_of(today) - settings.history_months)
    if len(sources) < len(PRODUCTS) or first > over:
        return []
    entries = [entry for entry in History(cache.client).entries() if entry.source == sources[entry.product]]
    kept = {(entry.product, entry.as_of) for entry in entries}
    wanted = [
        month
        for month in range(over, first - 1, -1)
        if any((product, month_end(month)) not in kept for product in PRODUCTS)
    ]
    if not wanted:
        return []
    begins = _first_month(publisher, live)
    earliest = _earliest_with_room(entries, settings.history_bytes)
    return [month_text(month) for month in wanted if month >= max(begins, earliest)]


def _first_month(publisher: Publisher, live: dict[str, ManifestEntry | None]) -> int:
    """The first month of which a live generation has a certificate; no month where none can be read."""
    entry = live[PRODUCTS[0]]
    payload = None if entry is None else publisher.payload(entry.generation, CATALOGUE)
    dimensions = [] if payload is None else payload.data()["dimensions"]
    months = [
        month_number(value["value"])
        for dimension in dimensions
        if dimension["name"] == MONTH.name
        for value in dimension["values"]
        if value["count"]
    ]
    return min(months, default=month_of(date.max))


def _earliest_with_room(entries: list[ManifestEntry], max_bytes: int) -> int:
    """The month before which no further month end fits: it would be dropped at the next clean-up."""
    by_month: dict[int, int] = {}
    for entry in entries:
        month = month_of(entry.as_of)
        by_month[month] = by_month.get(month, 0) + entry.bytes
    if sum(by_month.values()) + max(by_month.values(), default=0) <= max_bytes:
        return 0
    return min(by_month)
