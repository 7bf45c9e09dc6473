"""Amounts entered under values of the dimensions, a month and a currency; sums over any of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kpi_pipeline.audit.recomputation.rows import bare

Sums = npt.NDArray[np.generic]
Terms = Mapping[str, Sequence[str]]
Cell = tuple[tuple[str, str], ...]

_SAFE = 2**62
"""Sums of which every partial one fits into 64 bits."""


class EntrySums:
    """Entries: each under its values, in a month and a currency, with amounts of some names.

    Attributes:
        names: Names of the amounts.
        values: The values of each entry, by dimension.
        months: The month of each entry, as a number.
        currencies: The currency of each entry.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._places = {name: place for place, name in enumerate(self.names)}
        self.values: list[Mapping[str, str]] = []
        self.months: list[int] = []
        self.currencies: list[str] = []
        self._amounts: list[list[int]] = []
        self._holding: dict[tuple[str, str], set[int]] = {}
        self._cells: dict[int, Cell] = {}

    def enter(self, values: Mapping[str, str], month: int, currency: str, amounts: Mapping[str, int]) -> None:
        """Add an entry; names that it does not give are 0."""
        for dimension, value in values.items():
            self._holding.setdefault((dimension, bare(value)), set()).add(len(self.values))
        self.values.append(values)
        self.months.append(month)
        self.currencies.append(currency)
        self._amounts.append([int(amounts.get(name, 0)) for name in self.names])

    def close(self) -> None:
        """Be done with entering."""
        size = max((sum(map(abs, column)) for column in zip(*self._amounts, strict=True)), default=0)
        self._matrix = np.array(self._amounts, np.int64 if size < _SAFE else object)
        self._matrix = self._matrix.reshape(len(self._amounts), len(self.names))

    def chosen(self, terms: Terms) -> list[int]:
        """Entries under any of the values given of each dimension, in order."""
        found: set[int] | None = None
        for dimension, values in terms.items():
            holding = set().union(*(self._holding.get((dimension, bare(value)), set()) for value in values))
            found = holding if found is None else found & holding
        return sorted(found) if found is not None else list(range(len(self.values)))

    def amounts(self, entry: int, *names: str) -> list[int]:
        """Amounts of an entry."""
        return [self._amounts[entry][self._places[name]] for name in names]

    def cell(self, entry: int) -> Cell:
        """The values of an entry, in the order of their dimensions."""
        if entry not in self._cells:
            self._cells[entry] = tuple(sorted(self.values[entry].items()))
        return self._cells[entry]

    def by_currency(self, entries: Sequence[int], currencies: Sequence[str]) -> npt.NDArray[np.generic]:
        """Sums of entries, [currencies, names]."""
        sums = np.zeros((len(currencies), len(self.names)), self._matrix.dtype)
        groups: dict[int, list[int]] = {}
        for entry in entries:
            groups.setdefault(currencies.index(self.currencies[entry]), []).append(entry)
        for key, group in groups.items():
            sums[key] = self._matrix[group].sum(axis=0)
        return sums
