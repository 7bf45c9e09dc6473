"""The cash-flow forecast: expected collections by month, their bounds, and amounts without an estimate."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.blocks.chart_data import present_currencies
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.basis import NO_FORECAST, ForecastBasis
from kpi_pipeline.compute.forecasting.calibration import bands, error_scale
from kpi_pipeline.compute.forecasting.forecast import forecast_months
from kpi_pipeline.compute.forecasting.landmarks import NEXT
from kpi_pipeline.compute.json_values import Data, bounds, names_at, rows_of, values_or_none
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS, NEXT_DAYS
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


def next_days(slice_: Slice) -> list[list[Data]]:
    """What is expected in the next days after as_of, with its 90% bounds and how many of such bounds held: a
    line a currency that has a forecast.
    """
    variant, currency = present_currencies(slice_)
    expected, _, _, low, high = (amounts[variant, currency, NEXT] for amounts in _horizon_bands(slice_)[1:])
    codes, until = names_at(slice_.currencies, currency), slice_.frame.as_of + timedelta(NEXT_DAYS)
    rows = rows_of(
        {
            "currency": codes,
            "days": [NEXT_DAYS] * len(variant),
            "until": [until.isoformat()] * len(variant),
            "amount": expected.tolist(),
            "low_90": low.tolist(),
            "high_90": high.tolist(),
            "coverage_90": [
                _coverage(_basis(slice_, code), is_part=bool(slice_.filters[at].terms))
                for at, code in zip(variant.tolist(), codes, strict=True)
            ],
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


def _coverage(basis: ForecastBasis, *, is_part: bool) -> float | None:
    """The share of past forecasts of the next days whose 90% band held; None where it was not measured.

    Of a part those of single clients, which its band has its factors from.
    """
    test = basis.next_test
    if test is None:
        return None
    return test.client_coverage_90 if is_part else test.coverage_90


Bands = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


def outlook_bands(slice_: Slice) -> Bands:
    """The expected collections of each month and their bounds, by the rule that is shown.

    Returns:
        The receivable amount that is not estimated, [V, C]; then, each [V, C, months], expected collections,
        low and high of 50%, low and high of 90%. Where no forecast is shown, they mean nothing.
    """
    unknown, expected, *ends = _horizon_bands(slice_)
    low_50, high_50, low_90, high_90 = (amounts[..., :NEXT] for amounts in ends)
    return unknown, expected[..., :NEXT], low_50, high_50, low_90, high_90


def _horizon_bands(slice_: Slice) -> Bands:
    """The same of each of `HORIZONS`."""
    unknown = slice_.total("forecast_unknown")
    known = slice_.total("receivable_amount") - unknown
    expected, variance = (
        np.stack([slice_.total(f"{what}_{horizon}") for horizon in HORIZONS], axis=-1)
        for what in ("forecast", "variance")
    )
    factors = np.array([_factors(slice_, code) for code in slice_.currencies])
    factors = factors.reshape(-1, len(BANDS), len(HORIZONS), 2)
    is_part = np.array([bool(one.terms) for one in slice_.filters], np.int64)
    # [bands, V, C, months]
    of_variant = np.moveaxis(factors[..., is_part], (1, 3), (0, 1))
    return unknown, expected, *bands(expected, error_scale(expected, variance, known), known, of_variant)


def _factors(slice_: Slice, currency: str) -> npt.NDArray[np.float64]:
    """The factors of a currency, [bands, horizons, whole or part]."""
    factors = _basis(slice_, currency).factors
    if factors is None:
        return np.zeros((len(BANDS), len(HORIZONS), 2))
    return np.stack([np.array(factors.whole), np.array(factors.part)], axis=-1)


def _basis(slice_: Slice, currency: str) -> ForecastBasis:
    return slice_.frame.forecast_bases.get(currency, NO_FORECAST)


def _of_test(basis: ForecastBasis) -> dict[str, Any]:
    """What readers are told of a basis."""
    test = None if basis.test is None else asdict(basis.test)
    return {"rule": basis.rule, "reason": basis.reason, "test": test}
