"""Upkeep of the cache: what each hourly clean-up found and removed, as figures over time."""

import time

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from kpi_pipeline.assets.archive import archive_month_ends
from kpi_pipeline.assets.freshness_policies import TRY_AGAIN
from kpi_pipeline.cache.publishing.cleanup import Cleanup
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import current_settings


@asset(
    group_name="upkeep",
    owners=["team:data-engineering"],
    kinds={"redis"},
    retry_policy=TRY_AGAIN,
    description="The cache without leftovers: generations that nobody names are removed, month ends within "
    "their bounds live on.",
)
def clean_cache(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> MaterializeResult[None]:
    """Clean the cache up."""
    settings = current_settings()
    first = month_end(month_of(source.today()) - settings.history_months)
    started = time.perf_counter()
    # Where there is a policy, its own step publishes it and removes what it no longer declares.
    withdrawn = PublishedScopes(cache.client).withdraw() if settings.policy is None else ()
    done = Cleanup(cache.client).run(time.time(), first, settings.history_bytes)
    archived = archive_month_ends(cache)
    forgotten = cache.month_end_archive.bound(PRODUCTS, first, settings.history_bytes)
    seconds = time.perf_counter() - started
    if done.without_expiry:
        context.log.warning(f"keys that should expire and do not: {', '.join(done.without_expiry[:10])}")
    if done.month_ends_lost:
        context.log.warning(
            f"month ends that have lost keys: {', '.join(done.month_ends_lost)}; `kpi backfill` publishes "
            "them again"
        )
    return MaterializeResult(
        metadata={
            "orphans_removed": len(done.orphans),
            "keys_removed": done.keys,
            "bytes_removed": done.bytes,
            "month_ends_prolonged": done.month_ends_prolonged,
            "month_ends_lost": len(done.month_ends_lost),
            "month_ends_dropped": len(done.month_ends_dropped),
            "month_ends_archived": archived,
            "archived_month_ends_dropped": forgotten,
            "replaced_forgotten": done.replaced_forgotten,
            "requests_dropped": done.requests_dropped,
            "keys_without_expiry": len(done.without_expiry),
            "keys_left": done.keys_left,
            "scopes_withdrawn": len(withdrawn),
            "seconds": round(seconds, 3),
            "names": MetadataValue.json(
                {
                    "orphans": done.orphans,
                    "month_ends_lost": done.month_ends_lost,
                    "month_ends_dropped": done.month_ends_dropped,
                    "without_expiry": done.without_expiry,
                }
            ),
        }
    )
