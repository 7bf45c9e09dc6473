"""The roll-up: additive components on all dimensions, as of the business date."""

import time
from collections.abc import Iterator

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

from kpi_pipeline.assets.freshness_policies import freshness_policy
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup.rollup import ROLLUP_TABLES, roll_up
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.provenance import Provenance


def _out(description: str) -> AssetOut:
    return AssetOut(
        description=description,
        group_name="rollup",
        owners=["team:data-engineering"],
        kinds={"duckdb", "parquet"},
        io_manager_key="tables",
        freshness_policy=freshness_policy(),
    )


@multi_asset(
    name="roll_up",
    ins={name: AssetIn(input_manager_key="tables") for name in ("certificates", "costs")},
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
    context: AssetExecutionContext, certificates: pa.Table, costs: pa.Table, source: SourceResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Roll certificates and costs up.

    Raises:
        Failure: If totals differ or do not fit 64 bits; nothing is stored then.
    """
    started = time.perf_counter()
    as_of = source.today()
    try:
        tables = roll_up(certificates, costs, as_of, source.thresholds(), source.window_months())
    except SumTooLarge as error:
        raise Failure(f"the roll-up does not fit: {error}", allow_retries=False) from error
    seconds = time.perf_counter() - started
    problems = reconcile_rollup(certificates, costs, tables, as_of)
    yield AssetCheckResult(
        asset_key="rollup",
        check_name="totals_reconcile_with_certificates",
        passed=not problems,
        metadata={"problems": problems or ["none"], "rows": tables.cells.num_rows},
    )
    if problems:
        raise Failure("the roll-up does not reconcile: " + "; ".join(problems), allow_retries=False)
    context.log.info(
        f"{certificates.num_rows} certificates and {costs.num_rows} costs rolled up to "
        f"{tables.cells.num_rows} cells as of {as_of}"
    )
    provenance = Provenance.of(certificates).at(as_of)
    for name, table in zip(ROLLUP_TABLES, tables.tables(), strict=True):
        yield Output(
            provenance.attach(table),
            output_name=name,
            metadata={
                "rows": table.num_rows,
                "as_of": as_of.isoformat(),
                "seconds": round(seconds, 3),  # of all tables together
            },
        )
