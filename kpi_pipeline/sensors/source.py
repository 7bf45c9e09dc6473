"""A source that changed is read again: new and changed rows as well as deleted ones."""

import json
import time
from contextlib import suppress

import redis
from dagster import (
    DefaultSensorStatus,
    Failure,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from kpi_pipeline.assets.policy import renew_policy
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.operations import publish_operations
from kpi_pipeline.cache.publishing.source_readings import publish_failure, publish_recovery
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.jobs import REFRESH_ALL
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.mapping import MappingError
from kpi_pipeline.model.pipeline_report import SOURCE_SENSOR
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import current_settings
from kpi_pipeline.sources.change_detection import Probe
from kpi_pipeline.sources.errors import SourceError


@sensor(
    name=SOURCE_SENSOR,
    job=REFRESH_ALL,
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Refreshes everything when rows of the source were added, changed or deleted, or when the "
    "policy of scopes was changed.",
)
def source_changes(
    context: SensorEvaluationContext, source: SourceResource, cache: CacheResource
) -> SensorResult | SkipReason:
    """Request a refresh of everything for each change of the source or of the policy of scopes.

    It joins a run that will read the change. The cursor holds the last probe: a change back to an earlier
    state is a change too.

    Raises:
        Failure: If the source cannot be probed, or Redis takes no request: the tick fails, which the monitor
            reports at once, and the next one sees the change.
    """
    try:
        # At once, whatever becomes of the source: somebody may see less from now on.
        is_renewed = renew_policy(cache)
    except (NoRedis, redis.RedisError) as error:
        raise Failure(f"Redis takes no policy of scopes: {error}") from None
    _show_operations(context, cache)
    if not source.is_chosen():
        return SkipReason("no source is chosen: run `kpi load`")
    before = json.loads(context.cursor) if context.cursor else None
    identity = source.identity()
    same_source = before is not None and before["source"] == identity
    try:
        probe = source.probe(Probe(before["mark"], before["stamp"]) if before and same_source else None)
    except (MappingError, SourceError) as error:
        # Where Redis takes nothing, readers see that.
        with suppress(NoRedis, redis.RedisError):
            publish_failure(cache.client, time.time())
        # Without the cause, whose message may hold a password.
        raise Failure(str(error)) from None
    with suppress(NoRedis, redis.RedisError):
        publish_recovery(cache.client)
    what = "the source" if before is not None and not (same_source and before["mark"] == probe.token) else ""
    if is_renewed:
        what = what or "the policy of scopes"
    cursor = json.dumps(
        {"source": identity, "mark": probe.token, "stamp": probe.file_state},
        ensure_ascii=False,
    )
    if not what:
        return SensorResult(skip_reason="the source has not changed", cursor=cursor)
    try:
        task = Requests(cache.client).submit(RequestKind.REFRESH, ALL_PRODUCTS, EVERYTHING, by=SOURCE_SENSOR)
    except (NoRedis, redis.RedisError) as error:
        raise Failure(f"{what} has changed, and Redis takes no request for a refresh: {error}") from None
    return SensorResult(skip_reason=f"{what} has changed: {task.as_text()}", cursor=cursor)


def _show_operations(context: SensorEvaluationContext, cache: CacheResource) -> None:
    """Show serving what commands did while there was no Redis, or one that was flushed since."""
    try:
        publish_operations(cache.client, OperationJournal(current_settings().home).read())
    except (NoRedis, redis.RedisError, OSError) as error:
        context.log.warning(f"what commands did is not in the audit log yet: {error}")
