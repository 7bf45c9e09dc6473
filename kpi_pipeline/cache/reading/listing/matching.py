"""Which rows of a block are selected, and what they sum to.

A mask has a byte a row, 1 where it is selected. Masks are made and joined by operations on whole byte
strings: a million rows take milliseconds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter

from kpi_pipeline.cache.certificate_blocks import Block, BlockColumn, BlockGroups, Derived
from kpi_pipeline.cache.reading.listing.query import DayRange, Selection
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.listed_work import LISTED_WORK
from kpi_pipeline.model.listing import (
    EVENT_COLUMNS,
    EXPECTED,
    FIRST_DAY,
    IDENTIFYING_COLUMNS,
    MARK_BITS,
    REASON_COLUMNS,
    SUMMED_COLUMNS,
)

MARKS = "marks"
_CURRENCY = "currency"
_NUMBER = "number"
_SPARSE = 32
"""Where fewer texts than one in so many contain a word, or are selected, each is found by itself."""

_BYTE = 256
_LATEST = 2**31
"""More than the number of any day."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The selected rows of a block.

    Attributes:
        block: The block.
        mask: Which rows; None for all.
        count: How many they are, at least one.
    """

    block: Block
    mask: bytes | None
    count: int


@dataclass(slots=True)
class Totals:
    """What selected certificates sum to.

    Attributes:
        count: How many they are.
        credit_notes: How many of them are credit notes, which no count of certificates includes.
        amounts: By currency, the sums of `SUMMED_COLUMNS` in minor units, without those of what is cancelled;
            and what is expected, where that is requested and there is an estimate.
    """

    count: int = 0
    credit_notes: int = 0
    amounts: dict[str, dict[str, int]] = field(default_factory=dict)


def matches_in(block: Block, selection: Selection) -> Matches | None:
    """The selected rows of a block; None where there is none."""
    masks = _masks(block.columns, block.count, selection)
    if not masks:
        return Matches(block, None, block.count)
    mask = _intersection(masks)
    count = mask.count(1)
    if not count:
        return None
    return Matches(block, None if count == block.count else mask, count)


def totals_of(matches: Iterable[Matches], selection: Selection) -> Totals:
    """What selected rows sum to.

    Args:
        matches: The rows.
        selection: By which they were selected.
    """
    totals = Totals()
    for found in matches:
        totals.count += found.count
        block, mask = found.block, found.mask
        if mask is None:
            totals.credit_notes += block.credit_notes
            for code, sums in block.sums.items():
                _add(totals, code, sums)
        elif block.groups is not None and not _is_of_rows(block, selection):
            _add_groups(totals, block.groups, _masks(block.groups.columns, block.groups.count, selection))
        else:
            _add_rows(totals, block, mask)
        if block.derived is not None and block.derived.column == EXPECTED.name:
            _add_expected(totals, block, block.derived, mask)
    return totals


def _add(totals: Totals, code: str, sums: Mapping[str, int]) -> None:
    known = totals.amounts.setdefault(code, dict.fromkeys(SUMMED_COLUMNS, 0))
    for name in SUMMED_COLUMNS:
        known[name] += sums[name]


def _add_groups(totals: Totals, groups: BlockGroups, masks: list[bytes]) -> None:
    mask = _intersection(masks)
    credit_notes = _intersection([mask, marked(groups.columns, "credit_note")])
    totals.credit_notes += sum(compress(groups.sizes, credit_notes))
    for code, found in _of_currencies(groups.columns, mask):
        _add(totals, code, {name: sum(compress(groups.amounts[name], found)) for name in SUMMED_COLUMNS})


def _add_rows(totals: Totals, block: Block, mask: bytes) -> None:
    if block.credit_notes:
        totals.credit_notes += _intersection([mask, marked(block.columns, "credit_note")]).count(1)
    for code, found in _of_currencies(block.columns, mask):
        # The first row twice besides: of a single one no tuple would come.
        rows = itemgetter(0, 0, *compress(range(block.count), found))
        values = {name: block.columns[name].values for name in SUMMED_COLUMNS}
        _add(totals, code, {name: sum(rows(held)) - 2 * held[0] for name, held in values.items()})


def _add_expected(totals: Totals, block: Block, expected: Derived, mask: bytes | None) -> None:
    currency = block.columns[_CURRENCY]
    sums = dict.fromkeys(range(len(currency.texts or ())), 0)
    counts = sums.copy()
    for row, (_, amount) in expected.keys.items():
        if mask is None or mask[row]:
            sums[currency.values[row]] += amount
            counts[currency.values[row]] += 1
    for place, code in enumerate(currency.texts or ()):
        if counts[place]:
            of_currency = totals.amounts[code]
            of_currency[EXPECTED.name] = of_currency.get(EXPECTED.name, 0) + sums[place]


def _masks(columns: Mapping[str, BlockColumn], count: int, selection: Selection) -> list[bytes]:
    """The rows that each condition admits, but for those that admit all; one mask where one admits none."""
    masks: list[bytes] = []
    for column, places in _conditions(columns, selection):
        if not places:
            return [bytes(count)]
        if len(places) < len(column.texts or ()) or column.known < count:
            masks.append(_mask_of_few(column, places))
    for wanted in selection.days:
        # Of groups, either all rows or none have it.
        dated = columns.get(EVENT_COLUMNS[wanted.event])
        of_days = None if dated is None else _mask_of_days(dated, wanted)
        masks += [] if of_days is None else [of_days]
    for word in fold(selection.search).split():
        searched = [columns[name] for name in IDENTIFYING_COLUMNS if name in columns]
        found = [_mask_of_few(column, places) for column in searched if (places := _containing(column, word))]
        if not found:
            return [bytes(count)]
        masks.append(_union(found))
    return masks


def _is_of_rows(block: Block, selection: Selection) -> bool:
    """Whether rows of one group differ: in a number that contains a word of the search, days, or reasons."""
    folded = block.columns[_NUMBER].folded
    return (
        bool(selection.reasons)
        or any(word in folded for word in fold(selection.search).split())
        or not all(
            _is_all_in(block.columns[EVENT_COLUMNS[wanted.event]], *_numbers(wanted))
            for wanted in selection.days
        )
    )


def _numbers(wanted: DayRange) -> tuple[int, int]:
    """The first and the last day as a column numbers them; no day is 0."""
    first = 1 if wanted.first is None else max((wanted.first - FIRST_DAY).days + 1, 1)
    return first, _LATEST if wanted.last is None else (wanted.last - FIRST_DAY).days + 1


def _is_all_in(column: BlockColumn, first: int, last: int) -> bool:
    least, greatest = column.bounds
    return first <= least and greatest <= last


def _mask_of_days(column: BlockColumn, wanted: DayRange) -> bytes | None:
    """The rows with an event in some days; None where all have it."""
    first, last = _numbers(wanted)
    least, greatest = column.bounds
    if _is_all_in(column, first, last):
        return None
    if last < least or greatest < first:
        return bytes(len(column.values))
    is_in = bytearray(greatest + 1)
    is_in[first : last + 1] = b"\1" * (min(last, greatest) + 1 - first)
    return bytes(map(is_in.__getitem__, column.values))


def _conditions(
    columns: Mapping[str, BlockColumn], selection: Selection
) -> Iterator[tuple[BlockColumn, Sequence[int]]]:
    """Columns, and the places of the texts of which a row must have one."""
    for dimension, values in selection.filter.terms:
        column, wanted = columns[dimension], {fold(value) for value in values}
        yield column, [at for at, text in enumerate(column.texts or ()) if fold(text) in wanted]
    if selection.currency:
        currency = columns[_CURRENCY]
        yield currency, [at for at, text in enumerate(currency.texts or ()) if text == selection.currency]
    for name, reason in selection.reasons:
        given = columns[REASON_COLUMNS[name]]
        yield given, [at for at, text in enumerate(given.texts or ()) if text == reason]
    if selection.expected:
        yield columns[MARKS], _places_of(columns, MARK_BITS["receivable"])
    if selection.work_list:
        listed = sum(MARK_BITS[name] for name in LISTED_WORK[selection.work_list].standings)
        yield columns[MARKS], _places_of(columns, listed, without=MARK_BITS["credit_note"])
    if selection.standings:
        yield columns[MARKS], _places_of(columns, sum(MARK_BITS[name] for name in selection.standings))


def _places_of(columns: Mapping[str, BlockColumn], bits: int, *, without: int = 0) -> list[int]:
    """The places of the marks that have one of some bits, and none of others."""
    marks = map(int, columns[MARKS].texts or ())
    return [at for at, mark in enumerate(marks) if mark & bits and not mark & without]


def _of_currencies(columns: Mapping[str, BlockColumn], mask: bytes) -> Iterator[tuple[str, bytes]]:
    """By currency, which of some rows have amounts that count."""
    marks, currency = columns[MARKS], columns[_CURRENCY]
    if cancelled := _places_of(columns, MARK_BITS["cancelled"]):
        others = [at for at in range(len(marks.texts or ())) if at not in cancelled]
        mask = _intersection([mask, _mask_of(marks, others)])
    codes = currency.texts or ()
    for place, code in enumerate(codes):
        rows = mask if len(codes) == 1 else _intersection([mask, _mask_of(currency, [place])])
        if 1 in rows:
            yield code, rows


def marked(columns: Mapping[str, BlockColumn], mark: str) -> bytes:
    """The rows that have a mark."""
    return _mask_of(columns[MARKS], _places_of(columns, MARK_BITS[mark]))


def _containing(column: BlockColumn, word: str) -> list[int]:
    """The places of the texts that contain a folded word."""
    folded = column.folded
    if word not in folded:
        return []
    if folded.count(word) * _SPARSE > len(column.texts or ()):
        return [at for at, text in enumerate(folded.split("\n")) if word in text]
    begins, found, at = column.begins, dict[int, None](), folded.find(word)
    while at >= 0:
        found[bisect_right(begins, at) - 1] = None
        at = folded.find(word, at + 1)
    return list(found)


def _mask_of(column: BlockColumn, places: Sequence[int]) -> bytes:
    """The rows that have one of some texts."""
    values = column.values
    if isinstance(values, bytes):
        table = bytearray(_BYTE)
        for place in places:
            table[place] = 1
        return values.translate(bytes(table))
    is_wanted = [0] * (len(column.texts or ()) + 1)
    for place in places:
        is_wanted[place] = 1
    return bytes(map(is_wanted.__getitem__, values))


def _mask_of_few(column: BlockColumn, places: Sequence[int]) -> bytes:
    """The same for few of many texts: their rows stand together where all are sorted by the column."""
    values, order = column.values, column.order
    if isinstance(values, bytes) or not order or len(places) * _SPARSE > len(column.texts or ()):
        return _mask_of(column, places)
    mask = bytearray(len(values))
    for place in places:
        begin = bisect_left(order, place, key=values.__getitem__)
        for row in order[begin : bisect_right(order, place, begin, key=values.__getitem__)]:
            mask[row] = 1
    return bytes(mask)


def _intersection(masks: Sequence[bytes]) -> bytes:
    first, *others = masks
    if not others:
        return first
    joined = int.from_bytes(first, "little")
    for mask in others:
        joined &= int.from_bytes(mask, "little")
    return joined.to_bytes(len(first), "little")


def _union(masks: Sequence[bytes]) -> bytes:
    joined = 0
    for mask in masks:
        joined |= int.from_bytes(mask, "little")
    return joined.to_bytes(len(masks[0]), "little")
