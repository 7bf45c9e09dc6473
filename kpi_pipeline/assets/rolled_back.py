"""A product that was rolled back lives on; what it has lost is computed again from its own reading."""

from collections.abc import Callable
from dataclasses import replace

from dagster import DagsterRun

from kpi_pipeline.assets.certificate_blocks import kept_list
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.assets.generation_entry import inputs_digest
from kpi_pipeline.assets.generation_variants import Demand, choose_variants
from kpi_pipeline.assets.generation_writing import write_generation
from kpi_pipeline.assets.reuse import basis_digest, write_plan
from kpi_pipeline.assets.run_tags import ends_rollback
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource


def kept_entry(
    live: ManifestEntry | None,
    reading: str,
    fence: int,
    run: DagsterRun,
    source: SourceResource,
    cache: CacheResource,
    *,
    expires_at: float,
    extend_lease: Callable[[], object],
) -> tuple[ManifestEntry | None, list[str]]:
    """Let a generation that was rolled back to live on, and compute again what it has lost.

    An administrator has gone back from a reading: it stays out until the source changes, or a run is to end
    the rollback.

    Args:
        live: The entry of the live generation; None where there is none.
        reading: The reading that the run would publish.
        fence: Its fence.
        run: The run.
        source: Settings of the figures.
        cache: The cache.
        expires_at: When its keys expire from now on, in seconds since the epoch.
        extend_lease: Extends the lease of the product.

    Returns:
        What `whole_entry` does; None also where it is not to stay.
    """
    if live is None or live.rolled_back_from != reading or live.reading == reading or live.fence > fence:
        return None, []
    # What another version has made cannot be shown.
    if ends_rollback(run) or live.schema_version != SCHEMA_VERSION:
        return None, []
    definitions = Definitions(live.as_of, source.thresholds(), source.window_months())
    return whole_entry(live, run.run_id, definitions, cache, expires_at=expires_at, extend_lease=extend_lease)


def whole_entry(
    live: ManifestEntry,
    run_id: str,
    definitions: Definitions,
    cache: CacheResource,
    *,
    expires_at: float,
    extend_lease: Callable[[], object],
) -> tuple[ManifestEntry | None, list[str]]:
    """Let a generation of the whole firm or of a scope live on, and compute again what it has lost.

    Args:
        live: Its entry.
        run_id: The run.
        definitions: What figures go by, but for their business date: that is the generation's own.
        cache: The cache.
        expires_at: When its keys expire from now on, in seconds since the epoch.
        extend_lease: Extends the lease of the product.

    Returns:
        The entry of a generation that is whole, with the times and the fence of the live one, and the
        problems for which it was discarded. The live entry where nothing is lost, or what is corrupt cannot
        be computed; None where it has lost keys that cannot.
    """
    product, publisher = live.product, Publisher(cache.client, live.scope)
    damaged = publisher.damaged(live.generation)
    rollup = RollupArchive.of_settings().rollup(live.reading) if damaged else None
    figures = (
        None
        if rollup is None
        else Figures.of(rollup, live.as_of, definitions.window_months, definitions.thresholds)
    )
    if figures is None or figures.reading != live.reading:
        return live if publisher.prolong(live.generation, expires_at) else None, []
    described = figures.described
    variants = choose_variants(product, figures, Demand.of(product, cache.client, live.scope), live)
    if live.scope == WHOLE_FIRM:
        Coverage(cache.client).record(product, variants.record)
    basis = basis_digest(product, figures.cube, described)
    plan = write_plan(product, figures, variants, live, basis, damaged)
    staged, unread = write_generation(
        product,
        publisher,
        plan,
        described,
        expires_at,
        extend_lease,
        lambda _: kept_list(publisher, live, damaged),
    )
    entry = replace(
        live,
        generation=staged.generation,
        inputs=inputs_digest(product, live.reading, variants.difference, described),
        basis=basis,
        run_id=run_id,
        variants=staged.variants,
        blocks=staged.blocks,
        bytes=staged.bytes,
        previous=(),
    )
    return entry, unread
