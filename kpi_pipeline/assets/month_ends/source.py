"""The source, read once for all month ends of a run."""

from collections.abc import Iterator
from datetime import date
from functools import partial

import pyarrow as pa
from dagster import AssetExecutionContext, AssetOut, Failure, Output, multi_asset

from kpi_pipeline.assets.month_ends.partitions import OWNERS, month_end_asset
from kpi_pipeline.assets.read_source import begin_reading, read_source
from kpi_pipeline.compute.months import month_end, month_number, month_of
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import current_settings


def _read_once(description: str) -> AssetOut:
    return AssetOut(
        description=description,
        owners=OWNERS,
        kinds={"sql", "duckdb", "arrow"},
        io_manager_key="tables",
    )


@partial(
    month_end_asset,
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
        Failure: If a month is not over or not kept any more, or the reading is held.
    """
    _fail_unless_kept(context.partition_keys, source.today(), current_settings().history_months)
    reading = read_source(source, begin_reading(source, cache))
    reading.fail_if_held()
    origin: dict[str, str | int] = {
        "source": source.shown(),
        "watermark": reading.provenance.watermark or "none",
        "fence": reading.provenance.fence,
    }
    for name, table, refusals in (
        ("month_end_certificates", reading.certificates, reading.rows.refused_certificates),
        ("month_end_costs", reading.costs, reading.rows.refused_costs),
    ):
        yield Output(
            table,
            output_name=name,
            metadata={"rows": table.num_rows, "rows_refused": refusals.report.refused, **origin},
        )


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
