"""How wide bands must be to hold as many months as they say: split conformal prediction.

The errors of past forecasts are divided by a scale that is known beforehand; their quantiles are the factors
by which the scale of a new forecast is multiplied. Nothing is assumed of the distribution of errors, but that
the next is like the latest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.forecasting.past_forecasts import month_over
from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS
from kpi_pipeline.model.forecast import (
    BANDS,
    CALIBRATION_MONTHS,
    EXPECTED_SCALE,
    FACTOR_DECIMALS,
    FEWEST_ORIGINS,
    KNOWN_SCALE,
    VARIANCE_UNIT,
)

Floats = npt.NDArray[np.float64]

_LARGEST: Final = 10.0**6
"""Stands for the error of a forecast that had no scale at all."""


def error_scale(expected: Any, variance: Any, known: Any) -> Floats:
    """The scale of the error of each expectation; minor units.

    Args:
        expected: Expected collections by month, in the last axis; minor units.
        variance: Their variances, in `VARIANCE_UNIT` minor units squared.
        known: The receivable amount of which they are; without the axis of months.
    """
    of_variance = np.asarray(variance, np.float64) * float(VARIANCE_UNIT**2)
    of_expected = (np.asarray(expected, np.float64) * EXPECTED_SCALE) ** 2
    of_known = (np.asarray(known, np.float64)[..., None] * KNOWN_SCALE) ** 2
    return np.asarray(np.sqrt(of_variance + of_expected + of_known), np.float64)


def scaled_errors(expected: Any, realised: Any, scale: Floats, is_counted: npt.NDArray[np.bool_]) -> Floats:
    """The absolute errors of forecasts by their scale; not a number where none is counted."""
    missed = np.abs(np.asarray(realised - expected, np.float64))
    by_scale = np.divide(missed, scale, out=np.full(missed.shape, _LARGEST), where=scale > 0)
    return np.where(is_counted, np.where(missed > 0, np.minimum(by_scale, _LARGEST), 0.0), np.nan)


@dataclass(frozen=True, slots=True)
class BandFactors:
    """By what the scale of an error is multiplied, for each of `HORIZONS`.

    Attributes:
        whole: Of all certificates together: a list for each of `BANDS`.
        part: Of a filter.
    """

    whole: list[list[float]]
    part: list[list[float]]


def band_factors(whole: Mapping[int, Floats], clients: Mapping[int, Floats], over: int) -> BandFactors | None:
    """The factors as known once a month is over.

    Args:
        whole: The errors of forecasts of all certificates, by scale, for each of `HORIZONS`; by month end.
        clients: The same of single clients, in a further first axis.
        over: Number of the last month that is over.

    Returns:
        The factors; None with too few forecasts.
    """
    counted = [
        origin
        for origin in whole
        if np.isfinite(whole[origin][: max(over - origin, 0)]).any() and origin >= over - CALIBRATION_MONTHS
    ]
    if len(counted) < FEWEST_ORIGINS:
        return None
    return BandFactors(_factors(whole, over), _factors(clients, over))


def _factors(errors: Mapping[int, Floats], over: int) -> list[list[float]]:
    known = [_of_horizon(errors, over, horizon) for horizon in range(len(HORIZONS))]
    together = np.sort(np.concatenate(known[:FORECAST_MONTHS]))
    months = [np.sort(found) if len(found) >= FEWEST_ORIGINS else together for found in known]
    return [[_quantile(found, per_cent / 100) for found in months] for per_cent in BANDS]


def _of_horizon(errors: Mapping[int, Floats], over: int, horizon: int) -> Floats:
    """The errors of the forecasts of a horizon that were over within the latest months."""
    found = [
        np.atleast_1d(errors[origin][..., horizon])
        for origin in sorted(errors)
        if over - CALIBRATION_MONTHS < month_over(origin, horizon) <= over
    ]
    together = np.concatenate([np.zeros(0), *found])
    return np.asarray(together[np.isfinite(together)], np.float64)


def _quantile(ordered: Floats, share: float) -> float:
    """That which a further error exceeds with the rest of the probability; the largest, where that is beyond
    it.
    """
    place = (len(ordered) + 1) * share - 1
    below = int(place)
    if below >= len(ordered) - 1:
        return round(float(ordered[-1]), FACTOR_DECIMALS)
    low, high = float(ordered[below]), float(ordered[below + 1])
    return round(low + (place - below) * (high - low), FACTOR_DECIMALS)


def bands(expected: Ints, scale: Floats, known: Ints, factors: Any) -> tuple[Ints, Ints, Ints, Ints]:
    """The 50% and 90% bands of the collections of each month, within nothing and the whole receivable amount.

    Args:
        expected: Expected collections by month, in the last axis; minor units.
        scale: The scale of their errors.
        known: The receivable amount of which they are; without the axis of months.
        factors: For each of `BANDS` the factors, as broadcast to the expectations.

    Returns:
        The lower and upper ends of the 50% band, then those of the 90% band; minor units.
    """
    middle = expected.astype(np.float64)
    least = np.minimum(np.minimum(known, 0)[..., None], expected)
    most = np.maximum(np.maximum(known, 0)[..., None], expected)
    ends = []
    for factor in factors:
        reach = np.asarray(factor, np.float64) * scale
        # Clipped once more as whole numbers: amounts beyond 2**53 are not exact as floating-point ones.
        ends += [
            np.clip(np.rint(np.clip(middle - reach, least, middle)).astype(np.int64), least, expected),
            np.clip(np.rint(np.clip(middle + reach, middle, most)).astype(np.int64), expected, most),
        ]
    return ends[0], ends[1], ends[2], ends[3]
