"""Certificates and costs as the source holds them, validated; refused rows go to quarantine."""

from collections.abc import Iterator

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetOut,
    MetadataValue,
    Output,
    TableRecord,
    multi_asset,
)

from kpi_pipeline.assets.freshness_policies import TRY_AGAIN, freshness_policy
from kpi_pipeline.assets.read_source import SourceReading, read_source
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.compute.ingest.refusals import RefusedRows
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource

GROUP = "sources"
OWNERS = ["team:data-engineering"]
PREVIEW_ROWS = 10


def _out(description: str, *kinds: str) -> AssetOut:
    return AssetOut(
        description=description,
        group_name=GROUP,
        owners=OWNERS,
        kinds={*kinds, "duckdb", "parquet"},
        io_manager_key="tables",
        freshness_policy=freshness_policy(),
    )


@multi_asset(
    name="read_source",
    retry_policy=TRY_AGAIN,
    outs={
        "certificates": _out("Every valid certificate of the source, in canonical columns.", "sql"),
        "quarantine": _out("Source rows that were refused, each with its reasons and the row as it was."),
        "costs": _out("Every valid cost of the source, a row for each category of its lines.", "sql"),
        "cost_quarantine": _out("Costs that were refused, each with its reasons and the row as it was."),
    },
    check_specs=[
        AssetCheckSpec(
            "rejected_share_within_limit",
            asset="certificates",
            blocking=True,
            description="Refused rows are at most KPI_MAX_REJECTED_SHARE of all rows.",
        ),
        AssetCheckSpec(
            "rejected_amount_within_limit",
            asset="certificates",
            blocking=True,
            description="Refused rows hold at most KPI_MAX_REJECTED_AMOUNT_SHARE of each currency's amount.",
        ),
        AssetCheckSpec(
            "nothing_collapsed",
            asset="certificates",
            blocking=True,
            description="Since the last accepted reading neither rows nor amounts fell by more than "
            "KPI_MAX_FALL_SHARE.",
        ),
        AssetCheckSpec(
            "rejected_costs_within_limit",
            asset="costs",
            blocking=True,
            description="Refused costs are at most KPI_MAX_REJECTED_SHARE of all costs.",
        ),
        AssetCheckSpec(
            "rejected_cost_amount_within_limit",
            asset="costs",
            blocking=True,
            description="Refused costs hold at most KPI_MAX_REJECTED_AMOUNT_SHARE of each currency's amount.",
        ),
    ],
)
def certificates(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Read the source, normalise and validate.

    Raises:
        Failure: If too many rows or costs, or too much of their amount, are refused, or if the source has
            collapsed; the quarantines are kept for inspection, and readers see that a reading is held.
    """
    reading = read_source(source, cache)
    rows, headers = reading.rows.refused_certificates, reading.rows.refused_costs
    context.log.info(
        f"{rows.report.accepted} rows and {headers.report.accepted} costs accepted from {source.shown()}, "
        f"{rows.report.refused} and {headers.report.refused} refused"
    )

    yield _quarantine("quarantine", rows)
    yield _quarantine("cost_quarantine", headers)
    yield _rows_check("certificates", "rejected_share_within_limit", rows)
    yield _amount_check("certificates", "rejected_amount_within_limit", rows)
    yield _rows_check("costs", "rejected_costs_within_limit", headers)
    yield _amount_check("costs", "rejected_cost_amount_within_limit", headers)
    yield AssetCheckResult(
        asset_key="certificates",
        check_name="nothing_collapsed",
        passed=not reading.falls,
        metadata={"falls": [fall.as_text() for fall in reading.falls] or ["none"], **_digest(reading)},
    )
    file, held = source.readings_file(), reading.held
    publish_readings(cache.client, file.accept(reading.rows.report) if held is None else file.hold(held))
    reading.fail_if_held()
    origin: dict[str, str | int | float] = {
        "source": source.shown(),
        "mapping": reading.provenance.mapping,
        "watermark": reading.provenance.watermark or "none",
        "fence": reading.provenance.fence,
        "seconds_reading": round(reading.seconds_reading, 3),
        "seconds_normalising": round(reading.seconds_normalising, 3),
    }
    yield Output(
        reading.certificates,
        output_name="certificates",
        metadata={
            "rows": reading.certificates.num_rows,
            "rows_refused": rows.report.refused,
            "refused_amount_shares": MetadataValue.json(rows.report.refused_amount_shares),
            "rows_refused_of_unknown_amount": rows.report.unreadable,
            "conflicts": MetadataValue.json(dict(reading.rows.report.conflicts)),
            **_digest(reading),
            "empty_rows_left_out": reading.left_out.blank,
            "rows_of_totals_left_out": reading.left_out.totals,
            "rows_by_file": MetadataValue.json({file.name: file.rows for file in reading.files}),
            "reasons": MetadataValue.json(dict(rows.reason_counts)),
            **origin,
            "preview": _preview(reading.certificates),
        },
    )
    yield Output(
        reading.costs,
        output_name="costs",
        metadata={
            "rows": reading.costs.num_rows,
            "costs": headers.report.accepted,
            "costs_refused": headers.report.refused,
            "refused_amount_shares": MetadataValue.json(headers.report.refused_amount_shares),
            "costs_refused_of_unknown_amount": headers.report.unreadable,
            "costs_without_detail": reading.rows.undetailed_costs,
            "reasons": MetadataValue.json(dict(headers.reason_counts)),
            **origin,
            "preview": _preview(reading.costs),
        },
    )


def _quarantine(name: str, refusals: RefusedRows) -> Output[pa.Table]:
    refused = refusals.quarantine
    return Output(
        refused,
        output_name=name,
        metadata={
            "rows": refused.num_rows,
            "reasons": MetadataValue.json(dict(refusals.reason_counts)),
            "preview": _preview(refused),
        },
    )


def _rows_check(asset: str, name: str, refusals: RefusedRows) -> AssetCheckResult:
    report = refusals.report
    return AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=refusals.rows_within_limit,
        metadata={
            "refused": report.refused,
            "rows": report.accepted + report.refused,
            "share": report.refused_share,
            "limit": refusals.limits.rows,
        },
    )


def _amount_check(asset: str, name: str, refusals: RefusedRows) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=refusals.amount_within_limit,
        metadata={
            "shares": MetadataValue.json(refusals.report.refused_amount_shares),
            "rows_of_unknown_amount": refusals.report.unreadable,
            "limit": refusals.limits.amount,
        },
    )


def _digest(reading: SourceReading) -> dict[str, str]:
    """The name by which `kpi accept-reading` confirms the reading."""
    return {"reading": reading.rows.report.digest}


def _preview(table: pa.Table) -> MetadataValue:
    """The first rows as a table for the UI."""
    rows = table.slice(0, PREVIEW_ROWS).to_pylist()
    if not rows:
        return MetadataValue.text("no rows")
    return MetadataValue.table(
        [
            TableRecord({name: "" if value is None else str(value) for name, value in row.items()})
            for row in rows
        ]
    )
