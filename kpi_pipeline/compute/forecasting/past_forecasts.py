"""What would have been forecast at past month ends, by what was known then, and what came.

`landmarks.standing_at_landmarks` says how certificates stood then. Those of one client, currency, stage and
age are reckoned with as one, which is rounded once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.forecasting.landmarks import (
    NEXT,
    REACH,
    LandmarkCounts,
    LandmarkDays,
    Standing,
    horizons_of,
    ints,
    unpaid_shares,
)
from kpi_pipeline.compute.forecasting.naive_rule import Exact
from kpi_pipeline.compute.forecasting.survival import Ints, SurvivalCurves
from kpi_pipeline.compute.months import month_end
from kpi_pipeline.model.components import FORECAST_MONTHS, NEXT_DAYS
from kpi_pipeline.model.forecast import COUNTED_PART, SURVIVAL_SCALE


@dataclass(frozen=True, slots=True)
class PastForecasts:
    """Forecasts at past month ends, one line for each month end, currency and client.

    Sums over lines are the forecasts of whole portfolios. In the last axis are `HORIZONS`: months, counted
    from the one after the month end, and the next days; amounts are those of certificates for which there was
    an estimate.

    Attributes:
        origin: Number of the month at whose end the forecast is made.
        currency: Currency.
        client: Client.
        known: Receivable amount.
        expected: Expected collections by month; minor units.
        variance: Their variances, in `VARIANCE_UNIT` minor units squared.
        realised: Collections by month, of the amount receivable.
    """

    origin: Ints
    currency: npt.NDArray[np.object_]
    client: npt.NDArray[np.object_]
    known: Exact
    expected: Exact
    variance: Exact
    realised: Exact

    def of_clients(self, currency: str) -> "dict[int, Portfolio]":
        """The forecasts of each client in a currency, in a first axis; by the number of their month end."""
        chosen = np.flatnonzero(self.currency == currency)
        of_origin = {
            origin: chosen[self.origin[chosen] == origin]
            for origin in np.unique(self.origin[chosen]).tolist()
        }
        return {
            origin: Portfolio(self.known[at], self.expected[at], self.variance[at], self.realised[at])
            for origin, at in of_origin.items()
        }

    def portfolios(self, currency: str) -> "dict[int, Portfolio]":
        """The forecasts of all clients together in a currency, by the number of their month end."""
        return {
            origin: Portfolio(*(amounts.sum(axis=0) for amounts in of_clients.amounts))
            for origin, of_clients in self.of_clients(currency).items()
        }


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A forecast at a month end, and the collections; see `PastForecasts`."""

    known: Any
    expected: Exact
    variance: Exact
    realised: Exact

    @property
    def amounts(self) -> tuple[Exact, Exact, Exact, Exact]:
        """All of it, in order."""
        return np.asarray(self.known, object), self.expected, self.variance, self.realised

    @property
    def is_counted(self) -> npt.NDArray[np.bool_]:
        """Which months count: those in which at least a part of what was receivable was expected or came."""
        most = np.maximum(np.abs(self.expected), np.abs(self.realised))
        least = np.abs(np.asarray(self.known, object)[..., None])
        return np.asarray((most > 0) & (most * COUNTED_PART >= least), bool)


def month_over(origin: int, horizon: int) -> int:
    """The month at whose end one of `HORIZONS` of a forecast made at a month end is over.

    Args:
        origin: Number of the month at whose end it is made.
        horizon: Its place.
    """
    return origin + (LandmarkDays().first_over(origin + 1) if horizon == NEXT else horizon + 1)


def standing_before(certificates: pa.Table, first: int, last: int) -> Standing:
    """How certificates stood at all month ends that forecasts of a range of month ends go by.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        first: Number of the first month.
        last: Number of the last.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    return Standing.of_certificates(certificates, LandmarkDays(), first - REACH, last)


def forecast_as_of(standing: Standing, first: int, last: int) -> PastForecasts:
    """Forecast at the end of each month of a range, by what was known then.

    Args:
        standing: As of `standing_before`.
        first: Number of the first month.
        last: Number of the last.
    """
    cells, payments = standing.cells, standing.payments
    counts = LandmarkCounts(cells, LandmarkDays())
    # At the landmarks before the first month end no forecast is wanted.
    cells = cells.filter(pc.greater_equal(cells["origin"], first))
    clients = pa.chunked_array([*payments["client"].chunks, *cells["client"].chunks], pa.string())
    codes = clients.combine_chunks().dictionary_encode()
    client, width = codes.indices.to_numpy().astype(np.int64), len(codes.dictionary) + 1
    origin, age = ints(cells["origin"]) - first, ints(cells["age_days"])
    own, everyone = origin * width + client[payments.num_rows :], origin * width + width - 1
    curves = _curves(payments, client[: payments.num_rows], width, (first, last), (own, age, cells))
    group, now = curves.applying(own, everyone, age)
    ahead = _days_ahead(first, last)[origin]
    then = curves.share(group[:, None], age[:, None] + ahead)
    unpaid = unpaid_shares(np.column_stack([now, then]), ahead, *counts.near(cells))
    is_known = now > 0
    cells = cells.filter(pa.array(is_known))
    amount = ints(cells["amount"])
    expected, variance = _moments(amount, _exact(cells["squares"]), unpaid[is_known])
    realised = horizons_of(cells, "realised")
    return _by_line(
        cells,
        tuple(column.astype(object) for column in (amount, expected, variance, realised)),
    )


def _curves(
    payments: pa.Table, client: Ints, width: int, span: tuple[int, int], unpaid: tuple[Ints, Ints, pa.Table]
) -> SurvivalCurves:
    """The curves of each month end of a span: that of each client, then that of all; `width` of them."""
    first, last = span
    # Each client's payments after so many days, as known at each month end.
    pairs, at = np.unique(client * 2**20 + ints(payments["days"]), return_inverse=True)
    known = np.zeros((len(pairs), last - first + 1), np.int64)
    np.add.at(known, (at, np.maximum(ints(payments["origin"]) - first, 0)), ints(payments["count"]))
    known = known.cumsum(axis=1)
    row, origin = np.nonzero(known)
    paid, (own, age, cells) = known[row, origin], unpaid
    group = np.concatenate([origin * width + pairs[row] // 2**20, own])
    everyone = group // width * width + width - 1
    waiting = ints(cells["count"])
    return SurvivalCurves(
        np.concatenate([group, everyone]),
        np.tile(np.concatenate([pairs[row] % 2**20, age]), 2),
        np.tile(np.concatenate([paid, np.zeros_like(waiting)]), 2),
        np.tile(np.concatenate([np.zeros_like(paid), waiting]), 2),
    )


def _days_ahead(first: int, last: int) -> Ints:
    """Days from each month end to the ends of `HORIZONS` after it."""
    ends = np.array([month_end(number).toordinal() for number in range(first, last + FORECAST_MONTHS + 1)])
    origins = np.arange(last - first + 1)
    months = ends[origins[:, None] + np.arange(1, FORECAST_MONTHS + 1)] - ends[origins][:, None]
    return np.asarray(np.column_stack([months, np.full(len(months), NEXT_DAYS)]))


def _moments(amount: Ints, squares: npt.NDArray[Any], unpaid: Ints) -> tuple[Ints, npt.NDArray[Any]]:
    """Expected collections of each cell by horizon, and their variances."""
    fall, whole = -_steps(unpaid, SURVIVAL_SCALE), np.abs(amount)[:, None]
    expected = _steps(_part(whole, SURVIVAL_SCALE - unpaid) * np.sign(amount)[:, None], 0)
    return expected, _part(squares[:, None], fall * (SURVIVAL_SCALE - fall) // SURVIVAL_SCALE)


def _steps(at_ends: Ints, now: int) -> Ints:
    """What changes within each horizon: a month begins with the end of the one before, the next days now."""
    steps = np.diff(at_ends, axis=1, prepend=now)
    steps[:, NEXT] = at_ends[:, NEXT] - now
    return np.asarray(steps)


def _part(whole: npt.NDArray[Any], share: Ints) -> npt.NDArray[Any]:
    """A share, in parts of `SURVIVAL_SCALE`, of whole numbers; in two steps, as the product is too large."""
    return np.asarray(
        whole // SURVIVAL_SCALE * share + whole % SURVIVAL_SCALE * share // SURVIVAL_SCALE, whole.dtype
    )


def _by_line(cells: pa.Table, columns: tuple[Exact, ...]) -> PastForecasts:
    """Sum the cells of each month end, currency and client, by which they are ordered."""
    origin, currency, client = (
        cells[name].to_numpy(zero_copy_only=False) for name in ("origin", "currency", "client")
    )
    begins = np.ones(len(origin), bool)
    begins[1:] = (origin[1:] != origin[:-1]) | (currency[1:] != currency[:-1]) | (client[1:] != client[:-1])
    first = np.flatnonzero(begins)
    known, expected, variance, realised = (
        np.add.reduceat(column, first, axis=0) if len(first) else column for column in columns
    )
    return PastForecasts(origin[first], currency[first], client[first], known, expected, variance, realised)


def _exact(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Sums of squares: as Python's whole numbers where they do not fit 64 bits."""
    try:
        return np.asarray(column.cast(pa.int64()).to_numpy())
    except pa.ArrowInvalid:
        return np.array([int(value) for value in column.to_pylist()], object)
