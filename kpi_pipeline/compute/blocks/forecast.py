"""The cash-flow forecast: expected collections by month, their bounds, and amounts without an estimate."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import present_currencies
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.forecast import bands, forecast_months
from kpi_pipeline.compute.json_values import Data, bounds, names_at, rows_of
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import FORECAST_MONTHS

_LINES: Final = ("expected", "low_50", "high_50", "low_90", "high_90")


def forecast(slice_: Slice) -> list[Data]:
    """The months ahead of as_of, a line a currency, and the dispersion that widens its bands."""
    variant, currency = present_currencies(slice_)
    codes = names_at(slice_.currencies, currency)
    totals = {"later": "forecast_later", "unknown": "forecast_unknown", "receivable": "receivable_amount"}
    rows = rows_of(
        {
            "currency": codes,
            **{
                name: amounts[variant, currency].tolist()
                for name, amounts in zip(_LINES, outlook_bands(slice_), strict=True)
            },
            **{name: slice_.total(total)[variant, currency].tolist() for name, total in totals.items()},
        }
    )
    months = [month_text(number) for number in forecast_months(slice_.frame.as_of)]
    dispersion = {code: _dispersion(slice_, code) for code in slice_.currencies}
    return [
        {
            "months": months,
            "lines": rows[start:end],
            "dispersion": {code: dispersion[code] for code in codes[start:end]},
        }
        for start, end in bounds(len(slice_.filters), variant)
    ]


def outlook_bands(slice_: Slice) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The expected collections of each month and their bounds, each [V, C, months].

    Returns:
        Expected collections, then low and high of 50%, low and high of 90%.
    """
    expected, variance = (
        np.stack([slice_.total(f"{what}_{month}") for month in range(FORECAST_MONTHS)], axis=-1)
        for what in ("forecast", "variance")
    )
    dispersion = np.array([_dispersion(slice_, code) for code in slice_.currencies]).reshape(
        -1, FORECAST_MONTHS
    )
    known = slice_.total("receivable_amount") - slice_.total("forecast_unknown")
    return expected, *bands(expected, variance, dispersion, known)


def _dispersion(slice_: Slice, currency: str) -> list[float]:
    """The dispersion of each month; 1 where no earlier forecast shows it."""
    return list(slice_.frame.dispersion.get(currency, [1.0] * FORECAST_MONTHS))
