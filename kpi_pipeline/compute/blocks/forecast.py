"""The cash-flow forecast: expected collections by month, their bounds, and amounts without an estimate."""

from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.blocks.chart_data import present_currencies
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.basis import NO_FORECAST, ForecastBasis
from kpi_pipeline.compute.forecasting.calibration import bands, error_scale
from kpi_pipeline.compute.forecasting.forecast import first_whole_month, forecast_months
from kpi_pipeline.compute.json_values import Data, bounds, names_at, rows_of, values_or_none
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import BANDS, ForecastRule

_LINES: Final = ("expected", "low_50", "high_50", "low_90", "high_90")


def forecast(slice_: Slice) -> list[Data]:
    """The months ahead of as_of, a line a currency, with the rule that is shown and what the back-test
    found.
    """
    variant, currency = present_currencies(slice_)
    codes = names_at(slice_.currencies, currency)
    receivable = slice_.total("receivable_amount")
    unknown, expected, *ends = outlook_bands(slice_)
    totals = {
        "later": receivable - unknown - expected.sum(axis=-1),
        "unknown": unknown,
        "receivable": receivable,
    }
    is_shown = has_forecast(slice_)[currency]
    bases = {code: _of_test(_basis(slice_, code)) for code in slice_.currencies}
    rows = rows_of(
        {
            "currency": codes,
            **{
                name: [
                    amounts if shown else [None] * FORECAST_MONTHS
                    for amounts, shown in zip(found[variant, currency].tolist(), is_shown, strict=True)
                ]
                for name, found in zip(_LINES, (expected, *ends), strict=True)
            },
            **{
                name: values_or_none(found[variant, currency], is_shown | (name == "receivable"))
                for name, found in totals.items()
            },
            "basis": [bases[code] for code in codes],
        }
    )
    months = [month_text(number) for number in forecast_months(slice_.frame.as_of)]
    return [
        {"months": months, "lines": rows[start:end]} for start, end in bounds(len(slice_.filters), variant)
    ]


def next_month(slice_: Slice) -> list[list[Data]]:
    """What is expected in the first whole month after as_of, with its 90% bounds, and in the rest of the
    month before it: a line a currency that has a forecast.
    """
    variant, currency = present_currencies(slice_)
    ahead = forecast_months(slice_.frame.as_of)
    at = first_whole_month(slice_.frame.as_of)
    expected, _, _, low, high = (amounts[variant, currency] for amounts in outlook_bands(slice_)[1:])
    rest = expected[:, 0] if at else np.zeros(len(variant), np.int64)
    rows = rows_of(
        {
            "currency": names_at(slice_.currencies, currency),
            "month": [month_text(ahead[at])] * len(variant),
            "amount": expected[:, at].tolist(),
            "low_90": low[:, at].tolist(),
            "high_90": high[:, at].tolist(),
            "rest": values_or_none(rest, np.full(len(variant), bool(at))),
        }
    )
    is_shown = has_forecast(slice_)[currency].tolist()
    return [
        [row for row, shown in zip(rows[start:end], is_shown[start:end], strict=True) if shown]
        for start, end in bounds(len(slice_.filters), variant)
    ]


def has_forecast(slice_: Slice) -> Bools:
    """For which currencies a forecast is shown, [C]."""
    return np.array([_basis(slice_, code).rule is not ForecastRule.NONE for code in slice_.currencies], bool)


def outlook_bands(slice_: Slice) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """The expected collections of each month and their bounds, by the rule that is shown.

    Returns:
        The receivable amount that is not estimated, [V, C]; then, each [V, C, months], expected collections,
        low and high of 50%, low and high of 90%. Where no forecast is shown, they mean nothing.
    """
    unknown = slice_.total("forecast_unknown")
    known = slice_.total("receivable_amount") - unknown
    expected, variance = (
        np.stack([slice_.total(f"{what}_{month}") for month in range(FORECAST_MONTHS)], axis=-1)
        for what in ("forecast", "variance")
    )
    factors = np.array([_factors(slice_, code) for code in slice_.currencies])
    factors = factors.reshape(-1, len(BANDS), FORECAST_MONTHS, 2)
    is_part = np.array([bool(one.terms) for one in slice_.filters], np.int64)
    # [bands, V, C, months]
    of_variant = np.moveaxis(factors[..., is_part], (1, 3), (0, 1))
    return unknown, expected, *bands(expected, error_scale(expected, variance, known), known, of_variant)


def _factors(slice_: Slice, currency: str) -> npt.NDArray[np.float64]:
    """The factors of a currency, [bands, months, whole or part]."""
    factors = _basis(slice_, currency).factors
    if factors is None:
        return np.zeros((len(BANDS), FORECAST_MONTHS, 2))
    return np.stack([np.array(factors.whole), np.array(factors.part)], axis=-1)


def _basis(slice_: Slice, currency: str) -> ForecastBasis:
    return slice_.frame.forecast_bases.get(currency, NO_FORECAST)


def _of_test(basis: ForecastBasis) -> dict[str, Any]:
    """What readers are told of a basis."""
    test = None if basis.test is None else asdict(basis.test)
    return {"rule": basis.rule, "reason": basis.reason, "test": test}
