"""Tables of the roll-up with their dimensions as numbers, and lookups of rows by group and place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.evaluation_days import COHORT, DAYS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_VALUE: Final = -1
"""Code of no value, or of one that the cells do not have: no filter that names the dimension admits it."""

_DIGEST_SEED: Final = 20_240_229

CHUNK_ROWS: Final = 1 << 16
"""Rows summed at a time: it bounds the memory that a sum takes."""


@dataclass(frozen=True, slots=True)
class EncodedTable:
    """One table of the roll-up.

    Attributes:
        codes: By dimension but the month, the place of each row's value among the cube's values.
        place: Place of each row on the cube's axis of days and months.
        month: Place of each row's month among the cube's months.
        currency: Place of each row's currency among the cube's.
        sums: What is summed, [rows, columns].
    """

    codes: dict[str, Ints]
    place: Ints
    month: Ints
    currency: Ints
    sums: Ints

    @classmethod
    def of(
        cls,
        table: pa.Table,
        values: Mapping[str, Sequence[str]],
        months: Mapping[str, int],
        currencies: Sequence[str],
        columns: Sequence[str],
    ) -> "EncodedTable":
        """Encode a table.

        Args:
            table: Dimensions, currency and columns; rows without a day are of their month.
            values: By dimension but the month, its values.
            months: Place of each month among the months.
            currencies: Codes of the currencies.
            columns: What is summed.
        """
        month = encode_column(table["month"], months)
        cohort = np.full(table.num_rows, COHORT)
        day = table["place"].to_numpy() if "place" in table.column_names else cohort
        return cls(
            codes={name: encode_column(table[name], place_of(held)) for name, held in values.items()},
            place=np.where(day == COHORT, DAYS + month, day),
            month=month,
            currency=encode_column(table["currency"], place_of(currencies)),
            sums=np.column_stack([table[name].to_numpy() for name in columns])
            if columns
            else np.zeros((table.num_rows, 0), np.int64),
        )

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.month)

    def digests(self, labels: Ints) -> npt.NDArray[np.uint64]:
        """A number for each row: equal for equal rows, different for all others but one in 2**64.

        Args:
            labels: A number for the row's columns that are not encoded.
        """
        columns = [*self.codes.values(), self.place, self.month, self.currency, labels]
        weights = np.random.default_rng(_DIGEST_SEED).integers(
            0, 2**64, len(columns) + self.sums.shape[1], np.uint64, endpoint=False
        )
        # Sums wrap around 2**64; weights are odd, so that no column's change is lost.
        weights |= np.uint64(1)
        digests: npt.NDArray[np.uint64] = self.sums.astype(np.uint64) @ weights[len(columns) :]
        for weight, column in zip(weights, columns, strict=False):
            digests += column.astype(np.uint64) * weight
        return digests


class GroupIndex:
    """Rows of a table that belong to groups, ordered by group and place on the axis.

    A row may belong to several groups.

    Args:
        rows: Rows of the table.
        group: The group of each.
        place: The place of each on the axis.
        places: Length of the axis.
    """

    def __init__(self, rows: Ints, group: Ints, place: Ints, places: int) -> None:
        key = group * places + place
        order = np.argsort(key, kind="stable")
        self.rows = rows[order]
        self._key = key[order]
        self._places = places

    def within(self, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """The rows of some groups in stretches of places.

        Args:
            group: The group of each stretch.
            first: Its first place on the axis.
            last: Its last place; before `first` it is empty.

        Returns:
            Which stretch each row is in, ascending, and the row.
        """
        base = group * self._places
        begin = np.searchsorted(self._key, base + np.clip(first, 0, self._places))
        end = np.searchsorted(self._key, base + np.clip(last + 1, 0, self._places))
        length = np.maximum(end - begin, 0)
        stretch = np.repeat(np.arange(len(group)), length)
        offset = np.repeat(begin - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
        return stretch, self.rows[offset + np.arange(len(offset))]


def sum_by_place(sums: Ints, rows: Ints, at: Ints, places: int) -> Ints:
    """Sum rows into places.

    Args:
        sums: What is summed, [any rows, columns].
        rows: Rows to take; one may come several times.
        at: The place of each, from 0.
        places: How many places there are.

    Returns:
        [places, columns].
    """
    total = np.zeros((places, sums.shape[1]), np.int64)
    for begin in range(0, len(rows), CHUNK_ROWS):
        chunk = at[begin : begin + CHUNK_ROWS]
        order = np.argsort(chunk, kind="stable")
        ascending = chunk[order]
        first = np.flatnonzero(np.diff(ascending, prepend=-1))
        total[ascending[first]] += np.add.reduceat(
            sums[rows[begin : begin + CHUNK_ROWS][order]], first, axis=0
        )
    return total


def sum_by_keys(
    sums: Ints, rows: Ints, keys: Sequence[Ints], sizes: Sequence[int]
) -> tuple[tuple[Ints, ...], Ints]:
    """Sum rows by the combination of several keys.

    Args:
        sums: What is summed, [any rows, columns].
        rows: Rows to take; one may come several times.
        keys: The keys of each, from 0.
        sizes: How many values each key may have.

    Returns:
        The keys of each combination that occurs, in their order, and its sums, [combinations, columns].
    """
    shape = [max(size, 1) for size in sizes]
    combinations, at = np.unique(np.ravel_multi_index(tuple(keys), shape), return_inverse=True)
    total = sum_by_place(sums, rows, at, len(combinations))
    return tuple(key.astype(np.int64) for key in np.unravel_index(combinations, shape)), total


def place_of(values: Sequence[str]) -> dict[str, int]:
    """Each value's place."""
    return {value: place for place, value in enumerate(values)}


def encode_column(column: pa.ChunkedArray, places: Mapping[str, int]) -> Ints:
    """The place of each row's value; `NO_VALUE` where it has none."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    if not len(encoded):
        return np.zeros(0, np.int64)
    of_entry = np.array([places.get(value, NO_VALUE) for value in encoded.dictionary.to_pylist()], np.int64)
    codes: Ints = of_entry[encoded.indices.to_numpy()]
    return codes
