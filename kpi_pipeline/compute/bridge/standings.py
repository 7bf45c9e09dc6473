"""How certificates stand on a day, as it is kept of days that are over, and what figures they sum to."""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import summation
from kpi_pipeline.compute.evaluation_days import window_first
from kpi_pipeline.compute.listing.rows import MARKS, SHARD
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS, BRIDGE_FIGURES
from kpi_pipeline.model.listing import FIRST_DAY, MARK_BITS
from kpi_pipeline.model.states import State

NUMBER: Final = "number_of_table"
"""The column that `numbered` adds."""

EVERYTHING: Final = ""
"""Stands for a dimension where sums are those of all certificates."""

STANDING_SCHEMA: Final = pa.schema(
    [
        pa.field("certificate_id", pa.string()),
        pa.field("number", pa.string()),  # within its project
        *(pa.field(name, pa.string()) for name in BRIDGE_DIMENSIONS),
        pa.field("currency", pa.string()),
        pa.field("standing", pa.string()),  # unsent, awaiting, accepted, returned, paid or cancelled
        pa.field("open", pa.int64()),  # amounts in minor units
        pa.field("approved", pa.int64()),
        pa.field("collected", pa.int64()),
        pa.field("billed", pa.int64()),  # as DSO counts it, whenever it was issued
        pa.field("issued_on", pa.int64()),  # days since `listing.FIRST_DAY`
        pa.field("due_on", pa.int64()),  # likewise, null where there is none
        pa.field("is_due_assumed", pa.bool_()),
        pa.field("is_overdue", pa.bool_()),
        pa.field("is_credit_note", pa.bool_()),
    ]
)
"""One row a certificate that is issued by the day."""

_STANDINGS: Final = {
    State.REVISION: "unsent",
    State.SENT: "awaiting",
    State.PENDING: "awaiting",
    State.VALIDATED: "accepted",
    State.PAID: "paid",
    State.REJECTED: "returned",
    State.CANCELLED: "cancelled",
}
_BILLED: Final = {"awaiting": "proposed", "accepted": "approved", "paid": "approved"}
"""By standing, the column of the amount that is billed; nothing of others."""

_MARKED: Final = {"is_due_assumed": "due_assumed", "is_overdue": "overdue", "is_credit_note": "credit_note"}


def standings_by_shard(listed: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The standings of each shard, in an order that follows from the rows alone.

    Args:
        listed: As `listing.rows.listed_rows` gives them.

    Yields:
        The number of the month of issue, and rows in `STANDING_SCHEMA`.
    """
    rows = standings(listed)
    by_name = pc.sort_indices(rows["certificate_id"]).to_numpy()
    shard = listed[SHARD].to_numpy()[by_name]
    by_shard = np.argsort(shard, kind="stable")
    order = by_name[by_shard]
    months, first = np.unique(shard[by_shard], return_index=True)
    ends = [*first.tolist()[1:], len(shard)] if len(shard) else []
    for month, begin, end in zip(months.tolist(), first.tolist(), ends, strict=True):
        # No slice: the bytes of one depend on the rows beside it, and parts are named by theirs.
        yield month, rows.take(pa.array(order[begin:end]))


def standings(listed: pa.Table) -> pa.Table:
    """The same of all shards together, in the order of the rows."""
    marks, state = listed[MARKS], listed["state"].combine_chunks().dictionary_encode()
    named = pa.array([_STANDINGS[State(name)] for name in state.dictionary.to_pylist()], pa.string())
    standing = named.take(state.indices)
    columns = {
        "standing": standing,
        "billed": _billed(listed, standing),
        **{name: pc.not_equal(pc.bit_wise_and(marks, MARK_BITS[mark]), 0) for name, mark in _MARKED.items()},
    }
    return pa.table(
        [columns.get(name, listed[name] if name not in columns else None) for name in STANDING_SCHEMA.names],
        schema=STANDING_SCHEMA,
    ).combine_chunks()


def _billed(listed: pa.Table, standing: pa.Array) -> pa.Array:
    is_one = pa.StructArray.from_arrays([pc.equal(standing, name) for name in _BILLED], names=list(_BILLED))
    return pc.case_when(is_one, *(listed[column].combine_chunks() for column in _BILLED.values()), 0)


Sums = dict[tuple[str, str, str, str], tuple[int, int]]
"""By dimension (`EVERYTHING` for none), its value, currency and figure: the amount, and how many
certificates, credit notes not counted."""

FirstIssues = dict[tuple[str, str], int]
"""By dimension and value: the number of the first day on which a certificate was issued that is not
cancelled."""


@dataclass(frozen=True, slots=True)
class StandingDay:
    """The standings of a day.

    Attributes:
        rows: In `STANDING_SCHEMA`.
        day: The day.
        window_months: Months of the window of billing.
    """

    rows: pa.Table
    day: date
    window_months: int

    @property
    def last(self) -> int:
        """The number of the day."""
        return (self.day - FIRST_DAY).days

    @property
    def first(self) -> int:
        """The number of the first day of the window."""
        return (window_first(self.day, self.window_months) - FIRST_DAY).days


@dataclass(frozen=True, slots=True)
class DaySums:
    """What certificates sum to on a day.

    Attributes:
        figures: The figures.
        issued: The first issues.
        first: The number of the first day of the window of billing.
        last: The number of the day.
    """

    figures: Sums
    issued: FirstIssues
    first: int
    last: int

    def billing_days(self, dimension: str, value: str) -> int:
        """Days of the window of billing, or those since the first certificate where these are fewer."""
        issued = self.issued.get((dimension, value))
        return 0 if issued is None else max(self.last - max(issued, self.first) + 1, 0)

    def changed(self, gone: "DaySums", come: "DaySums") -> "DaySums | None":
        """The sums once some of the certificates are replaced by others.

        Args:
            gone: Those of the certificates that are no longer there.
            come: Those of the certificates that are there instead.

        Returns:
            None where this cannot be told: the first issue of a value may have been one that is gone.
        """
        issued = dict(self.issued)
        for key, first in gone.issued.items():
            if first == issued.get(key) and first != come.issued.get(key):
                return None
        for key, first in come.issued.items():
            issued[key] = min(first, issued.get(key, first))
        figures = dict(self.figures)
        for sums, sign in ((gone, -1), (come, 1)):
            for at, (amount, count) in sums.figures.items():
                before = figures.get(at, (0, 0))
                figures[at] = before[0] + sign * amount, before[1] + sign * count
        return DaySums({at: sums for at, sums in figures.items() if any(sums)}, issued, self.first, self.last)


def standing_sums(days: Sequence[StandingDay]) -> list[DaySums]:
    """What certificates sum to, for everything and each value of each dimension; zeros are left out.

    Args:
        days: Those of some days.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
    """
    values = ", ".join(
        f"{value} AS {figure.name}_amount, {count} AS {figure.name}_count"
        for figure in BRIDGE_FIGURES
        for value, count in [figure_values(figure.name)]
    )
    sums = ", ".join(
        (
            "min(CASE WHEN standing <> 'cancelled' THEN issued_on END)",
            *(f"sum({one.name}_amount), sum({one.name}_count)" for one in BRIDGE_FIGURES),
        )
    )
    grouped = " UNION ALL ".join(
        f"SELECT {NUMBER}, '{name}', {name or repr(EVERYTHING)}, currency, {sums} FROM valued GROUP BY ALL"
        for name in (EVERYTHING, *BRIDGE_DIMENSIONS)
    )
    found = [DaySums({}, {}, one.first, one.last) for one in days]
    windows = {
        NUMBER: range(len(days)),
        "window_first": [one.first for one in days],
        "day": [one.last for one in days],
    }
    with summation() as connection:
        connection.register("standings", numbered([one.rows for one in days]))
        connection.register(
            "windows", pa.table({name: pa.array(own, pa.int32()) for name, own in windows.items()})
        )
        summed = connection.execute(
            f"WITH valued AS (SELECT *, {values} FROM standings JOIN windows USING ({NUMBER})) {grouped}"
        ).fetchall()
    for number, dimension, value, currency, first, *own in summed:
        if first is not None:
            issued = found[number].issued
            issued[dimension, value] = min(first, issued.get((dimension, value), first))
        for at, figure in enumerate(BRIDGE_FIGURES):
            amount, count = own[2 * at : 2 * at + 2]
            if amount or count:
                found[number].figures[dimension, value, currency, figure.name] = (int(amount), int(count))
    return found


def numbered(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables on top of one another, with the column `NUMBER`: the place of a row's table."""
    return pa.concat_tables(
        [
            table.append_column(NUMBER, pa.array(np.full(table.num_rows, place, np.int32)))
            for place, table in enumerate(tables)
        ]
    )


def figure_values(figure: str, prefix: str = "") -> tuple[str, str]:
    """SQL of what a certificate adds to a figure on a day: its amount, and 1 where it is counted.

    Args:
        figure: Name of the figure.
        prefix: Of the columns.
    """
    own = next(one for one in BRIDGE_FIGURES if one.name == figure)
    when = f"coalesce({own.when.replace('{}', prefix)}, false)"
    return (
        f"CASE WHEN {when} THEN {prefix}{own.amount} ELSE 0 END",
        f"CASE WHEN {when} AND NOT {prefix}is_credit_note THEN 1 ELSE 0 END",
    )
