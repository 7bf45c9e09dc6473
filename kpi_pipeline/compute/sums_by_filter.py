"""Sums by filter, kept from one reading to the next: what KPIs that rest on all certificates come from."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.cube.variants import Selection
from kpi_pipeline.compute.expected_credit_loss import AGEING_COMPONENTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, ShareOfAll

_MOST_BYTES: Final = 64 * 2**20
"""What is kept takes so much at most: what has no room is summed again."""

_BYTES_EACH: Final = 600
"""What a filter takes besides its numbers, about."""


def _components() -> tuple[str, ...]:
    """Those that the KPIs need which rest on all certificates."""
    names: dict[str, None] = {}
    for kpi in KPIS:
        if isinstance(kpi.formula, ShareOfAll):
            names[kpi.formula.component] = None
        elif isinstance(kpi.formula, ExpectedLoss):
            names |= dict.fromkeys(AGEING_COMPONENTS)
    return tuple(names)


_COMPONENTS: Final = _components()


class _FilterSums(NamedTuple):
    """Those of a filter.

    Attributes:
        present: Which currencies it shows, [C].
        on_each_day: Components of `_COMPONENTS`, [components, days, C].
    """

    present: Bools
    on_each_day: Ints


class SumsByFilter:
    """The sums of filters as of one reading.

    Args:
        filters: Those of which sums are kept.
        held: Sums that are known already, some of other filters perhaps.
    """

    def __init__(self, filters: Collection[Filter], held: Mapping[Filter, _FilterSums] | None = None) -> None:
        self._filters = filters
        self._held = {one: sums for one, sums in (held or {}).items() if one in filters}
        self._bytes = sum(_size(sums) for sums in self._held.values())

    def __len__(self) -> int:
        """Of how many filters sums are known."""
        return len(self._held)

    def following(self, filters: Collection[Filter], changed: Collection[Filter]) -> "SumsByFilter":
        """Those as of a later reading.

        Args:
            filters: Those of which sums are kept.
            changed: Those of which a row has changed.
        """
        kept = {one: sums for one, sums in self._held.items() if one not in changed}
        return SumsByFilter(filters, kept)

    def take(self, slice_: Slice) -> None:
        """Keep the sums of a slice, as far as there is room."""
        unknown = [
            (at, one)
            for at, one in enumerate(slice_.filters)
            if one in self._filters and one not in self._held
        ]
        if not unknown or self._bytes >= _MOST_BYTES:
            return
        sums = np.stack([slice_.on_each_day(name) for name in _COMPONENTS], axis=1)
        for at, one in unknown:
            if self._bytes < _MOST_BYTES:
                # Copies: a view would keep those of all the slice.
                self._held[one] = _FilterSums(slice_.present[at].copy(), sums[at].copy())
                self._bytes += _size(self._held[one])

    def of(self, slice_: Slice) -> Slice | None:
        """A slice of the same variants that sums nothing which is known; None where some are not known."""
        if not all(one in self._held for one in slice_.filters):
            return None
        found = [self._held[one] for one in slice_.filters]
        sums = np.stack([sums.on_each_day for sums in found], axis=1)
        return _KnownSlice(slice_, np.stack([one.present for one in found]), sums)


class _KnownSlice(Slice):
    """A slice of which some sums are known.

    Args:
        slice_: The slice.
        present: Its `present`, [V, C].
        sums: Its components of `_COMPONENTS` on each day, [components, V, days, C].
    """

    def __init__(self, slice_: Slice, present: Bools, sums: Ints) -> None:
        selection = Selection(slice_.filters, slice_.group, slice_.months)
        super().__init__(slice_.groups.fresh(), selection, slice_.everything)
        # In place of the cached property.
        self.__dict__["present"] = present
        self._sums = dict(zip(_COMPONENTS, sums, strict=True))

    def on_each_day(self, component: str) -> Ints:
        """A component on each day, [V, days, C]; of a cohort on the business date alone."""
        known = self._sums.get(component)
        return super().on_each_day(component) if known is None else known


def _size(sums: _FilterSums) -> int:
    return sums.on_each_day.nbytes + _BYTES_EACH
