"""The axes of a cube: the values, days and months by whose places its tables are encoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.encoding import EncodedTable, Ints, encode_column, place_of
from kpi_pipeline.compute.cube.parts import Values, values_of
from kpi_pipeline.compute.evaluation_days import COHORT, DAYS, EvaluationDays
from kpi_pipeline.compute.months import month_number, month_of, month_text
from kpi_pipeline.compute.rollup.cells import CELL_FIELDS, FIRST_DAYS
from kpi_pipeline.compute.rollup.tables import RollupParts
from kpi_pipeline.model.components import COMPONENT_NAMES, MONTHLY_COMPONENTS
from kpi_pipeline.model.dimensions import (
    AMOUNT_BAND,
    AMOUNT_BANDS,
    DIMENSION_NAMES,
    ISSUED_AGE,
    ISSUED_AGES,
    MONTH,
    STATE,
)
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.states import State

ATTRIBUTES: Final = tuple(name for name in DIMENSION_NAMES if name != MONTH.name)
"""The dimensions but the month."""

SUMMED: Final[dict[str, tuple[str, ...]]] = {
    "cells": COMPONENT_NAMES,
    "monthly": MONTHLY_COMPONENTS,
    "payment_times": ("days", "paid", "open"),
    "breakdowns": ("amount", "count"),
    "work_lists": (),
}
"""The tables of a cube, and what is summed of each."""

ROW: Final = "row"
"""Of the table `work_lists`: the row of the roll-up's table."""

BREAKDOWN: Final = "breakdown"
BREAKDOWN_KEY: Final = "key"
"""Of the table `breakdowns`: places among the names and the keys of all breakdowns."""

_OF_COHORTS: Final = "cohorts "
"""Begins what the values of cells of cohorts are kept by; those of all are kept by the column."""

_TEXT_SEED: Final = 19_930_401
_OF_NULL: Final = -7_046_029_254_386_353_131

_MIXING: Final = 6_364_136_223_846_793_005
"""An odd number that spreads over all 64 bits."""

_DECLARED_ORDER: Final[dict[str, tuple[str, ...]]] = {
    STATE.name: tuple(state.value for state in State),
    AMOUNT_BAND.name: AMOUNT_BANDS,
    ISSUED_AGE.name: tuple(label for label, _, _ in ISSUED_AGES),
}


@dataclass(frozen=True, slots=True)
class Axes:
    """What the rows of tables are encoded by; `CubeFrame` describes most of it.

    Attributes:
        days: The evaluation days.
        currencies: Codes of the currencies.
        values: By dimension, its values.
        encoded_values: By dimension but the month, its values and after them those that only past days had.
        first_month: Number of the first of the months.
        month_count: How many months there are.
        breakdowns: The names of all breakdowns.
        keys: The keys of all breakdowns.
    """

    days: EvaluationDays
    currencies: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    encoded_values: dict[str, tuple[str, ...]]
    first_month: int
    month_count: int
    breakdowns: tuple[str, ...]
    keys: tuple[str, ...]

    @classmethod
    def of(
        cls, rollup: RollupParts, days: EvaluationDays, before: Mapping[str, Mapping[str, Values]]
    ) -> "tuple[Axes, dict[str, dict[str, Values]]]":
        """The axes of a roll-up, and the values that they come from, by table and name of its part.

        Args:
            rollup: The roll-up.
            days: The evaluation days.
            before: Values of parts of earlier roll-ups.
        """
        (cells, of_cells), (monthly, of_monthly), (breakdowns, of_breakdowns) = (
            values_of(rollup.of(stored), found, before.get(stored, {}))
            for stored, found in (
                ("rollup", _values_of_cells),
                ("monthly_flows", _values_of_months),
                ("breakdowns", _values_of_breakdowns),
            )
        )
        months = {
            *(month_number(text) for text in cells[MONTH.name] | monthly[MONTH.name]),
            month_of(days.as_of),
        }
        first, last = min(months), max(months)
        values = {name: _ordered(name, cells[_OF_COHORTS + name]) for name in ATTRIBUTES}
        axes = cls(
            days,
            currencies=tuple(sorted(cells["currency"])),
            values={
                MONTH.name: tuple(month_text(number) for number in range(first, last + 1)),
                **values,
            },
            encoded_values={
                name: (*known, *sorted(cells[name].difference(known, [""]))) for name, known in values.items()
            },
            first_month=first,
            month_count=last - first + 1,
            breakdowns=tuple(sorted(breakdowns[BREAKDOWN])),
            keys=tuple(sorted(breakdowns[BREAKDOWN_KEY])),
        )
        return axes, {"rollup": of_cells, "monthly_flows": of_monthly, "breakdowns": of_breakdowns}

    @property
    def places(self) -> int:
        """Length of the axis of days and months."""
        return DAYS + self.month_count

    def encoded(self, name: str, table: pa.Table) -> EncodedTable:
        """Encode rows of a table of `SUMMED`."""
        others: dict[str, Ints] = {}
        labels = None
        if name == "cells":
            others = {day: table[day].to_numpy() for day in FIRST_DAYS}
            labels = _combined(list(others.values()))
        elif name == "breakdowns":
            others = {
                BREAKDOWN: encode_column(table["breakdown"], place_of(self.breakdowns)),
                BREAKDOWN_KEY: encode_column(table["key"], place_of(self.keys)),
            }
            labels = _combined([_column_numbers(table[column]) for column in ("breakdown", "key")])
        elif name == "work_lists":
            others = {ROW: np.arange(table.num_rows)}
            encoded = {field.name for field in CELL_FIELDS}
            own = (column for column in table.column_names if column not in encoded)
            labels = _combined([_column_numbers(table[column]) for column in own])
        return EncodedTable.of(
            table,
            self.encoded_values,
            place_of(self.values[MONTH.name]),
            self.currencies,
            SUMMED[name],
            then_by="days" if name == "payment_times" else "currency",
            others=others,
            labels=labels,
        )


def _values_of_cells(cells: pa.Table) -> Values:
    of_cohorts = cells.filter(pc.equal(cells["place"], COHORT))
    columns = (*ATTRIBUTES, MONTH.name, "currency")
    return _distinct(cells, columns) | {
        _OF_COHORTS + name: values for name, values in _distinct(of_cohorts, ATTRIBUTES).items()
    }


def _values_of_months(monthly: pa.Table) -> Values:
    return _distinct(monthly, (MONTH.name,))


def _values_of_breakdowns(breakdowns: pa.Table) -> Values:
    return _distinct(breakdowns, (BREAKDOWN, BREAKDOWN_KEY))


def _distinct(table: pa.Table, columns: Sequence[str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(table[name].unique().to_pylist()) for name in columns}


def _ordered(dimension: str, values: frozenset[str]) -> tuple[str, ...]:
    """The values of a dimension in their order; all declared ones where it declares any."""
    if dimension in _DECLARED_ORDER:
        return _DECLARED_ORDER[dimension]
    return tuple(sorted(filter(None, values), key=lambda value: (fold(value), value)))


def _combined(columns: Sequence[Ints]) -> Ints:
    """A number for each row of some columns: different for different rows, in practice."""
    combined = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        # Days are below 2**32; the product wraps around 2**64.
        combined = combined * _MIXING + column
    return combined


def _column_numbers(column: pa.ChunkedArray) -> Ints:
    """A number for each value of a column: equal for equal values, in every process."""
    whole = column.combine_chunks()
    distinct = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = distinct.dictionary
    is_text = pa.types.is_string(values.type)
    numbers = _text_numbers(values) if is_text else pc.cast(values.view(_plain(values.type)), pa.int64())
    # What is null has the place behind all values.
    known = np.append(np.asarray(numbers, np.int64), _OF_NULL)
    of_rows: Ints = known[distinct.indices.fill_null(len(values)).to_numpy()]
    return of_rows


def _plain(kind: pa.DataType) -> pa.DataType:
    """The integers as which values of a type are held."""
    if pa.types.is_date32(kind):
        return pa.int32()
    return pa.int64() if pa.types.is_float64(kind) else kind


def _text_numbers(texts: pa.StringArray) -> Ints:
    """A number for each text: different for different ones, but for one pair in 2**64."""
    as_bytes = pc.cast(texts, pa.binary())
    lengths = pc.binary_length(as_bytes).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    letters = np.frombuffer(b"".join(as_bytes.to_pylist()), np.uint8)
    at = np.arange(len(letters)) - np.repeat(ends - lengths, lengths)
    weights = np.random.default_rng(_TEXT_SEED).integers(0, 2**64, int(lengths.max(initial=0)) + 1, np.uint64)
    numbers = np.zeros(len(texts), np.uint64)
    # One more than a letter: those of no letter count nothing.
    np.add.at(numbers, np.repeat(np.arange(len(texts)), lengths), (letters + np.uint64(1)) * weights[at])
    return numbers.view(np.int64)
