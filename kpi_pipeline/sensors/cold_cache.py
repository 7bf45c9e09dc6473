"""When Redis has lost live generations, they are restored from the archive."""

import json
import time
from typing import Final

import redis
from dagster import DefaultSensorStatus, RunRequest, SensorEvaluationContext, SensorResult, SkipReason, sensor

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.keys import HISTORY_KEY
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.jobs import restore_cache
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.runs_in_progress import rebuild_under_way, under_way

MONTH_ENDS: Final = "month ends"
"""Stands among the products that have lost something for the month ends of all."""

RETRY_S: Final = 60.0
"""How long the same loss waits for the run that was requested, before another is requested."""


@sensor(
    job_name=restore_cache.name,
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Restores what Redis has lost from the archive; without an archive it requests a rebuild.",
)
def cold_cache(
    context: SensorEvaluationContext, cache: CacheResource, source: SourceResource
) -> SensorResult | SkipReason:
    """Request a restoration of products that have lost keys, or a rebuild where none is archived.

    The cursor holds the loss last acted on, so that a loss that cannot be restored is retried every
    `RETRY_S` and not at every tick.
    """
    now = time.time()
    try:
        lost = _lost(cache, now)
    except (NoRedis, redis.RedisError) as error:
        return SkipReason(f"Redis does not answer, so nothing can be restored yet: {error}")
    if not lost:
        return SensorResult(skip_reason="nothing is lost", cursor="")
    if under_way(context.instance, [restore_cache.name]) or _acted_on(context.cursor, lost, now):
        return SkipReason(f"a restoration is under way or has just been tried: {_listed(lost)}")
    return _act_on(lost, context, cache, source, now)


def _act_on(
    lost: dict[str, str],
    context: SensorEvaluationContext,
    cache: CacheResource,
    source: SourceResource,
    now: float,
) -> SensorResult:
    cursor = json.dumps({"lost": lost, "at": now})
    archive = cache.archive
    if MONTH_ENDS in lost or any(archive.entries(product)[0] for product in lost):
        return SensorResult(run_requests=[RunRequest(tags={"kpi/lost": _listed(lost)})], cursor=cursor)
    if not source.is_chosen():
        reason = "nothing is published or archived, and no source is chosen: run `kpi load`"
        return SensorResult(skip_reason=reason, cursor="")
    for product in lost:
        if not rebuild_under_way(context.instance, product):
            Requests(cache.client).submit(RequestKind.REFRESH, product, EVERYTHING)
    reason = f"nothing is archived; rebuilds are requested: {_listed(lost)}"
    return SensorResult(skip_reason=reason, cursor=cursor)


def _lost(cache: CacheResource, now: float) -> dict[str, str]:
    integrity = IntegrityCheck(cache.client)
    losses = {product: integrity.of(product, now) for product in PRODUCTS}
    lost = {product: loss for product, loss in losses.items() if loss is not None}
    if not cache.client.exists(HISTORY_KEY) and any(
        cache.month_end_archive.entries(product)[0] for product in PRODUCTS
    ):
        lost[MONTH_ENDS] = "the history is gone"
    return lost


def _acted_on(cursor: str | None, lost: dict[str, str], now: float) -> bool:
    before = json.loads(cursor) if cursor else None
    # What was noted by a clock that has been set back since holds nothing up.
    return before is not None and before["lost"] == lost and abs(now - before["at"]) < RETRY_S


def _listed(lost: dict[str, str]) -> str:
    return "; ".join(f"{product}: {loss}" for product, loss in lost.items())
