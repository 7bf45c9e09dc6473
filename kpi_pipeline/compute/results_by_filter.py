"""Results by filter, kept from one reading to the next.

They are the sums that KPIs which rest on all certificates come from, and the quantiles of days to payment.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.cube.variants import Selection
from kpi_pipeline.compute.expected_credit_loss import AGEING_COMPONENTS
from kpi_pipeline.compute.payment_quantiles import found_quantiles, give_quantiles
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, ShareOfAll

_MOST_BYTES: Final = 64 * 2**20
"""What is kept takes so much at most: what has no room is summed again."""

_BYTES_EACH: Final = 400
"""What a result takes besides its numbers, about."""


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


class ResultsByFilter:
    """The results of filters as of one reading.

    Args:
        filters: Those of which results are kept.
        sums: Sums that are known already, some of other filters perhaps.
        quantiles: Likewise quantiles, [percentages, days].
    """

    def __init__(
        self,
        filters: Collection[Filter],
        sums: Mapping[Filter, _FilterSums] | None = None,
        quantiles: Mapping[Filter, Ints] | None = None,
    ) -> None:
        self._filters = filters
        self._sums = {one: held for one, held in (sums or {}).items() if one in filters}
        self._quantiles = {one: held for one, held in (quantiles or {}).items() if one in filters}
        sizes = [_size(held.on_each_day) for held in self._sums.values()]
        self._bytes = sum(sizes) + sum(_size(held) for held in self._quantiles.values())

    def __len__(self) -> int:
        """Of how many filters sums are known."""
        return len(self._sums)

    def following(
        self, filters: Collection[Filter], changed: Collection[Filter], retimed: Collection[Filter]
    ) -> "ResultsByFilter":
        """Those as of a later reading.

        Args:
            filters: Those of which results are kept.
            changed: Those of which a row has changed.
            retimed: Those of which a row of the days to payment has changed.
        """
        sums = {one: held for one, held in self._sums.items() if one not in changed}
        quantiles = {one: held for one, held in self._quantiles.items() if one not in retimed}
        return ResultsByFilter(filters, sums, quantiles)

    def give(self, slice_: Slice) -> None:
        """Let a slice estimate no quantiles where those of all its filters are known."""
        if all(one in self._quantiles for one in slice_.filters):
            give_quantiles(slice_, np.stack([self._quantiles[one] for one in slice_.filters]))

    def take(self, slice_: Slice) -> None:
        """Keep the results of a slice, as far as there is room."""
        own = [(at, one) for at, one in enumerate(slice_.filters) if one in self._filters]
        estimated = [(at, one) for at, one in own if one not in self._quantiles]
        if estimated and (found := found_quantiles(slice_)) is not None:
            for at, one in estimated:
                if self._bytes < _MOST_BYTES:
                    # Copies: a view would keep those of all the slice.
                    self._quantiles[one] = found[at].copy()
                    self._bytes += _size(found[at])
        if self._bytes >= _MOST_BYTES or all(one in self._sums for _, one in own):
            return
        sums = np.stack([slice_.on_each_day(name) for name in _COMPONENTS], axis=1)
        for at, one in own:
            if one not in self._sums and self._bytes < _MOST_BYTES:
                self._sums[one] = _FilterSums(slice_.present[at].copy(), sums[at].copy())
                self._bytes += _size(sums[at])

    def of(self, slice_: Slice) -> Slice | None:
        """A slice of the same variants that sums nothing which is known; None where some are not known."""
        if not all(one in self._sums for one in slice_.filters):
            return None
        found = [self._sums[one] for one in slice_.filters]
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


def _size(numbers: Ints) -> int:
    return numbers.nbytes + _BYTES_EACH
