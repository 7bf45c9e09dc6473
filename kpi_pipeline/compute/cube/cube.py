"""The cube: the roll-up's tables with numbered dimensions, from which every variant is a sum."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from itertools import combinations
from typing import Any, Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.cube.encoding import NO_VALUE, EncodedTable, GroupIndex, Ints
from kpi_pipeline.compute.cube.slices import Selection, Slice
from kpi_pipeline.compute.months import month_number, month_of, month_text
from kpi_pipeline.compute.rollup.rollup import Rollup
from kpi_pipeline.model.components import COMPONENT_NAMES, OCCURRENCE_COMPONENTS, STOCK_COMPONENTS
from kpi_pipeline.model.dimensions import (
    AMOUNT_BAND,
    AMOUNT_BANDS,
    DIMENSION_NAMES,
    ISSUED_AGE,
    ISSUED_AGES,
    MONTH,
)
from kpi_pipeline.model.filters import Filter, fold
from kpi_pipeline.model.periods import quick_periods
from kpi_pipeline.model.thresholds import Thresholds

_OTHERS: Final = tuple(name for name in DIMENSION_NAMES if name != MONTH.name)
_PAIRED: Final = tuple(name for name in _OTHERS if name != ISSUED_AGE.name)
_DECLARED_ORDER: Final[dict[str, tuple[str, ...]]] = {
    AMOUNT_BAND.name: AMOUNT_BANDS,
    ISSUED_AGE.name: tuple(label for label, _, _ in ISSUED_AGES),
}
_BLOCK_VARIANTS: Final = 1000
"""Variants summed at a time, about: memory stays flat however many there are."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows by which two roll-ups of one date differ, of all tables, as they were and as they are.

    Attributes:
        codes: By dimension but the month, the place of each row's value among the cube's values.
    """

    codes: dict[str, Ints]


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Variants and the rows they come from.

    Attributes:
        groups: How many groups of rows there are.
        rows_of: By table, its rows and the group of each.
        filters: The variants.
        group: The group of each.
        named: Numbers of the months that each names.
    """

    groups: int
    rows_of: dict[str, tuple[Ints, Ints]]
    filters: list[Filter]
    group: list[int]
    named: list[tuple[int, ...]]


class Cube:
    """All tables of one roll-up, coded.

    Args:
        rollup: The tables.
        as_of: Their business date.
        dso_window_months: Months of the trailing DSO window.
        thresholds: What definitions refer to.

    Attributes:
        as_of: The business date.
        currencies: Codes of the currencies in it, sorted.
        values: By dimension, its values: bands and ages in their order, the others as people look for them;
            every month from the first in which anything happened to the last or that of as_of.
        encoded: By dimension but the month, its values and after them those that stood at month ends only:
            a state that no certificate has any more.
        first_happened: Number of the first of these months.
        first: Number of the first month of the axis: a claim stands from its issue on, which may be before
            the month for which it is billed.
        months: How many months the axis has.
        tables: The tables, by name.
        breakdown: Which breakdown each row of the breakdowns is of.
        breakdown_key: The key of each.
        payment_days: The days of each that is of payments, else 0.
        critical_rows: The critical certificates, by urgency.
    """

    def __init__(
        self,
        rollup: Rollup,
        as_of: date,
        dso_window_months: int,
        thresholds: Thresholds,
    ) -> None:
        self.as_of = as_of
        self.window_months = dso_window_months
        self.thresholds = thresholds
        self.dispersion = rollup.dispersion
        self.last_complete = month_of(as_of + timedelta(1)) - 1
        cells = rollup.cells
        self.currencies = tuple(sorted(cells["currency"].unique().to_pylist()))
        happened = [*_month_numbers(cells), month_of(as_of)]
        self.first_happened, last = min(happened), max(happened)
        self.first = min([self.first_happened, *_month_numbers(rollup.positions)])
        self.months = last - self.first + 1
        others = {name: _held(name, cells[name].unique().to_pylist()) for name in _OTHERS}
        axis = {month_text(self.first + place): place for place in range(self.months)}
        months = tuple(axis)[self.first_happened - self.first :]
        self.values: dict[str, tuple[str, ...]] = {MONTH.name: months, **others}
        self.encoded = {
            name: (*held, *sorted(set(rollup.positions[name].unique().to_pylist()).difference(held)))
            for name, held in others.items()
        }

        def encoded(name: str, columns: Sequence[str]) -> EncodedTable:
            return EncodedTable.of(getattr(rollup, name), self.encoded, axis, self.currencies, columns)

        self.tables = {
            "cells": encoded("cells", COMPONENT_NAMES),
            "positions": encoded("positions", STOCK_COMPONENTS),
            "breakdowns": encoded("breakdowns", ("amount", "count")),
            "critical": encoded("critical", ()),
        }
        self.breakdown = rollup.breakdowns["breakdown"].to_numpy(zero_copy_only=False)
        self.breakdown_key = rollup.breakdowns["key"].to_numpy(zero_copy_only=False)
        paid = self.breakdown == "payment_days"
        self.payment_days = np.array(
            [int(key) if one else 0 for key, one in zip(self.breakdown_key, paid, strict=True)], np.int64
        )
        self.critical_rows: list[dict[str, Any]] = rollup.critical.to_pylist()
        cell_sums = self.tables["cells"].sums
        occurrence = [COMPONENT_NAMES.index(name) for name in OCCURRENCE_COMPONENTS]
        self._occurs = (cell_sums[:, occurrence] != 0).any(axis=1)
        self._everything: Slice | None = None

    def digest(self) -> str:
        """What its figures come from: equal for equal tables, date and settings; 32 hex digits.

        In which order a table's rows come does not matter: a roll-up does not promise any.
        """
        state = blake2b(repr(self._frame()).encode(), digest_size=16)
        for name, table in self.tables.items():
            state.update(np.sort(table.digests(self.labels(name))).tobytes())
        return state.hexdigest()

    @property
    def everything(self) -> Slice:
        """The sums of all certificates."""
        if self._everything is None:
            self._everything = self.select([Filter()])
        return self._everything

    def value_counts(self, dimension: str) -> list[tuple[str, int]]:
        """Each value of a dimension and how many certificates have it, in the order of `values`."""
        counts = self.everything.options(dimension)[0]
        return list(zip(self.values[dimension], counts.tolist(), strict=True))

    def candidate_filters(self) -> list[Filter]:
        """The filters that are always computed.

        Everything; each single value, the age apart; each pair of values that occurs, the age apart; and
        the quick periods alone and with each single value of what is no time.
        """
        return [one for slice_ in self.slices() for one in slice_.filters]

    def slices(self, changes: Changes | None = None, attributes: int = 2) -> Iterator[Slice]:
        """The sums of every hot filter, in blocks.

        Args:
            changes: Only of the filters that these concern; without it, of all.
            attributes: Only of the filters that name so many dimensions at most beside times.
        """
        waiting: list[_Grouping] = []
        for size in range(attributes + 1):
            for dimensions in combinations(_PAIRED, size):
                for slice_ in self._grouped(dimensions, changes):
                    waiting.append(slice_)
                    if sum(len(one.filters) for one in waiting) >= _BLOCK_VARIANTS:
                        yield self._slice(waiting)
                        waiting = []
        if waiting:
            yield self._slice(waiting)

    def changes_since(self, before: "Cube") -> Changes | None:
        """How this cube differs from an earlier one.

        What a filter's figures come from is the rows that it admits, whatever their months.

        Returns:
            The rows that differ; None where the two cannot be compared row by row: they are of different
            dates, settings, values or months.
        """
        if self._frame() != before._frame():
            return None
        codes: dict[str, list[Ints]] = {name: [] for name in _OTHERS}
        for name, table in self.tables.items():
            now, then = (cube.tables[name].digests(cube.labels(name)) for cube in (self, before))
            for one, kept in ((table, np.isin(now, then)), (before.tables[name], np.isin(then, now))):
                for dimension in _OTHERS:
                    codes[dimension].append(one.codes[dimension][~kept])
        return Changes({dimension: np.concatenate(rows) for dimension, rows in codes.items()})

    def labels(self, table: str) -> Ints:
        """A number for what a row of a table says in words: equal for equal words."""
        if table == "breakdowns":
            return _numbered(zip(self.breakdown.tolist(), self.breakdown_key.tolist(), strict=True))
        if table == "critical":
            return _numbered(tuple(row.values()) for row in self.critical_rows)
        return np.zeros(len(self.tables[table]), np.int64)

    def _frame(self) -> tuple[Any, ...]:
        """What two cubes must have in common to be compared row by row."""
        return (
            self.as_of,
            self.window_months,
            self.thresholds,
            sorted(self.dispersion.items()),
            self.currencies,
            self.values,
            self.encoded,
            self.first,
        )

    def select(self, filters: Sequence[Filter]) -> Slice:
        """The sums of any filters, several values of a dimension included.

        A value that the data do not hold contributes nothing.

        Args:
            filters: At least one.
        """
        # Filters that differ in their months alone share a group.
        groups: dict[Filter, int] = {}
        of_filter = [groups.setdefault(one.without(MONTH.name), len(groups)) for one in filters]
        rows_of = {}
        for name, table in self.tables.items():
            rows = [np.flatnonzero(self._admits(table, one)) for one in groups]
            of_row = np.repeat(np.arange(len(groups)), [len(one) for one in rows])
            rows_of[name] = (np.concatenate(rows), of_row)
        months = [tuple(month_number(text) for text in one.values(MONTH.name)) for one in filters]
        return self._slice([_Grouping(len(groups), rows_of, list(filters), of_filter, months)])

    def _slice(self, groupings: Sequence["_Grouping"]) -> Slice:
        """Several pieces as one slice: it costs as much to look at few variants as at many."""
        offset = np.cumsum([0, *(slice_.groups for slice_ in groupings)])
        group_index = {}
        for name, table in self.tables.items():
            rows = np.concatenate([slice_.rows_of[name][0] for slice_ in groupings])
            shifted = [
                slice_.rows_of[name][1] + at for slice_, at in zip(groupings, offset.tolist(), strict=False)
            ]
            group_index[name] = GroupIndex(rows, np.concatenate(shifted), table.month[rows], self.months)
        group = [np.array(slice_.group, np.int64) + at for slice_, at in zip(groupings, offset, strict=False)]
        chosen = Selection(
            tuple(one for slice_ in groupings for one in slice_.filters),
            np.concatenate(group),
            tuple(one for slice_ in groupings for one in slice_.named),
        )
        return Slice(self, int(offset[-1]), group_index, chosen)

    def _grouped(self, dimensions: tuple[str, ...], changes: Changes | None) -> Iterator["_Grouping"]:
        """The filters of one value of each of some dimensions; with times where these are few."""
        cells = self.tables["cells"]
        flat = self._flat(cells.codes, dimensions)
        held = np.unique(flat[self._occurs & (flat != NO_VALUE)])
        if changes is not None:
            held = np.intersect1d(held, self._flat(changes.codes, dimensions))
        elif not dimensions:
            held = np.zeros(1, np.int64)  # everything is published, also where there is nothing
        for begin in range(0, len(held), _BLOCK_VARIANTS):
            groups = held[begin : begin + _BLOCK_VARIANTS]
            rows_of = {name: self._rows_of(table, dimensions, groups) for name, table in self.tables.items()}
            bases = [self._base(dimensions, int(one)) for one in groups]
            yield self._with_months(bases, rows_of, months=len(dimensions) < 2)
            if len(dimensions) < 2:
                yield from self._with_ages(bases, rows_of)

    def _with_months(
        self, bases: list[Filter], rows_of: dict[str, tuple[Ints, Ints]], months: bool
    ) -> "_Grouping":
        """Each group as it is and, where wanted, with each month and each stretch of months it occurs in."""
        filters: list[Filter] = list(bases)
        group: list[int] = list(range(len(bases)))
        named: list[tuple[int, ...]] = [()] * len(bases)
        if months:
            rows, of_row = rows_of["cells"]
            there = np.zeros((len(bases), self.months), np.bool_)
            happened = self._occurs[rows]
            there[of_row[happened], self.tables["cells"].month[rows[happened]]] = True
            for values in self._month_sets():
                places = [month_number(text) - self.first for text in values]
                for at in np.flatnonzero(there[:, places].any(axis=1)).tolist():
                    filters.append(_and(bases[at], MONTH.name, values))
                    group.append(at)
                    named.append(tuple(place + self.first for place in places))
        return _Grouping(len(bases), rows_of, filters, group, named)

    def _with_ages(self, bases: list[Filter], rows_of: dict[str, tuple[Ints, Ints]]) -> Iterator["_Grouping"]:
        """Each group with each quick period of days that it occurs in."""
        held = self.values[ISSUED_AGE.name]
        for selection in quick_periods(self.as_of, self.values[MONTH.name]).values():
            values = selection.get(ISSUED_AGE.name, ())
            places = [held.index(value) for value in values if value in held]
            rows, of_row = rows_of["cells"]
            recent = np.isin(self.tables["cells"].codes[ISSUED_AGE.name][rows], places)
            there = np.unique(of_row[recent & self._occurs[rows]])
            if not len(there):
                continue
            renumbered = np.full(len(bases), NO_VALUE)
            renumbered[there] = np.arange(len(there))
            admitted = {}
            for name, table in self.tables.items():
                rows, of_row = rows_of[name]
                kept = np.isin(table.codes[ISSUED_AGE.name][rows], places)
                kept &= renumbered[of_row] != NO_VALUE
                admitted[name] = (rows[kept], renumbered[of_row[kept]])
            filters = [_and(bases[at], ISSUED_AGE.name, values) for at in there.tolist()]
            yield _Grouping(len(there), admitted, filters, list(range(len(there))), [()] * len(there))

    def _month_sets(self) -> list[tuple[str, ...]]:
        """Each month, and each quick period of several months once."""
        months = self.values[MONTH.name]
        periods = quick_periods(self.as_of, months).values()
        stretches = [selection[MONTH.name] for selection in periods if MONTH.name in selection]
        return list(dict.fromkeys([*((month,) for month in months), *stretches]))

    def _rows_of(self, table: EncodedTable, dimensions: tuple[str, ...], groups: Ints) -> tuple[Ints, Ints]:
        """The rows of a table that belong to some groups, and the group of each."""
        flat = self._flat(table.codes, dimensions)
        at = np.minimum(np.searchsorted(groups, flat), len(groups) - 1)
        rows = np.flatnonzero(groups[at] == flat)
        return rows, at[rows]

    def _flat(self, codes: Mapping[str, Ints], dimensions: tuple[str, ...]) -> Ints:
        """One number for each combination of values; `NO_VALUE` where one has none."""
        rows = len(next(iter(codes.values())))
        flat = np.zeros(rows, np.int64)
        missing = np.zeros(rows, np.bool_)
        for name in dimensions:
            flat = flat * len(self.encoded[name]) + codes[name]
            missing |= codes[name] == NO_VALUE
        return np.where(missing, NO_VALUE, flat)

    def _base(self, dimensions: tuple[str, ...], flat: int) -> Filter:
        terms = []
        for name in reversed(dimensions):
            flat, code = divmod(flat, len(self.encoded[name]))
            terms.append((name, (self.encoded[name][code],)))
        return Filter(tuple(sorted(terms)))

    def _admits(self, table: EncodedTable, requested: Filter) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows a filter's terms admit, months apart."""
        mask = np.ones(len(table), np.bool_)
        for name in _OTHERS:
            if wanted := {fold(value) for value in requested.values(name)}:
                codes = [code for code, value in enumerate(self.encoded[name]) if fold(value) in wanted]
                mask &= np.isin(table.codes[name], codes)
        return mask


def _month_numbers(table: pa.Table) -> list[int]:
    """The numbers of the months that a table has rows of."""
    return [month_number(text) for text in table["month"].unique().to_pylist()]


def _numbered(words: Iterable[tuple[Any, ...]]) -> Ints:
    """A number for each words: equal for equal ones, in every process."""
    # Few of them are different.
    known: dict[tuple[Any, ...], int] = {}
    found = []
    for one in words:
        if one not in known:
            digest = blake2b(repr(one).encode(), digest_size=8).digest()
            known[one] = int.from_bytes(digest, "little", signed=True)
        found.append(known[one])
    return np.array(found, np.int64)


def _held(dimension: str, values: Sequence[str]) -> tuple[str, ...]:
    """The values of a dimension in their order: all that are declared, or those held; costs may have none."""
    if dimension in _DECLARED_ORDER:
        return _DECLARED_ORDER[dimension]
    return tuple(sorted(filter(None, values), key=lambda value: (fold(value), value)))


def _and(base: Filter, dimension: str, values: Sequence[str]) -> Filter:
    """What `Filter.of` gives for a filter and one term more, without looking for repetitions."""
    return Filter(tuple(sorted((*base.terms, (dimension, tuple(sorted(values, key=fold)))))))
