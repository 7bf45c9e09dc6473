"""The cube: the roll-up's tables with numbered dimensions, from which every variant is a sum."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from hashlib import blake2b
from itertools import combinations
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.axes import ATTRIBUTES
from kpi_pipeline.compute.cube.encoding import NO_VALUE, Digests, Ints
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.membership import ByFilter, ByValues, combined, values_of
from kpi_pipeline.compute.cube.selection import Grouping, select, slice_of
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import EvaluationDays
from kpi_pipeline.compute.months import month_number
from kpi_pipeline.compute.rollup.tables import Rollup, RollupParts
from kpi_pipeline.model.dimensions import ISSUED_AGE, MONTH
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.periods import compared_quarters, quick_periods
from kpi_pipeline.model.thresholds import Thresholds

BLOCK_VARIANTS: Final = 1000
"""Variants summed at a time, about: it bounds the memory that a slice takes."""

_BLOCK_ROWS: Final = 8_000_000
"""Rows of all tables that a slice looks up, about, for the same end: each grouping takes them once."""

_MIXING: Final = np.uint64(0xBF58476D1CE4E5B9)
_HALF: Final = np.uint64(31)
"""Of a function that spreads a number over all 64 bits."""

_PAIRED: Final = tuple(name for name in ATTRIBUTES if name != ISSUED_AGE.name)


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows by which two roll-ups of one date differ, of all tables, as they were and as they are.

    Attributes:
        codes: By dimension but the month, the place of each row's value among the cube's values.
    """

    codes: dict[str, Ints]

    @property
    def is_none(self) -> bool:
        """Whether they differ by no row."""
        return not any(map(len, self.codes.values()))

    def followed_by(self, later: "Changes") -> "Changes":
        """These rows and those of a later change."""
        return Changes({name: np.concatenate([rows, later.codes[name]]) for name, rows in self.codes.items()})


class Cube:
    """All tables of one roll-up, encoded.

    Args:
        rollup: The tables.
        as_of: Their business date.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.
        before: An earlier cube, from which parts of the tables are taken that have stayed.

    Attributes:
        frame: The encoded tables.
        everything: The sums of all certificates.
    """

    def __init__(
        self,
        rollup: Rollup | RollupParts,
        as_of: date,
        window_months: int,
        thresholds: Thresholds,
        before: "Cube | None" = None,
    ) -> None:
        parts = rollup.parts() if isinstance(rollup, Rollup) else rollup
        days = EvaluationDays(as_of, window_months)
        self.frame: CubeFrame = CubeFrame.of(
            parts, days, thresholds, None if before is None else before.frame
        )
        self.everything = select(self.frame, [EVERYTHING], None)

    @property
    def nbytes(self) -> int:
        """Bytes that its tables take in memory."""
        return int(self.frame.work_lists.nbytes) + sum(table.nbytes for table in self.frame.tables.values())

    def release(self) -> None:
        """Forget what was summed of all certificates, and looked up."""
        self.frame.forget_rows()
        self.__dict__.pop("_codes_that_occur", None)
        self.everything = self.everything.fresh()

    def forget_columns(self) -> None:
        """Forget the columns that formulas have read: they are made again when they are needed."""
        for table in self.frame.tables.values():
            table.sums.forget_columns()

    def digest(self) -> str:
        """A digest of all inputs of its figures: rows in any order, date and settings; 32 hex digits."""
        state = blake2b(repr(self.frame.comparable()).encode(), digest_size=16)
        for table in self.frame.tables.values():
            rows = table.digests
            # Sums of independent numbers of each row, which wrap around 2**64: their order does not matter.
            mixed = (rows ^ (rows >> _HALF)) * _MIXING
            state.update(repr((len(rows), int(rows.sum()), int((mixed ^ (mixed >> _HALF)).sum()))).encode())
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
        rows, read = sum(len(table) for table in self.frame.tables.values()), 0.0
        for size in range(attributes + 1):
            for dimensions in combinations(ATTRIBUTES if size == 1 else _PAIRED, size):
                for grouping in self._groupings(dimensions, changes):
                    waiting.append(grouping)
                    variants = sum(len(of.filters) for of in waiting)
                    read += rows * grouping.part
                    if variants >= BLOCK_VARIANTS or read >= _BLOCK_ROWS:
                        yield slice_of(self.frame, waiting, self.everything)
                        waiting, read = [], 0.0
        if attributes:
            waiting += self._of_groups(changes)
        if waiting:
            yield slice_of(self.frame, waiting, self.everything)

    def changes_since(self, before: "Cube", tables: Collection[str] | None = None) -> Changes | None:
        """The rows by which this cube differs from an earlier one.

        A filter's figures depend on the rows that it admits, whatever their months.

        Args:
            before: The earlier one.
            tables: Of which tables; None for all.

        Returns:
            The rows; None where the two cannot be compared row by row: they are of different dates,
            settings, values or months.
        """
        frame, earlier = self.frame, before.frame
        if frame.comparable() != earlier.comparable():
            return None
        codes: dict[str, list[Ints]] = {name: [] for name in ATTRIBUTES}
        for name in frame.tables if tables is None else tables:
            table, was = frame.tables[name], earlier.tables[name]
            found = _changed((table.place, table.digests), (was.place, was.digests), frame.places)
            for side, rows in zip((table, was), found, strict=True):
                for dimension in ATTRIBUTES:
                    codes[dimension].append(side.codes[dimension][rows].astype(np.int64))
        return Changes({dimension: np.concatenate(rows) for dimension, rows in codes.items()})

    def _groupings(self, dimensions: tuple[str, ...], changes: Changes | None) -> Iterator[Grouping]:
        """The filters of one value of each of some dimensions; with times where these are few."""
        occurring = self._occurring(dimensions)
        possible = max(len(occurring), 1)
        if changes is not None:
            occurring = np.intersect1d(occurring, combined(self.frame, changes.codes, dimensions))
        for begin in range(0, len(occurring), BLOCK_VARIANTS):
            members = ByValues(dimensions, occurring[begin : begin + BLOCK_VARIANTS])
            bases = [
                self._filter_of(dimensions, combination) for combination in members.combinations.tolist()
            ]
            if len(dimensions) < 2 and ISSUED_AGE.name not in dimensions:
                yield self._with_months(bases, members, len(bases) / possible)
                yield from self._with_ages(bases, members)
            else:
                part = len(bases) / possible
                yield Grouping(members, bases, list(range(len(bases))), [()] * len(bases), part)

    def _occurring(self, dimensions: tuple[str, ...]) -> Ints:
        """The combinations of values that are always computed, ascending."""
        if dimensions not in self._found:
            self._found[dimensions] = self._find(dimensions)
        return self._found[dimensions]

    def _find(self, dimensions: tuple[str, ...]) -> Ints:
        if not dimensions:
            return np.zeros(1, np.int64)  # everything is published, also where there is nothing
        codes = {name: self._codes_that_occur[name] for name in dimensions}
        occurring = np.unique(combined(self.frame, codes, dimensions)).astype(np.int64)
        occurring = occurring[occurring != NO_VALUE]
        if len(dimensions) == 1:
            # What readers can choose is answered at once, also where no certificate has it.
            occurring = np.union1d(occurring, np.arange(len(self.frame.values[dimensions[0]])))
        return occurring

    @cached_property
    def _found(self) -> dict[tuple[str, ...], Ints]:
        return {}

    @cached_property
    def _codes_that_occur(self) -> dict[str, Ints]:
        """The values of the cells that count as an occurrence of them, by dimension."""
        cells = self.frame.tables["cells"]
        return {name: codes[self.frame.occurs] for name, codes in cells.codes.items()}

    def _of_groups(self, changes: Changes | None) -> Iterator[Grouping]:
        """The declared groups of values."""
        for group in GROUPS:
            codes = [self.frame.values[group.dimension].index(value) for value in group.values]
            if changes is not None and not np.isin(changes.codes[group.dimension], codes).any():
                continue
            requested = Filter.of({group.dimension: group.values})
            yield Grouping(ByFilter(requested), [requested], [0], [()])

    def _with_months(self, bases: list[Filter], members: ByValues, part: float) -> Grouping:
        """Each group as it is, and with each month and each period of months that it occurs in.

        Everything comes with the quarters that quick periods are compared with, too.
        """
        frame = self.frame
        rows, of_row = members.rows(frame, "cells")
        occurs = frame.occurs[rows]
        active = np.zeros((len(bases), frame.month_count), np.bool_)
        active[of_row[occurs], frame.tables["cells"].month[rows[occurs]]] = True
        offered = np.array([base == EVERYTHING for base in bases])
        named, occurring = [], []
        month_sets = self._month_sets()
        if bases == [EVERYTHING]:
            quarters = compared_quarters(frame.as_of, frame.values[MONTH.name])
            month_sets = list(dict.fromkeys([*month_sets, *quarters]))
        for values in month_sets:
            numbers = tuple(month_number(text) for text in values)
            named.append((numbers, tuple(sorted(values, key=fold))))
            occurring.append(active[:, np.array(numbers) - frame.first_month].any(axis=1) | offered)
        filters: list[Filter] = []
        group: list[int] = []
        months: list[tuple[int, ...]] = []
        # Group by group: a part of the variants then needs the rows of few groups.
        for at, (base, of_base) in enumerate(zip(bases, np.stack(occurring, axis=1), strict=True)):
            chosen = [named[place] for place in np.flatnonzero(of_base).tolist()]
            filters += [base, *(_and(base, MONTH.name, values) for _, values in chosen)]
            months += [(), *(numbers for numbers, _ in chosen)]
            group += [at] * (1 + len(chosen))
        return Grouping(members, filters, group, months, part)

    def _with_ages(self, bases: list[Filter], members: ByValues) -> Iterator[Grouping]:
        """Each group with each quick period of days that it occurs in."""
        frame = self.frame
        ages = frame.values[ISSUED_AGE.name]
        for period in quick_periods(frame.as_of, frame.values[MONTH.name]).values():
            values = period.get(ISSUED_AGE.name, ())
            if not values or (bases == [EVERYTHING] and len(values) == 1):
                continue  # a period of one value is that value
            aged = replace(members, ages=tuple(ages.index(value) for value in values))
            rows, of_row = aged.rows(frame, "cells")
            occurring = np.unique(of_row[frame.occurs[rows]])
            if bases == [EVERYTHING]:
                occurring = np.zeros(1, np.int64)
            if not len(occurring):
                continue
            named = tuple(sorted(values, key=fold))
            filters = [_and(bases[at], ISSUED_AGE.name, named) for at in occurring.tolist()]
            yield Grouping(aged.only(occurring), filters, list(range(len(occurring))), [()] * len(occurring))

    def _month_sets(self) -> list[tuple[str, ...]]:
        """Each month, and each quick period of several months once."""
        months = self.frame.values[MONTH.name]
        periods = quick_periods(self.frame.as_of, months).values()
        of_periods = [period[MONTH.name] for period in periods if MONTH.name in period]
        return list(dict.fromkeys([*((month,) for month in months), *of_periods]))

    def _filter_of(self, dimensions: tuple[str, ...], combination: int) -> Filter:
        """The filter of a combination of values."""
        codes = values_of(self.frame, combination, dimensions)
        terms = [(name, (self.frame.encoded_values[name][code],)) for name, code in codes.items()]
        return Filter(tuple(sorted(terms)))


def _changed(now: tuple[Ints, Digests], then: tuple[Ints, Digests], places: int) -> tuple[Ints, Ints]:
    """The rows of two tables by which they differ: those of which one has more than the other, all of a kind.

    A table may hold several equal rows.

    Args:
        now: The places of the one's rows, ascending, and their digests.
        then: Those of the other.
        places: Length of the axis.

    Returns:
        Rows of the one and of the other.
    """
    # A change concerns every day and a month: of each place little is left between what is equal.
    begins, begun = (np.searchsorted(place, np.arange(places + 1)).tolist() for place, _ in (now, then))
    changed, gone = [], []
    for at in range(places):
        here, there = slice(begins[at], begins[at + 1]), slice(begun[at], begun[at + 1])
        appeared, left = _differing(now[1][here], then[1][there])
        changed.append(here.start + appeared)
        gone.append(there.start + left)
    return np.concatenate(changed), np.concatenate(gone)


def _differing(now: Digests, then: Digests) -> tuple[Ints, Ints]:
    """The rows of `_changed` of one place."""
    shorter = min(len(now), len(then))
    # Rows stand in the same order as a rule: what is equal from both ends is passed over.
    unequal = np.flatnonzero(now[:shorter] != then[:shorter])
    first = int(unequal[0]) if len(unequal) else shorter
    rest = shorter - first
    unequal = np.flatnonzero(now[len(now) - rest :][::-1] != then[len(then) - rest :][::-1])
    last = int(unequal[0]) if len(unequal) else rest
    middle = (now[first : len(now) - last], then[first : len(then) - last])
    (present, counts), (known, known_counts) = (np.unique(part, return_counts=True) for part in middle)
    alike, here, there = np.intersect1d(present, known, assume_unique=True, return_indices=True)
    same = alike[counts[here] == known_counts[there]]
    changed, gone = (first + np.flatnonzero(~np.isin(part, same)) for part in middle)
    return changed, gone


def _and(base: Filter, dimension: str, values: tuple[str, ...]) -> Filter:
    """What `Filter.of` gives for a filter and one term more, of values in order."""
    return Filter(tuple(sorted((*base.terms, (dimension, values)))))
