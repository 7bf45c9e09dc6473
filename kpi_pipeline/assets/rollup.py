"""The roll-up: additive components on all dimensions, as of the business date."""

import time
from collections.abc import Iterator

import pyarrow as pa
from dagster import AssetCheckResult, AssetCheckSpec, AssetExecutionContext, AssetIn, Failure, Output, asset

from kpi_pipeline.assets.freshness import freshness_policy
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup import roll_up
from kpi_pipeline.model.provenance import Provenance
from kpi_pipeline.resources.source import SourceResource


@asset(
    ins={"certificates": AssetIn(input_manager_key="tables")},
    io_manager_key="tables",
    group_name="rollup",
    owners=["team:data-engineering"],
    kinds={"duckdb", "parquet"},
    freshness_policy=freshness_policy(),
    description="One pass over certificates: every additive component on all dimensions.",
    check_specs=[
        AssetCheckSpec(
            "totals_reconcile_with_certificates",
            asset="rollup",
            blocking=True,
            description="Counts and amounts of the roll-up equal those of the certificates.",
        )
    ],
)
def rollup(
    context: AssetExecutionContext, certificates: pa.Table, source: SourceResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Roll certificates up.

    Raises:
        Failure: If totals differ; nothing is stored then.
    """
    started = time.perf_counter()
    as_of = source.today()
    table = roll_up(certificates, as_of, source.thresholds())
    seconds = time.perf_counter() - started
    problems = reconcile_rollup(certificates, table, as_of)
    yield AssetCheckResult(
        check_name="totals_reconcile_with_certificates",
        passed=not problems,
        metadata={"problems": problems or ["none"], "rows": table.num_rows},
    )
    if problems:
        raise Failure("the roll-up does not reconcile: " + "; ".join(problems), allow_retries=False)
    context.log.info(
        f"{certificates.num_rows} certificates rolled up to {table.num_rows} cells as of {as_of}"
    )
    yield Output(
        Provenance.of(certificates).at(as_of).attach(table),
        metadata={"rows": table.num_rows, "as_of": as_of.isoformat(), "seconds": round(seconds, 3)},
    )
