"""The cube: the roll-up's tables with numbered dimensions, from which every variant is a sum."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import combinations
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, EncodedTable, Ints
from kpi_pipeline.compute.cube.frame import ATTRIBUTES, CubeFrame
from kpi_pipeline.compute.cube.selection import Grouping, select, slice_of
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import EvaluationDays
from kpi_pipeline.compute.months import month_number
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.dimensions import ISSUED_AGE, MONTH
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.periods import quick_periods
from kpi_pipeline.model.thresholds import Thresholds

BLOCK_VARIANTS: Final = 1000
"""Variants summed at a time, about: it bounds the memory that a slice takes."""

_PAIRED: Final = tuple(name for name in ATTRIBUTES if name != ISSUED_AGE.name)


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows by which two roll-ups of one date differ, of all tables, as they were and as they are.

    Attributes:
        codes: By dimension but the month, the place of each row's value among the cube's values.
    """

    codes: dict[str, Ints]


class Cube:
    """All tables of one roll-up, encoded.

    Args:
        rollup: The tables.
        as_of: Their business date.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.

    Attributes:
        frame: The encoded tables.
        everything: The sums of all certificates.
    """

    def __init__(self, rollup: Rollup, as_of: date, window_months: int, thresholds: Thresholds) -> None:
        self.frame = CubeFrame.of(rollup, EvaluationDays(as_of, window_months), thresholds)
        self.everything = select(self.frame, [EVERYTHING], None)

    def digest(self) -> str:
        """A digest of all inputs of its figures: rows in any order, date and settings; 32 hex digits."""
        state = blake2b(repr(self.frame.comparable()).encode(), digest_size=16)
        for name in self.frame.tables:
            state.update(np.sort(self.frame.row_digests(name)).tobytes())
        return state.hexdigest()

    def select(self, filters: Sequence[Filter]) -> Slice:
        """The sums of any filters, several values of a dimension included.

        A value that the data do not hold contributes nothing.

        Args:
            filters: At least one.
        """
        return select(self.frame, filters, self.everything)

    def value_counts(self, dimension: str) -> list[tuple[str, int]]:
        """Each value of a dimension and how many certificates have it, in the order of `CubeFrame.values`."""
        counts = self.everything.options(dimension)[0]
        return list(zip(self.frame.values[dimension], counts.tolist(), strict=True))

    def candidate_filters(self) -> list[Filter]:
        """The filters that are always computed.

        Everything; each single value and each group, also those that no certificate has; each pair of values
        that occurs, the age apart; and the quick periods alone and with each single value of the dimensions
        that are no time.
        """
        return [requested for slice_ in self.slices() for requested in slice_.filters]

    def slices(self, changes: Changes | None = None, attributes: int = 2) -> Iterator[Slice]:
        """The sums of the filters that are always computed, in blocks.

        Args:
            changes: Only filters that admit a changed row; without it, all.
            attributes: Only filters that name at most so many dimensions besides times.
        """
        waiting: list[Grouping] = []
        for size in range(attributes + 1):
            for dimensions in combinations(ATTRIBUTES if size == 1 else _PAIRED, size):
                for grouping in self._groupings(dimensions, changes):
                    waiting.append(grouping)
                    if sum(len(of.filters) for of in waiting) >= BLOCK_VARIANTS:
                        yield slice_of(self.frame, waiting, self.everything)
                        waiting = []
        if attributes:
            waiting += self._of_groups(changes)
        if waiting:
            yield slice_of(self.frame, waiting, self.everything)

    def changes_since(self, before: "Cube") -> Changes | None:
        """The rows by which this cube differs from an earlier one.

        A filter's figures depend on the rows that it admits, whatever their months.

        Returns:
            The rows; None where the two cannot be compared row by row: they are of different dates,
            settings, values or months.
        """
        frame, earlier = self.frame, before.frame
        if frame.comparable() != earlier.comparable():
            return None
        codes: dict[str, list[Ints]] = {name: [] for name in ATTRIBUTES}
        for name, table in frame.tables.items():
            now, then = frame.row_digests(name), earlier.row_digests(name)
            for side, kept in ((table, np.isin(now, then)), (earlier.tables[name], np.isin(then, now))):
                for dimension in ATTRIBUTES:
                    codes[dimension].append(side.codes[dimension][~kept])
        return Changes({dimension: np.concatenate(rows) for dimension, rows in codes.items()})

    def _groupings(self, dimensions: tuple[str, ...], changes: Changes | None) -> Iterator[Grouping]:
        """The filters of one value of each of some dimensions; with times where these are few."""
        tables = self.frame.tables
        combined = self._combined(tables["cells"].codes, dimensions)
        occurring = np.unique(combined[self.frame.occurs & (combined != NO_VALUE)])
        if not dimensions:
            occurring = np.zeros(1, np.int64)  # everything is published, also where there is nothing
        elif len(dimensions) == 1:
            # What readers can choose is answered at once, also where no certificate has it.
            offered = np.arange(len(self.frame.values[dimensions[0]]))
            occurring = np.union1d(occurring, offered)
        if changes is not None:
            occurring = np.intersect1d(occurring, self._combined(changes.codes, dimensions))
        for begin in range(0, len(occurring), BLOCK_VARIANTS):
            groups = occurring[begin : begin + BLOCK_VARIANTS]
            rows_of = {name: self._rows_of(table, dimensions, groups) for name, table in tables.items()}
            bases = [self._filter_of(dimensions, int(combination)) for combination in groups]
            if len(dimensions) < 2 and ISSUED_AGE.name not in dimensions:
                yield self._with_months(bases, rows_of)
                yield from self._with_ages(bases, rows_of)
            else:
                yield Grouping(len(bases), rows_of, bases, list(range(len(bases))), [()] * len(bases))

    def _of_groups(self, changes: Changes | None) -> Iterator[Grouping]:
        """The declared groups of values."""
        for group in GROUPS:
            codes = [self.frame.values[group.dimension].index(value) for value in group.values]
            if changes is not None and not np.isin(changes.codes[group.dimension], codes).any():
                continue
            rows_of = {}
            for name, table in self.frame.tables.items():
                rows = np.flatnonzero(np.isin(table.codes[group.dimension], codes))
                rows_of[name] = (rows, np.zeros(len(rows), np.int64))
            yield Grouping(1, rows_of, [Filter.of({group.dimension: group.values})], [0], [()])

    def _with_months(self, bases: list[Filter], rows_of: dict[str, tuple[Ints, Ints]]) -> Grouping:
        """Each group as it is, and with each month and each period of months that it occurs in."""
        frame = self.frame
        filters, group = list(bases), list(range(len(bases)))
        months: list[tuple[int, ...]] = [()] * len(bases)
        rows, of_row = rows_of["cells"]
        occurs = frame.occurs[rows]
        active = np.zeros((len(bases), frame.month_count), np.bool_)
        active[of_row[occurs], frame.tables["cells"].month[rows[occurs]]] = True
        for values in self._month_sets():
            numbers = tuple(month_number(text) for text in values)
            places = np.array(numbers) - frame.first_month
            offered = np.array([base == EVERYTHING for base in bases])
            for at in np.flatnonzero(active[:, places].any(axis=1) | offered).tolist():
                filters.append(_and(bases[at], MONTH.name, values))
                group.append(at)
                months.append(numbers)
        return Grouping(len(bases), rows_of, filters, group, months)

    def _with_ages(self, bases: list[Filter], rows_of: dict[str, tuple[Ints, Ints]]) -> Iterator[Grouping]:
        """Each group with each quick period of days that it occurs in."""
        frame = self.frame
        ages = frame.values[ISSUED_AGE.name]
        for period in quick_periods(frame.as_of, frame.values[MONTH.name]).values():
            values = period.get(ISSUED_AGE.name, ())
            if not values or (bases == [EVERYTHING] and len(values) == 1):
                continue  # a period of one value is that value
            places = [ages.index(value) for value in values]
            rows, of_row = rows_of["cells"]
            recent = np.isin(frame.tables["cells"].codes[ISSUED_AGE.name][rows], places)
            occurring = np.unique(of_row[recent & frame.occurs[rows]])
            if bases == [EVERYTHING]:
                occurring = np.zeros(1, np.int64)
            if not len(occurring):
                continue
            renumbered = np.full(len(bases), NO_VALUE)
            renumbered[occurring] = np.arange(len(occurring))
            admitted = {}
            for name, table in frame.tables.items():
                rows, of_row = rows_of[name]
                kept = np.isin(table.codes[ISSUED_AGE.name][rows], places)
                kept &= renumbered[of_row] != NO_VALUE
                admitted[name] = (rows[kept], renumbered[of_row[kept]])
            filters = [_and(bases[at], ISSUED_AGE.name, values) for at in occurring.tolist()]
            yield Grouping(
                len(occurring), admitted, filters, list(range(len(occurring))), [()] * len(occurring)
            )

    def _month_sets(self) -> list[tuple[str, ...]]:
        """Each month, and each quick period of several months once."""
        months = self.frame.values[MONTH.name]
        periods = quick_periods(self.frame.as_of, months).values()
        of_periods = [period[MONTH.name] for period in periods if MONTH.name in period]
        return list(dict.fromkeys([*((month,) for month in months), *of_periods]))

    def _rows_of(self, table: EncodedTable, dimensions: tuple[str, ...], groups: Ints) -> tuple[Ints, Ints]:
        """The rows of a table that belong to some groups, and the group of each."""
        combined = self._combined(table.codes, dimensions)
        at = np.minimum(np.searchsorted(groups, combined), len(groups) - 1)
        rows = np.flatnonzero(groups[at] == combined)
        return rows, at[rows]

    def _combined(self, codes: Mapping[str, Ints], dimensions: tuple[str, ...]) -> Ints:
        """One number for each combination of values; `NO_VALUE` where one has none."""
        rows = len(next(iter(codes.values())))
        combined, missing = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
        for name in dimensions:
            combined = combined * len(self.frame.encoded_values[name]) + codes[name]
            missing |= codes[name] == NO_VALUE
        return np.where(missing, NO_VALUE, combined)

    def _filter_of(self, dimensions: tuple[str, ...], combination: int) -> Filter:
        """The filter of a combination of values; the inverse of `_combined`."""
        terms = []
        for name in reversed(dimensions):
            values = self.frame.encoded_values[name]
            combination, code = divmod(combination, len(values))
            terms.append((name, (values[code],)))
        return Filter(tuple(sorted(terms)))


def _and(base: Filter, dimension: str, values: Sequence[str]) -> Filter:
    """What `Filter.of` gives for a filter and one term more, without looking for repetitions."""
    return Filter(tuple(sorted((*base.terms, (dimension, tuple(sorted(values, key=fold)))))))
