"""What the histories of certificates say by each of some days, and the spans between their events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.months import day_numbers
from kpi_pipeline.model.states import Event

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HISTORY_COLUMNS: Final = ("row", "has_history", "history_ends_on", "is_ever_cancelled")
"""What `with_histories` adds to certificates in place of their `history`."""

FACTS_SCHEMA: Final = pa.schema(
    [
        pa.field("row", pa.int32()),
        pa.field("place", pa.int64()),
        pa.field("last_event", pa.string()),
        pa.field("last_event_day", pa.date32()),
        pa.field("first_sending", pa.date32()),
        pa.field("last_sending", pa.date32()),
        pa.field("last_return", pa.date32()),  # rejected or asked to rework
        pa.field("standing_acceptance", pa.date32()),  # the first since it was last returned or cancelled
        pa.field("is_acceptance_given", pa.bool_()),  # one of these is on `conformity_on`
        pa.field("had_rework", pa.bool_()),
        pa.field("had_rejection", pa.bool_()),
    ]
)
"""What the events of a history up to a day say: one row a certificate with a history and place of a day."""

SPANS_SCHEMA: Final = pa.schema(
    [
        pa.field("row", pa.int32()),
        pa.field("event", pa.string()),  # null of the span before the first
        pa.field("begins", pa.date32()),  # the same
        pa.field("until", pa.date32()),  # null of the last
    ]
)
"""The spans of a history: one before its first event, and one that each event begins."""

_EVENTS: Final = tuple(Event)
_RETURNS: Final = (Event.REJECTED, Event.REWORK)
_UNDOING: Final = (*_RETURNS, Event.CANCELLED)


@cache
def _names() -> pa.StringArray:
    """The events as text; not with the module: pyarrow loads pandas for its first array."""
    return pa.array([event.value for event in _EVENTS], pa.string())


@dataclass(frozen=True, slots=True)
class Histories:
    """The entries of all histories in one sequence.

    Attributes:
        rows: The certificates that have a history, by their place in the table.
        first: The place of each one's first entry.
        end: The place after each one's last entry.
        day: Day of each entry, in days since 1970.
        event: Event of each entry, by its place among those of `Event`.
        given: The acceptance's date of each certificate that has a history, in days since 1970; below all
            days where it has none.
    """

    rows: Ints
    first: Ints
    end: Ints
    day: Ints
    event: Ints
    given: Ints

    @classmethod
    def of(cls, certificates: pa.Table) -> "Histories":
        """Those of certificates: rows with the columns `history` and `conformity_on`."""
        history = certificates["history"].combine_chunks()
        if isinstance(history, pa.ChunkedArray):
            history = pa.concat_arrays(history.chunks) if history.num_chunks else pa.array([], history.type)
        rows = np.flatnonzero(history.is_valid().to_numpy(zero_copy_only=False))
        entries, length = pc.list_flatten(history), pc.list_value_length(history).drop_null().to_numpy()
        end = np.cumsum(length, dtype=np.int64)
        given = pc.fill_null(certificates["conformity_on"].cast(pa.int32()), np.iinfo(np.int32).min)
        event = pc.index_in(entries.field("event"), _names())
        return cls(
            rows,
            end - length,
            end,
            entries.field("day").cast(pa.int32()).to_numpy().astype(np.int64),
            event.to_numpy().astype(np.int64),
            given.to_numpy().astype(np.int64)[rows],
        )

    def having(self, *events: Event) -> Bools:
        """Which entries are one of some events."""
        return np.isin(self.event, [_EVENTS.index(event) for event in events])

    def last_by(self, is_wanted: Bools) -> Ints:
        """The place of the last wanted entry up to each entry of all histories; -1 where there is none."""
        places = np.where(is_wanted, np.arange(len(is_wanted)), -1)
        return np.asarray(np.maximum.accumulate(places) if len(places) else places)

    def first_of(self, is_wanted: Bools) -> Ints:
        """The place of the first wanted entry of each history; past all entries where there is none."""
        places = np.append(np.flatnonzero(is_wanted), len(is_wanted))
        found = places[np.searchsorted(places, self.first)]
        return np.asarray(np.where(found < self.end, found, len(is_wanted)))


def with_histories(certificates: pa.Table, histories: Histories) -> pa.Table:
    """Certificates with the columns of `HISTORY_COLUMNS` in place of their histories."""
    count = certificates.num_rows
    has_history, cancelled = np.zeros(count, bool), np.zeros(count, bool)
    has_history[histories.rows] = True
    is_cancelling = histories.having(Event.CANCELLED)
    cancelled[histories.rows] = histories.first_of(is_cancelling) < len(is_cancelling)
    ends, filled = np.zeros(count, np.int32), histories.end > histories.first
    ends[histories.rows[filled]] = histories.day[histories.end[filled] - 1]
    has_end = np.zeros(count, bool)
    has_end[histories.rows[filled]] = True
    columns = (
        pa.array(np.arange(count, dtype=np.int32)),
        pa.array(has_history),
        _days(ends, has_end),
        pa.array(cancelled),
    )
    table = certificates.drop_columns(["history"])
    for name, column in zip(HISTORY_COLUMNS, columns, strict=True):
        table = table.append_column(name, column)
    return table


def facts_by_day(histories: Histories, days: Mapping[int, date]) -> pa.Table:
    """What histories say by each of some days.

    Args:
        histories: The histories.
        days: The days, by their places.

    Returns:
        Rows in `FACTS_SCHEMA`.
    """
    last = {
        name: histories.last_by(histories.having(*events))
        for name, events in (("sending", (Event.SENT,)), ("return", _RETURNS), ("undone", _UNDOING))
    }
    is_accepting = histories.having(Event.ACCEPTED)
    given = np.repeat(histories.given, histories.end - histories.first)
    last["given"] = histories.last_by(is_accepting & (histories.day == given))
    acceptances = np.append(np.flatnonzero(is_accepting), len(is_accepting))
    first = {
        name: histories.first_of(histories.having(event))
        for name, event in (("sending", Event.SENT), ("rework", Event.REWORK), ("rejection", Event.REJECTED))
    }
    tables = []
    for place, number in zip(days, day_numbers(list(days.values())).tolist(), strict=True):
        passed = np.append(0, np.cumsum(histories.day <= number))
        at = histories.first + passed[histories.end] - passed[histories.first] - 1
        is_any = at >= histories.first
        last_of = {
            name: np.where(is_any, places[at], -1) if len(places) else at for name, places in last.items()
        }
        since = np.maximum(last_of["undone"] + 1, histories.first)
        accepted = acceptances[np.searchsorted(acceptances, since)]
        tables.append(
            pa.Table.from_arrays(
                [
                    pa.array(histories.rows.astype(np.int32)),
                    pa.array(np.full(len(at), place)),
                    pc.if_else(
                        pa.array(is_any), _names().take(pa.array(_at(histories.event, at, is_any))), None
                    ),
                    _day_at(histories, at, is_any),
                    _day_at(histories, first["sending"], first["sending"] <= at),
                    _day_at(histories, last_of["sending"], last_of["sending"] >= histories.first),
                    _day_at(histories, last_of["return"], last_of["return"] >= histories.first),
                    _day_at(histories, accepted, accepted <= at),
                    pa.array(last_of["given"] >= since),
                    pa.array(first["rework"] <= at),
                    pa.array(first["rejection"] <= at),
                ],
                schema=FACTS_SCHEMA,
            )
        )
    return pa.concat_tables(tables) if tables else FACTS_SCHEMA.empty_table()


def spans(histories: Histories) -> pa.Table:
    """The spans of histories; rows in `SPANS_SCHEMA`."""
    length = histories.end - histories.first
    # The spans that events begin, then those before the first.
    row = np.concatenate([np.repeat(histories.rows, length), histories.rows])
    count = len(histories.day)
    is_last = np.zeros(count, bool)
    is_last[histories.end[length > 0] - 1] = True
    following = np.concatenate(
        [np.append(histories.day[1:], 0)[:count], _at(histories.day, histories.first, length > 0)]
    )
    has_following = np.concatenate([~is_last, length > 0])
    is_event = np.concatenate([np.ones(count, bool), np.zeros(len(length), bool)])
    padding = np.zeros(len(length), np.int64)
    event = pa.array(np.concatenate([histories.event, padding]), mask=~is_event)
    return pa.Table.from_arrays(
        [
            pa.array(row.astype(np.int32)),
            _names().take(event),
            _days(np.concatenate([histories.day, padding]), is_event),
            _days(following, has_following),
        ],
        schema=SPANS_SCHEMA,
    )


def _at(values: Ints, places: Ints, is_there: Bools) -> Ints:
    """Values at places, 0 where there is none."""
    found = np.zeros(len(places), np.int64)
    found[is_there] = values[places[is_there]]
    return found


def _day_at(histories: Histories, places: Ints, is_there: Bools) -> pa.Array:
    return _days(_at(histories.day, places, is_there), is_there)


def _days(numbers: npt.NDArray[Any], is_there: Bools) -> pa.Array:
    return pa.array(numbers.astype(np.int32), pa.int32(), mask=~is_there).cast(pa.date32())
