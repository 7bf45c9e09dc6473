"""The back-test of the forecast in Dagster: what its bands held and by how much it missed, over time."""

import time
from dataclasses import asdict
from typing import Final

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetIn,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    asset,
)

from kpi_pipeline.compute.forecasting.backtest import Score, score_forecasts
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.resources.source import SourceResource

MONTHS: Final = 12
"""Months held back."""


@asset(
    ins={"certificates": AssetIn(input_manager_key="tables")},
    group_name="backtest",
    owners=["team:data-engineering"],
    kinds={"duckdb"},
    description=f"How forecasts of the last {MONTHS} months would have done: coverage of the bands, and "
    "error against a naive rule, by months ahead.",
)
def forecast_backtest(
    context: AssetExecutionContext, certificates: pa.Table, source: SourceResource
) -> MaterializeResult[None]:
    """Test the forecast on months that are over.

    Raises:
        Failure: If sums do not fit 64 bits.
    """
    as_of = source.today()
    started = time.perf_counter()
    try:
        scores = score_forecasts(certificates, as_of, MONTHS)
    except SumTooLarge as error:
        raise Failure(f"the back-test does not fit: {error}", allow_retries=False) from error
    seconds = time.perf_counter() - started
    overall = {score.currency: score for score in scores if score.months_ahead is None}
    for currency, score in overall.items():
        if score.is_worse_than_naive:
            context.log.warning(
                f"{currency}: the forecast misses by more than the naive rule: {score.error_share} of what "
                f"came instead of {score.naive_error_share}"
            )
    return MaterializeResult(
        metadata={
            "as_of": as_of.isoformat(),
            "months": MONTHS,
            "seconds": round(seconds, 3),
            "worse_than_naive": MetadataValue.json(
                [currency for currency, score in overall.items() if score.is_worse_than_naive]
            ),
            **{
                f"{name}_{currency}": figure
                for currency, score in overall.items()
                for name, figure in _figures(score).items()
            },
            # A table must have rows.
            **({"scores": MetadataValue.table([_row(score) for score in scores])} if scores else {}),
        }
    )


def _figures(score: Score) -> dict[str, float]:
    """What is worth following over time."""
    figures = {
        "coverage_50": score.coverage.in_50,
        "coverage_90": score.coverage.in_90,
        "client_coverage_50": score.coverage.client_in_50,
        "client_coverage_90": score.coverage.client_in_90,
        "error_share": score.error_share,
        "naive_error_share": score.naive_error_share,
    }
    return {name: round(figure, 4) for name, figure in figures.items() if figure is not None}


def _row(score: Score) -> TableRecord:
    """A row of the table, whose values are plain."""
    values = asdict(score)
    coverages = {name: values.pop(name) for name in ("coverage", "naive_coverage")}
    return TableRecord(
        {
            **values,
            "worse_than_naive": score.is_worse_than_naive,
            **{f"{name}_{part}": value for name, parts in coverages.items() for part, value in parts.items()},
        }
    )
