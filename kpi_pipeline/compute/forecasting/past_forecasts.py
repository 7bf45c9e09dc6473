"""What would have been forecast at past month ends, by what was known then, and what came.

A certificate is walked back to a month end as in the roll-up: it is receivable from when it was sent (issued,
where that has no date) until it is paid. Two things have no date, and are taken as they are now: certificates
that are rejected take no part at any month end, nor do those paid on an unknown day.

Certificates of one client, currency and age are reckoned with as one, which is rounded once.
"""
# ruff: noqa: S608 - the statement is built from the model's own names

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.database import summation
from kpi_pipeline.compute.forecasting.survival import Ints, SurvivalCurves
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import DISPERSION_DECIMALS, DISPERSION_MONTHS, VARIANCE_UNIT

Exact = npt.NDArray[np.object_]
"""Whole numbers of any size."""


@dataclass(frozen=True, slots=True)
class PastForecasts:
    """Forecasts at past month ends, one line for each month end, currency and client.

    Sums over lines are the forecasts of whole portfolios. Months, in the last axis, are counted from the one
    after the month end; amounts are those of certificates for which there was an estimate.

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

    def portfolios(self, currency: str) -> "dict[int, Portfolio]":
        """The forecasts of all clients together in a currency, by the number of their month end."""
        by_origin = {}
        chosen = self.currency == currency
        for origin in np.unique(self.origin[chosen]).tolist():
            lines = chosen & (self.origin == origin)
            by_origin[origin] = Portfolio(
                known=self.known[lines].sum(),
                expected=self.expected[lines].sum(axis=0),
                variance=self.variance[lines].sum(axis=0),
                realised=self.realised[lines].sum(axis=0),
            )
        return by_origin


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The forecast of all certificates together, and the collections; see `PastForecasts`."""

    known: int
    expected: Exact
    variance: Exact
    realised: Exact


def last_month_over(as_of: date) -> int:
    """The number of the last month that is over at the end of a day."""
    return month_of(as_of + timedelta(1)) - 1


def forecast_as_of(certificates: pa.Table, first: int, last: int) -> PastForecasts:
    """Forecast at the end of each month of a range, by what was known then.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        first: Number of the first month.
        last: Number of the last.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    with summation() as connection:
        connection.register("certificates", certificates)
        months = {"first": first, "last": last}
        connection.execute(f"CREATE TEMP TABLE milestones AS {_MILESTONES}", {"last": month_end(last)})
        payments = connection.sql(_PAYMENTS, params=months).to_arrow_table()
        cells = connection.sql(_CELLS, params=months).to_arrow_table()
    clients = pa.chunked_array([*payments["client"].chunks, *cells["client"].chunks], pa.string())
    codes = clients.combine_chunks().dictionary_encode()
    client, width = codes.indices.to_numpy().astype(np.int64), len(codes.dictionary) + 1
    origin, age = _ints(cells["origin"]) - first, _ints(cells["age_days"])
    own, everyone = origin * width + client[payments.num_rows :], origin * width + width - 1
    curves = _curves(payments, client[: payments.num_rows], width, last - first + 1, (own, age, cells))
    group, now = curves.applying(own, everyone, age)
    ahead = _days_ahead(first, last)[origin]
    then = curves.share(group[:, None], age[:, None] + ahead)
    known = now > 0
    expected, variance = _moments(
        _exact(cells["amount"])[known], _exact(cells["squares"])[known], now[known], then[known]
    )
    realised = np.stack([_exact(cells[f"realised_{month}"]) for month in range(FORECAST_MONTHS)], axis=-1)
    return _by_line(
        origin[known] + first,
        np.array(cells["currency"].to_pylist(), object)[known],
        np.array(cells["client"].to_pylist(), object)[known],
        (_exact(cells["amount"])[known], expected, variance, realised[known]),
    )


def dispersion(certificates: pa.Table, as_of: date) -> dict[str, list[float]]:
    """By how much forecasts vary more than by their variance, as the latest months have shown.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The business date.

    Returns:
        By currency, for each number of months ahead, at least 1: the squared misses of the last
        `DISPERSION_MONTHS` months that are over, forecast so many months ahead, by their variances; rounded
        to `DISPERSION_DECIMALS`, and 1 where nothing was forecast.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    over = last_month_over(as_of)
    past = forecast_as_of(certificates, over - DISPERSION_MONTHS - FORECAST_MONTHS + 1, over - 1)
    currencies = sorted(set(certificates["currency"].unique().to_pylist()))
    return {code: dispersion_of(past.portfolios(code), over) for code in currencies}


def dispersion_of(portfolios: Mapping[int, Portfolio], over: int) -> list[float]:
    """The dispersion by months ahead, once a month is over; see `dispersion`."""
    by_month = []
    for month in range(FORECAST_MONTHS):
        origins = [target - month - 1 for target in range(over - DISPERSION_MONTHS + 1, over + 1)]
        made = [portfolios[origin] for origin in origins if origin in portfolios]
        missed = sum((past.realised[month] - past.expected[month]) ** 2 for past in made)
        predicted = sum(past.variance[month] for past in made) * VARIANCE_UNIT**2
        by_month.append(round(max(1.0, missed / predicted), DISPERSION_DECIMALS) if predicted else 1.0)
    return by_month


def _month(day: str) -> str:
    return f"(year({day}) * 12 + month({day}) - 1)"


_MILESTONES: Final = f"""
    SELECT client, currency, issued_on, amount_proposed, amount_approved,
        {_month("greatest(issued_on, coalesce(sent_on, issued_on))")} AS claimed,
        CASE WHEN state IN ('validado', 'pagado') THEN {_month("coalesce(conformity_on, sent_on, issued_on)")}
            END AS accepted,
        CASE WHEN state = 'pagado' THEN {_month("paid_on")} END AS paid,
        CASE WHEN state = 'pagado' THEN date_diff('day', issued_on, paid_on) END AS payment_days
    FROM certificates
    WHERE issued_on <= $last AND (state IN ('enviado', 'pendiente', 'validado')
        OR (state = 'pagado' AND paid_on IS NOT NULL))
"""
"""The months in which each certificate was claimed, accepted and paid."""

_PAYMENTS: Final = """
    SELECT client, payment_days AS days, greatest(paid - $first, 0) AS origin, count(*) AS count
    FROM milestones WHERE paid <= $last GROUP BY ALL
"""
"""Payments, by the first month end at which they are known."""

_CELLS: Final = f"""
    WITH unpaid AS (
        SELECT *, unnest(range(greatest(claimed, $first), least(paid, $last + 1))) AS origin
        FROM milestones
    ), standing AS (
        SELECT origin, client, currency, amount_approved, paid - origin - 1 AS ahead,
            date_diff('day', issued_on,
                last_day(make_date(origin // 12, origin % 12 + 1, 1))) AS age_days,
            CASE WHEN accepted <= origin THEN amount_approved ELSE amount_proposed END AS amount
        FROM unpaid
    )
    SELECT origin, currency, client, age_days, count(*) AS count, sum(amount)::BIGINT AS amount,
        sum((abs(amount) // {VARIANCE_UNIT})::HUGEINT * (abs(amount) // {VARIANCE_UNIT})) AS squares,
        {
    ", ".join(
        f"coalesce(sum(amount_approved) FILTER (ahead = {month}), 0)::BIGINT AS realised_{month}"
        for month in range(FORECAST_MONTHS)
    )
}
    FROM standing GROUP BY ALL ORDER BY ALL
"""
"""Receivable amounts at each month end, by client, currency and age, and the collections of them."""


def _curves(
    payments: pa.Table, client: Ints, width: int, origins: int, unpaid: tuple[Ints, Ints, pa.Table]
) -> SurvivalCurves:
    """The curves of each month end: that of each client, then that of all; `width` of them."""
    # Each client's payments after so many days, as known at each month end.
    pairs, at = np.unique(client * 2**20 + _ints(payments["days"]), return_inverse=True)
    known = np.zeros((len(pairs), origins), np.int64)
    np.add.at(known, (at, _ints(payments["origin"])), _ints(payments["count"]))
    known = known.cumsum(axis=1)
    row, origin = np.nonzero(known)
    paid, (own, age, cells) = known[row, origin], unpaid
    group = np.concatenate([origin * width + pairs[row] // 2**20, own])
    everyone = group // width * width + width - 1
    waiting = _ints(cells["count"])
    return SurvivalCurves(
        np.concatenate([group, everyone]),
        np.tile(np.concatenate([pairs[row] % 2**20, age]), 2),
        np.tile(np.concatenate([paid, np.zeros_like(waiting)]), 2),
        np.tile(np.concatenate([np.zeros_like(paid), waiting]), 2),
    )


def _days_ahead(first: int, last: int) -> Ints:
    """Days from each month end to the ends of the months after it."""
    ends = np.array([month_end(number).toordinal() for number in range(first, last + FORECAST_MONTHS + 1)])
    origins = np.arange(last - first + 1)
    return np.asarray(ends[origins[:, None] + np.arange(1, FORECAST_MONTHS + 1)] - ends[origins][:, None])


def _moments(amount: Exact, squares: Exact, now: Ints, then: Ints) -> tuple[Exact, Exact]:
    """Expected collections of each cell by month, and their variances."""
    falls = -np.diff(then, axis=1, prepend=now[:, None])
    expected, variance = np.zeros(then.shape, object), np.zeros(then.shape, object)
    # Most shares do not fall in most months: nothing is computed for these.
    cell, month = np.nonzero(falls)
    share, fall, left = (
        column.astype(object) for column in (now[cell], falls[cell, month], then[cell, month])
    )
    by_then = np.abs(amount)[cell] * (share - left) // share * np.sign(amount)[cell]
    before = np.where(np.diff(cell, prepend=-1) == 0, np.roll(by_then, 1), 0)
    expected[cell, month] = by_then - before
    variance[cell, month] = squares[cell] * (fall * (share - fall)) // (share * share)
    return expected, variance


def _by_line(
    origin: Ints,
    currency: npt.NDArray[np.object_],
    client: npt.NDArray[np.object_],
    columns: tuple[Exact, Exact, Exact, Exact],
) -> PastForecasts:
    """Sum the cells of each month end, currency and client, by which they are ordered."""
    begins = np.ones(len(origin), bool)
    begins[1:] = (origin[1:] != origin[:-1]) | (currency[1:] != currency[:-1]) | (client[1:] != client[:-1])
    first = np.flatnonzero(begins)
    sums = (np.add.reduceat(column, first, axis=0) if len(first) else column for column in columns)
    return PastForecasts(origin[first], currency[first], client[first], *sums)


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _exact(column: pa.ChunkedArray) -> Any:
    """A column as Python's whole numbers."""
    if pa.types.is_decimal(column.type):
        return np.array([int(value) for value in column.to_pylist()], object)
    return column.to_numpy().astype(object)
