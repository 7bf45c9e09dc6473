"""Blocks: the certificates of a shard as columns, packed for Redis and read without the libraries of numbers.

A block is named by its content: generations share what has not changed, and so does the memory of a reader.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from itertools import accumulate
from typing import Any, Final, Protocol

import orjson

from kpi_pipeline.cache.certificate_index import INDEX
from kpi_pipeline.cache.codec import CorruptPayload, pack, unpack
from kpi_pipeline.model.certificate_details import MILESTONES
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.listing import SUMMED_COLUMNS, sort_key

_LENGTH: Final = 4
_SIZES: Final = "sizes"
_SUM_OF: Final = "sum of {}"


class _Column(Protocol):
    """A column to be packed; see `compute.listing.blocks.ColumnBytes`."""

    @property
    def typecode(self) -> str: ...
    @property
    def values(self) -> bytes: ...
    @property
    def texts(self) -> Sequence[str] | None: ...
    @property
    def order(self) -> bytes: ...
    @property
    def known(self) -> int: ...


class _Groups(Protocol):
    """Groups of rows; see `compute.listing.blocks.GroupBytes`."""

    @property
    def count(self) -> int: ...
    @property
    def codes(self) -> Mapping[str, tuple[str, bytes]]: ...
    @property
    def sizes(self) -> tuple[str, bytes]: ...
    @property
    def amounts(self) -> Mapping[str, bytes]: ...


class _Timeline(Protocol):
    """Milestones of rows; see `compute.listing.blocks.TimelineBytes`."""

    @property
    def lengths(self) -> tuple[str, bytes]: ...
    @property
    def milestones(self) -> tuple[str, bytes]: ...
    @property
    def gaps(self) -> tuple[str, bytes]: ...


class _Rows(Protocol):
    """Rows to be packed; see `compute.listing.blocks.ShardRows`."""

    @property
    def count(self) -> int: ...
    @property
    def row_type(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, _Column]: ...
    @property
    def sums(self) -> Mapping[str, Mapping[str, int]]: ...
    @property
    def credit_notes(self) -> int: ...
    @property
    def groups(self) -> _Groups | None: ...
    @property
    def timeline(self) -> _Timeline: ...


@dataclass(frozen=True)
class BlockColumn:
    """A column of a block.

    Attributes:
        name: Its name.
        values: Of each row: the place of its text, which is past all texts where it has none; a day or days,
            by one too many and 0 where there is none; an amount.
        texts: Its texts in the order in which they sort; None of numbers.
        order: The rows in ascending order, those without a value behind; empty where nothing is sorted by it.
        known: How many rows have a value.
    """

    name: str
    values: "bytes | array[int]"
    texts: tuple[str, ...] | None
    order: "bytes | array[int]"
    known: int

    def key(self, row: int) -> tuple[str, str]:
        """What the text of a row sorts by among those of all blocks."""
        place = self.values[row]
        key = self._keys.get(place)
        if key is None:
            text = (self.texts or ())[place]
            key = self._keys[place] = (sort_key(self.name, text), text)
        return key

    @cached_property
    def _keys(self) -> dict[int, tuple[str, str]]:
        return {}

    @cached_property
    def folded(self) -> str:
        """Its texts folded, one a line."""
        texts = self.texts or ()
        # Most numbers need no more than small letters.
        if _is_plain("".join(texts)):
            return "\n".join(texts).lower()
        return "\n".join(map(fold, texts))

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest of its numbers."""
        return min(self.values, default=0), max(self.values, default=0)

    def place_of(self, folded: str) -> int | None:
        """The place of the text that is folded so; None where there is none."""
        texts, key = self.texts or (), sort_key(self.name, folded)
        at = bisect_left(texts, key, key=partial(sort_key, self.name))
        while at < len(texts) and sort_key(self.name, texts[at]) == key:
            if fold(texts[at]) == folded:
                return at
            at += 1
        return None

    @cached_property
    def begins(self) -> "array[int]":
        """Where each line of `folded` begins."""
        lengths = (len(line) + 1 for line in self.folded.split("\n"))
        return array("L", accumulate(lengths, initial=0))

    def text(self, row: int) -> str | None:
        """The text of a row."""
        place = self.values[row]
        texts = self.texts or ()
        return texts[place] if place < len(texts) else None


@dataclass(frozen=True)
class BlockGroups:
    """Rows of a block that no filter and no mark tells apart, summed.

    Attributes:
        count: How many groups there are.
        columns: By name, those that filter or mark, and the currency: the texts are those of the block.
        sizes: How many rows each group has.
        amounts: By name, the sums of each group.
    """

    count: int
    columns: Mapping[str, BlockColumn]
    sizes: "bytes | array[int]"
    amounts: Mapping[str, "bytes | array[int]"]


@dataclass(frozen=True)
class Timeline:
    """The milestones of a block's rows, one row after the other.

    Attributes:
        lengths: How many each row has.
        milestones: Each one's place in `MILESTONES`.
        gaps: Days since the one before; of a row's first, since its issue.
    """

    lengths: "bytes | array[int]"
    milestones: "bytes | array[int]"
    gaps: "bytes | array[int]"

    def of(self, row: int) -> list[tuple[str, int]]:
        """The milestones of a row, each with its gap."""
        begin = sum(self.lengths[:row])
        places = range(begin, begin + self.lengths[row])
        return [(MILESTONES[self.milestones[at]], self.gaps[at]) for at in places]


@dataclass(frozen=True, slots=True)
class Derived:
    """Columns that are computed of some rows of a block when they are requested.

    Attributes:
        column: Name of the one that they are sorted by.
        keys: By row of those with a value in it, what they sort by: currency, the value, and more.
        order: These rows in ascending order, and the others behind.
        known: How many have a value.
        value: Gives a row's value in one of the columns, by its name.
    """

    column: str
    keys: Mapping[int, tuple[Any, ...]]
    order: "array[int]"
    known: int
    value: Callable[[int, str], Any]


@dataclass(frozen=True)
class Block:
    """The certificates of a shard.

    Attributes:
        count: How many there are.
        columns: By name.
        sums: By currency, the sums of the columns of amounts of what is not cancelled.
        credit_notes: How many are credit notes.
        groups: Its certificates in groups; None where there are not much fewer of these.
        timeline: The milestones of its certificates.
        size: Its bytes, about.
        derived: What is computed of it; None unless that is requested.
    """

    count: int
    columns: Mapping[str, BlockColumn]
    sums: Mapping[str, Mapping[str, int]]
    credit_notes: int
    groups: BlockGroups | None
    timeline: Timeline
    size: int
    derived: Derived | None = None


def pack_block(rows: _Rows) -> tuple[str, bytes]:
    """Pack the certificates of a shard.

    Returns:
        The name of the block and its stored value.
    """
    head: dict[str, Any] = {
        "count": rows.count,
        "row_type": rows.row_type,
        "sums": rows.sums,
        "credit_notes": rows.credit_notes,
        "columns": [
            {
                "name": name,
                "typecode": column.typecode,
                "values": len(column.values),
                "texts": column.texts,
                "order": len(column.order),
                "known": column.known,
            }
            for name, column in rows.columns.items()
        ],
    }
    parts = [part for column in rows.columns.values() for part in (column.values, column.order)]
    if (groups := rows.groups) is not None:
        packed = {**groups.codes, _SIZES: groups.sizes}
        packed |= {_SUM_OF.format(name): ("q", held) for name, held in groups.amounts.items()}
        lengths = [(name, typecode, len(held)) for name, (typecode, held) in packed.items()]
        head["groups"] = {"count": groups.count, "columns": lengths}
        parts += [held for _, held in packed.values()]
    timeline = (rows.timeline.lengths, rows.timeline.milestones, rows.timeline.gaps)
    head["timeline"] = [(typecode, len(held)) for typecode, held in timeline]
    parts += [held for _, held in timeline]
    text = orjson.dumps(head)
    parts[:0] = [len(text).to_bytes(_LENGTH, "little"), text]
    content = b"".join(parts)
    name = f"{INDEX}-{blake2b(content, digest_size=16).hexdigest()}"
    return name, pack(content)


def read_block(frame: bytes) -> Block:
    """Read a block from its stored value.

    Raises:
        CorruptPayload: If it is none, or not what was written.
    """
    content = memoryview(unpack(frame))
    try:
        end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
        head = orjson.loads(content[_LENGTH:end])
        columns: dict[str, BlockColumn] = {}
        for column in head["columns"]:
            middle = end + column["values"]
            values = _array(column["typecode"], content[end:middle])
            end = middle + column["order"]
            order = _array(head["row_type"], content[middle:end])
            texts = None if column["texts"] is None else tuple(column["texts"])
            columns[column["name"]] = BlockColumn(column["name"], values, texts, order, column["known"])
        groups = None
        if "groups" in head:
            groups, end = _read_groups(head["groups"], columns, content, end)
        timeline, _ = _read_arrays(head["timeline"], content, end)
        return Block(
            *(head["count"], columns, head["sums"], head["credit_notes"]),
            *(groups, Timeline(*timeline), len(content)),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise CorruptPayload("a stored block is of another version: publish it again") from error


def _read_arrays(
    described: Sequence[tuple[str, int]], content: memoryview, begin: int
) -> "tuple[list[bytes | array[int]], int]":
    """Arrays one after the other, given typecode and bytes of each, and where the last one ends."""
    found = []
    for typecode, length in described:
        found.append(_array(typecode, content[begin : begin + length]))
        begin += length
    return found, begin


def _read_groups(
    head: Mapping[str, Any], columns: Mapping[str, BlockColumn], content: memoryview, begin: int
) -> tuple[BlockGroups, int]:
    names = [name for name, _, _ in head["columns"]]
    arrays, end = _read_arrays([sized for _, *sized in head["columns"]], content, begin)
    held = dict(zip(names, arrays, strict=True))
    sizes = held.pop(_SIZES)
    amounts = {name: held.pop(_SUM_OF.format(name)) for name in SUMMED_COLUMNS}
    of_groups = {
        name: BlockColumn(name, values, columns[name].texts, b"", head["count"])
        for name, values in held.items()
    }
    return BlockGroups(head["count"], of_groups, sizes, amounts), end


def _is_plain(text: str) -> bool:
    """Whether folding it gives what `lower` does."""
    return text.isascii() and text.isprintable() and " " not in text


def _array(typecode: str, content: memoryview) -> "bytes | array[int]":
    """Numbers as they are read fastest."""
    if typecode == "B":
        return bytes(content)
    numbers = array(typecode)
    numbers.frombytes(content)
    return numbers
