"""The milestones of certificates up to the business date, in their order, with the days between them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.histories import Histories
from kpi_pipeline.compute.months import day_numbers
from kpi_pipeline.model.certificate_details import ISSUED, MILESTONES
from kpi_pipeline.model.listing import FIRST_DAY
from kpi_pipeline.model.states import Event

Ints = npt.NDArray[np.int64]

TIMELINE: Final = ("milestone", "gap")
"""The columns of timelines."""

_OF_COLUMNS: Final = {
    ISSUED: "issued_on",
    Event.SENT: "sent_on",
    Event.ACCEPTED: "accepted_on",
    Event.PAID: "paid_on",
}
"""The milestones that a row's own dates say, and the columns of the list that hold them."""

_ONCE: Final = (Event.ACCEPTED, Event.PAID)
"""Of several of these in a row the first counts: further words for the same state add nothing."""

_DAY_BITS, _ORDER_BITS, _MILESTONE_BITS = 16, 13, 3


def timelines(listed: pa.Table, rows: Ints, histories: Histories, as_of: date) -> pa.Table:
    """The milestones of each row of the list.

    Of a certificate with a history they are its events up to the day; of another one its own dates. What
    has no date is none.

    Args:
        listed: Days of `LIST_COLUMNS`, counted from `FIRST_DAY`; null where there is none.
        rows: The certificate of each row, by its place among those of the histories.
        histories: The histories of the certificates.
        as_of: The business date.

    Returns:
        Columns `milestone` (place in `MILESTONES`) and `gap`, lists of the same lengths, one a row: days
        since the milestone before; of the first one, since issue: negative where it was paid before.
    """
    place = np.full(max(int(rows.max(initial=-1)), int(histories.rows.max(initial=-1))) + 1, -1)
    place[rows] = np.arange(len(rows))
    of_history = place[histories.rows]
    has_history = np.zeros(len(rows), bool)
    has_history[of_history[of_history >= 0]] = True
    first, last = day_numbers([FIRST_DAY, as_of]).tolist()
    of_columns = _of_columns(listed, has_history, last - first)
    keys = np.sort(np.concatenate([*of_columns, _of_histories(of_history, histories, first, last)]))
    milestone = keys & (2**_MILESTONE_BITS - 1)
    day = (keys >> (_MILESTONE_BITS + _ORDER_BITS)) & (2**_DAY_BITS - 1)
    row = keys >> (_MILESTONE_BITS + _ORDER_BITS + _DAY_BITS)
    is_again = np.zeros(len(keys), bool)
    is_same = (row[1:] == row[:-1]) & (milestone[1:] == milestone[:-1])
    is_again[1:] = is_same & ((day[1:] == day[:-1]) | np.isin(milestone[1:], _numbers(*_ONCE)))
    milestone, day, row = milestone[~is_again], day[~is_again], row[~is_again]
    is_first = np.append(True, row[1:] != row[:-1])[: len(row)]
    issued = listed["issued_on"].to_numpy().astype(np.int64)
    gap = day - np.where(is_first, issued[row], np.append(0, day[:-1])[: len(day)])
    offsets = pa.array(np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int32))
    return pa.table(
        {
            "milestone": pa.ListArray.from_arrays(offsets, pa.array(milestone)),
            "gap": pa.ListArray.from_arrays(offsets, pa.array(gap)),
        }
    )


def _numbers(*milestones: str) -> list[int]:
    return [MILESTONES.index(milestone) for milestone in milestones]


def _keys(row: Ints, day: Ints, order: Ints, milestone: Ints) -> Ints:
    """A number a milestone, which sorts by certificate, day and order."""
    limited = np.minimum(order, 2**_ORDER_BITS - 1)
    return np.asarray(
        (((row << _DAY_BITS) + day << _ORDER_BITS) + limited << _MILESTONE_BITS) + milestone, np.int64
    )


def _of_columns(listed: pa.Table, has_history: npt.NDArray[np.bool_], last: int) -> Iterator[Ints]:
    """Those of the rows' own dates up to a day."""
    for milestone, column in _OF_COLUMNS.items():
        days = listed[column].fill_null(last + 1).to_numpy().astype(np.int64)
        at = np.flatnonzero((days <= last) & (True if milestone == ISSUED else ~has_history))
        day = days[at]
        (number,) = _numbers(milestone)
        yield _keys(at, day, np.full(len(at), number), np.full(len(at), number))


def _of_histories(of_history: Ints, histories: Histories, first: int, last: int) -> Ints:
    """Those of histories, given the row of each; negative where it is not listed."""
    length = histories.end - histories.first
    row = np.repeat(of_history, length)
    wanted = np.flatnonzero((row >= 0) & (histories.day <= last) & (histories.day >= first))
    # The issue comes before what the history says of its day.
    order = np.arange(len(row)) - np.repeat(histories.first, length) + 1
    number = np.array(_numbers(*Event), np.int64)[histories.event]
    return _keys(row[wanted], histories.day[wanted] - first, order[wanted], number[wanted])


def milestones_of(timelines: pa.Table, rows: Ints) -> Mapping[str, Ints]:
    """The milestones of some rows, one row after the other.

    Args:
        timelines: The columns of `timelines`, each in one chunk.
        rows: Which rows.

    Returns:
        `milestone` and `gap` of each, and `length`, how many each row has.
    """
    taken = timelines.take(pa.array(rows)).combine_chunks()
    columns = {name: taken[name].chunk(0) for name in taken.column_names}
    values = {name: column.flatten().to_numpy().astype(np.int64) for name, column in columns.items()}
    return {**values, "length": columns["gap"].value_lengths().to_numpy().astype(np.int64)}
