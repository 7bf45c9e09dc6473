"""The values of a dimension in order of a measure, within each variant and currency."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.group_sums import GroupSums

OTHERS: Final = -1
"""The place of all other values together, in a row of their sums."""


@dataclass(frozen=True)
class Ranking(GroupSums):
    """Rows in order: those of one variant and currency, a group, stand together.

    The value of a row that stands for all others together is `OTHERS`.
    """

    @classmethod
    def of(cls, group_sums: GroupSums, measure: Ints) -> "Ranking":
        """Rank by a measure, the largest first; of equals, the first value."""
        order = np.lexsort((group_sums.value, -measure, group_sums.currency, group_sums.variant))
        return cls(
            group_sums.variant[order],
            group_sums.value[order],
            group_sums.currency[order],
            group_sums.sums[order],
        )

    @cached_property
    def starts(self) -> Ints:
        """The first row of each group: the one with the largest measure."""
        return np.flatnonzero(self._begins)

    @cached_property
    def group(self) -> Ints:
        """The number of each row's group."""
        return np.cumsum(self._begins) - 1

    @cached_property
    def rank(self) -> Ints:
        """The place of each row in its group."""
        return np.arange(len(self.variant)) - self.starts[self.group]

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each group."""
        return np.diff(self.starts, append=len(self.variant))

    def totals(self) -> Ints:
        """The components of each group, [groups, components]."""
        return np.add.reduceat(self.sums, self.starts, axis=0)

    def first(self, top: int) -> "Ranking":
        """The first rows of each group."""
        return self.where(self.rank < top)

    def with_others(self, top: int) -> "Ranking":
        """The first rows of each group, then one of all its others, where it has more."""
        rest = self.where(self.rank >= top)
        if not len(rest.variant):
            return self
        kept, at = self.first(top), rest.starts
        joined = Ranking(
            np.concatenate([kept.variant, rest.variant[at]]),
            np.concatenate([kept.value, np.full(len(at), OTHERS)]),
            np.concatenate([kept.currency, rest.currency[at]]),
            np.concatenate([kept.sums, rest.totals()]),
        )
        # Stable: within a group, the rows kept stay in their order and the others come last.
        order = np.lexsort((joined.currency, joined.variant))
        return Ranking(joined.variant[order], joined.value[order], joined.currency[order], joined.sums[order])

    def where(self, kept: Bools) -> "Ranking":
        """Some of the rows."""
        return Ranking(self.variant[kept], self.value[kept], self.currency[kept], self.sums[kept])

    @cached_property
    def _begins(self) -> Bools:
        begins = np.ones(len(self.variant), np.bool_)
        begins[1:] = (np.diff(self.variant) != 0) | (np.diff(self.currency) != 0)
        return begins
