"""What all slices of a cube share: a roll-up's encoded tables and the axes that number them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.encoding import (
    NO_VALUE,
    Bools,
    EncodedTable,
    Ints,
    encode_column,
    place_of,
)
from kpi_pipeline.compute.evaluation_days import COHORT, DAYS, EvaluationDays
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.months import day_numbers, month_number, month_of, month_text
from kpi_pipeline.compute.rollup.cells import CELL_FIELDS, FIRST_DAYS, FIRST_INVOICED, FIRST_ISSUED, NEVER
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    COMPONENT_NAMES,
    LOSS_COMPONENTS,
    MONTHLY_COMPONENTS,
    MOVEMENT_COMPONENTS,
    OCCURRENCE_COMPONENTS,
)
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
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.model.work_lists import WorkListName

ATTRIBUTES: Final = tuple(name for name in DIMENSION_NAMES if name != MONTH.name)
"""The dimensions but the month."""

_TEXT_SEED: Final = 19_930_401
_OF_NULL: Final = -7_046_029_254_386_353_131

_MIXING: Final = 6_364_136_223_846_793_005
"""An odd number that spreads over all 64 bits."""

_DECLARED_ORDER: Final[dict[str, tuple[str, ...]]] = {
    STATE.name: tuple(state.value for state in State),
    AMOUNT_BAND.name: AMOUNT_BANDS,
    ISSUED_AGE.name: tuple(label for label, _, _ in ISSUED_AGES),
}


@dataclass(frozen=True)
class CubeFrame:
    """The encoded tables of one roll-up.

    Rows lie on one axis: first the places of the evaluation days, then the months. Months are numbers that
    grow by one a month.

    Attributes:
        days: The evaluation days.
        thresholds: Days and amounts of the definitions.
        forecast_bases: By currency, on what its forecast rests.
        losses: Sums of the roll rates by day, currency and component of `LOSS_COMPONENTS`, [days, C, n].
        currencies: Codes of the currencies, sorted.
        values: By dimension, its values: states, bands and ages all in their declared order, the others
            sorted without regard to case and accents; every month from the first with an event to the last
            or that of as_of.
        encoded_values: By dimension but the month, its values and after them those that only past days had.
        first_month: The first of the months.
        month_count: How many months there are.
        tables: The tables, by name.
        first_days: By column of `FIRST_DAYS`, that of each row of the table `cells`.
        breakdowns: The names of all breakdowns, sorted.
        keys: The keys of all breakdowns, sorted.
        breakdown: Which breakdown each row of the table `breakdowns` belongs to, as its place.
        breakdown_key: The key of each, as its place.
        work_lists: The certificates to act upon, in the order of the roll-up.
        list_names: The names of the lists.
        work_list: Which list each of those certificates is in, as its place.
    """

    days: EvaluationDays
    thresholds: Thresholds
    forecast_bases: Mapping[str, ForecastBasis]
    losses: Ints
    currencies: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    encoded_values: dict[str, tuple[str, ...]]
    first_month: int
    month_count: int
    tables: dict[str, EncodedTable]
    first_days: dict[str, Ints]
    breakdowns: tuple[str, ...]
    keys: tuple[str, ...]
    breakdown: Ints
    breakdown_key: Ints
    work_lists: pa.Table
    list_names: tuple[str, ...]
    work_list: Ints

    @classmethod
    def of(cls, rollup: Rollup, days: EvaluationDays, thresholds: Thresholds) -> "CubeFrame":
        """Encode the tables of a roll-up."""
        # What alerts watch is in no variant.
        listed = rollup.work_lists.filter(pc.not_equal(rollup.work_lists["work_list"], WorkListName.WATCHED))
        rollup = replace(rollup, work_lists=listed)
        cells = rollup.cells
        of_cohorts = cells.filter(pc.equal(cells["place"], COHORT))
        dated = [of_cohorts, rollup.monthly, cells]
        months = {number for table in dated for number in _month_numbers(table)} | {month_of(days.as_of)}
        first, last = min(months), max(months)
        axis = {month_text(number): number - first for number in range(first, last + 1)}
        currencies = tuple(sorted(cells["currency"].unique().to_pylist()))
        values = {name: _ordered(name, of_cohorts[name].unique().to_pylist()) for name in ATTRIBUTES}
        encoded_values = {
            name: (*known, *sorted(set(cells[name].unique().to_pylist()).difference(known, [""])))
            for name, known in values.items()
        }
        columns: dict[str, tuple[str, ...]] = {
            "cells": COMPONENT_NAMES,
            "monthly": MONTHLY_COMPONENTS,
            "payment_times": ("days", "paid", "open"),
            "breakdowns": ("amount", "count"),
            "work_lists": (),
        }
        tables = {
            name: EncodedTable.of(
                getattr(rollup, name),
                encoded_values,
                axis,
                currencies,
                summed,
                then_by="days" if name == "payment_times" else "currency",
            )
            for name, summed in columns.items()
        }
        cell_order, breakdown_order = tables["cells"].order, tables["breakdowns"].order
        breakdowns = rollup.breakdowns
        names, keys, lists = (
            tuple(sorted(column.unique().to_pylist()))
            for column in (breakdowns["breakdown"], breakdowns["key"], rollup.work_lists["work_list"])
        )
        return cls(
            days=days,
            thresholds=thresholds,
            forecast_bases=rollup.forecast_bases,
            losses=_losses(rollup.losses, currencies),
            currencies=currencies,
            values={MONTH.name: tuple(axis), **values},
            encoded_values=encoded_values,
            first_month=first,
            month_count=len(axis),
            tables=tables,
            first_days={name: cells[name].to_numpy()[cell_order] for name in FIRST_DAYS},
            breakdowns=names,
            keys=keys,
            breakdown=encode_column(breakdowns["breakdown"], place_of(names))[breakdown_order],
            breakdown_key=encode_column(breakdowns["key"], place_of(keys))[breakdown_order],
            work_lists=rollup.work_lists,
            list_names=lists,
            work_list=encode_column(rollup.work_lists["work_list"], place_of(lists)),
        )

    @property
    def as_of(self) -> date:
        """The business date."""
        return self.days.as_of

    @property
    def places(self) -> int:
        """Length of the axis."""
        return DAYS + self.month_count

    def axis_place(self, month: Ints) -> Ints:
        """The places on the axis of months, given by their numbers."""
        place: Ints = DAYS + month - self.first_month
        return place

    @cached_property
    def first_day(self) -> int:
        """The first day of issue of all, in days since 1970; `NEVER` without certificates."""
        return int(self.first_days[FIRST_ISSUED].min(initial=NEVER))

    @property
    def current_month(self) -> int:
        """The month of as_of."""
        return month_of(self.as_of)

    @cached_property
    def first_invoices(self) -> Ints:
        """The first day of an invoice in each currency, in days since 1970; `NEVER` without costs, [C]."""
        first = np.full(len(self.currencies), NEVER)
        np.minimum.at(first, self.tables["cells"].currency, self.first_days[FIRST_INVOICED])
        return first

    @cached_property
    def currencies_of_costs(self) -> Bools:
        """In which currencies there is any cost by each day, [days, C]."""
        known: Bools = self.first_invoices <= day_numbers(self.days.days)[:, None]
        return known

    @cached_property
    def occurs(self) -> Bools:
        """Which cells count as an occurrence of their dimensions' values: those of cohorts with an event."""
        return self._cohorts_with(OCCURRENCE_COMPONENTS)

    @cached_property
    def moves(self) -> Bools:
        """Which of them count as an occurrence of their currency."""
        return self._cohorts_with(MOVEMENT_COMPONENTS)

    def _cohorts_with(self, components: Sequence[str]) -> Bools:
        cells = self.tables["cells"]
        found = np.zeros(len(cells), np.bool_)
        for name in components:
            found |= cells.sums.column(COMPONENT_INDEX[name]) != 0
        return found & (cells.place >= DAYS)

    def breakdown_keys(self, breakdown: str) -> tuple[str, ...]:
        """The keys of a breakdown, sorted."""
        return tuple(self.keys[place] for place in self._keys_of(breakdown).tolist())

    def rows_of_breakdown(self, breakdown: str, rows: Ints) -> tuple[Bools, Ints]:
        """Which rows belong to a breakdown, and the place of the key of each of these among its keys."""
        belongs = self.breakdown[rows] == _place(self.breakdowns, breakdown)
        keys = self._keys_of(breakdown)
        return belongs, np.searchsorted(keys, self.breakdown_key[rows[belongs]])

    def _keys_of(self, breakdown: str) -> Ints:
        """The places of a breakdown's keys among all, ascending."""
        if breakdown not in self._known_keys:
            belongs = self.breakdown == _place(self.breakdowns, breakdown)
            self._known_keys[breakdown] = np.unique(self.breakdown_key[belongs])
        return self._known_keys[breakdown]

    @cached_property
    def _known_keys(self) -> dict[str, Ints]:
        return {}

    def in_work_list(self, name: str, rows: Ints) -> Bools:
        """Which rows of the roll-up's work lists are in one of them."""
        found: Bools = self.work_list[rows] == _place(self.list_names, name)
        return found

    def comparable(self) -> tuple[Any, ...]:
        """What two frames must have in common for their rows to be compared."""
        return (
            self.days,
            self.thresholds,
            sorted(self.forecast_bases.items(), key=itemgetter(0)),
            self.currencies,
            self.values,
            self.encoded_values,
            self.first_month,
            # Whether anything is compared, and which currencies have costs, rests on all rows.
            self.first_day,
            self.first_invoices.tolist(),
        )

    def row_digests(self, table: str) -> npt.NDArray[np.uint64]:
        """A number for each row of a table: equal for equal rows of comparable frames."""
        if table not in self._row_digests:
            self._row_digests[table] = self.tables[table].digests(self._text_codes(table))
        return self._row_digests[table]

    @cached_property
    def _row_digests(self) -> dict[str, npt.NDArray[np.uint64]]:
        return {}

    def _text_codes(self, table: str) -> Ints:
        """A number for the columns of each row that are not encoded: equal for equal columns."""
        if table == "breakdowns":
            pairs, at = np.unique(self.breakdown * len(self.keys) + self.breakdown_key, return_inverse=True)
            places = np.divmod(pairs, max(len(self.keys), 1))
            by_name, by_key = (
                _text_numbers(pa.array(held, pa.string())) for held in (self.breakdowns, self.keys)
            )
            return _combined([by_name[places[0]], by_key[places[1]]])[at]
        if table == "cells":
            return _combined([self.first_days[name] for name in FIRST_DAYS])
        if table == "work_lists":
            encoded = {field.name for field in CELL_FIELDS}
            own = (name for name in self.work_lists.column_names if name not in encoded)
            numbers = _combined([_column_numbers(self.work_lists[name]) for name in own])
            return numbers[self.tables[table].order]
        return np.zeros(len(self.tables[table]), np.int64)


def _losses(table: pa.Table, currencies: Sequence[str]) -> Ints:
    """The sums of the roll rates, [days, C, components]."""
    losses = np.zeros((DAYS, len(currencies), len(LOSS_COMPONENTS)), np.int64)
    place, currency = table["place"].to_numpy(), encode_column(table["currency"], place_of(currencies))
    for at, component in enumerate(LOSS_COMPONENTS):
        losses[place, currency, at] = table[component.name].to_numpy()
    return losses


def _month_numbers(table: pa.Table) -> list[int]:
    """The distinct months of a table."""
    return [month_number(text) for text in table["month"].unique().to_pylist()]


def _ordered(dimension: str, values: Sequence[str]) -> tuple[str, ...]:
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


def _place(names: Sequence[str], name: str) -> int:
    """The place of a name; `NO_VALUE` where it is not among them."""
    return names.index(name) if name in names else NO_VALUE
