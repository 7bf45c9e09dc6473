"""Certificates as the source holds them, validated; refused rows go to quarantine."""

import time
from collections.abc import Iterator

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetOut,
    Failure,
    MetadataValue,
    Output,
    TableRecord,
    multi_asset,
)

from kpi_pipeline.assets.retries import TRY_AGAIN
from kpi_pipeline.compute.normalise import normalise
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.model.provenance import Provenance
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
        ),
        "quarantine": AssetOut(
            description="Source rows that were refused, each with its reasons and the row as it was.",
            group_name=GROUP,
            owners=OWNERS,
            kinds={"duckdb", "parquet"},
            io_manager_key="tables",
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
    # Drawn before reading: whoever reads later holds a larger fence and newer data.
    fence, begun_at = cache.publisher().next_fence(), time.time()
    started = time.perf_counter()
    mapping = source.mapping()
    extracted = source.extract(mapping)
    read_at = time.perf_counter()
    result = normalise(extracted.raw, mapping, extracted.log)
    accepted, refused = result.certificates.num_rows, result.quarantine.num_rows
    share = refused / (accepted + refused) if accepted + refused else 0.0
    limit = source.max_rejected_share()
    context.log.info(f"{accepted + refused} rows read from {source.shown()}, {refused} refused")

    yield Output(
        result.quarantine,
        output_name="quarantine",
        metadata={
            "rows": refused,
            "reasons": MetadataValue.json(result.reason_counts),
            "preview": _preview(result.quarantine),
        },
    )
    yield AssetCheckResult(
        asset_key="certificates",
        check_name="rejected_share_within_limit",
        passed=share <= limit,
        metadata={"refused": refused, "rows": accepted + refused, "share": share, "limit": limit},
    )
    if share > limit:
        raise Failure(
            f"{refused} of {accepted + refused} rows are refused ({share:.1%}, limit {limit:.1%}); "
            f"the live figures stay. {_advice(result.reason_counts)}",
            allow_retries=False,
        )
    provenance = Provenance(fence, begun_at, source.shown(), mapping.name, extracted.watermark)
    yield Output(
        provenance.attach(result.certificates),
        output_name="certificates",
        metadata={
            "rows": accepted,
            "rows_refused": refused,
            "reasons": MetadataValue.json(result.reason_counts),
            "source": source.shown(),
            "mapping": mapping.name,
            "watermark": extracted.watermark or "none",
            "fence": fence,
            "seconds_reading": round(read_at - started, 3),
            "seconds_normalising": round(time.perf_counter() - read_at, 3),
            "preview": _preview(result.certificates),
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


def _advice(reason_counts: dict[str, int]) -> str:
    """What to do about the commonest reasons."""
    commonest = sorted(reason_counts, key=lambda reason: -reason_counts[reason])[:3]
    return "; ".join(
        f"{reason} ({reason_counts[reason]}): {REASON_ADVICE[Reason(reason.split(':')[0])]}"
        for reason in commonest
    )
