"""The products: every variant computed, checked, written to the cache, and then made live."""

import base64
import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetsDefinition,
    Failure,
    MarkdownMetadataValue,
    MaterializeResult,
    MetadataValue,
    Output,
    asset,
)

from kpi_pipeline.assets.certificate_blocks import CertificateList
from kpi_pipeline.assets.computed_generation import ComputedGeneration
from kpi_pipeline.assets.confirmation import confirmed_entry
from kpi_pipeline.assets.figures import figures_of, settle_figures
from kpi_pipeline.assets.freshness_policies import TRY_AGAIN, freshness_policy
from kpi_pipeline.assets.generation_entry import (
    KEY_MARGIN_S,
    first_read_at,
    is_ahead,
    life_of,
    manifest_entry,
    prolonged_entry,
)
from kpi_pipeline.assets.generation_variants import Demand, choose_variants
from kpi_pipeline.assets.held_products import fail_if_held, held_failure, is_found_wrong
from kpi_pipeline.assets.rolled_back import kept_entry
from kpi_pipeline.assets.run_tags import writes_all
from kpi_pipeline.assets.watch_list import watch_list
from kpi_pipeline.cache.agreements import hold_of
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher, Staged
from kpi_pipeline.cache.requests.fulfil import awaited_variants
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.cache.watch_list import publish_watch_list
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, RollupParts
from kpi_pipeline.model.alerts.kinds import WATCHED_WITH
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.tracing import note, span

_PRODUCT_KEYS = {AssetKey(product) for product in PRODUCTS}

DESCRIPTIONS = {
    "kpis": "Every KPI with its comparison and trend, aging and stages, of every variant.",
    "dashboards": "The pages manager, operational and critical, of every variant; one read serves one page.",
    "charts": "The data of every chart but those of costs, and the analytical pages, of every variant; the "
    "catalogue holds the specifications.",
    "financials": "Statement, costs, margins and the forecast of collections, of every variant.",
}

CHECKS = {
    "variants_reconcile": "For every additive component, the values of each dimension sum to the total.",
    "values_in_range": "Counts and days are not negative, parts add up to their whole and never exceed it.",
    "reads_back": "What the cache holds equals what was written.",
}


def product_asset(product: str) -> AssetsDefinition:
    """The asset that computes and writes one product's next generation, not yet live."""

    @asset(
        name=product,
        ins={name: AssetIn(input_manager_key="stored_tables") for name in ROLLUP_TABLES},
        io_manager_key="entries",
        group_name="products",
        owners=["team:data-engineering"],
        kinds={"numpy", "redis"},
        freshness_policy=freshness_policy(product),
        retry_policy=TRY_AGAIN,
        description=DESCRIPTIONS[product],
        check_specs=[
            AssetCheckSpec(name, asset=product, blocking=True, description=description)
            for name, description in CHECKS.items()
        ],
    )
    def build(
        context: AssetExecutionContext,
        rollup: StoredTable,
        monthly_flows: StoredTable,
        losses: StoredTable,
        payment_times: StoredTable,
        breakdowns: StoredTable,
        work_lists: StoredTable,
        outlooks: StoredTable,
        stage_medians: StoredTable,
        source: SourceResource,
        cache: CacheResource,
    ) -> Iterator[Output[ManifestEntry] | AssetCheckResult]:
        """Compute the changed variants, or all; write them as a new generation and verify it.

        Raises:
            Failure: If a check fails; the new generation is discarded and the live one stays. Also while the
                product is held: nothing is computed that may not go live.
        """
        started, provenance = time.perf_counter(), rollup.origin
        as_of, life = date.fromisoformat(provenance.as_of or ""), life_of(product)
        # Figures are as old as the reading of the source, however late they are computed.
        expires_at = provenance.read_at + sum(life) + KEY_MARGIN_S
        publisher, demand = Publisher(cache.client), Demand.of(product, cache.client)
        fail_if_held(product, cache)
        filters = [
            task.filter
            for task in awaited_variants(context.run_id, context.run.tags, cache.client)
            if (task.product, task.scope) == (product, WHOLE_FIRM)
        ]
        confirmed = (
            None
            if writes_all(context.run) or is_found_wrong(publisher.live(product), cache)
            else confirmed_entry(
                product,
                cache,
                provenance,
                demand,
                filters,
                run_id=context.run_id,
                expires_at=expires_at,
                life=life,
            )
        )
        if confirmed is not None:
            _publish_watched(confirmed, work_lists, cache, expires_at)
            yield from _confirmed(context, confirmed, time.perf_counter() - started)
            return
        figures = figures_of(
            RollupParts(
                tuple(
                    stored.parts()
                    for stored in (
                        *(rollup, monthly_flows, losses, payment_times),
                        *(breakdowns, work_lists, outlooks, stage_medians),
                    )
                )
            ),
            provenance,
            source.window_months(),
            source.thresholds(),
            run_id=context.run_id,
            product=product,
            shared=len(_PRODUCT_KEYS.intersection(context.job_def.asset_layer.executable_asset_keys)) > 1,
            rebuilds=writes_all(context.run),
        )
        yield from (_check_result(product, check, failures) for check, failures in figures.problems.items())
        _fail_on(figures.problems)
        cube, reading = figures.cube, figures.reading

        variants = choose_variants(product, figures, demand, publisher.live(product), filters)
        Coverage(cache.client).record(product, variants.record)
        listed = CertificateList.of(
            product,
            context.run_id,
            (outlooks, stage_medians, work_lists),
            cube.frame.forecast_bases,
            source.thresholds(),
            source.window_months(),
        )
        computed = ComputedGeneration(product, figures, variants, listed)
        inputs, basis = computed.inputs, computed.basis
        with cache.lease(product, context.run_id) as extend_lease:
            live = publisher.live(product)
            origin = None if writes_all(context.run) or is_found_wrong(live, cache) else live
            # What was damaged since it was written must be neither confirmed nor reused.
            damaged = publisher.damaged(origin.generation) if origin is not None else frozenset()
            if damaged:
                context.log.warning(f"{len(damaged)} answers of the live generation are gone or corrupt")
            written: Staged | ManifestEntry
            computed_at = verified_at = provenance.read_at
            rolled_back, unread = kept_entry(
                live,
                reading,
                provenance.fence,
                context.run,
                source,
                cache,
                expires_at=expires_at,
                extend_lease=extend_lease,
            )
            if live is not None and live.fence > provenance.fence:
                # Another run has read the source later and is done: this one has nothing to add.
                written, outcome = live, "superseded"
            elif rolled_back is not None:
                written, outcome, live = rolled_back, "rolled back", rolled_back
            elif (
                origin is not None
                and not damaged
                and origin.has_inputs(inputs)
                and not is_ahead(origin, provenance.read_at)
                and publisher.prolong(origin.generation, expires_at)
            ):
                written, outcome, computed_at = origin, "unchanged", origin.computed_at
                # Fences are drawn before the clock is read: the later of two may have the earlier time.
                verified_at = max(verified_at, origin.verified_at)
            else:
                written, unread = computed.write(publisher, origin, damaged, expires_at, extend_lease)
                outcome = "written"
            settle_figures()
            if outcome in ("written", "unchanged"):
                _publish_watched(written, work_lists, cache, expires_at)
        yield _check_result(product, "reads_back", unread, variants=written.variants)
        _fail_on({"reads_back": unread})
        entry = (
            live
            if live is not None and outcome == "superseded"
            else prolonged_entry(live, provenance, life)
            if live is not None and outcome == "rolled back"
            else manifest_entry(
                written,
                provenance,
                as_of,
                reading=reading,
                first_read_at=first_read_at(KeptGenerations(cache.client).held(product), reading, provenance),
                demand=demand.digest,
                inputs=inputs,
                basis=basis,
                run_id=context.run_id,
                computed_at=computed_at,
                verified_at=verified_at,
                life=life,
            )
        )
        context.log.info(f"{entry.variants} variants of {product}: {entry.generation} is {outcome}")
        metadata = {
            **_metadata(entry, outcome, time.perf_counter() - started),
            "reused": written.reused if isinstance(written, Staged) else written.variants,
            **variants.metadata,
            **(_previews(cube) if product == "charts" and outcome == "written" else {}),
        }
        yield Output(entry, metadata=metadata)

    return build


def _publish_watched(
    written: Staged | ManifestEntry, work_lists: StoredTable, cache: CacheResource, expires_at: float
) -> None:
    """Publish what alerts watch beside the product's generation with which they do, or let it live on."""
    if written.product == WATCHED_WITH:
        as_of = date.fromisoformat(work_lists.origin.as_of or "")
        watched = watch_list(work_lists.table(), as_of)
        publish_watch_list(cache.client, written.generation, watched, expires_at)


def _confirmed(
    context: AssetExecutionContext, entry: ManifestEntry, seconds: float
) -> Iterator[Output[ManifestEntry] | AssetCheckResult]:
    """What a product yields whose live generation is confirmed: its checks passed when it was written."""
    for check in CHECKS:
        yield _check_result(entry.product, check, [], variants=entry.variants)
    context.log.info(f"{entry.variants} variants of {entry.product}: {entry.generation} is confirmed")
    yield Output(entry, metadata={**_metadata(entry, "unchanged", seconds), "reused": entry.variants})


def live_asset(product: str) -> AssetsDefinition:
    """The asset that makes a product's verified generation the live one."""

    @asset(
        name=f"live_{product}",
        ins={"entry": AssetIn(key=AssetKey(product), input_manager_key="entries")},
        group_name="publication",
        owners=["team:data-engineering"],
        kinds={"redis"},
        freshness_policy=freshness_policy(product),
        retry_policy=TRY_AGAIN,
        description=f"The generation of {product} that serving reads: one atomic manifest flip.",
    )
    def flip(
        context: AssetExecutionContext, entry: ManifestEntry, cache: CacheResource
    ) -> MaterializeResult[None]:
        """Flip the manifest, unless a newer reading of the source is live already.

        Raises:
            Failure: If the run was terminated, or the product is held; the live generation stays.
        """
        with span("flip", kpi_product=product, kpi_generation=entry.generation):
            outcome = Publisher(cache.client).flip(entry, by=context.run_id)
            note(kpi_outcome=outcome.value)
        if outcome is Flip.REVOKED:
            raise Failure("This run was terminated: the live generation stays.", allow_retries=False)
        if outcome is Flip.HELD:
            raise held_failure(product, hold_of(cache.client, product))
        if outcome is Flip.SUPERSEDED:
            context.log.warning(f"{entry.generation} is superseded: a later reading of the source is live")
        return MaterializeResult(
            metadata={
                "generation": entry.generation,
                "outcome": outcome.value,
                "as_of": entry.as_of.isoformat(),
                "computed_at": MetadataValue.timestamp(entry.computed_at),
                "fresh_until": MetadataValue.timestamp(entry.fresh_until),
                "stale_until": MetadataValue.timestamp(entry.stale_until),
                "variants": entry.variants,
                "bytes": entry.bytes,
            }
        )

    return flip


def _check_result(product: str, check: str, problems: list[str], **figures: int) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=product,
        check_name=check,
        passed=not problems,
        metadata={"problems": problems or ["none"], **figures},
    )


def _fail_on(problems_by_check: Mapping[str, list[str]]) -> None:
    failed = {check: problems for check, problems in problems_by_check.items() if problems}
    if failed:
        raise Failure(
            "; ".join(f"{check}: {'; '.join(problems[:5])}" for check, problems in failed.items())
            + ". The live generation stays.",
            allow_retries=False,
        )


def _metadata(entry: ManifestEntry, outcome: str, seconds: float) -> dict[str, Any]:
    return {
        "generation": entry.generation,
        "outcome": outcome,
        "variants": entry.variants,
        "bytes": entry.bytes,
        "bytes_per_variant": round(entry.bytes / max(entry.variants, 1)),
        "as_of": entry.as_of.isoformat(),
        "seconds": round(seconds, 3),
    }


def _previews(cube: Cube) -> dict[str, MarkdownMetadataValue]:
    """Two charts of all certificates as inline PNGs, or their text where they are empty."""
    # Loaded where pictures are drawn: it takes memory, which the code server can spare.
    from kpi_pipeline.compute.charts.rendering import render_png  # noqa: PLC0415

    _, payload = next(payloads("charts", [cube.everything]))
    previews = {}
    for name in ("monthly_trend", "ageing"):
        data, chart = payload["charts"][name], CHARTS[name]
        markdown = chart.nothing.es
        if not data["empty"]:
            picture = base64.b64encode(render_png(name, data["columns"], "es", "light")).decode()
            markdown = f"![{chart.title.es}](data:image/png;base64,{picture})"
        previews[f"preview_{name}"] = MetadataValue.md(markdown)
    return previews


PRODUCT_ASSETS = [product_asset(product) for product in PRODUCTS]
LIVE_ASSETS = [live_asset(product) for product in PRODUCTS]
