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


def forecast(piece: Slice) -> list[Data]:
    """The months ahead of as_of, a line a currency, and the dispersion that widens its bands."""
    variant, currency = shown(piece)
    lines = [amounts[variant, currency].tolist() for amounts in outlook_bands(piece)]
    later, unknown, receivable = (
        piece.total(name)[variant, currency].tolist()
        for name in ("forecast_later", "forecast_unknown", "receivable_amount")
    )
    codes = named(piece.currencies, currency)
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
    months = [month_text(number) for number in forecast_months(piece.cube.as_of)]
    dispersion = {code: _dispersion(piece, code) for code in piece.currencies}
    return [
        {
            "months": months,
            "lines": rows[start:end],
            "dispersion": {code: dispersion[code] for code in codes[start:end]},
        }
        for start, end in bounds(len(piece.filters), variant)
    ]


def outlook_bands(piece: Slice) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """What is expected each month, and its lower and upper bounds, each [V, C, months].

    Returns:
        Expected collections, then low and high of 50 %, low and high of 90 %.
    """
    expected, variance = (
        np.stack([piece.total(f"{what}_{month}") for month in range(FORECAST_MONTHS)], axis=-1)
        for what in ("forecast", "variance")
    )
    dispersion = np.array([_dispersion(piece, code) for code in piece.currencies]).reshape(
        -1, FORECAST_MONTHS
    )
    known = piece.total("receivable_amount") - piece.total("forecast_unknown")
    return expected, *bands(expected, variance, dispersion, known)


def _dispersion(piece: Slice, currency: str) -> list[float]:
    """The dispersion of each month: 1 where earlier forecasts tell nothing."""
    return list(piece.cube.dispersion.get(currency, [1.0] * FORECAST_MONTHS))
