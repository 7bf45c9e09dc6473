"""The certificates of a generation, read block by block and held by this process."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from threading import Lock
from typing import Final, NamedTuple, TypeVar, cast

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.certificate_blocks import Block, read_block
from kpi_pipeline.cache.certificate_index import INDEX, CertificateIndex
from kpi_pipeline.cache.client_outlooks import ClientOutlooks, read_outlooks
from kpi_pipeline.cache.codec import CorruptPayload, Payload
from kpi_pipeline.cache.keys import payload_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.listing.expected import expecting
from kpi_pipeline.cache.reading.listing.matching import MARKS, Matches, Totals, matches_in, totals_of
from kpi_pipeline.cache.reading.listing.query import Order, Selection
from kpi_pipeline.cache.reading.listing.sorting import Row, all_rows, rows_in
from kpi_pipeline.cache.reading.listing.urgency import urgent
from kpi_pipeline.cache.reading.payloads import Payloads
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listing import FIRST_DAY, LIST_COLUMNS, MARK_BITS

MEMORY_BYTES: Final = 256 * 2**20
"""Bytes of blocks that a process holds at most: those of more than two million certificates."""

_AT_A_TIME: Final = 16
_SELECTIONS: Final = 8
_DERIVED: Final = 4
"""Months of which expected amounts are held, and work lists."""

_APPROVED: Final = "approved"
_ANSWERED: Final = ("accepted", "paid")
"""Marks of what the client has approved."""

_KINDS: Final = {column.name: column.kind for column in LIST_COLUMNS}

_Part = TypeVar("_Part")

Value = str | int | float | date | None
"""A value of a column: a text, a day, days, of which a mean may have a fraction, or an amount in minor units.
"""


class ListPage(NamedTuple):
    """A page of the list, and what the whole of it sums to."""

    rows: Sequence[Row]
    totals: Totals


class _Selected(NamedTuple):
    """The rows of a selection."""

    matches: tuple[Matches, ...]
    totals: Totals


class ListedCertificates:
    """The certificates of a generation. Threads may share it.

    Attributes:
        index: The payload that names its blocks: its digest is that of the list.
        outlooks: What is usual of clients and expected of their certificates.
    """

    def __init__(self, index: Payload, blocks: Sequence[Block], outlooks: ClientOutlooks) -> None:
        self.index = index
        self.outlooks = outlooks
        self._blocks = blocks
        self._lock = Lock()
        self._selected: OrderedDict[Selection, _Selected] = OrderedDict()
        self._derived: OrderedDict[tuple[str, str], Sequence[Block]] = OrderedDict()

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(block.count for block in self._blocks)

    def page(self, selection: Selection, order: Order, offset: int, limit: int) -> ListPage:
        """A page of a selection.

        Args:
            selection: Which certificates.
            order: How they are sorted.
            offset: How many come before the page.
            limit: How many it has at most.
        """
        matches, totals = self._of(selection)
        return ListPage(rows_in(matches, order, offset, limit), totals)

    def rows(self, selection: Selection, order: Order) -> Iterator[Row]:
        """All certificates of a selection, in their order."""
        return all_rows(self._of(selection).matches, order)

    def totals(self, selection: Selection) -> Totals:
        """What a selection sums to."""
        return self._of(selection).totals

    def find(self, project: str, number: str) -> Row | None:
        """A certificate by its project and its number there, however they are spelled; None without one."""
        return find_in(self._blocks, project, number)

    def _of(self, selection: Selection) -> _Selected:
        with self._lock:
            if (known := self._selected.get(selection)) is not None:
                self._selected.move_to_end(selection)
                return known
        blocks = self._deriving(selection.expected, selection.work_list)
        matches = tuple(found for block in blocks if (found := matches_in(block, selection)) is not None)
        selected = _Selected(matches, totals_of(matches, selection))
        with self._lock:
            self._selected[selection] = selected
            while len(self._selected) > _SELECTIONS:
                self._selected.popitem(last=False)
        return selected

    def _deriving(self, month: str, work_list: str) -> Sequence[Block]:
        """The blocks, with what is expected of them in a month or how urgent they are in a work list."""
        if not month and not work_list:
            return self._blocks
        derived = month, work_list
        with self._lock:
            if (known := self._derived.get(derived)) is not None:
                self._derived.move_to_end(derived)
                return known
        blocks = [
            expecting(block, self.outlooks, month) if month else urgent(block, self.outlooks, work_list)
            for block in self._blocks
        ]
        with self._lock:
            self._derived[derived] = blocks
            while len(self._derived) > _DERIVED:
                self._derived.popitem(last=False)
        return blocks


def find_in(blocks: Iterable[Block], project: str, number: str) -> Row | None:
    """A certificate of some blocks by its project and its number there; None where they have none."""
    wanted = (("project", fold(project)), ("number", fold(number)))
    for block in blocks:
        places = [
            place for name, folded in wanted if (place := block.columns[name].place_of(folded)) is not None
        ]
        if len(places) == len(wanted) and (row := _row_having(block, *places)) is not None:
            return block, row
    return None


def _row_having(block: Block, project: int, number: int) -> int | None:
    """The row with the given texts of project and number, by their places."""
    projects, numbers = (block.columns[name].values for name in ("project", "number"))
    at = -1
    # Rows of other projects are passed over without a look at each.
    with suppress(ValueError):
        while True:
            at = projects.index(project, at + 1)
            if numbers[at] == number:
                return at
    return None


def value_of(row: Row, name: str) -> Value:
    """The value of a row in a column of the list, one that is derived, or one of `DETAIL_DAYS`."""
    block, at = row
    column = block.columns.get(name)
    if column is None:
        # Where nothing is derived, nothing is known.
        return None if block.derived is None else cast("Value", block.derived.value(at, name))
    if column.texts is not None:
        return column.text(at)
    value = column.values[at]
    kind = _KINDS.get(name, Kind.DAYS)
    if kind is Kind.MONEY:
        # Until the client answers, nothing is approved: not even zero.
        is_answered = name != _APPROVED or any(is_marked(row, mark) for mark in _ANSWERED)
        return value if value or is_answered else None
    if not value:
        return None
    return FIRST_DAY + timedelta(value - 1) if kind is Kind.DAY else value - 1


def milestones_of(row: Row) -> list[tuple[str, date, int]]:
    """The dated milestones of a certificate in their order, each with the days since the one before.

    Those of the first one are since the day of issue: negative where it was paid before it was issued.
    """
    block, at = row
    day, found = FIRST_DAY + timedelta(block.columns["issued_on"].values[at] - 1), []
    for milestone, gap in block.timeline.of(at):
        day += timedelta(gap)
        found.append((milestone, day, gap))
    return found


def is_marked(row: Row, mark: str) -> bool:
    """Whether a row has one of `model.listing.LIST_MARKS`."""
    block, at = row
    return bool(int(block.columns[MARKS].text(at) or 0) & MARK_BITS[mark])


class CertificateBlocks:
    """Reads the lists of generations. Threads may share it.

    Args:
        client: Where they are read.
        alarms: Raised for a block that is corrupt.
        payloads: Reads the index.
        memory_bytes: Bytes of blocks to hold at most: a larger list is read anew for each request.
    """

    def __init__(
        self, client: ReadClient, alarms: Alarms, payloads: Payloads, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._client = client
        self._alarms = alarms
        self._payloads = payloads
        self._limit = memory_bytes
        self._lock = Lock()
        self._list: tuple[str, ListedCertificates] | None = None
        self._held: dict[str, Block] = {}

    def of(self, entry: ManifestEntry) -> ListedCertificates | None:
        """The list of a generation; None where it has none, or has lost a part of it.

        Raises:
            CacheUnavailable: If Redis cannot be reached and the list is not held.
        """
        held = self._list
        if held is not None and held[0] == entry.generation:
            return held[1]
        # One thread reads: the others find it read.
        with self._lock:
            if self._list is not None and self._list[0] == entry.generation:
                return self._list[1]
            listed = self._read(entry)
            if listed is not None and self._held:
                self._list = (entry.generation, listed)
            return listed

    def _read(self, entry: ManifestEntry) -> ListedCertificates | None:
        payload = self._payloads.read(entry, INDEX)
        if payload is None:
            return None
        try:
            index = CertificateIndex.of(payload.data())
        except CorruptPayload as error:
            self._alarms.sound("payload_corrupt", payload_key(entry.generation, INDEX), str(error))
            return None
        outlooks = self._outlooks(entry, index.outlooks)
        if outlooks is None:
            return None
        names = [shard.block for shard in index.shards if shard.block]
        # Blocks are named by their content: an unchanged one is held already.
        blocks = {name: block for name, block in self._held.items() if name in names}
        for batch in batches([name for name in names if name not in blocks], _AT_A_TIME):
            for name, frame in zip(batch, self._frames(entry, batch), strict=True):
                block = (
                    None
                    if frame is None
                    else self._unpacked(payload_key(entry.generation, name), frame, read_block)
                )
                if block is None:
                    return None
                blocks[name] = block
        is_small = sum(block.size for block in blocks.values()) <= self._limit
        self._held = blocks if is_small else {}
        return ListedCertificates(payload, [blocks[name] for name in names], outlooks)

    def _outlooks(self, entry: ManifestEntry, name: str) -> ClientOutlooks | None:
        (frame,) = self._frames(entry, [name])
        return (
            None
            if frame is None
            else self._unpacked(payload_key(entry.generation, name), frame, read_outlooks)
        )

    def _frames(self, entry: ManifestEntry, names: Sequence[str]) -> list[bytes | None]:
        keys = [payload_key(entry.generation, name) for name in names]
        return self._client.call(lambda client: cast("list[bytes | None]", client.mget(keys)))

    def _unpacked(self, key: str, frame: bytes, read: Callable[[bytes], _Part]) -> _Part | None:
        """What a stored value holds; None where it is corrupt: that is an alarm."""
        try:
            return read(frame)
        except CorruptPayload as error:
            self._alarms.sound("payload_corrupt", key, str(error))
            return None
