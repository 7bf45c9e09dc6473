"""Month ends: the figures as of the last day of each month, kept beside what is live.

A run takes any range of months: the source is read once and rolled up as of each month end, then the
month ends of each product are published one by one. One that is kept with the same inputs is left as
it is, so that a run that was cut goes on where it ended.
"""

import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
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
)

from kpi_pipeline.assets.products import inputs_digest
from kpi_pipeline.assets.reading import read_source
from kpi_pipeline.assets.retries import TRY_AGAIN
from kpi_pipeline.cache.history import KEPT_S
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.months import month_end, month_number, month_of
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_rollup, reconcile_variants
from kpi_pipeline.compute.rollup import roll_up
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.provenance import Provenance
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import Settings

GROUP: Final = "month_ends"
FIRST_MONTH: Final = "2005-01"

MONTH_ENDS: Final = MonthlyPartitionsDefinition(
    start_date=FIRST_MONTH, fmt="%Y-%m", timezone=Settings().timezone
)
"""A partition a month, from when it is over: the figures as of its last day."""

KEPT_TERMS: Final = 1
"""Month ends keep everything and each single value: pairs would be twenty times as much."""

_MONTH: Final = "month_end"
_MONTHS: Final = b"kpi_month_ends"


def _of_month_ends(compute: Callable[..., Any], **attributes: Any) -> AssetsDefinition:
    """An asset of which a run makes any range of months at once."""
    with warnings.catch_warnings():
        # Dagster calls this policy beta.
        warnings.simplefilter("ignore", BetaWarning)
        made: AssetsDefinition = asset(
            partitions_def=MONTH_ENDS,
            backfill_policy=BackfillPolicy.single_run(),
            group_name=GROUP,
            owners=["team:data-engineering"],
            retry_policy=TRY_AGAIN,
            **attributes,
        )(compute)
    return made


@partial(
    _of_month_ends,
    io_manager_key="tables",
    kinds={"sql", "duckdb", "parquet"},
    description="Every valid certificate, read once for all month ends of a run.",
)
def month_end_certificates(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Output[pa.Table]:
    """Read the source.

    Raises:
        Failure: If a month is not over or not kept any more, or too many rows are refused.
    """
    _fail_unless_kept(context.partition_keys, source.today(), cache.history_months())
    reading = read_source(source, cache)
    reading.fail_if_too_dirty()
    return Output(
        reading.certificates,
        metadata={
            "rows": reading.certificates.num_rows,
            "rows_refused": reading.quarantine.num_rows,
            "source": source.shown(),
            "watermark": reading.provenance.watermark or "none",
            "fence": reading.provenance.fence,
        },
    )


@partial(
    _of_month_ends,
    ins={"certificates": AssetIn(key="month_end_certificates", input_manager_key="tables")},
    io_manager_key="tables",
    kinds={"duckdb", "parquet"},
    description="Every additive component on all dimensions, as of each month end of a run.",
    check_specs=[
        AssetCheckSpec(
            "month_ends_reconcile_with_certificates",
            asset="month_end_rollup",
            blocking=True,
            description="Counts and amounts of each month end's roll-up equal those of the certificates.",
        )
    ],
)
def month_end_rollup(
    context: AssetExecutionContext, certificates: pa.Table, source: SourceResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Roll certificates up as of each month end.

    Raises:
        Failure: If totals differ; nothing is stored then.
    """
    months, tables, problems = sorted(context.partition_keys), [], []
    for month in months:
        as_of = month_end(month_number(month))
        table = roll_up(certificates, as_of, source.thresholds())
        problems += [f"{month}: {problem}" for problem in reconcile_rollup(certificates, table, as_of)]
        tables.append(table.append_column(_MONTH, pa.array([month] * table.num_rows, pa.string())))
    yield AssetCheckResult(
        check_name="month_ends_reconcile_with_certificates",
        passed=not problems,
        metadata={"problems": problems or ["none"]},
    )
    if problems:
        raise Failure("the roll-up does not reconcile: " + "; ".join(problems[:5]), allow_retries=False)
    stacked = pa.concat_tables(tables)
    described = stacked.replace_schema_metadata({_MONTHS: json.dumps(months).encode()})
    yield Output(
        Provenance.of(certificates).attach(described),
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
        ins={"rollups": AssetIn(key="month_end_rollup", input_manager_key="tables")},
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
        context: AssetExecutionContext, rollups: pa.Table, source: SourceResource, cache: CacheResource
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        """Publish month end after month end.

        Raises:
            Failure: If a month end does not hold: it and those after it stay as they were.
        """
        done: list[_Kept] = []
        with cache.lease(f"month_end_{product}", context.run_id) as extend_lease:
            for month in sorted(context.partition_keys):
                extend_lease()
                kept = _publish(product, month, rollups, source, cache, context.run_id)
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
    product: str, month: str, rollups: pa.Table, source: SourceResource, cache: CacheResource, run_id: str
) -> _Kept:
    as_of = month_end(month_number(month))
    rollup = _of_month(rollups, month)
    cube = Cube(rollup, as_of, source.dso_window_months())
    described = catalogue(cube)
    inputs = inputs_digest(product, cube, [], described)
    publisher, history = cache.publisher(), cache.history()
    expires_at = time.time() + KEPT_S
    kept = history.entry(product, as_of)
    unchanged = kept is not None and (kept.inputs, kept.schema_version) == (inputs, SCHEMA_VERSION)
    if kept is not None and unchanged and publisher.prolong(kept.generation, expires_at):
        return _Kept(month, "unchanged", kept)

    slices = [piece for piece in cube.slices() if all(len(one.terms) <= KEPT_TERMS for one in piece.filters)]
    problems = [*reconcile_variants(rollup, cube, slices), *out_of_range(slices)]
    if problems:
        return _Kept(month, "refused", problems=tuple(problems))
    staged = publisher.stage(
        product,
        new_generation(product, datetime.now(UTC)),
        payloads(product, cube, slices),
        described,
        expires_at=expires_at,
    )
    unread = publisher.verify(staged)
    if unread:
        publisher.discard(staged)
        return _Kept(month, "refused", problems=tuple(unread))
    provenance = Provenance.of(rollups)
    entry = ManifestEntry(
        product=product,
        generation=staged.generation,
        fence=provenance.fence,
        as_of=as_of,
        computed_at=provenance.read_at,
        verified_at=provenance.read_at,
        # The past does not age.
        fresh_until=provenance.read_at,
        stale_until=provenance.read_at,
        inputs=inputs,
        watermark=provenance.watermark,
        run_id=run_id,
        schema_version=SCHEMA_VERSION,
        variants=staged.variants,
        bytes=staged.bytes,
    )
    outcome = history.keep(entry)
    return _Kept(month, outcome.value, entry)


def _of_month(rollups: pa.Table, month: str) -> pa.Table:
    """The roll-up as of one month end."""
    if month not in json.loads(rollups.schema.metadata[_MONTHS]):
        raise Failure(
            f"the stored roll-up has no month end {month}: materialize month_end_rollup for it, or run "
            "`kpi backfill`",
            allow_retries=False,
        )
    return rollups.filter(pc.equal(rollups[_MONTH], month)).drop_columns([_MONTH])


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
