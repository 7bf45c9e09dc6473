"""The archive on disk: written after each publication, restored when Redis has lost live generations."""

import time
from collections.abc import Sequence
from typing import Any, Final

from dagster import (
    AssetDep,
    AssetExecutionContext,
    AssetsDefinition,
    Failure,
    MaterializeResult,
    MetadataValue,
    OpExecutionContext,
    asset,
    op,
)

from kpi_pipeline.assets.digests import definitions_digest
from kpi_pipeline.assets.policy import renew_policy
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration, IntegrityCheck
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.leases import month_end_lease
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.restoration import Restoration
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource


def archived_asset(product: str) -> AssetsDefinition:
    """The asset that keeps a product's live generation on disk."""

    @asset(
        name=f"archived_{product}",
        deps=[AssetDep(f"live_{product}")],
        group_name="publication",
        owners=["team:data-engineering"],
        kinds={"file"},
        # Readers wait for the live generation, nobody for the archive.
        op_tags={"dagster/priority": "-1"},
        description=f"The live generation of {product} on disk, from which it is restored if Redis loses it.",
    )
    def store(
        context: AssetExecutionContext, source: SourceResource, cache: CacheResource
    ) -> MaterializeResult[None]:
        """Archive the live generation; a failure to do so raises an alarm and does not fail the refresh."""
        started = time.perf_counter()
        live = Publisher(cache.client).live(product)
        if live is None:
            return MaterializeResult(metadata={"outcome": "no generation is live"})
        outcome, written = "archived", 0
        try:
            written = cache.archive.store(live)
            cache.popularity_file.store(product)
            rollups = RollupArchive.of_settings()
            # A run that left a product rolled back has rolled another reading up.
            if live.rolled_back_at is None:
                made_by = definitions_digest(source.window_months(), source.thresholds())
                rollups.store(live.reading, live.run_id, made_by)
                forgotten = _forget_other_sources(cache, live)
                if forgotten:
                    context.log.info(f"of another source, and dropped: {', '.join(forgotten)}")
            rollups.prune(
                lambda: {*KeptGenerations(cache.client).readings(), *PublishedScopes(cache.client).readings()}
            )
        except (OSError, IncompleteGeneration) as error:
            outcome = f"not archived: {error}"
            context.log.warning(outcome)
            _raise_alarm(cache, product, error)
        return MaterializeResult(
            metadata={
                "generation": live.generation,
                "outcome": outcome,
                "bytes": written,
                "seconds": round(time.perf_counter() - started, 3),
            }
        )

    return store


def archive_month_ends(cache: CacheResource, products: Sequence[str] = PRODUCTS) -> int:
    """Archive the month ends that are not yet; a failure to do so raises an alarm.

    Args:
        cache: Where they are.
        products: Of which products.

    Returns:
        How many were archived.
    """
    archive, archived = cache.month_end_archive, 0
    for entry in History(cache.client).entries():
        if entry.product not in products or archive.holds(entry):
            continue
        try:
            archive.store(entry)
        except (OSError, IncompleteGeneration) as error:
            _raise_alarm(cache, f"{entry.product} as of {entry.as_of}", error)
        else:
            archived += 1
    return archived


def _forget_other_sources(cache: CacheResource, live: ManifestEntry) -> list[str]:
    """Drop the month ends of sources before the live one: they are no past of its figures.

    Returns:
        What was dropped of the cache.
    """
    history = History(cache.client)
    if all(entry.source == live.source for entry in history.entries() if entry.product == live.product):
        return []
    # The archive first: what is dropped is not to come back from it.
    cache.month_end_archive.remove_others(live.product, live.source)
    return history.drop_others(live.product, live.source)


def _raise_alarm(cache: CacheResource, subject: str, error: Exception) -> None:
    advice = f"{error}; check free space and permissions of KPI_HOME/storage/archive"
    Alarms(cache.client).sound("archive_failed", subject, advice)


@op(description="Restore from the archive what Redis has lost, then request a rebuild.")
def restore_lost(context: OpExecutionContext, cache: CacheResource) -> None:
    """Restore every product that has lost keys or its manifest entry, without reading the source.

    Month ends that are lost, and what readers request, are restored as well.

    Raises:
        Failure: If a product that has lost keys could not be restored; its rebuild is requested.
    """
    # Before there is anything to be shown.
    renew_policy(cache)
    integrity, alarms = IntegrityCheck(cache.client), Alarms(cache.client)
    restoration, requests = Restoration(cache.client, cache.archive), Requests(cache.client)
    report: dict[str, dict[str, Any]] = {}
    unrestored = []
    for product in PRODUCTS:
        with cache.lease(product, context.run_id):
            # Checked again: another run may have published since.
            loss = integrity.of(product, time.time())
            if loss is None:
                continue
            restored = restoration.restore(product, time.time())
        report[product] = {
            "loss": loss,
            "outcome": restored.outcome.value,
            "generation": restored.generation,
            "keys": restored.keys,
            "problems": restored.problems,
        }
        alarms.sound("cache_lost", product, f"{loss}; {restored.outcome.value} from the archive")
        for problem in restored.problems:
            alarms.sound("archive_corrupt", product, f"{problem}; it was skipped")
        requests.submit(RequestKind.REFRESH, product, EVERYTHING)
        # A superseded restoration leaves the product whole as a rule: another run published meanwhile.
        if integrity.of(product, time.time()) is not None:
            unrestored.append(f"{product} ({loss}): {'; '.join(restored.problems) or restored.outcome.value}")
    month_ends = {product: _restore_besides(product, context.run_id, cache) for product in PRODUCTS}
    context.add_output_metadata(
        {"products": MetadataValue.json(report), "month_ends": MetadataValue.json(month_ends)}
    )
    if unrestored:
        raise Failure(
            "not restored: " + "; ".join(unrestored) + ". A rebuild is requested; it reads the source.",
            allow_retries=False,
        )


def _restore_besides(product: str, run_id: str, cache: CacheResource) -> list[str]:
    """Restore what readers request of a product and its month ends; returns the months restored."""
    restoration, alarms = Restoration(cache.client, cache.month_end_archive), Alarms(cache.client)
    cache.popularity_file.restore(product)
    with cache.lease(month_end_lease(product), run_id):
        restored, problems = restoration.restore_month_ends(product, time.time())
    for problem in problems:
        alarms.sound("archive_corrupt", product, f"{problem}; it was skipped")
    return restored


ARCHIVED_ASSETS: Final = [archived_asset(product) for product in PRODUCTS]
