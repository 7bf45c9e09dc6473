"""Rows of the list as blocks: a shard's columns as bytes, with the order of its rows by each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.listing.rows import MARKS, SHARD
from kpi_pipeline.compute.listing.timelines import TIMELINE, milestones_of
from kpi_pipeline.model.certificate_details import DETAIL_DAYS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listing import LIST_COLUMNS, LIST_EVENTS, MARK_BITS, SUMMED_COLUMNS, sort_key

Ints = npt.NDArray[np.int64]

_CURRENCY: Final = "currency"
_KINDS: Final = {column.name: column.kind for column in LIST_COLUMNS}
_NUMBERS: Final = (Kind.DAY, Kind.DAYS, Kind.MONEY)
_GROUPED: Final = (*DIMENSION_NAMES, _CURRENCY)
_FEWER_GROUPS: Final = 3
"""Groups are kept where there are at least so many rows a group."""

_UNSORTED: Final = (*(event.column for event in LIST_EVENTS if event.value), *DETAIL_DAYS)
"""Days by which nothing is sorted."""

_WIDTHS: Final = (("B", 8), ("H", 16), ("I", 32))
_SIGNED_WIDTHS: Final = (("b", 8), ("h", 16), ("i", 32), ("q", 64))


@dataclass(frozen=True, slots=True)
class ColumnBytes:
    """A column of a block.

    Attributes:
        typecode: Of `array`, of the values: B, H, I of what is never negative, b, h, i and q of amounts.
        values: Of each row, little-endian: the place of its text; a day or days, by one too many and 0 where
            there is none; an amount.
        texts: In the order in which they sort, those of marks their bits as a number; None of numbers.
        order: The rows in ascending order, those without a value behind; H or I as the block's `row_type`.
            Empty where nothing is sorted by the column.
        known: How many rows have a value.
    """

    typecode: str
    values: bytes
    texts: tuple[str, ...] | None
    order: bytes
    known: int


@dataclass(frozen=True, slots=True)
class GroupBytes:
    """Rows of a shard that no filter and no mark tells apart, summed: totals need not look at each row.

    Attributes:
        count: How many groups there are.
        codes: By column that filters or marks, and of the currency: typecode and values as of `ColumnBytes`.
        sizes: How many rows each group has: typecode and values.
        amounts: By name, the sums of `SUMMED_COLUMNS` of each group: 64 bits each.
    """

    count: int
    codes: Mapping[str, tuple[str, bytes]]
    sizes: tuple[str, bytes]
    amounts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class TimelineBytes:
    """The milestones of a shard's rows, one row after the other.

    Attributes:
        lengths: How many each row has: typecode and values as of `ColumnBytes`.
        milestones: Each one's place in `MILESTONES`: typecode and values.
        gaps: Days since the one before; of a row's first, since its issue: typecode and values.
    """

    lengths: tuple[str, bytes]
    milestones: tuple[str, bytes]
    gaps: tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class ShardRows:
    """The rows of a shard.

    Attributes:
        month: Its number.
        count: How many rows there are.
        row_type: Typecode of the numbers of rows.
        columns: By name.
        sums: By currency, the sums of `SUMMED_COLUMNS` of what is not cancelled.
        credit_notes: How many rows are credit notes.
        groups: Its rows in groups; None where there are not much fewer of these.
        timeline: The milestones of its rows.
    """

    month: int
    count: int
    row_type: str
    columns: Mapping[str, ColumnBytes]
    sums: Mapping[str, Mapping[str, int]]
    credit_notes: int
    groups: GroupBytes | None
    timeline: TimelineBytes


def shard_rows(listed: pa.Table) -> Iterator[ShardRows]:
    """The rows of the list by shard, within each by day of issue, project and number.

    Args:
        listed: As `rows.listed_rows` gives them.
    """
    texts = {
        name: _texts(name, listed[name])
        for name in dict.fromkeys((*DIMENSION_NAMES, *_KINDS))
        if _KINDS.get(name) not in _NUMBERS
    }
    numbers = {
        name: np.asarray(_filled(listed[name], kind).to_numpy(), np.int64)
        for name, kind in _KINDS.items()
        if kind in _NUMBERS
    }
    for name in _UNSORTED:
        numbers[name] = np.asarray(_filled(listed[name], Kind.DAYS).to_numpy(), np.int64)
    numbers[MARKS] = np.asarray(listed[MARKS].to_numpy(), np.int64)
    milestones = listed.select(TIMELINE).combine_chunks()
    shard = np.asarray(listed[SHARD].to_numpy(), np.int64)
    keys = (texts["number"].codes, texts["project"].codes, numbers["issued_on"], shard)
    order = np.lexsort(keys)
    months, first = np.unique(shard[order], return_index=True)
    ends = [*first.tolist()[1:], len(order)] if len(order) else []
    for month, begin, end in zip(months.tolist(), first.tolist(), ends, strict=True):
        rows = order[begin:end]
        yield _of_shard(
            month,
            {name: held.of(rows) for name, held in texts.items()},
            {name: held[rows] for name, held in numbers.items()},
            _timeline(milestones_of(milestones, rows)),
        )


@dataclass(frozen=True, slots=True)
class _Texts:
    """A column of texts.

    Attributes:
        codes: The place of each row's text; past all texts where it has none.
        distinct: The texts in the order in which they sort.
    """

    codes: Ints
    distinct: tuple[str, ...]

    def of(self, rows: Ints) -> "_Texts":
        """That of some rows, with their texts alone."""
        found, codes = np.unique(self.codes[rows], return_inverse=True)
        known = [at for at in found.tolist() if at < len(self.distinct)]
        return _Texts(codes.astype(np.int64), tuple(self.distinct[at] for at in known))


def _texts(name: str, column: pa.ChunkedArray) -> _Texts:
    encoded = column.combine_chunks().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    order = sorted(range(len(distinct)), key=lambda at: (sort_key(name, distinct[at]), distinct[at]))
    place = np.full(len(distinct) + 1, len(distinct))
    place[order] = np.arange(len(distinct))
    codes = encoded.indices.fill_null(len(distinct)).to_numpy()
    return _Texts(place[codes], tuple(distinct[at] for at in order))


def _filled(column: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    """Numbers without nulls: days by one too many, and 0 where there is none."""
    return column if kind is Kind.MONEY else pc.add(column, 1).fill_null(0)


def _of_shard(
    month: int, texts: Mapping[str, _Texts], numbers: Mapping[str, Ints], timeline: TimelineBytes
) -> ShardRows:
    currency, marks = texts[_CURRENCY], numbers[MARKS]
    row_type = _typecode(len(marks))
    combinations, mark_codes = np.unique(marks, return_inverse=True)
    columns = {
        MARKS: ColumnBytes(
            *_packed(mark_codes.astype(np.int64)), tuple(map(str, combinations.tolist())), b"", len(marks)
        )
    }
    for name, held in texts.items():
        order, known = b"", int(np.count_nonzero(held.codes < len(held.distinct)))
        if name in _KINDS:
            # What has no text has the last place.
            order = _bytes(np.argsort(held.codes, kind="stable"), row_type)
        columns[name] = ColumnBytes(*_packed(held.codes), held.distinct, order, known)
    for name, kind in _KINDS.items():
        if kind is Kind.MONEY:
            # Amounts of a currency are sorted together.
            order = _bytes(np.lexsort((numbers[name], currency.codes)), row_type)
            columns[name] = ColumnBytes(*_packed_signed(numbers[name]), None, order, len(marks))
        elif kind in _NUMBERS:
            is_known = numbers[name] > 0
            order = _bytes(np.lexsort((numbers[name], ~is_known)), row_type)
            columns[name] = ColumnBytes(*_packed(numbers[name]), None, order, int(np.count_nonzero(is_known)))
    for name in _UNSORTED:
        known = int(np.count_nonzero(numbers[name]))
        columns[name] = ColumnBytes(*_packed(numbers[name]), None, b"", known)
    is_in = (marks & MARK_BITS["cancelled"]) == 0
    sums = {
        code: {name: _sum(numbers[name][is_in & (currency.codes == place)]) for name in SUMMED_COLUMNS}
        for place, code in enumerate(currency.distinct)
    }
    credit_notes = int(np.count_nonzero(marks & MARK_BITS["credit_note"]))
    codes = {name: texts[name].codes for name in _GROUPED} | {MARKS: mark_codes.astype(np.int64)}
    amounts = {name: numbers[name] for name in SUMMED_COLUMNS}
    groups = _groups(codes, amounts, len(marks))
    return ShardRows(month, len(marks), row_type, columns, sums, credit_notes, groups, timeline)


def _timeline(found: Mapping[str, Ints]) -> TimelineBytes:
    return TimelineBytes(_packed(found["length"]), _packed(found["milestone"]), _packed_signed(found["gap"]))


def _groups(codes: Mapping[str, Ints], amounts: Mapping[str, Ints], count: int) -> GroupBytes | None:
    combined = np.zeros(count, np.int64)
    for held in codes.values():
        # Numbered anew after each column: the product of all would not fit 64 bits.
        combined = np.unique(combined * (int(held.max(initial=0)) + 1) + held, return_inverse=True)[1]
    _, first, group, sizes = np.unique(combined, return_index=True, return_inverse=True, return_counts=True)
    if len(first) * _FEWER_GROUPS > count:
        return None
    return GroupBytes(
        len(first),
        {name: _packed(held[first]) for name, held in codes.items()},
        _packed(sizes),
        {name: _bytes(_by_group(group, held, len(first)), "q") for name, held in amounts.items()},
    )


def _by_group(group: Ints, amounts: Ints, groups: int) -> Ints:
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, group, amounts)
    return sums


def _sum(amounts: Ints) -> int:
    """The exact sum: that of a shard may not fit 64 bits."""
    return sum(amounts.tolist())


def _packed(values: Ints) -> tuple[str, bytes]:
    """The typecode and the bytes of numbers that are not negative."""
    typecode = _typecode(int(values.max(initial=0)) + 1)
    return typecode, _bytes(values, typecode)


def _packed_signed(values: Ints) -> tuple[str, bytes]:
    largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
    typecode = next(code for code, bits in _SIGNED_WIDTHS if largest < 2 ** (bits - 1) or code == "q")
    return typecode, _bytes(values, typecode)


def _bytes(values: npt.NDArray[np.integer[Any]], typecode: str) -> bytes:
    return values.astype(np.dtype(typecode).newbyteorder("<")).tobytes()


def _typecode(count: int) -> str:
    """The smallest type that tells so many values apart."""
    return next(code for code, bits in _WIDTHS if count <= 2**bits)
