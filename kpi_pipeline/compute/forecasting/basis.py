"""On what a published forecast rests: the rule that is shown, its bands, and what the back-test found."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.forecasting.backtest import (
    BandCoverage,
    CurrencyForecasts,
    Score,
    score_currency,
)
from kpi_pipeline.compute.forecasting.calibration import BandFactors
from kpi_pipeline.compute.forecasting.landmarks import LandmarkDays, horizons_of, ints
from kpi_pipeline.compute.forecasting.naive_rule import naive_shares, unpaid_of
from kpi_pipeline.compute.forecasting.past_forecasts import PastForecasts, Portfolio
from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.compute.months import last_month_over, month_of
from kpi_pipeline.model.forecast import (
    FACTOR_DECIMALS,
    TESTED_MONTHS,
    ForecastReason,
    ForecastRule,
)


@dataclass(frozen=True, slots=True)
class TestResult:
    """What the back-test of the last `TESTED_MONTHS` months found; shares to two decimals.

    Attributes:
        months: Forecasts of all certificates together that were compared, from 1 to 12 months ahead.
        error_share: The model's absolute errors as a share of all collections.
        naive_error_share: The same of the naive rule.
        coverage_50: Share of the forecasts that lay in the 50% band of the rule that is shown; None of none.
        coverage_90: The same of its 90% band.
        client_coverage_50: The same of the forecasts of single clients.
        client_coverage_90: The same of these and the 90% band.
    """

    months: int
    error_share: float | None
    naive_error_share: float | None
    coverage_50: float | None
    coverage_90: float | None
    client_coverage_50: float | None
    client_coverage_90: float | None


@dataclass(frozen=True, slots=True)
class ForecastBasis:
    """That of a currency.

    Attributes:
        rule: Which forecast is shown.
        reason: Why.
        shares: The naive rule's share of each of `HORIZONS`, in parts of `SURVIVAL_SCALE`; empty where it is
            not shown.
        factors: By what the scales of errors are multiplied; None where no forecast is shown.
        test: What the back-test found of months; None with too little history.
        next_test: The same of the next days.
    """

    rule: ForecastRule
    reason: ForecastReason
    shares: tuple[int, ...] = ()
    factors: BandFactors | None = None
    test: TestResult | None = None
    next_test: TestResult | None = None

    @property
    def naive_unpaid(self) -> Ints:
        """The share that the naive rule leaves unpaid at the end of each, likewise."""
        return unpaid_of(self.shares)

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Self:
        """From what `as_data` gave."""
        factors, tests = data["factors"], (data["test"], data["next_test"])
        return cls(
            ForecastRule(data["rule"]),
            ForecastReason(data["reason"]),
            tuple(data["shares"]),
            None if factors is None else BandFactors(**factors),
            *(None if test is None else TestResult(**test) for test in tests),
        )


NO_FORECAST = ForecastBasis(ForecastRule.NONE, ForecastReason.TOO_LITTLE_HISTORY)
"""That of a currency with too little history."""


def forecast_bases(
    past: PastForecasts, currencies: Iterable[str], landmarks: pa.Table, as_of: date
) -> dict[str, ForecastBasis]:
    """The basis of each currency's forecast.

    Args:
        past: The forecasts that take part in a score of `TESTED_MONTHS`.
        currencies: The currencies of all certificates.
        landmarks: How certificates stood on days of earlier months like as_of; as `Standing.cells`.
        as_of: The business date.
    """
    return {
        currency: _basis(CurrencyForecasts(past, currency), _totals(landmarks, currency), as_of)
        for currency in sorted(currencies)
    }


def _basis(forecasts: CurrencyForecasts, landmarks: Mapping[int, Portfolio], as_of: date) -> ForecastBasis:
    over = last_month_over(as_of)
    scores = score_currency(forecasts, over, TESTED_MONTHS)
    if not scores:
        return NO_FORECAST
    next_days, *_, score = scores
    rule = ForecastRule.NAIVE if score.is_worse_than_naive else ForecastRule.MODEL
    factors = forecasts.factors(rule, over)
    if factors is None:
        return NO_FORECAST
    is_naive = rule is ForecastRule.NAIVE
    days = LandmarkDays.like(as_of)
    return ForecastBasis(
        rule,
        ForecastReason.MODEL_WORSE if is_naive else ForecastReason.MODEL_NOT_WORSE,
        tuple(share or 0 for share in naive_shares(landmarks, month_of(as_of), days)) if is_naive else (),
        factors,
        _result(score, is_naive=is_naive),
        _result(next_days, is_naive=is_naive),
    )


def _result(score: Score, *, is_naive: bool) -> TestResult:
    coverage: BandCoverage = score.naive_coverage if is_naive else score.coverage
    return TestResult(
        score.months,
        _rounded(score.error_share),
        _rounded(score.naive_error_share),
        _rounded(coverage.in_50),
        _rounded(coverage.in_90),
        _rounded(coverage.client_in_50),
        _rounded(coverage.client_in_90),
    )


def _totals(landmarks: pa.Table, currency: str) -> dict[int, Portfolio]:
    """All that was receivable at each landmark, and what came of it."""
    chosen = np.flatnonzero(landmarks["currency"].to_numpy(zero_copy_only=False) == currency)
    origin, amount = ints(landmarks["origin"])[chosen], ints(landmarks["amount"])[chosen].astype(object)
    realised = horizons_of(landmarks, "realised")[chosen].astype(object)
    none = np.zeros(realised.shape[1:], object)
    return {
        number: Portfolio(amount[at].sum(), none, none, realised[at].sum(axis=0))
        for number in np.unique(origin).tolist()
        for at in [np.flatnonzero(origin == number)]
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, FACTOR_DECIMALS)
