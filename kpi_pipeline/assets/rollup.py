"""The roll-up: additive components on all dimensions, as of the business date."""

import time
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetIn,
    AssetOut,
    Failure,
    Output,
    multi_asset,
)

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.freshness_policies import freshness_policy
from kpi_pipeline.assets.run_tags import writes_all
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.compute.reconciliation import reconcile_sums
from kpi_pipeline.compute.rollup.rollup import RolledUp, roll_up_shards
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.compute.rollup.shards import Shard, shards_of
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.resources.month_parts import shards_of_parts
from kpi_pipeline.resources.shard_sums import DamagedSums, StoredShardSums
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable, store_table
from kpi_pipeline.sources.provenance import Provenance


def _out(description: str) -> AssetOut:
    return AssetOut(
        description=description,
        group_name="rollup",
        owners=["team:data-engineering"],
        kinds={"duckdb", "arrow"},
        io_manager_key="tables",
        freshness_policy=freshness_policy(),
    )


@multi_asset(
    name="roll_up",
    ins={name: AssetIn(input_manager_key="stored_tables") for name in ("certificates", "costs")},
    outs={
        "rollup": _out(
            "One pass over certificates and costs: every additive component on all dimensions, as of the "
            "business date, the day it is compared with, and the ends of the last months."
        ),
        "monthly_flows": _out("What was proposed, approved, collected and spent, by the month of the event."),
        "losses": _out("What was unpaid on reaching and on leaving each age, of what is old enough to tell."),
        "payment_times": _out("Days from issue to payment, or to the day where nothing is paid yet."),
        "breakdowns": _out("Reasons of rejection, kinds of failure, suppliers and cost categories."),
        "work_lists": _out("Certificates to collect, and to correct and send, the most urgent first."),
        "outlooks": _out("What is expected of receivable certificates, by client, acceptance and age."),
        "stage_medians": _out("How many days each client usually takes for each stage."),
    },
    check_specs=[
        AssetCheckSpec(
            "totals_reconcile_with_certificates",
            asset="rollup",
            blocking=True,
            description="Counts and amounts of the roll-up equal those of the certificates and costs, and "
            "its tables agree with one another.",
        )
    ],
)
def rollup(
    context: AssetExecutionContext, certificates: StoredTable, costs: StoredTable, source: SourceResource
) -> Iterator[Output[StoredTable] | AssetCheckResult]:
    """Roll certificates and costs up, unless the newest roll-up comes from the same.

    Raises:
        Failure: If totals differ or do not fit 64 bits; nothing is stored then.
    """
    as_of = source.today()
    provenance = certificates.origin.of_rollup(as_of, _content(certificates.origin, source, as_of))
    newest = [StoredTable.newest(name) for name in ROLLUP_TABLES]
    if (
        provenance.content is not None
        and not writes_all(context.run)
        and all(stored is not None and stored.origin.content == provenance.content for stored in newest)
    ):
        yield from _confirmed(context, [stored.confirmed(provenance) for stored in newest if stored])
        return
    definitions = Definitions(as_of, source.thresholds(), source.window_months())
    yield from _rolled_up(context, shards_of_parts(certificates), costs.table(), provenance, definitions)


def _rolled_up(
    context: AssetExecutionContext,
    certificates: list[Shard],
    costs: pa.Table,
    provenance: Provenance,
    definitions: Definitions,
) -> Iterator[Output[StoredTable] | AssetCheckResult]:
    started = time.perf_counter()
    of_costs = shards_of(costs, "invoiced_on", digests=True)
    try:
        rolled_up = _merged(certificates, of_costs, definitions, rebuilds=writes_all(context.run))
    except SumTooLarge as error:
        raise Failure(f"the roll-up does not fit: {error}", allow_retries=False) from error
    seconds = time.perf_counter() - started
    problems = reconcile_sums(rolled_up.totals, rolled_up.sums, lambda: rolled_up.parts.table("rollup"))
    yield AssetCheckResult(
        asset_key="rollup",
        check_name="totals_reconcile_with_certificates",
        passed=not problems,
        metadata={"problems": problems or ["none"]},
    )
    if problems:
        raise Failure("the roll-up does not reconcile: " + "; ".join(problems), allow_retries=False)
    try:
        stored = _stored(rolled_up, definitions, provenance, context)
    except DamagedSums:
        rolled_up = roll_up_shards(certificates, of_costs, definitions)
        stored = _stored(rolled_up, definitions, provenance, context)
    context.log.info(
        f"{sum(shard.count for shard in certificates)} certificates and {costs.num_rows} costs rolled up to "
        f"{stored[0].num_rows} cells as of {definitions.as_of}"
    )
    for name, table in zip(ROLLUP_TABLES, stored, strict=True):
        yield Output(
            table,
            output_name=name,
            metadata={
                "as_of": definitions.as_of.isoformat(),
                "seconds": round(seconds, 3),  # of all tables together
            },
        )


def _stored(
    rolled_up: RolledUp, definitions: Definitions, provenance: Provenance, context: AssetExecutionContext
) -> list[StoredTable]:
    """The tables of a roll-up as files, of which only the parts are written that have changed."""
    follow_from, rewrites = _definitions(definitions), writes_all(context.run)
    return [
        store_table(parts, name, follow_from, context.run_id, provenance, rewrites=rewrites)
        for name, parts in zip(ROLLUP_TABLES, rolled_up.parts.tables, strict=True)
    ]


def _merged(
    certificates: list[Shard], costs: list[Shard], definitions: Definitions, *, rebuilds: bool
) -> RolledUp:
    """The roll-up: of sums that are kept, and of the rows of the shards that have changed, or of all."""
    kept = StoredShardSums.of_settings(_definitions(definitions), reads=not rebuilds)
    try:
        rolled_up = roll_up_shards(certificates, costs, definitions, kept)
    except DamagedSums:
        return roll_up_shards(certificates, costs, definitions)
    kept.prune()
    return rolled_up


def _confirmed(
    context: AssetExecutionContext, newest: list[StoredTable]
) -> Iterator[Output[StoredTable] | AssetCheckResult]:
    """What the roll-up yields that comes from the same as the newest: its totals were checked then."""
    cells = newest[0].num_rows
    yield AssetCheckResult(
        asset_key="rollup",
        check_name="totals_reconcile_with_certificates",
        passed=True,
        metadata={"problems": ["none"], "rows": cells},
    )
    context.log.info(f"nothing has changed: the newest roll-up, of {cells} cells, is confirmed")
    for name, stored in zip(ROLLUP_TABLES, newest, strict=True):
        as_of = stored.origin.as_of or ""
        yield Output(stored, output_name=name, metadata={"outcome": "unchanged", "as_of": as_of})


def _definitions(definitions: Definitions) -> str:
    """A digest of all that the sums of a shard come from besides its rows."""
    return digest_of(
        code_digest(*COMPUTING), definitions.as_of, definitions.window_months, definitions.thresholds
    )


def _content(origin: Provenance, source: SourceResource, as_of: date) -> str | None:
    """A digest of all that a roll-up comes from."""
    if origin.content is None:
        return None
    return digest_of(
        origin.content, code_digest(*COMPUTING), as_of, source.window_months(), source.thresholds()
    )
