"""Which rows of a cube's tables belong to which group, found when they are needed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Final, Protocol, Self

import numpy as np

from kpi_pipeline.compute.cube.axes import ATTRIBUTES
from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, EncodedTable, Ints
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.model.dimensions import ISSUED_AGE
from kpi_pipeline.model.filters import Filter, fold

_FEW: Final = 8
"""So few groups are found one by one, by rows that many groups share; more are looked up row by row."""

_TABLE_REACH: Final = 1 << 22
"""Up to so many combinations of values a table tells the group of each."""


class Membership(Protocol):
    """Groups of rows; each row belongs to at most one."""

    @property
    def groups(self) -> int:
        """How many there are."""
        ...

    def rows(self, frame: CubeFrame, table: str) -> tuple[Ints, Ints]:
        """The rows of a table that belong to a group, each once, and the group of each.

        Those of a group are ascending.
        """
        ...

    def only(self, groups: Ints) -> Self:
        """Some of the groups, numbered anew in their order."""
        ...


@dataclass(frozen=True, slots=True)
class ByValues:
    """A group for each of some combinations of values.

    Attributes:
        dimensions: Of which each combination names one value.
        combinations: By `combined`, ascending.
        ages: Codes of the ages that rows must have; None for any.
    """

    dimensions: tuple[str, ...]
    combinations: Ints
    ages: tuple[int, ...] | None = None

    @property
    def groups(self) -> int:
        """One a combination."""
        return len(self.combinations)

    def rows(self, frame: CubeFrame, table: str) -> tuple[Ints, Ints]:
        """The rows that have the values."""
        held = frame.tables[table]
        if not self.dimensions:
            rows = np.arange(len(held)) if self.ages is None else np.flatnonzero(self._aged(held))
            return rows, np.zeros(len(rows), np.int64)
        if self.groups <= _FEW:
            of_group = [self._rows_of(frame, table, int(one)) for one in self.combinations]
            lengths = [len(rows) for rows in of_group]
            return np.concatenate(of_group), np.repeat(np.arange(self.groups), lengths)
        group = self._group(combined(frame, held.codes, self.dimensions), frame)
        if self.ages is not None:
            group = np.where(self._aged(held), group, NO_VALUE)
        rows = np.flatnonzero(group != NO_VALUE)
        return rows, group[rows].astype(np.int64)

    def only(self, groups: Ints) -> "ByValues":
        """Some of the combinations."""
        return replace(self, combinations=self.combinations[groups])

    def _group(self, of_row: Ints, frame: CubeFrame) -> Ints:
        """The group of each row's combination; `NO_VALUE` of one that is not wanted."""
        reach = prod(len(frame.encoded_values[name]) for name in self.dimensions)
        if reach > _TABLE_REACH:
            at = np.minimum(np.searchsorted(self.combinations, of_row), self.groups - 1)
            return np.where(self.combinations[at] == of_row, at, NO_VALUE)
        # The last place is that of `NO_VALUE`.
        group = np.full(reach + 1, NO_VALUE)
        group[self.combinations] = np.arange(self.groups)
        return group[of_row]

    def _rows_of(self, frame: CubeFrame, table: str, combination: int) -> Ints:
        """The rows of a combination: of those of its rarest value the ones that have the others."""
        values = values_of(frame, combination, self.dimensions)
        rarest = min(values, key=lambda name: len(frame.rows_with(table, name, values[name])))
        rows, codes = frame.rows_with(table, rarest, values[rarest]), frame.tables[table].codes
        for name, code in values.items():
            if name != rarest:
                rows = rows[codes[name][rows] == code]
        if self.ages is not None:
            rows = rows[np.isin(codes[ISSUED_AGE.name][rows], self.ages)]
        return rows

    def _aged(self, held: EncodedTable) -> Bools:
        return np.isin(held.codes[ISSUED_AGE.name], self.ages or ())


@dataclass(frozen=True, slots=True)
class ByFilter:
    """One group: what a filter admits, whatever the months.

    Attributes:
        requested: The filter.
    """

    requested: Filter

    @property
    def groups(self) -> int:
        """One."""
        return 1

    def rows(self, frame: CubeFrame, table: str) -> tuple[Ints, Ints]:
        """The rows that the filter admits; a value that the data do not hold admits none."""
        held = frame.tables[table]
        mask = np.ones(len(held), np.bool_)
        for name in ATTRIBUTES:
            if wanted := {fold(value) for value in self.requested.values(name)}:
                known = enumerate(frame.encoded_values[name])
                mask &= np.isin(held.codes[name], [code for code, value in known if fold(value) in wanted])
        rows = np.flatnonzero(mask)
        return rows, np.zeros(len(rows), np.int64)

    def only(self, groups: Ints) -> "ByFilter":  # noqa: ARG002 - there is one
        """The same group."""
        return self


def combined(frame: CubeFrame, codes: Mapping[str, Ints], dimensions: tuple[str, ...]) -> Ints:
    """One number for each combination of values; `NO_VALUE` where one has none."""
    rows = len(next(iter(codes.values())))
    if len(dimensions) == 1:
        return codes[dimensions[0]]
    total, missing = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
    for name in dimensions:
        total *= len(frame.encoded_values[name])
        total += codes[name]
        missing |= codes[name] == NO_VALUE
    total[missing] = NO_VALUE
    return total


def values_of(frame: CubeFrame, combination: int, dimensions: tuple[str, ...]) -> dict[str, int]:
    """The codes of a combination's values; the inverse of `combined`."""
    codes = {}
    for name in reversed(dimensions):
        combination, codes[name] = divmod(combination, len(frame.encoded_values[name]))
    return codes
