"""Tables of the roll-up with their dimensions as numbers, and lookups of rows by group and place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.cube.sums import DenseSums, SparseSums, joined_sums
from kpi_pipeline.compute.evaluation_days import COHORT, DAYS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Digests = npt.NDArray[np.uint64]

NO_VALUE: Final = -1
"""Code of no value, or of one that the cells do not have: no filter that names the dimension admits it."""

_DIGEST_SEED: Final = 20_240_229

_SPARSE_FROM: Final = 16
"""Tables of so many columns hold what is not zero: of the cells' components that is an eighth."""

CHUNK_ROWS: Final = 1 << 16
"""Rows summed at a time: it bounds the memory that a sum takes."""

_LEAST_OF_64_BITS: Final = 2**31

_RADIX_REACH: Final = 1 << 16
"""Up to so many numbers numpy sorts by counting, some ten times as fast as by comparing."""


_FEW_KEYS: Final = 1 << 16
_SPREAD: Final = 4
"""Combinations of keys are counted in a table where there are few, or few a row; else they are sorted."""


@dataclass(frozen=True, slots=True)
class EncodedTable:
    """One table of the roll-up; numbers are held in as few bytes as they need.

    Rows are in order of place, and within a place by part of the table, and within that as `EncodedTable.of`
    is told.

    Attributes:
        codes: By dimension but the month, the place of each row's value among the cube's values.
        place: Place of each row on the cube's axis of days and months.
        month: Place of each row's month among the cube's months.
        currency: Place of each row's currency among the cube's.
        sums: What is summed.
        others: Further numbers of each row, by name.
        digests: A number for each row: equal for equal rows, different for all others but one in 2**64.
    """

    codes: dict[str, Ints]
    place: Ints
    month: Ints
    currency: Ints
    sums: DenseSums | SparseSums
    others: dict[str, Ints]
    digests: Digests

    @classmethod
    def of(
        cls,
        table: pa.Table,
        values: Mapping[str, Sequence[str]],
        months: Mapping[str, int],
        currencies: Sequence[str],
        columns: Sequence[str],
        *,
        then_by: str = "currency",
        others: Mapping[str, Ints] | None = None,
        labels: Ints | None = None,
    ) -> "EncodedTable":
        """Encode a table.

        Args:
            table: Dimensions, currency and columns; rows without a day are of their month.
            values: By dimension but the month, its values.
            months: Place of each month among the months.
            currencies: Codes of the currencies.
            columns: What is summed.
            then_by: By what rows of a place are ordered: `currency` or one of the columns.
            others: Further numbers of each row of the table.
            labels: A number for the columns of each row that are not encoded.
        """
        month = encode_column(table["month"], months)
        cohort = np.full(table.num_rows, COHORT)
        day = table["place"].to_numpy() if "place" in table.column_names else cohort
        place = np.where(day == COHORT, DAYS + month, day)
        currency = encode_column(table["currency"], place_of(currencies))
        second = currency if then_by == "currency" else table[then_by].to_numpy()
        order = _order(place, second)
        held = SparseSums if len(columns) >= _SPARSE_FROM else DenseSums
        codes = {
            name: _small(encode_column(table[name], place_of(known))[order], len(known))
            for name, known in values.items()
        }
        sums = held.of([table[name] for name in columns], order)
        numbers: list[Ints] = [column[order].astype(np.int32) for column in (place, month, currency)]
        place, month, currency = numbers
        label = np.zeros(len(order), np.int64) if labels is None else labels[order]
        return cls(
            codes,
            place,
            month,
            currency,
            sums,
            {name: column[order] for name, column in (others or {}).items()},
            _digests(sums, [*codes.values(), place, month, currency, label]),
        )

    @classmethod
    def joined(cls, pieces: Sequence["Piece"]) -> "EncodedTable":
        """The rows of some pieces, one after the other; at least one."""
        whole = pieces[0].table
        parts = [(piece.table, slice(piece.begin, piece.end)) for piece in pieces]
        return cls(
            {
                name: np.concatenate([table.codes[name][rows] for table, rows in parts])
                for name in whole.codes
            },
            np.concatenate([table.place[rows] for table, rows in parts]),
            np.concatenate([table.month[rows] for table, rows in parts]),
            np.concatenate([table.currency[rows] for table, rows in parts]),
            joined_sums([(table.sums, rows) for table, rows in parts]),
            {
                name: np.concatenate([table.others[name][rows] for table, rows in parts])
                for name in whole.others
            },
            np.concatenate([table.digests[rows] for table, rows in parts]),
        )

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.month)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        numbers = (self.place, self.month, self.currency, self.digests)
        arrays = (*self.codes.values(), *numbers, *self.others.values())
        return sum(array.nbytes for array in arrays) + self.sums.nbytes


class Piece(NamedTuple):
    """Some rows of a table.

    Attributes:
        table: The table.
        begin: The first of them.
        end: The one after the last.
    """

    table: EncodedTable
    begin: int
    end: int


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
        order = stable_order(group)
        if order is not None:
            rows, group, place = rows[order], group[order], place[order]
        # Groups stand in order: the last one is the largest.
        self._end = (int(group[-1]) + 1 if len(group) else 0) * places
        self._kind: Any = np.int32 if self._end < _LEAST_OF_64_BITS else np.int64
        key: npt.NDArray[Any] = group.astype(self._kind)
        key *= places
        key += place.astype(self._kind)
        if (key[1:] < key[:-1]).any():
            order = np.argsort(key, kind="stable")
            rows, key = rows[order], key[order]
        self.rows: Ints = rows.astype(np.int32, copy=False)
        self._key = key
        self._places = places

    def within(self, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """The rows of some groups in stretches of places.

        Args:
            group: The group of each stretch.
            first: Its first place on the axis.
            last: Its last place; before `first` it is empty.

        Returns:
            Which stretch each row is in, ascending, and the row; rows of a stretch are in order of place.
        """
        begin, length = self._stretches(group, first, last)
        stretch: Ints = np.repeat(np.arange(len(group)), length)
        offset: Ints = np.repeat(begin - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
        return stretch, self.rows[offset + np.arange(len(offset))]

    def counts(self, group: Ints, first: Ints, last: Ints) -> Ints:
        """How many rows each stretch of places has; arguments as of `within`."""
        return self._stretches(group, first, last)[1]

    def _stretches(self, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Where each stretch begins, and how many rows it has."""
        base = group * np.int64(self._places)
        # Numbers of another size would be compared as copies of all.
        begin, end = (
            np.searchsorted(
                self._key,
                np.minimum(base + np.clip(place, 0, self._places), self._end).astype(self._kind),
            )
            for place in (first, last + 1)
        )
        return begin, np.maximum(end - begin, 0)


def stable_order(numbers: Ints) -> Ints | None:
    """The order that sorts numbers from 0 on, equal ones as they stand; None where they are in order."""
    if not (numbers[1:] < numbers[:-1]).any():
        return None
    small = numbers.astype(np.uint16) if int(numbers.max()) < _RADIX_REACH else numbers
    order: Ints = np.argsort(small, kind="stable")
    return order


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
        chunk, taken = at[begin : begin + CHUNK_ROWS], rows[begin : begin + CHUNK_ROWS]
        for column in range(sums.shape[1]):
            np.add.at(total[:, column], chunk, sums[taken, column])
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
    combined = np.ravel_multi_index(tuple(keys), shape)
    possible = prod(shape)
    if possible <= max(_FEW_KEYS, _SPREAD * len(rows)):
        occurs = np.zeros(possible, np.bool_)
        occurs[combined] = True
        combinations = np.flatnonzero(occurs)
        at = (np.cumsum(occurs) - 1)[combined]
    else:
        combinations, at = np.unique(combined, return_inverse=True)
    total = sum_by_place(sums, rows, at, len(combinations))
    return tuple(key.astype(np.int64) for key in np.unravel_index(combinations, shape)), total


def place_of(values: Sequence[str]) -> dict[str, int]:
    """Each value's place."""
    return {value: place for place, value in enumerate(values)}


def encode_column(column: pa.ChunkedArray, places: Mapping[str, int]) -> Ints:
    """The place of each row's value; `NO_VALUE` where it has none."""
    whole = column.combine_chunks()
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    if not len(encoded):
        return np.zeros(0, np.int64)
    of_entry = np.array([places.get(value, NO_VALUE) for value in encoded.dictionary.to_pylist()], np.int64)
    codes: Ints = of_entry[encoded.indices.to_numpy()]
    return codes


def _order(first: Ints, second: Ints) -> Ints:
    """The order of rows by one number from 0 on, and then by another."""
    by_second = stable_order(second)
    by_first = stable_order(first if by_second is None else first[by_second])
    if by_first is None:
        return np.arange(len(first)) if by_second is None else by_second
    return by_first if by_second is None else by_second[by_first]


def _digests(sums: DenseSums | SparseSums, columns: Sequence[Ints]) -> Digests:
    """The digests of rows with some sums and columns."""
    weights = np.random.default_rng(_DIGEST_SEED).integers(
        0, 2**64, len(columns) + sums.columns_held, np.uint64, endpoint=False
    )
    # Sums wrap around 2**64; weights are odd, so that no column's change is lost.
    weights |= np.uint64(1)
    digests = sums.weighted(weights[len(columns) :])
    for weight, column in zip(weights, columns, strict=False):
        digests += column.astype(np.uint64) * weight
    return digests


def _small(codes: Ints, values: int) -> Ints:
    """The same codes in the smallest of the integers with a sign that holds those of so many values."""
    kind: Any = np.int8 if values <= 2**7 else np.int16 if values <= 2**15 else np.int32
    return codes.astype(kind)
