"""The back-test: earlier forecasts of past months against the collections that followed, by both rules."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.forecasting.calibration import (
    BandFactors,
    Floats,
    band_factors,
    bands,
    error_scale,
    scaled_errors,
)
from kpi_pipeline.compute.forecasting.landmarks import LandmarkDays
from kpi_pipeline.compute.forecasting.naive_rule import Exact, naive_expected, naive_shares
from kpi_pipeline.compute.forecasting.past_forecasts import (
    PastForecasts,
    Portfolio,
    forecast_as_of,
    month_over,
    standing_before,
)
from kpi_pipeline.compute.months import last_month_over
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS
from kpi_pipeline.model.forecast import CALIBRATION_MONTHS, NAIVE_LANDMARKS, ForecastRule


@dataclass(frozen=True, slots=True)
class BandCoverage:
    """How many forecasts lay in their bands. Only those count that enough earlier ones calibrate.

    Attributes:
        months: Forecasts of the whole portfolio that are counted, one a month.
        in_50: Share of them that lay in their 50% band; None of none.
        in_90: Share of them that lay in their 90% band.
        client_months: Forecasts of single clients that are counted.
        client_in_50: Share of these that lay in their 50% band.
        client_in_90: Share of these that lay in their 90% band.
    """

    months: int
    in_50: float | None
    in_90: float | None
    client_months: int
    client_in_50: float | None
    client_in_90: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """The accuracy of forecasts of so many months ahead in a currency.

    Only months that both rules could forecast are counted, and of these as `Portfolio.is_counted` says.

    Attributes:
        currency: Currency.
        months_ahead: 1 for the month after the month end at which the forecast was made, 0 for the next days
            after it; None for all months.
        months: Forecasts of the whole portfolio that are counted, one a month.
        realised: Mean collections of a month; minor units.
        error: Mean absolute error of the portfolio's forecast.
        error_share: The same as a share of all collections.
        naive_error: Mean absolute error of the naive rule.
        naive_error_share: The same as a share of all collections.
        coverage: That of the forecast's bands.
        naive_coverage: That of the naive rule's bands.
    """

    currency: str
    months_ahead: int | None
    months: int
    realised: float | None
    error: float | None
    error_share: float | None
    naive_error: float | None
    naive_error_share: float | None
    coverage: BandCoverage
    naive_coverage: BandCoverage

    @property
    def is_worse_than_naive(self) -> bool:
        """Whether the naive rule has the smaller error."""
        return self.error is not None and self.naive_error is not None and self.error > self.naive_error


def score_forecasts(certificates: pa.Table, as_of: date, months: int) -> list[Score]:
    """Forecast past months from 1 to 12 months ahead, by what was known then.

    Bands are those of that time: calibrated by the errors of still earlier forecasts.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The business date.
        months: How many months are held back: the latest that are over.

    Returns:
        By currency one score for the next days, one for each number of months ahead, then one for all months;
        none of a currency in which nothing was forecast.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    past = past_forecasts(certificates, as_of, months)
    scores = []
    for currency in sorted(set(past.currency.tolist())):
        scores += score_currency(CurrencyForecasts(past, currency), last_month_over(as_of), months)
    return scores


def past_forecasts(certificates: pa.Table, as_of: date, months: int) -> PastForecasts:
    """All forecasts that take part in a score.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    reach = scored_range(as_of, months)
    return forecast_as_of(standing_before(certificates, *reach), *reach)


def scored_range(as_of: date, months: int) -> tuple[int, int]:
    """The first and the last month at whose ends such forecasts are made."""
    over = last_month_over(as_of)
    # Before the months scored lie those that calibrate their bands, before these what the naive rule repeats.
    reach = months + CALIBRATION_MONTHS + NAIVE_LANDMARKS + 3 * FORECAST_MONTHS
    return over - reach, over - 1


class CurrencyForecasts:
    """The past forecasts of a currency by both rules, with their errors by scale."""

    def __init__(self, past: PastForecasts, currency: str) -> None:
        self.currency = currency
        self.whole, self.clients = past.portfolios(currency), past.of_clients(currency)
        self.shares = {origin: naive_shares(self.whole, origin, LandmarkDays()) for origin in self.whole}
        self._errors = {rule: self._errors_of(rule) for rule in (ForecastRule.MODEL, ForecastRule.NAIVE)}

    def factors(self, rule: ForecastRule, over: int) -> BandFactors | None:
        """A rule's band factors, as known once a month is over; None with too few forecasts."""
        return band_factors(*self._errors[rule], over)

    def expected(self, rule: ForecastRule, origin: int, portfolio: Portfolio) -> Exact:
        """The expectations of a rule for what was receivable at a month end."""
        if rule is ForecastRule.MODEL:
            return portfolio.expected
        return naive_expected(portfolio.known, self.shares[origin])

    def is_compared(self, origin: int) -> npt.NDArray[np.bool_]:
        """Which months both rules forecast."""
        return np.array([share is not None for share in self.shares[origin]])

    def _errors_of(self, rule: ForecastRule) -> tuple[dict[int, Floats], dict[int, Floats]]:
        whole, clients = (
            {origin: self._scaled(rule, origin, one) for origin, one in portfolios.items()}
            for portfolios in (self.whole, self.clients)
        )
        return whole, clients

    def _scaled(self, rule: ForecastRule, origin: int, one: Portfolio) -> Floats:
        expected = self.expected(rule, origin, one)
        is_counted = one.is_counted
        if rule is ForecastRule.NAIVE:
            is_counted = is_counted & self.is_compared(origin)
        return scaled_errors(
            expected, one.realised, error_scale(expected, one.variance, one.known), is_counted
        )


def score_currency(forecasts: CurrencyForecasts, over: int, months: int) -> list[Score]:
    """The scores of one currency: of the next days, by months ahead, then of all months; none where nothing
    was forecast.
    """
    held_back = range(over - months + 1, over + 1)
    ahead = [_Sums() for _ in HORIZONS]
    for origin in range(held_back[0] - FORECAST_MONTHS, over):
        if origin in forecasts.whole:
            _count(ahead, forecasts, origin, held_back)
    *by_month, next_days = ahead
    if not any(sums.months for sums in by_month):
        return []
    return [
        next_days.score(forecasts.currency, 0),
        *(sums.score(forecasts.currency, month) for month, sums in enumerate(by_month, 1)),
        sum(by_month, _Sums()).score(forecasts.currency, None),
    ]


@dataclass(slots=True)
class _Covered:
    """The counts behind a coverage: of the whole, then of clients."""

    months: int = 0
    within: list[int] = field(default_factory=lambda: [0, 0])
    client_months: int = 0
    client_within: list[int] = field(default_factory=lambda: [0, 0])

    def __add__(self, other: "_Covered") -> "_Covered":
        return _Covered(
            self.months + other.months,
            [own + others for own, others in zip(self.within, other.within, strict=True)],
            self.client_months + other.client_months,
            [own + others for own, others in zip(self.client_within, other.client_within, strict=True)],
        )

    def coverage(self) -> BandCoverage:
        in_50, in_90 = (_ratio(within, self.months) for within in self.within)
        client_in_50, client_in_90 = (_ratio(within, self.client_months) for within in self.client_within)
        return BandCoverage(self.months, in_50, in_90, self.client_months, client_in_50, client_in_90)


@dataclass(slots=True)
class _Sums:
    """The sums behind a score; missed amounts and coverage of the model, then of the naive rule."""

    months: int = 0
    realised: int = 0
    realised_size: int = 0
    missed: list[int] = field(default_factory=lambda: [0, 0])
    covered: list[_Covered] = field(default_factory=lambda: [_Covered(), _Covered()])

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.months + other.months,
            self.realised + other.realised,
            self.realised_size + other.realised_size,
            [own + others for own, others in zip(self.missed, other.missed, strict=True)],
            [own + others for own, others in zip(self.covered, other.covered, strict=True)],
        )

    def score(self, currency: str, months_ahead: int | None) -> Score:
        (error, error_share), (naive_error, naive_error_share) = (
            (_ratio(missed, self.months), _ratio(missed, self.realised_size)) for missed in self.missed
        )
        coverage, naive_coverage = (covered.coverage() for covered in self.covered)
        return Score(
            currency=currency,
            months_ahead=months_ahead,
            months=self.months,
            realised=_ratio(self.realised, self.months),
            error=error,
            error_share=error_share,
            naive_error=naive_error,
            naive_error_share=naive_error_share,
            coverage=coverage,
            naive_coverage=naive_coverage,
        )


def _count(ahead: list[_Sums], forecasts: CurrencyForecasts, origin: int, held_back: range) -> None:
    """Add the forecasts made at one month end."""
    whole, clients = forecasts.whole[origin], forecasts.clients[origin]
    is_scored = whole.is_counted & forecasts.is_compared(origin)
    is_scored &= np.array([month_over(origin, place) in held_back for place in range(len(HORIZONS))])
    for month in np.flatnonzero(is_scored).tolist():
        came = int(whole.realised[month])
        ahead[month].months += 1
        ahead[month].realised += came
        ahead[month].realised_size += abs(came)
    for at, rule in enumerate((ForecastRule.MODEL, ForecastRule.NAIVE)):
        missed = np.abs(whole.realised - forecasts.expected(rule, origin, whole))
        for month in np.flatnonzero(is_scored).tolist():
            ahead[month].missed[at] += int(missed[month])
        factors = forecasts.factors(rule, origin)
        if factors is None:
            continue
        of_whole = _within(whole, forecasts.expected(rule, origin, whole), factors.whole)
        of_clients = _within(clients, forecasts.expected(rule, origin, clients), factors.part)
        for month in np.flatnonzero(is_scored).tolist():
            covered, is_client = ahead[month].covered[at], clients.is_counted[:, month]
            covered.months += 1
            covered.client_months += int(is_client.sum())
            for band in range(len(of_whole)):
                covered.within[band] += int(of_whole[band][month])
                covered.client_within[band] += int(of_clients[band][is_client, month].sum())


def _within(one: Portfolio, expected: Exact, factors: list[list[float]]) -> list[npt.NDArray[np.bool_]]:
    """Which months' collections lay in each band."""
    scale = error_scale(expected, one.variance, one.known)
    known = np.asarray(one.known, np.int64)
    low_50, high_50, low_90, high_90 = bands(expected.astype(np.int64), scale, known, factors)
    return [
        np.asarray((low <= one.realised) & (one.realised <= high), bool)
        for low, high in ((low_50, high_50), (low_90, high_90))
    ]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
