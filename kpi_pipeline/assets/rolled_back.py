"""Answers that readers wait for while a product is rolled back: added from the roll-up of its reading."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from kpi_pipeline.assets.certificate_blocks import kept_list
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.assets.generation_entry import inputs_digest
from kpi_pipeline.assets.generation_variants import Demand, choose_variants
from kpi_pipeline.assets.generation_writing import write_generation
from kpi_pipeline.assets.reuse import basis_digest, write_plan
from kpi_pipeline.cache.keys import variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.requests import Requests, TaskStatus
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource

_SEALED: Final = (
    "{product} is rolled back, and the roll-up of its reading is not kept: only precomputed filters can be "
    "shown until `kpi warm` ends the rollback"
)


def add_awaited(
    live: ManifestEntry,
    awaited: Sequence[TaskStatus],
    source: SourceResource,
    cache: CacheResource,
    *,
    expires_at: float,
    run_id: str,
    extend_lease: Callable[[], object],
) -> tuple[ManifestEntry, list[str]]:
    """Add to what a product was rolled back to the answers that readers wait for, and those it has lost.

    Where awaited ones cannot be computed their requests fail, and the generation is sealed: serving then
    refuses what it lacks.

    Args:
        live: The entry of the live generation.
        awaited: The requests of the run for a variant of the product.
        source: Settings of the figures.
        cache: The cache.
        expires_at: When the keys of a generation expire that is written, in seconds since the epoch.
        run_id: The run.
        extend_lease: Extends the lease of the product.

    Returns:
        The entry of a generation that holds them too, with the times and the fence of the live one, and the
        problems for which it was discarded; the live entry where nothing is added.
    """
    product, publisher = live.product, Publisher(cache.client)
    damaged = publisher.damaged(live.generation)
    lacking = [
        task
        for task in awaited
        if variant_key(product, task.filter) in damaged or not publisher.holds_all(live, [task.filter])
    ]
    if not lacking and not damaged:
        return live, []
    rollup = RollupArchive.of_settings().rollup(live.reading)
    figures = (
        None
        if rollup is None
        else Figures.of(rollup, live.as_of, source.window_months(), source.thresholds())
    )
    if figures is None or figures.reading != live.reading:
        if lacking:
            publisher.seal(live.generation)
        for task in lacking:
            Requests(cache.client).finished(task.id, False, _SEALED.format(product=product))
        return live, []
    described = figures.described
    filters, demand = [task.filter for task in lacking], Demand.of(product, cache.client)
    variants = choose_variants(product, figures, cache.client, demand, live, filters)
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
