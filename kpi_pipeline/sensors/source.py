"""A source that changed is read again: new and changed rows as well as deleted ones."""

import json

import redis
from dagster import (
    DefaultSensorStatus,
    Failure,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.jobs import REFRESH_ALL
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.mapping import MappingError
from kpi_pipeline.model.pipeline_report import SOURCE_SENSOR
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.change_detection import Probe
from kpi_pipeline.sources.errors import SourceError


@sensor(
    name=SOURCE_SENSOR,
    job=REFRESH_ALL,
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Refreshes everything when rows of the source were added, changed or deleted.",
)
def source_changes(
    context: SensorEvaluationContext, source: SourceResource, cache: CacheResource
) -> SensorResult | SkipReason:
    """Request a refresh of everything for each change of the source.

    It joins a run that will read the change. The cursor holds the last probe: a change back to an earlier
    state is a change too.

    Raises:
        Failure: If the source cannot be probed, or Redis takes no request: the tick fails, which the monitor
            reports at once, and the next one sees the change.
    """
    if not source.is_chosen():
        return SkipReason("no source is chosen: run `kpi load`")
    before = json.loads(context.cursor) if context.cursor else None
    identity = source.identity()
    same_source = before is not None and before["source"] == identity
    try:
        probe = source.probe(Probe(before["mark"], before["stamp"]) if before and same_source else None)
    except (MappingError, SourceError) as error:
        # Without the cause, whose message may hold a password.
        raise Failure(str(error)) from None
    changed = before is not None and not (same_source and before["mark"] == probe.token)
    cursor = json.dumps(
        {"source": identity, "mark": probe.token, "stamp": probe.file_state},
        ensure_ascii=False,
    )
    if not changed:
        return SensorResult(skip_reason="the source has not changed", cursor=cursor)
    try:
        task = Requests(cache.client).submit(RequestKind.REFRESH, ALL_PRODUCTS, EVERYTHING, by=SOURCE_SENSOR)
    except (NoRedis, redis.RedisError) as error:
        raise Failure(f"the source has changed, and Redis takes no request for a refresh: {error}") from None
    return SensorResult(skip_reason=f"the source has changed: {task.as_text()}", cursor=cursor)
