"""Month ends: the figures as of the last day of each month, kept beside what is live.

A run takes any range of months: the source is read once and rolled up as of each month end, then the
month ends of each product are published one by one. One that is kept with the same inputs is left as
it is, so that a run that was cut goes on where it ended.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetOut,
    AssetsDefinition,
    BackfillPolicy,
    BetaWarning,
    Failure,
    MaterializeResult,
    MetadataValue,
    MonthlyPartitionsDefinition,
    Output,
    TableRecord,
    asset,
    multi_asset,
)

from kpi_pipeline.assets.month_end_tables import of_month, stack
from kpi_pipeline.assets.policies import TRY_AGAIN
from kpi_pipeline.assets.products import inputs_digest, manifest_entry
from kpi_pipeline.assets.reuse import basis_digest, single_values
from kpi_pipeline.assets.source_reading import read_source
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import KEPT_S
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.months import month_end, month_number, month_of
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.reconciliation import out_of_range, reconcile_rollup, reconcile_variants
from kpi_pipeline.compute.rollup.rollup import ROLLUP_TABLES, roll_up
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.provenance import Provenance

GROUP: Final = "month_ends"
OWNERS: Final = ["team:data-engineering"]
FIRST_MONTH: Final = "2005-01"

MONTH_ENDS: Final = MonthlyPartitionsDefinition(
    start_date=FIRST_MONTH, fmt="%Y-%m", timezone=Settings().timezone
)
"""A partition a month, from when it is over: the figures as of its last day."""

KEPT_TERMS: Final = 1
"""Month ends keep everything and each single value: pairs would be twenty times as much."""

_STEM: Final = "month_end_"
_ONE_ASSET: Final = partial(asset, owners=OWNERS)


def _of_month_ends(
    compute: Callable[..., Any],
    decorate: Callable[..., Any] = _ONE_ASSET,
    **attributes: Any,
) -> AssetsDefinition:
    """Assets of which a run makes any range of months at once."""
    with warnings.catch_warnings():
        # Dagster calls this policy beta.
        warnings.simplefilter("ignore", BetaWarning)
        made: AssetsDefinition = decorate(
            partitions_def=MONTH_ENDS,
            backfill_policy=BackfillPolicy.single_run(),
            group_name=GROUP,
            retry_policy=TRY_AGAIN,
            **attributes,
        )(compute)
    return made


def _read_once(description: str) -> AssetOut:
    return AssetOut(
        description=description,
        owners=OWNERS,
        kinds={"sql", "duckdb", "parquet"},
        io_manager_key="tables",
    )


@partial(
    _of_month_ends,
    decorate=multi_asset,
    name="read_source_for_month_ends",
    outs={
        "month_end_certificates": _read_once(
            "Every valid certificate, read once for all month ends of a run."
        ),
        "month_end_costs": _read_once("Every valid cost by category, read once for all month ends of a run."),
    },
)
def month_end_certificates(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Iterator[Output[pa.Table]]:
    """Read the source.

    Raises:
        Failure: If a month is not over or not kept any more, or too many rows are refused.
    """
    _fail_unless_kept(context.partition_keys, source.today(), cache.history_months())
    reading = read_source(source, cache)
    reading.fail_if_too_dirty()
    origin: dict[str, str | int] = {
        "source": source.shown(),
        "watermark": reading.provenance.watermark or "none",
        "fence": reading.provenance.fence,
    }
    for name, table, refusals in (
        ("month_end_certificates", reading.certificates, reading.refused_certificates),
        ("month_end_costs", reading.costs, reading.refused_costs),
    ):
        yield Output(
            table,
            output_name=name,
            metadata={"rows": table.num_rows, "rows_refused": refusals.refused, **origin},
        )


@partial(
    _of_month_ends,
    decorate=multi_asset,
    name="roll_up_month_ends",
    ins={
        "certificates": AssetIn(key="month_end_certificates", input_manager_key="tables"),
        "costs": AssetIn(key="month_end_costs", input_manager_key="tables"),
    },
    outs={
        f"{_STEM}{name}": AssetOut(
            description=f"The table {name} of the roll-up, as of each month end of a run.",
            owners=OWNERS,
            kinds={"duckdb", "parquet"},
            io_manager_key="tables",
        )
        for name in ROLLUP_TABLES
    },
    check_specs=[
        AssetCheckSpec(
            "month_ends_reconcile_with_certificates",
            asset=f"{_STEM}rollup",
            blocking=True,
            description="Counts and amounts of each month end's roll-up equal those of the certificates.",
        )
    ],
)
def month_end_rollup(
    context: AssetExecutionContext, certificates: pa.Table, costs: pa.Table, source: SourceResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Roll certificates and costs up as of each month end.

    Raises:
        Failure: If totals differ; nothing is stored then.
    """
    months, rollups, problems = sorted(context.partition_keys), [], []
    for month in months:
        as_of = month_end(month_number(month))
        rollup = roll_up(certificates, costs, as_of, source.thresholds())
        found = reconcile_rollup(certificates, costs, rollup, as_of)
        problems += [f"{month}: {problem}" for problem in found]
        rollups.append(rollup)
    yield AssetCheckResult(
        asset_key=f"{_STEM}rollup",
        check_name="month_ends_reconcile_with_certificates",
        passed=not problems,
        metadata={"problems": problems or ["none"]},
    )
    if problems:
        raise Failure("the roll-up does not reconcile: " + "; ".join(problems[:5]), allow_retries=False)
    provenance = Provenance.of(certificates)
    for name, stacked in zip(ROLLUP_TABLES, stack(months, rollups), strict=True):
        yield Output(
            provenance.attach(stacked),
            output_name=f"{_STEM}{name}",
            metadata={"rows": stacked.num_rows, "month_ends": len(months)},
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of one month end: its entry, or problems in words."""

    month: str
    outcome: str
    entry: ManifestEntry | None = None
    problems: tuple[str, ...] = ()


def month_end_asset(product: str) -> AssetsDefinition:
    """The asset that publishes a product's month ends."""
    check = f"{product}_month_ends_hold"

    @partial(
        _of_month_ends,
        name=f"month_end_{product}",
        ins={name: AssetIn(key=f"{_STEM}{name}", input_manager_key="tables") for name in ROLLUP_TABLES},
        kinds={"numpy", "redis"},
        pool=f"keep_{product}",
        description=f"{product} as of each month end: what serving answers with for ?as_of=.",
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
        rollup: pa.Table,
        positions: pa.Table,
        breakdowns: pa.Table,
        critical_certificates: pa.Table,
        source: SourceResource,
        cache: CacheResource,
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        """Publish month end after month end.

        Raises:
            Failure: If a month end does not hold: it and those after it stay as they were.
        """
        done: list[_Kept] = []
        stacked = (rollup, positions, breakdowns, critical_certificates)
        provenance = Provenance.of(rollup)
        with cache.lease(f"month_end_{product}", context.run_id) as extend_lease:
            for month in sorted(context.partition_keys):
                extend_lease()
                kept = _publish(product, month, stacked, provenance, source, cache, context.run_id)
                context.log.info(f"{product} as of the end of {month}: {kept.outcome}")
                done.append(kept)
                if kept.problems:
                    break
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


def _fail_unless_kept(months: list[str], today: date, history_months: int) -> None:
    present = month_of(today)
    for month in months:
        if month_end(month_number(month)) > today:
            raise Failure(
                f"the month {month} is not over on {today}: choose earlier months, or change KPI_AS_OF",
                allow_retries=False,
            )
        if month_number(month) < present - history_months:
            raise Failure(
                f"the end of {month} would not be kept: KPI_HISTORY_MONTHS is {history_months}; raise it, "
                "or choose later months",
                allow_retries=False,
            )


def _publish(
    product: str,
    month: str,
    stacked: Sequence[pa.Table],
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
    cube = Cube(rollup, as_of, source.dso_window_months(), source.thresholds())
    described = catalogue(cube)
    inputs = inputs_digest(product, cube, [], described)
    publisher, history = cache.publisher(), cache.history()
    expires_at = time.time() + KEPT_S
    kept = history.entry(product, as_of)
    if kept is not None and kept.has_inputs(inputs) and publisher.prolong(kept.generation, expires_at):
        return _Kept(month, "unchanged", kept)

    slices = _kept_slices(cube)
    problems = [*reconcile_variants(rollup, single_values(slices)), *out_of_range(slices)]
    if problems:
        return _Kept(month, "refused", problems=tuple(problems))
    staged = publisher.stage(
        product,
        new_generation(product, datetime.now(UTC)),
        payloads(product, slices),
        described,
        expires_at=expires_at,
    )
    unread = publisher.verify(staged)
    if unread:
        publisher.discard(staged)
        return _Kept(month, "refused", problems=tuple(unread))
    entry = manifest_entry(
        staged,
        provenance,
        as_of,
        inputs=inputs,
        basis=basis_digest(product, cube, described),
        run_id=run_id,
        computed_at=provenance.read_at,
        # The past does not age.
        fresh_until=provenance.read_at,
        stale_until=provenance.read_at,
    )
    outcome = history.keep(entry)
    return _Kept(month, outcome.value, entry)


def _kept_slices(cube: Cube) -> list[Slice]:
    """The sums of everything, each single value, and each quick period: of one term at most."""
    return [
        slice_.only({one for one in slice_.filters if len(one.terms) <= KEPT_TERMS})
        for slice_ in cube.slices(attributes=1)
    ]


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
    *(month_end_asset(product) for product in PRODUCTS),
]
