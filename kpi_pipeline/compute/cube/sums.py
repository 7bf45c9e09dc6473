"""What is summed of a table's rows: all of few columns, or what is not zero of many."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

_CHUNK: Final = 1 << 18
"""Numbers added at a time, about: they stay in the processor's cache."""


class DenseSums:
    """All numbers of a few columns.

    Args:
        values: [rows, columns].
    """

    def __init__(self, values: Ints) -> None:
        self.values = values

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray], order: Ints) -> "DenseSums":
        """Take columns in an order of their rows."""
        values = np.zeros((len(order), len(columns)), np.int64)
        for place, column in enumerate(columns):
            values[:, place] = column.to_numpy()[order]
        return cls(values)

    @property
    def nbytes(self) -> int:
        """Bytes that they take in memory."""
        return self.values.nbytes

    @property
    def columns_held(self) -> int:
        """How many columns there are."""
        return int(self.values.shape[1])

    def column(self, place: int) -> Ints:
        """One column, [rows]."""
        held: Ints = self.values[:, place]
        return held

    def columns(self, places: Sequence[int], rows: Ints) -> Ints:
        """Some columns of some rows, [rows, columns]."""
        return np.stack([self.column(place)[rows] for place in places], axis=1)

    def forget_columns(self) -> None:
        """Forget nothing: they are what is held."""

    def weighted(self, weights: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """The sum of each row's numbers, each times the weight of its column; it wraps around 2**64."""
        total: npt.NDArray[np.uint64] = self.values.astype(np.uint64) @ weights
        return total

    def by_owner(self, rows: Ints, owner: Ints, owners: int) -> Ints:
        """Sum rows by their owners, as `SparseSums.by_owner` does."""
        total = np.zeros((self.columns_held, owners), np.int64)
        for place in range(self.columns_held):
            np.add.at(total[place], owner, self.column(place)[rows])
        return total


class SparseSums:
    """The numbers that are not zero, row by row.

    Args:
        begins: Where those of each row begin, and the end, [rows + 1].
        column: The column of each.
        value: The numbers.
        columns_held: How many columns there are.
    """

    def __init__(self, begins: Ints, column: npt.NDArray[np.uint16], value: Ints, columns_held: int) -> None:
        self.columns_held = columns_held
        self._begins, self._column, self._value = begins, column, value
        self._row = np.repeat(np.arange(len(begins) - 1, dtype=np.int32), np.diff(begins))
        self._whole: dict[int, Ints] = {}

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray], order: Ints) -> "SparseSums":
        """Take columns in an order of their rows."""
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        found, lengths = [], np.zeros(len(order), np.int64)
        for column in columns:
            values = column.to_numpy()
            at = np.flatnonzero(values)
            found.append((place[at], values[at]))
            lengths[place[at]] += 1
        begins = np.concatenate([[0], np.cumsum(lengths)])
        free = begins[:-1].copy()
        of_column, value = np.empty(begins[-1], np.uint16), np.empty(begins[-1], np.int64)
        for number, (rows, values) in enumerate(found):
            to = free[rows]
            of_column[to], value[to] = number, values
            free[rows] = to + 1
        return cls(begins, of_column, value, len(columns))

    @classmethod
    def joined(cls, pieces: Sequence[tuple["SparseSums", slice]]) -> "SparseSums":
        """Those of some rows of each piece."""
        lengths = [np.diff(sums._begins[rows.start : rows.stop + 1]) for sums, rows in pieces]
        held = [(sums, slice(*sums._begins[[rows.start, rows.stop]].tolist())) for sums, rows in pieces]
        return cls(
            np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
            np.concatenate([sums._column[part] for sums, part in held]),
            np.concatenate([sums._value[part] for sums, part in held]),
            pieces[0][0].columns_held,
        )

    @property
    def nbytes(self) -> int:
        """Bytes that they take in memory."""
        held = self._begins.nbytes + self._column.nbytes + self._value.nbytes + self._row.nbytes
        return held + sum(column.nbytes for column in self._whole.values())

    def column(self, place: int) -> Ints:
        """One column, [rows]; it is kept until `forget_columns`, because formulas read the same few."""
        if place not in self._whole:
            whole = np.zeros(len(self._begins) - 1, np.int64)
            at = np.flatnonzero(self._column == place)
            whole[self._row[at]] = self._value[at]
            self._whole[place] = whole
        return self._whole[place]

    def columns(self, places: Sequence[int], rows: Ints) -> Ints:
        """Some columns of some rows, [rows, columns]."""
        return np.stack([self.column(place)[rows] for place in places], axis=1)

    def forget_columns(self) -> None:
        """Forget the columns that were read: of many rows they take more memory than all else."""
        self._whole.clear()

    def weighted(self, weights: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """The sum of each row's numbers, each times the weight of its column; it wraps around 2**64."""
        total = np.zeros(len(self._begins) - 1, np.uint64)
        for begin in range(0, len(self._value), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            products = self._value[part].astype(np.uint64) * weights[self._column[part]]
            np.add.at(total, self._row[part], products)
        return total

    def by_owner(self, rows: Ints, owner: Ints, owners: int) -> Ints:
        """Sum rows by their owners.

        Args:
            rows: Rows to take, each once.
            owner: The owner of each, from 0.
            owners: How many owners there are.

        Returns:
            [columns, owners].
        """
        if not len(rows):
            return np.zeros((self.columns_held, owners), np.int64)
        # One place more, of the rows that are not taken.
        total = np.zeros((self.columns_held, owners + 1), np.int64)
        first, last = int(rows.min()), int(rows.max()) + 1
        if 4 * len(rows) > last - first:
            of_row = np.full(last - first, owners, np.int64)
            of_row[rows - first] = owner
            begin, end = int(self._begins[first]), int(self._begins[last])
            for at in range(begin, end, _CHUNK):
                part = slice(at, min(at + _CHUNK, end))
                key = self._column[part] * np.int64(owners + 1) + of_row[self._row[part] - first]
                np.add.at(total.reshape(-1), key, self._value[part])
        else:
            lengths = self._begins[rows + 1] - self._begins[rows]
            ends = np.cumsum(lengths)
            held = np.repeat(self._begins[rows] - (ends - lengths), lengths) + np.arange(ends[-1])
            key = self._column[held] * np.int64(owners + 1) + np.repeat(owner, lengths)
            np.add.at(total.reshape(-1), key, self._value[held])
        return total[:, :-1]


def joined_sums(pieces: Sequence[tuple[DenseSums | SparseSums, slice]]) -> DenseSums | SparseSums:
    """Those of some rows of each piece, one after the other; all of one kind."""
    sparse = [(sums, rows) for sums, rows in pieces if isinstance(sums, SparseSums)]
    if sparse:
        return SparseSums.joined(sparse)
    return DenseSums(
        np.concatenate([sums.values[rows] for sums, rows in pieces if isinstance(sums, DenseSums)])
    )
