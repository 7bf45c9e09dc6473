"""The back-test: earlier forecasts of past months against the collections that followed.

The naive rule to beat is the run-off: a month brings the share of the receivable amount that the same month
brought after the latest three month ends for which it is known. It knows neither clients nor ages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.forecasting.forecast import bands
from kpi_pipeline.compute.forecasting.past_forecasts import (
    PastForecasts,
    Portfolio,
    dispersion_of,
    forecast_as_of,
    last_month_over,
)
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import DISPERSION_MONTHS

NAIVE_MONTH_ENDS = 3
"""Month ends whose run-off the naive rule repeats."""


@dataclass(frozen=True, slots=True)
class Score:
    """The accuracy of forecasts of so many months ahead in a currency.

    Only months in which a payment was possible and that both methods could forecast are counted.

    Attributes:
        currency: Currency.
        months_ahead: 1 for the month after the month end at which the forecast was made; None for all.
        months: Forecasts of the whole portfolio that are counted, one a month.
        coverage_50: Share of them that lay in their 50% band; None of none.
        coverage_90: Share of them that lay in their 90% band.
        client_months: Forecasts of single clients that are counted.
        client_coverage_50: Share of these that lay in their 50% band.
        client_coverage_90: Share of these that lay in their 90% band.
        realised: Mean collections of a month; minor units.
        error: Mean absolute error of the portfolio's forecast.
        error_share: The same as a share of all collections.
        naive_error: Mean absolute error of the naive rule.
        naive_error_share: The same as a share of all collections.
    """

    currency: str
    months_ahead: int | None
    months: int
    coverage_50: float | None
    coverage_90: float | None
    client_months: int
    client_coverage_50: float | None
    client_coverage_90: float | None
    realised: float | None
    error: float | None
    error_share: float | None
    naive_error: float | None
    naive_error_share: float | None

    @property
    def is_worse_than_naive(self) -> bool:
        """Whether the naive rule has the smaller error."""
        return self.error is not None and self.naive_error is not None and self.error > self.naive_error


def score_forecasts(certificates: pa.Table, as_of: date, months: int) -> list[Score]:
    """Forecast past months from 1 to 12 months ahead, by what was known then.

    Bands are those of that time: widened by the errors of still earlier forecasts.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The business date.
        months: How many months are held back: the latest that are over.

    Returns:
        By currency one score for each number of months ahead, then one for all; none of a currency in which
        nothing was forecast.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    over = last_month_over(as_of)
    held_back = range(over - months + 1, over + 1)
    first = held_back[0] - FORECAST_MONTHS
    past = forecast_as_of(certificates, first - DISPERSION_MONTHS - FORECAST_MONTHS + 1, over - 1)
    scores = []
    for currency in sorted(set(past.currency.tolist())):
        portfolios = past.portfolios(currency)
        ahead = [_Sums() for _ in range(FORECAST_MONTHS)]
        for origin in range(first, over):
            if origin in portfolios:
                _count(ahead, past, portfolios, currency, origin, held_back)
        if any(sums.months for sums in ahead):
            scores += [sums.score(currency, month + 1) for month, sums in enumerate(ahead)]
            scores.append(sum(ahead, _Sums()).score(currency, None))
    return scores


@dataclass(slots=True)
class _Sums:
    """The sums behind a score."""

    months: int = 0
    in_bands: list[int] = field(default_factory=lambda: [0, 0])
    client_months: int = 0
    client_in_bands: list[int] = field(default_factory=lambda: [0, 0])
    realised: int = 0
    realised_size: int = 0
    missed: int = 0
    naive_missed: int = 0

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.months + other.months,
            [own + others for own, others in zip(self.in_bands, other.in_bands, strict=True)],
            self.client_months + other.client_months,
            [own + others for own, others in zip(self.client_in_bands, other.client_in_bands, strict=True)],
            self.realised + other.realised,
            self.realised_size + other.realised_size,
            self.missed + other.missed,
            self.naive_missed + other.naive_missed,
        )

    def score(self, currency: str, months_ahead: int | None) -> Score:
        return Score(
            currency=currency,
            months_ahead=months_ahead,
            months=self.months,
            coverage_50=_ratio(self.in_bands[0], self.months),
            coverage_90=_ratio(self.in_bands[1], self.months),
            client_months=self.client_months,
            client_coverage_50=_ratio(self.client_in_bands[0], self.client_months),
            client_coverage_90=_ratio(self.client_in_bands[1], self.client_months),
            realised=_ratio(self.realised, self.months),
            error=_ratio(self.missed, self.months),
            error_share=_ratio(self.missed, self.realised_size),
            naive_error=_ratio(self.naive_missed, self.months),
            naive_error_share=_ratio(self.naive_missed, self.realised_size),
        )


def _count(
    ahead: list[_Sums],
    past: PastForecasts,
    portfolios: Mapping[int, Portfolio],
    currency: str,
    origin: int,
    held_back: range,
) -> None:
    """Add the forecasts made at one month end."""
    lines = np.flatnonzero((past.currency == currency) & (past.origin == origin))
    whole = portfolios[origin]
    # The portfolio first, then each client.
    known = np.append(whole.known, past.known[lines])
    expected, variance, realised = (
        np.vstack([total, of_clients[lines]])
        for total, of_clients in (
            (whole.expected, past.expected),
            (whole.variance, past.variance),
            (whole.realised, past.realised),
        )
    )
    counted = (variance > 0) | (expected != 0) | (realised != 0)
    low_50, high_50, low_90, high_90 = bands(
        expected.astype(np.int64),
        variance,
        np.array(dispersion_of(portfolios, origin), np.float64),
        known.astype(np.int64),
    )
    inside = [
        counted & (low <= realised) & (realised <= high)
        for low, high in ((low_50, high_50), (low_90, high_90))
    ]
    for month, sums in enumerate(ahead):
        naive = _run_off(portfolios, origin, month)
        if origin + month + 1 not in held_back or naive is None or not counted[0, month]:
            continue
        sums.months += 1
        sums.client_months += int(counted[1:, month].sum())
        for band, within in enumerate(inside):
            sums.in_bands[band] += int(within[0, month])
            sums.client_in_bands[band] += int(within[1:, month].sum())
        came = whole.realised[month]
        sums.realised += came
        sums.realised_size += abs(came)
        sums.missed += abs(came - whole.expected[month])
        sums.naive_missed += abs(came - naive)


def _run_off(portfolios: Mapping[int, Portfolio], origin: int, month: int) -> int | None:
    """The naive forecast, made at a month end, of a month after it; None where nothing is known for it."""
    latest = [portfolios.get(origin - month - 1 - back) for back in range(NAIVE_MONTH_ENDS)]
    known = sum(earlier.known for earlier in latest if earlier)
    came = sum(int(earlier.realised[month]) for earlier in latest if earlier)
    return portfolios[origin].known * came // known if known > 0 else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
