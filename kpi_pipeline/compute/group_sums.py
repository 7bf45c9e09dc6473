"""Exact sums of columns by group: what does not fit 64 bits is an error, never another number."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.overflow import ADVICE, SumTooLarge

Ints = npt.NDArray[np.int64]

_SAFE = 2.0**62
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by group.

    Attributes:
        order: The rows, by group.
        first: Where each group that has rows begins in this order.
        at: The number of each of these groups.
        count: How many groups there are.
    """

    order: Ints
    first: Ints
    at: Ints
    count: int

    @classmethod
    def of(cls, group: Ints, count: int) -> "Groups":
        """Of the group of each row, from 0."""
        order = np.argsort(group, kind="stable")
        ascending = group[order]
        first = np.flatnonzero(np.diff(ascending, prepend=-1))
        return cls(order, first, ascending[first], count)

    def sum(self, column: npt.NDArray[Any]) -> Ints:
        """The sum of each group; 0 of one without rows.

        Raises:
            SumTooLarge: If one does not fit 64 bits.
        """
        total = np.zeros(self.count, np.int64)
        if not len(self.first):
            return total
        is_safe = column.dtype != object and np.abs(column.astype(np.float64)).sum() < _SAFE
        exact = column if is_safe else column.astype(object)
        sums = np.add.reduceat(exact[self.order], self.first)
        if not is_safe and max(map(abs, sums.tolist())) > _LARGEST:
            raise SumTooLarge(ADVICE)
        total[self.at] = sums.astype(np.int64)
        return total

    def least(self, column: Ints, none: int) -> Ints:
        """The least of each group; `none` of one without rows."""
        least = np.full(self.count, none, np.int64)
        if len(self.first):
            least[self.at] = np.minimum.reduceat(column[self.order], self.first)
        return least
