"""Certificates as the source holds them, validated; refused rows go to quarantine."""

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

from kpi_pipeline.assets.freshness import freshness_policy
from kpi_pipeline.assets.reading import read_source
from kpi_pipeline.assets.retries import TRY_AGAIN
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource

GROUP = "sources"
OWNERS = ["team:data-engineering"]
PREVIEW_ROWS = 10


@multi_asset(
    name="read_source",
    retry_policy=TRY_AGAIN,
    outs={
        "certificates": AssetOut(
            description="Every valid certificate of the source, in canonical columns.",
            group_name=GROUP,
            owners=OWNERS,
            kinds={"sql", "duckdb", "parquet"},
            io_manager_key="tables",
            freshness_policy=freshness_policy(),
        ),
        "quarantine": AssetOut(
            description="Source rows that were refused, each with its reasons and the row as it was.",
            group_name=GROUP,
            owners=OWNERS,
            kinds={"duckdb", "parquet"},
            io_manager_key="tables",
            freshness_policy=freshness_policy(),
        ),
    },
    check_specs=[
        AssetCheckSpec(
            "rejected_share_within_limit",
            asset="certificates",
            blocking=True,
            description="Refused rows are at most KPI_MAX_REJECTED_SHARE of all rows.",
        )
    ],
)
def certificates(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Iterator[Output[pa.Table] | AssetCheckResult]:
    """Read the source, normalise and validate.

    Raises:
        Failure: If too many rows are refused; the quarantine is kept to tell why.
    """
    reading = read_source(source, cache)
    accepted, refused = reading.certificates.num_rows, reading.quarantine.num_rows
    context.log.info(f"{reading.rows} rows read from {source.shown()}, {refused} refused")

    yield Output(
        reading.quarantine,
        output_name="quarantine",
        metadata={
            "rows": refused,
            "reasons": MetadataValue.json(reading.reason_counts),
            "preview": _preview(reading.quarantine),
        },
    )
    yield AssetCheckResult(
        asset_key="certificates",
        check_name="rejected_share_within_limit",
        passed=reading.refused_share <= reading.limit,
        metadata={
            "refused": refused,
            "rows": reading.rows,
            "share": reading.refused_share,
            "limit": reading.limit,
        },
    )
    reading.fail_if_too_dirty()
    yield Output(
        reading.certificates,
        output_name="certificates",
        metadata={
            "rows": accepted,
            "rows_refused": refused,
            "reasons": MetadataValue.json(reading.reason_counts),
            "source": source.shown(),
            "mapping": reading.provenance.mapping,
            "watermark": reading.provenance.watermark or "none",
            "fence": reading.provenance.fence,
            "seconds_reading": round(reading.seconds_reading, 3),
            "seconds_normalising": round(reading.seconds_normalising, 3),
            "preview": _preview(reading.certificates),
        },
    )


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
