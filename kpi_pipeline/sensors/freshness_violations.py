"""Figures that stay stale without a run to renew them raise an alarm and a request for a rebuild."""

import json
import time
from typing import Final

import redis
from dagster import (
    DefaultSensorStatus,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.freshness import clock_was_ahead
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.jobs import PRODUCT_JOBS, REFRESH_ALL
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.runs_in_progress import rebuild_under_way

GRACE_S: Final = 120.0
"""How long after its freshness ended a product may wait for its schedule's run."""

RETRY_S: Final = 300.0
"""How long after a rebuild without effect the next one is requested."""


@sensor(
    job=REFRESH_ALL,
    minimum_interval_seconds=30,
    default_status=DefaultSensorStatus.RUNNING,
    description="Raises an alarm and requests a rebuild when a live generation is stale for too long.",
)
def freshness_violations(context: SensorEvaluationContext, cache: CacheResource) -> SensorResult | SkipReason:
    """Find products that are stale beyond the grace period and that no run is renewing.

    Several at once, as after a downtime, are renewed by one run. The cursor holds the entry of each product
    in violation and when a rebuild was requested: one alarm an entry, and no flood of rebuilds while the
    source is unreachable.
    """
    now = time.time()
    violations: dict[str, list[float]] = json.loads(context.cursor or "{}")
    try:
        late, waiting = _late(cache, now), list[str]()
        for product, live in late.items():
            fence, requested_at = violations.get(product, [-1, 0.0])
            if fence != live.fence:
                Alarms(cache.client).sound("freshness_violated", live.generation, _advice(live, now))
                requested_at = 0.0
            # What was noted by a clock that has been set back since holds nothing up.
            if abs(now - requested_at) >= RETRY_S and not rebuild_under_way(context.instance, product):
                waiting.append(product)
                requested_at = now
            violations[product] = [live.fence, requested_at]
        if waiting:
            product = waiting[0] if len(waiting) == 1 else ALL_PRODUCTS
            Requests(cache.client).submit(RequestKind.REFRESH, product, EVERYTHING, by="freshness_violations")
    except (NoRedis, redis.RedisError) as error:
        return SkipReason(f"Redis does not answer, so freshness is not known: {error}")
    cursor = json.dumps({product: violations[product] for product in late})
    reason = f"stale for too long: {', '.join(late)}" if late else "every live generation is on time"
    return SensorResult(skip_reason=reason, cursor=cursor)


def _late(cache: CacheResource, now: float) -> dict[str, ManifestEntry]:
    publisher = Publisher(cache.client)
    entries = {product: publisher.live(product) for product in PRODUCTS}
    return {
        product: live
        for product, live in entries.items()
        if live is not None and (now > live.fresh_until + GRACE_S or clock_was_ahead(live.verified_at, now))
    }


def _advice(live: ManifestEntry, now: float) -> str:
    if clock_was_ahead(live.verified_at, now):
        return (
            f"verified {live.verified_at - now:.0f} s from now: the clock of the machine was ahead, or is "
            "behind; set it right"
        )
    return (
        f"stale for {now - live.fresh_until:.0f} s; look at the last runs of "
        f"{PRODUCT_JOBS[live.product].name} and whether the source can be read"
    )
