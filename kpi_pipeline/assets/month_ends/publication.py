"""The month ends of each product, published one by one."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetsDefinition,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableRecord,
)

from kpi_pipeline.assets.archive import archive_month_ends
from kpi_pipeline.assets.generation_entry import inputs_digest, manifest_entry
from kpi_pipeline.assets.month_ends.certificate_lists import MonthEndLists
from kpi_pipeline.assets.month_ends.partitions import OWNERS, month_end_asset
from kpi_pipeline.assets.month_ends.rollup import STEM, month_end_rollup, of_month
from kpi_pipeline.assets.month_ends.source import month_end_certificates
from kpi_pipeline.assets.reuse import basis_digest
from kpi_pipeline.assets.totals import is_single
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import KEPT_S, History
from kpi_pipeline.cache.publishing.leases import month_end_lease
from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS, Flip, Publisher
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.months import month_end, month_number
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_variants
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.sources.provenance import Provenance


@dataclass(frozen=True, slots=True)
class _Kept:
    """The outcome of one month end: its entry, or the problems found."""

    month: str
    outcome: str
    entry: ManifestEntry | None = None
    problems: tuple[str, ...] = ()


def published_month_ends(product: str) -> AssetsDefinition:
    """The asset that publishes a product's month ends."""
    check = f"{product}_month_ends_hold"

    @partial(
        month_end_asset,
        name=f"month_end_{product}",
        ins={
            "certificates": AssetIn(key="month_end_certificates", input_manager_key="stored_tables"),
            **{name: AssetIn(key=f"{STEM}{name}", input_manager_key="tables") for name in ROLLUP_TABLES},
        },
        owners=OWNERS,
        kinds={"numpy", "redis"},
        description=f"{product} as of each month end, from which serving answers requests with ?as_of=.",
        check_specs=[
            AssetCheckSpec(
                check,
                asset=f"month_end_{product}",
                blocking=True,
                description="Sums reconcile, values are in range, and the cache holds what was written.",
            )
        ],
    )
    def publish(
        context: AssetExecutionContext,
        certificates: StoredTable,
        rollup: pa.Table,
        monthly_flows: pa.Table,
        losses: pa.Table,
        payment_times: pa.Table,
        breakdowns: pa.Table,
        work_lists: pa.Table,
        outlooks: pa.Table,
        stage_medians: pa.Table,
        source: SourceResource,
        cache: CacheResource,
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        """Publish one month end after another.

        Raises:
            Failure: If a month end fails a check; it and later ones stay as they were.
        """
        done: list[_Kept] = []
        stacked = (
            *(rollup, monthly_flows, losses, payment_times),
            *(breakdowns, work_lists, outlooks, stage_medians),
        )
        provenance = Provenance.of(rollup)
        lists = MonthEndLists(certificates, source.thresholds(), source.window_months())
        with cache.lease(month_end_lease(product), context.run_id) as extend_lease:
            for month in sorted(context.partition_keys):
                extend_lease()
                kept = _publish(product, month, stacked, lists, provenance, source, cache, context.run_id)
                context.log.info(f"{product} as of the end of {month}: {kept.outcome}")
                done.append(kept)
                if kept.problems:
                    break
        archive_month_ends(cache, [product])
        problems = [f"{kept.month}: {problem}" for kept in done for problem in kept.problems]
        yield AssetCheckResult(
            check_name=check, passed=not problems, metadata={"problems": problems or ["none"]}
        )
        if problems:
            raise Failure(
                "; ".join(problems[:5]) + ". This month end and later ones stay as they were.",
                allow_retries=False,
            )
        yield MaterializeResult(metadata=_metadata(done))

    return publish


def _publish(
    product: str,
    month: str,
    stacked: Sequence[pa.Table],
    lists: MonthEndLists,
    provenance: Provenance,
    source: SourceResource,
    cache: CacheResource,
    run_id: str,
) -> _Kept:
    as_of = month_end(month_number(month))
    rollup = of_month(stacked, month)
    if rollup is None:
        raise Failure(
            f"the stored roll-up has no month end {month}: materialize the month ends' roll-up for it, or "
            "run `kpi backfill`",
            allow_retries=False,
        )
    cube = Cube(rollup, as_of, source.window_months(), source.thresholds())
    described = catalogue(cube)
    reading = cube.digest()
    listed = lists.of(product, as_of, rollup.stage_medians, provenance)
    inputs = inputs_digest(
        product, reading, _single_values(cube), described, "" if listed is None else listed.digest
    )
    publisher, history = Publisher(cache.client), History(cache.client)
    expires_at = time.time() + KEPT_S
    kept = history.entry(product, as_of)
    if (
        kept is not None
        and kept.has_inputs(inputs)
        and publisher.prolong(kept.generation, expires_at)
        and not publisher.damaged(kept.generation)
    ):
        return _Kept(month, "unchanged", kept)

    slices = _kept_slices(cube)
    singles = [
        slice_.only({requested for requested in slice_.filters if is_single(requested)}) for slice_ in slices
    ]
    problems = [
        *reconcile_variants(rollup.cells, [one for one in singles if len(one)]),
        *out_of_range(slices),
    ]
    if problems:
        return _Kept(month, "refused", problems=tuple(problems))
    staged = publisher.stage(
        product,
        new_generation(product, datetime.now(UTC)),
        payloads(product, slices),
        described,
        expires_at=expires_at,
        attachments=NO_ATTACHMENTS if listed is None else listed.attachments,
    )
    unread = publisher.verify(staged)
    if unread:
        publisher.discard(staged)
        return _Kept(month, "refused", problems=tuple(unread))
    entry = manifest_entry(
        staged,
        provenance,
        as_of,
        reading=reading,
        first_read_at=provenance.read_at,
        demand="",  # a month end holds the same filters whatever is requested
        inputs=inputs,
        basis=basis_digest(product, cube, described),
        run_id=run_id,
        computed_at=provenance.read_at,
        verified_at=provenance.read_at,
        life=(0, 0),  # the past does not age
    )
    outcome = history.keep(entry, by=run_id)
    if outcome is Flip.REVOKED:
        raise Failure("This run was terminated: the month ends stay as they are.", allow_retries=False)
    return _Kept(month, outcome.value, entry)


def _kept_slices(cube: Cube) -> list[Slice]:
    """The sums of everything, each single value, and each quick period: filters of at most one term.

    Pairs would be twenty times as many.
    """
    slices = [
        slice_.only({requested for requested in slice_.filters if len(requested.terms) <= 1})
        for slice_ in cube.slices(attributes=1)
    ]
    held = {requested for slice_ in slices for requested in slice_.filters}
    others = [requested for requested in _single_values(cube) if requested not in held]
    return [*slices, cube.select(others)] if others else slices


def _single_values(cube: Cube) -> list[Filter]:
    """The filters of one value each, also of ages and of values that no certificate has."""
    return [Filter.of({name: value}) for name, values in cube.frame.values.items() for value in values]


def _metadata(done: list[_Kept]) -> dict[str, Any]:
    entries = [(kept, kept.entry) for kept in done if kept.entry is not None]
    return {
        "month_ends": len(entries),
        "published": sum(kept.outcome == "live" for kept, _ in entries),
        "unchanged": sum(kept.outcome == "unchanged" for kept, _ in entries),
        "bytes": sum(entry.bytes for _, entry in entries),
        "generations": MetadataValue.table(
            [
                TableRecord(
                    {
                        "month": kept.month,
                        "outcome": kept.outcome,
                        "generation": entry.generation,
                        "variants": entry.variants,
                        "has_list": entry.blocks > 0,
                        "bytes": entry.bytes,
                    }
                )
                for kept, entry in entries
            ]
        ),
    }


MONTH_END_ASSETS: Final = [
    month_end_certificates,
    month_end_rollup,
    *(published_month_ends(product) for product in PRODUCTS),
]
