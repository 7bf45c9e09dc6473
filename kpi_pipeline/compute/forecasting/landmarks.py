"""How long debts stayed unpaid after earlier dates like this one: landmark estimates.

A landmark is a day of an earlier month at which debts are looked at again as they stood then. A forecast made
at a month end goes by month ends, one made within a month by the same day of earlier months: so a first month
that is partly over is compared with first months that were as far gone.
"""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from kpi_pipeline.compute.database import arrow_table, summation
from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.compute.histories import Histories, spans, with_histories
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS, NEXT_DAYS
from kpi_pipeline.model.forecast import (
    LANDMARKS,
    NEAREST_AGES_DAYS,
    NEAREST_AGES_PART,
    PRIOR_WEIGHT,
    SURVIVAL_SCALE,
    VARIANCE_UNIT,
)

REACH: Final = LANDMARKS + FORECAST_MONTHS - 1
"""How many landmarks before a forecast take part in it."""

CELL_KEYS: Final = ("origin", "currency", "client", "is_accepted", "age_days")
"""What a cell of receivable certificates at landmarks is identified by."""

NEXT: Final = FORECAST_MONTHS
"""The place of the next days among `HORIZONS`."""

_AGES: Final = 2**20
"""More than any age in days."""


_MONTH: Final = "year({0}) * 12 + month({0}) - 1"
"""SQL: the number of a date's month."""


@dataclass(frozen=True, slots=True)
class LandmarkDays:
    """The landmarks of a forecast: one a month.

    Attributes:
        day: Day of the month, at most the last but one; None for month ends.
    """

    day: int | None = None

    @classmethod
    def like(cls, as_of: date) -> "LandmarkDays":
        """Those of a forecast made on a date."""
        return cls(None if month_of(as_of + timedelta(1)) > month_of(as_of) else as_of.day)

    def of(self, number: int) -> date:
        """The landmark of a month."""
        end = month_end(number)
        return end if self.day is None else end.replace(day=min(self.day, end.day - 1))

    def first_month(self, number: int) -> int:
        """The first month that is forecast from the landmark of a month."""
        return number + (self.day is None)

    def first_over(self, number: int) -> int:
        """How many months before that of a landmark is the latest after which `NEXT_DAYS` are over on it."""
        return 1 if (self.of(number) - self.of(number - 1)).days >= NEXT_DAYS else 2

    def sql_of(self, number: str) -> str:
        """SQL: the landmark of a month."""
        end = f"last_day(make_date({number} // 12, {number} % 12 + 1, 1))"
        return end if self.day is None else f"least({end} - 1, {end} - day({end})::INTEGER + {self.day})"

    def sql_first_from(self, day: str) -> str:
        """SQL: the month of the first landmark that is not before a day."""
        number = f"(year({day}) * 12 + month({day}) - 1)"
        return number if self.day is None else f"({number} + ({day} > {self.sql_of(number)})::INTEGER)"


@dataclass(frozen=True, slots=True)
class Standing:
    """How certificates stood at landmarks.

    Attributes:
        cells: The receivable ones, by columns shard (number of the month of issue), origin (number of the
            landmark's month), currency, client, is_accepted and age_days, ordered by all but the first:
            count, amount, squares (of amounts, in `VARIANCE_UNIT` minor units), and for each of `HORIZONS`
            after the landmark realised (collections) and paid (how many).
        payments: Columns shard, client, days (from issue), origin (the first landmark at which they are
            known, no earlier than the first of the range) and count.
    """

    cells: pa.Table
    payments: pa.Table

    @classmethod
    def of_certificates(cls, certificates: pa.Table, days: LandmarkDays, first: int, last: int) -> "Standing":
        """That of certificates; see `standing_at_landmarks`.

        Raises:
            SumTooLarge: If a sum does not fit 64 bits.
        """
        histories = Histories.of(certificates)
        with summation() as connection:
            connection.register("certificates", with_histories(certificates, histories))
            connection.register("spans", spans(histories))
            return standing_at_landmarks(connection, days, first, last)

    @classmethod
    def of_shards(cls, shards: Sequence["Standing"]) -> "Standing":
        """That of all shards. No two have a cell in common: age and landmark say the day of issue."""
        cells = pa.concat_tables([shard.cells for shard in shards])
        order = [(name, "ascending") for name in CELL_KEYS]
        return cls(cells.sort_by(order), pa.concat_tables([shard.payments for shard in shards]))


def standing_at_landmarks(
    connection: DuckDBPyConnection, days: LandmarkDays, first: int, last: int
) -> Standing:
    """The receivable certificates at the landmarks of a range of months, and all payments known at each.

    A certificate is walked back as in the roll-up: it is receivable from when it was sent (issued, where that
    has no date) until it is paid, but for the time in which it was returned or cancelled. What was returned
    or cancelled on an unknown day takes no part at any landmark, nor does what was paid on an unknown day,
    or before it was issued.

    Args:
        connection: A computation in which `certificates` holds certificates `with_histories`, and `spans` the
            spans of their histories.
        days: Which landmarks.
        first: Number of the first month.
        last: Number of the last.
    """
    claims = f"""
        WITH known AS (
            SELECT * REPLACE (CASE WHEN state = 'pagado' THEN paid_on END AS paid_on) FROM certificates
            WHERE issued_on <= $last_day AND (state <> 'pagado' OR paid_on >= issued_on)
        ), claimed AS (
            SELECT *, greatest(issued_on, coalesce(sent_on, issued_on)) AS begins, NULL::DATE AS ends,
                CASE WHEN state IN ('validado', 'pagado')
                    THEN coalesce(conformity_on, sent_on, issued_on) END AS accepted_on
            FROM known WHERE NOT has_history AND state IN ('enviado', 'pendiente', 'validado', 'pagado')
            UNION ALL BY NAME
            SELECT * EXCLUDE (event, since, until), greatest(issued_on, since) AS begins, until AS ends,
                CASE WHEN event <> 'sent' THEN since END AS accepted_on
            FROM (
                SELECT known.*, until, coalesce(spans.begins, sent_on, issued_on) AS since,
                    CASE WHEN spans.begins IS NOT NULL THEN event
                        WHEN sent_on IS NOT NULL OR state NOT IN ('revision', 'anulado') THEN 'sent'
                        END AS event
                FROM known JOIN spans USING (row) WHERE state <> 'anulado' OR is_ever_cancelled
            ) WHERE event IN ('sent', 'accepted', 'paid')
        )
        SELECT client, currency, issued_on, amount_proposed, amount_approved,
            {days.sql_first_from("begins")} AS claimed,
            least({days.sql_first_from("ends")}, {days.sql_first_from("paid_on")}) AS released,
            {days.sql_first_from("accepted_on")} AS accepted,
            paid_on, {_MONTH.format("paid_on")} AS paid_month
        FROM claimed
    """
    standing = f"""
        SELECT {_MONTH.format("issued_on")} AS shard, origin, client, currency, amount_approved,
            coalesce(accepted <= origin, false) AS is_accepted,
            paid_month - {days.first_month(0)} - origin AS ahead,
            date_diff('day', {days.sql_of("origin")}, paid_on) <= {NEXT_DAYS} AS is_next,
            date_diff('day', issued_on, {days.sql_of("origin")}) AS age_days,
            CASE WHEN is_accepted THEN amount_approved ELSE amount_proposed END AS amount,
            (abs(amount) // {VARIANCE_UNIT})::HUGEINT AS size
        FROM (SELECT *, unnest(range(greatest(claimed, $first), least(released, $last + 1))) AS origin
            FROM ({claims}))
    """
    within = {horizon: f"ahead = {horizon}" for horizon in HORIZONS[:-1]} | {HORIZONS[-1]: "is_next"}
    realised = [
        f"coalesce(sum(amount_approved) FILTER ({when}), 0)::BIGINT AS realised_{horizon}"
        for horizon, when in within.items()
    ]
    paid = [f"count(*) FILTER ({when}) AS paid_{horizon}" for horizon, when in within.items()]
    cells = f"""
        SELECT shard, origin, currency, client, is_accepted, age_days, count(*) AS count,
            sum(amount)::BIGINT AS amount, sum(size * size) AS squares, {", ".join([*realised, *paid])}
        FROM ({standing}) GROUP BY ALL ORDER BY {", ".join(CELL_KEYS)}
    """
    payments = f"""
        SELECT {_MONTH.format("issued_on")} AS shard, client, date_diff('day', issued_on, paid_on) AS days,
            greatest({days.sql_first_from("paid_on")}, $first) AS origin, count(*) AS count
        FROM certificates WHERE state = 'pagado' AND paid_on >= issued_on
            AND {days.sql_first_from("paid_on")} <= $last
        GROUP BY ALL
    """
    range_ = {"first": first, "last": last}
    return Standing(
        arrow_table(connection, cells, {**range_, "last_day": days.of(last)}),
        arrow_table(connection, payments, range_),
    )


class LandmarkCounts:
    """How many debts were unpaid at landmarks and after, and how many of them were paid in each horizon.

    Args:
        cells: As of `standing_at_landmarks`.
        days: Of which landmarks.
    """

    def __init__(self, cells: pa.Table, days: LandmarkDays) -> None:
        self._days = days
        self._clients = cells["client"].combine_chunks().unique()
        paid = horizons_of(cells, "paid")
        at_risk = ints(cells["count"])[:, None] - np.cumsum(paid, axis=1) + paid
        at_risk[:, NEXT] = ints(cells["count"])
        self._counts = at_risk, paid
        origin = ints(cells["origin"])
        self._first = int(origin.min(initial=2**31))
        self._landmarks = int(origin.max(initial=self._first - 1)) + 1 - self._first
        self._held, at = np.unique(self._keys(cells, ints(cells["age_days"])), return_inverse=True)
        self._at = (origin - self._first) * len(self._held) + at

    def near(self, debts: pa.Table) -> tuple[Ints, Ints]:
        """Counts of each client's debts of the same stage and about the same age at earlier landmarks.

        For each of `HORIZONS`, those of the latest `LANDMARKS` landmarks after which it is over.

        Args:
            debts: Columns origin (number of the month in which the forecast is made), client, is_accepted and
                age_days.

        Returns:
            How many were unpaid before each, and how many were paid in it; horizons in the last axis.
        """
        age, landmark = ints(debts["age_days"]), ints(debts["origin"]) - self._first
        reach = np.maximum(NEAREST_AGES_DAYS, age // NEAREST_AGES_PART)
        youngest, oldest = (
            self._keys(debts, np.clip(limit, 0, _AGES - 1)) for limit in (age - reach, age + reach)
        )
        first = np.searchsorted(self._held, youngest, side="left")
        end = np.searchsorted(self._held, oldest, side="right")
        found = np.zeros((2, len(age), len(HORIZONS)), np.int64)
        for horizon, begun in enumerate(self._begun(landmark)):
            over = np.clip(begun, 0, self._landmarks)
            before = np.clip(begun - LANDMARKS, 0, self._landmarks)
            for of_counts, counts in zip(found, self._counts, strict=True):
                sums = self._sums(counts[:, horizon])
                of_counts[:, horizon] = sums[over, end] - sums[over, first]
                of_counts[:, horizon] -= sums[before, end] - sums[before, first]
        return found[0], found[1]

    def _begun(self, landmark: Ints) -> list[Ints]:
        """For each of `HORIZONS`, how many landmarks it is over after when a forecast is made at some."""
        made_at, of_each = np.unique(landmark, return_inverse=True)
        back = np.array(
            [self._days.first_over(number + self._first) for number in made_at.tolist()], np.int64
        )
        return [*(landmark - month for month in range(FORECAST_MONTHS)), landmark - back[of_each] + 1]

    def _sums(self, counts: Ints) -> Ints:
        """The sums of what cells have before each landmark and key, [landmarks + 1, keys + 1]."""
        shape = self._landmarks, len(self._held)
        # Counts are far below 2**53: doubles add them exactly.
        by_key = np.bincount(self._at, counts, shape[0] * shape[1]).astype(np.int64).reshape(shape)
        sums = np.zeros((shape[0] + 1, shape[1] + 1), np.int64)
        np.cumsum(by_key.cumsum(axis=0), axis=1, out=sums[1:, 1:])
        return sums

    def _keys(self, debts: pa.Table, age: Ints) -> Ints:
        """A number for client, stage and age, ordered by age last; negative for a client that is unknown."""
        client = pc.fill_null(pc.index_in(debts["client"], self._clients), -1).to_numpy().astype(np.int64)
        is_accepted = debts["is_accepted"].to_numpy().astype(np.int64)
        return np.asarray((client * 2 + is_accepted) * _AGES + age, np.int64)


def unpaid_shares(survival: Ints, days: Ints, at_risk: Ints, paid: Ints) -> Ints:
    """The share of debts that stays unpaid until the end of each of `HORIZONS`, in parts of `SURVIVAL_SCALE`.

    The share falls in each month as after the landmarks, together with `PRIOR_WEIGHT` debts that fall as by
    the survival curve; so it does in the next days, which begin now. Each is an estimate of its own: see
    `in_order`.

    Args:
        survival: By the curve, the share unpaid now and at the end of each.
        days: Days from now to the end of each.
        at_risk: How many debts were unpaid before each after landmarks.
        paid: How many of them were paid in it.

    Returns:
        Of what is unpaid now; 0 where the curve covers no such debt.
    """
    before, after = survival[:, :-1].copy(), survival[:, 1:]
    before[:, NEXT] = survival[:, 0]
    by_curve = np.where(before > 0, after * SURVIVAL_SCALE // np.maximum(before, 1), 0)
    falls = ((at_risk - paid) * SURVIVAL_SCALE + PRIOR_WEIGHT * by_curve) // (at_risk + PRIOR_WEIGHT)
    whole = share = np.where(survival[:, 0] > 0, SURVIVAL_SCALE, 0)
    shares: Ints = np.empty_like(falls)
    for month in range(FORECAST_MONTHS):
        share = share * falls[:, month] // SURVIVAL_SCALE
        shares[:, month] = share
    shares[:, NEXT] = whole * falls[:, NEXT] // SURVIVAL_SCALE
    return in_order(shares, days)


def in_order(unpaid: Ints, days: Ints) -> Ints:
    """Shares of which that of the next days lies between those of the months around their end.

    What is paid stays paid: after the next days no more is unpaid than at the end of a month that is over by
    then, and no less than at the end of one that is not.

    Args:
        unpaid: The share that stays unpaid until the end of each of `HORIZONS`; those of months never rise.
        days: Days from now to the end of each.
    """
    months, is_over, is_ahead = (
        unpaid[..., :NEXT],
        days[..., :NEXT] <= NEXT_DAYS,
        days[..., :NEXT] >= NEXT_DAYS,
    )
    most = np.where(is_over, months, SURVIVAL_SCALE).min(axis=-1)
    least = np.where(is_ahead, months, 0).max(axis=-1)
    ordered = unpaid.copy()
    ordered[..., NEXT] = np.clip(unpaid[..., NEXT], least, most)
    return ordered


def horizons_of(cells: pa.Table, name: str) -> Ints:
    """The columns of a name for each of `HORIZONS`, in a last axis."""
    columns = [ints(cells[f"{name}_{horizon}"]) for horizon in HORIZONS]
    return np.asarray(np.stack(columns, axis=-1), np.int64)


def ints(column: pa.ChunkedArray) -> Ints:
    """A column of whole numbers."""
    return np.asarray(column.to_numpy(), dtype=np.int64)
