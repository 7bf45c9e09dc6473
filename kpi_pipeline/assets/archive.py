"""The archive on disk: written after each publication, read back when Redis has lost what was live."""

import time
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

from kpi_pipeline.cache.publishing.publisher import IncompleteGeneration
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource


def archived_asset(product: str) -> AssetsDefinition:
    """The asset that keeps a product's live generation on disk."""

    @asset(
        name=f"archived_{product}",
        deps=[AssetDep(f"live_{product}")],
        group_name="publication",
        owners=["team:data-engineering"],
        kinds={"file"},
        # Readers wait for what is live, nobody for the archive.
        op_tags={"dagster/priority": "-1"},
        description=f"The live generation of {product} on disk, for the day that Redis loses it.",
    )
    def store(context: AssetExecutionContext, cache: CacheResource) -> MaterializeResult[None]:
        """Archive what is live; a failure to do so is an alarm, not a failure of the refresh."""
        started = time.perf_counter()
        live = cache.publisher().live(product)
        if live is None:
            return MaterializeResult(metadata={"outcome": "nothing is live any more"})
        outcome, written = "archived", 0
        try:
            written = cache.archive().store(live)
        except (OSError, IncompleteGeneration) as error:
            outcome = f"not archived: {error}"
            context.log.warning(outcome)
            advice = f"{error}; see to room and rights in KPI_HOME/storage/archive"
            cache.alarms().sound("archive_failed", product, advice)
        return MaterializeResult(
            metadata={
                "generation": live.generation,
                "outcome": outcome,
                "bytes": written,
                "seconds": round(time.perf_counter() - started, 3),
            }
        )

    return store


@op(description="Bring back from the archive what Redis has lost, then ask for a rebuild.")
def restore_lost(context: OpExecutionContext, cache: CacheResource) -> None:
    """Restore every product that has lost keys or its manifest entry, without reading the source.

    Raises:
        Failure: If a product that has lost keys could not be restored; its rebuild is asked for.
    """
    told: dict[str, dict[str, Any]] = {}
    beyond = []
    for product in PRODUCTS:
        with cache.lease(product, context.run_id):
            # Looked at again: by now somebody may have published.
            loss = cache.integrity().of(product, time.time())
            if loss is None:
                continue
            restored = cache.restoration().restore(product, time.time())
        told[product] = {
            "loss": loss,
            "outcome": restored.outcome.value,
            "generation": restored.generation,
            "keys": restored.keys,
            "problems": restored.problems,
        }
        cache.alarms().sound("cache_lost", product, f"{loss}; {restored.outcome.value} from the archive")
        for problem in restored.problems:
            cache.alarms().sound("archive_corrupt", product, f"{problem}; it was passed over")
        cache.requests().submit(RequestKind.REFRESH, product, EVERYTHING)
        # What is superseded is whole too, as a rule: somebody published meanwhile.
        if cache.integrity().of(product, time.time()) is not None:
            beyond.append(f"{product} ({loss}): {'; '.join(restored.problems) or restored.outcome.value}")
    context.add_output_metadata({"products": MetadataValue.json(told)})
    if beyond:
        raise Failure(
            "not restored: " + "; ".join(beyond) + ". A rebuild is asked for; it needs the source.",
            allow_retries=False,
        )


ARCHIVED_ASSETS: Final = [archived_asset(product) for product in PRODUCTS]
