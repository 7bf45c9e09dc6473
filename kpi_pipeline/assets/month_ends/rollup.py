"""The roll-ups of all month ends of a run, stacked into one set of tables."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
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

from kpi_pipeline.assets.month_ends.partitions import OWNERS, month_end_asset
from kpi_pipeline.compute.months import month_end, month_number
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup.rollup import roll_up_shards
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.compute.rollup.shards import shards_of
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, Rollup
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.provenance import Provenance

STEM: Final = "month_end_"
"""Begins the names of the tables' assets."""

_MONTH: Final = "month_end"
_METADATA: Final = b"kpi_month_ends"


@partial(
    month_end_asset,
    decorate=multi_asset,
    name="roll_up_month_ends",
    ins={
        "certificates": AssetIn(key="month_end_certificates", input_manager_key="tables"),
        "costs": AssetIn(key="month_end_costs", input_manager_key="tables"),
    },
    outs={
        f"{STEM}{name}": AssetOut(
            description=f"The table {name} of the roll-up, as of each month end of a run.",
            owners=OWNERS,
            kinds={"duckdb", "arrow"},
            io_manager_key="tables",
        )
        for name in ROLLUP_TABLES
    },
    check_specs=[
        AssetCheckSpec(
            "month_ends_reconcile_with_certificates",
            asset=f"{STEM}rollup",
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
    shards = shards_of(certificates, "issued_on"), shards_of(costs, "invoiced_on")
    for month in months:
        as_of = month_end(month_number(month))
        definitions = Definitions(as_of, source.thresholds(), source.window_months())
        rolled_up = roll_up_shards(*shards, definitions)
        problems += [
            f"{month}: {problem}" for problem in reconcile_rollup(rolled_up.totals, rolled_up.rollup)
        ]
        rollups.append(rolled_up.rollup)
    yield AssetCheckResult(
        asset_key=f"{STEM}rollup",
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
            output_name=f"{STEM}{name}",
            metadata={"rows": stacked.num_rows, "month_ends": len(months)},
        )


def stack(months: Sequence[str], rollups: Sequence[Rollup]) -> list[pa.Table]:
    """Put the roll-ups of some month ends on top of one another.

    Args:
        months: Months as 'YYYY-MM', at least one.
        rollups: The roll-up as of the end of each.

    Returns:
        The tables of a roll-up, each with the column `month_end`.
    """
    by_month = [rollup.tables() for rollup in rollups]
    # The schema metadata of a month's table belong to that month.
    metadata = {
        month: [_text(table.schema.metadata) for table in tables]
        for month, tables in zip(months, by_month, strict=True)
    }
    stacked = []
    for of_months in zip(*by_month, strict=True):
        labelled = [
            table.append_column(_MONTH, pa.array([month] * table.num_rows, pa.string()))
            for month, table in zip(months, of_months, strict=True)
        ]
        whole = pa.concat_tables([table.replace_schema_metadata(None) for table in labelled])
        stacked.append(whole.replace_schema_metadata({_METADATA: json.dumps(metadata).encode()}))
    return stacked


def of_month(stacked: Sequence[pa.Table], month: str) -> Rollup | None:
    """The roll-up as of one month end; None where it is not among them."""
    by_month = json.loads(stacked[0].schema.metadata[_METADATA])
    if month not in by_month:
        return None
    tables = []
    for table, metadata in zip(stacked, by_month[month], strict=True):
        rows = table.filter(pc.equal(table[_MONTH], month)).drop_columns([_MONTH])
        tables.append(rows.replace_schema_metadata(metadata))
    return Rollup.of_tables(tables)


def _text(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (metadata or {}).items()}
