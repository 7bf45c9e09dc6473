"""The cash-flow forecast: what is expected month by month, between which bounds, and what is unknown."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import shown
from kpi_pipeline.compute.blocks.json_values import Data, bounds, named
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.forecast import bands, forecast_months
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import FORECAST_MONTHS

_LINES: Final = ("expected", "low_50", "high_50", "low_90", "high_90")


def forecast(slice_: Slice) -> list[Data]:
    """The months ahead of as_of, a line a currency, and the dispersion that widens its bands."""
    variant, currency = shown(slice_)
    lines = [amounts[variant, currency].tolist() for amounts in outlook_bands(slice_)]
    later, unknown, receivable = (
        slice_.total(name)[variant, currency].tolist()
        for name in ("forecast_later", "forecast_unknown", "receivable_amount")
    )
    codes = named(slice_.currencies, currency)
    rows = [
        {
            "currency": code,
            **dict(zip(_LINES, amounts, strict=True)),
            "later": after,
            "unknown": nothing_known,
            "receivable": whole,
        }
        for code, after, nothing_known, whole, *amounts in zip(
            codes, later, unknown, receivable, *lines, strict=True
        )
    ]
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
    """What is expected each month, and its lower and upper bounds, each [V, C, months].

    Returns:
        Expected collections, then low and high of 50 %, low and high of 90 %.
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
    """The dispersion of each month: 1 where earlier forecasts tell nothing."""
    return list(slice_.frame.dispersion.get(currency, [1.0] * FORECAST_MONTHS))
