"""Selected rows of all blocks in one order: each block is sorted, and only what is shown is merged."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, compress, islice
from typing import Any, Final

from kpi_pipeline.cache.certificate_blocks import Block, BlockColumn, Derived
from kpi_pipeline.cache.reading.listing.matching import Matches
from kpi_pipeline.cache.reading.listing.query import Order
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listing import LIST_COLUMNS

Row = tuple[Block, int]
"""A certificate: its block and its row there."""

_MONEY: Final = frozenset(column.name for column in LIST_COLUMNS if column.kind is Kind.MONEY)
_MERGED: Final = 2_000
"""Up to so many rows are merged from the first; beyond that their place is searched."""

_WINDOW: Final = 256

_SPARSE: Final = 16
"""Where fewer rows than one in so many are selected, these are sorted: not all are gone through in order."""

_SCANNED: Final = 2_048
"""So many rows in order are gone through in any case: they hold the first of a page, as a rule."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The selected rows of a block that have a value in the column of the order.

    Attributes:
        matches: The selected rows.
        key: What a row sorts by.
    """

    matches: Matches
    key: Callable[[int], Any]


def rows_in(matches: Sequence[Matches], order: Order, offset: int, limit: int) -> list[Row]:
    """A page of the selected rows.

    Args:
        matches: The selected rows of each block, the earliest month first.
        order: How they are sorted; what is equal stands as in the blocks, reversed where it is descending.
        offset: How many rows come before the page.
        limit: How many it has at most.
    """
    if offset + limit <= _MERGED:
        return list(islice(all_rows(matches, order), offset, offset + limit))
    behind = sum(found.count for found in matches) - offset
    if behind <= _MERGED:
        page = list(islice(_from_the_end(matches, order), max(behind - limit, 0), max(behind, 0)))
        return page[::-1]
    return _deep(matches, order, offset, limit)


def all_rows(matches: Sequence[Matches], order: Order) -> Iterator[Row]:
    """All selected rows; arguments as of `rows_in`."""
    return chain(_merged(matches, order), _without_value(matches, order.column))


def _from_the_end(matches: Sequence[Matches], order: Order) -> Iterator[Row]:
    """The same, the last one first."""
    opposite = Order(order.column, not order.descending)
    return chain(_without_value(matches, order.column, backwards=True), _merged(matches, opposite))


def _merged(matches: Sequence[Matches], order: Order) -> Iterator[Row]:
    parts = [
        _keyed(found, _in_order(found, order), order.column)
        for found in (reversed(matches) if order.descending else matches)
    ]
    return (row for _, row in merge(*parts, key=_first, reverse=order.descending))


def _keyed(found: Matches, rows: Iterator[int], column: str) -> Iterator[tuple[Any, Row]]:
    return _pairs(_Part(found, _key(found.block, column)), rows)


def _pairs(part: _Part, rows: Iterator[int]) -> Iterator[tuple[Any, Row]]:
    block, key = part.matches.block, part.key
    return ((key(row), (block, row)) for row in rows)


def _first(keyed: tuple[Any, Row]) -> Any:
    return keyed[0]


def _in_order(found: Matches, order: Order) -> Iterator[int]:
    """The selected rows that have a value, in their order."""
    column = _ordered(found.block, order.column)
    return _selected(
        found, order.column, column.order[: column.known], has_value=True, backwards=order.descending
    )


def _without_value(matches: Sequence[Matches], name: str, *, backwards: bool = False) -> Iterator[Row]:
    for found in reversed(matches) if backwards else matches:
        column = _ordered(found.block, name)
        rows = column.order[column.known :]
        for row in _selected(found, name, rows, has_value=False, backwards=backwards):
            yield found.block, row


def _selected(
    found: Matches, name: str, rows: Sequence[int], *, has_value: bool, backwards: bool
) -> Iterator[int]:
    """Those of some rows of a block that are selected, in their order.

    Args:
        found: The block, and which rows are selected.
        name: The column by which they are sorted.
        rows: All rows of the block that have a value in it, or all others, sorted.
        has_value: Which of these they are.
        backwards: Whether the last one comes first.
    """
    if backwards:
        rows = rows[::-1]
    if (mask := found.mask) is None:
        yield from rows
        return
    count = 0
    for row in compress(rows, map(mask.__getitem__, islice(rows, _SCANNED))):
        count += 1
        yield row
    if len(rows) <= _SCANNED:
        return
    if found.count * _SPARSE > found.block.count or name not in found.block.columns:
        yield from compress(rows[_SCANNED:], map(mask.__getitem__, rows[_SCANNED:]))
        return
    known, without = _sorted_selected(found.block, mask, name)
    chosen = known if has_value else without
    yield from islice(reversed(chosen) if backwards else chosen, count, None)


def _sorted_selected(block: Block, mask: bytes, name: str) -> tuple[list[int], list[int]]:
    """The selected rows of a block by a column: those that have a value in it, sorted, and the others."""
    column, rows = block.columns[name], compress(range(block.count), mask)
    values = column.values
    if name in _MONEY:
        codes = block.columns["currency"].values
        return sorted(rows, key=lambda row: (codes[row], values[row])), []
    # What has no text has the place past all texts; what has no number has 0.
    is_known = bool if column.texts is None else len(column.texts).__gt__
    known, without = list[int](), list[int]()
    for row in rows:
        (known if is_known(values[row]) else without).append(row)
    known.sort(key=values.__getitem__)
    return known, without


def _key(block: Block, name: str) -> Callable[[int], Any]:
    """What a row of a block sorts by among those of all blocks."""
    if block.derived is not None and name == block.derived.column:
        return block.derived.keys.__getitem__
    column = block.columns[name]
    values = column.values
    if column.texts is not None:
        return column.key
    return _money_key(block, values) if name in _MONEY else values.__getitem__


def _money_key(block: Block, amounts: Sequence[int]) -> Callable[[int], Any]:
    """Amounts of a currency are sorted together."""
    currency = block.columns["currency"]
    codes, names = currency.values, currency.texts or ()
    return lambda row: (names[codes[row]], amounts[row])


def _ordered(block: Block, name: str) -> BlockColumn | Derived:
    """Rows in the order of a column."""
    if block.derived is not None and name == block.derived.column:
        return block.derived
    return block.columns[name]


def _deep(matches: Sequence[Matches], order: Order, offset: int, limit: int) -> list[Row]:
    """A page whose place is searched, not counted up to."""
    parts = [_Part(found, _key(found.block, order.column)) for found in matches]
    rows = [_known_rows(found, order.column) for found in matches]
    known = sum(map(len, rows))
    page: list[Row] = []
    if offset < known:
        end = min(offset + limit, known)
        begin, end = (known - end, known - offset) if order.descending else (offset, end)
        page = _between(parts, rows, begin, end)
        if order.descending:
            page.reverse()
    if (left := limit - len(page)) > 0:
        skipped = max(offset - known, 0)
        page += islice(_without_value(matches, order.column), skipped, skipped + left)
    return page


def _known_rows(found: Matches, name: str) -> Sequence[int]:
    column = _ordered(found.block, name)
    known = column.order[: column.known]
    return known if found.mask is None else list(_in_order(found, Order(name, descending=False)))


def _between(parts: Sequence[_Part], rows: Sequence[Sequence[int]], begin: int, end: int) -> list[Row]:
    """Rows of given ranks in ascending order: windows around them shrink in all parts until few are left."""
    low, high = [0] * len(rows), [len(held) for held in rows]
    smallest = max(_WINDOW, 2 * len(rows))
    while sum(high) - sum(low) > smallest:
        widest = max(range(len(rows)), key=lambda at: high[at] - low[at])
        middle = (low[widest] + high[widest]) // 2
        pivot = parts[widest].key(rows[widest][middle])
        # Equal rows stand in the order of their parts.
        before = [
            middle
            if at == widest
            else (bisect_right if at < widest else bisect_left)(
                held, pivot, low[at], high[at], key=parts[at].key
            )
            for at, held in enumerate(rows)
        ]
        if sum(before) <= begin:
            low = before
        else:
            high = before
    keyed = [
        _pairs(part, islice(held, first, None)) for part, held, first in zip(parts, rows, low, strict=True)
    ]
    skipped = begin - sum(low)
    return [row for _, row in islice(merge(*keyed, key=_first), skipped, skipped + end - begin)]
