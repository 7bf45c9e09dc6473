"""The manifest in serving: which generations are live, and which replace them meanwhile."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar, cast

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import REPLACED_KEY, manifest_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, version_of
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.entry_states import EntryStates
from kpi_pipeline.cache.reading.hash_view import HashView
from kpi_pipeline.model.dimensions import SCHEMA_VERSION

Entries = Mapping[str, ManifestEntry]
Held = TypeVar("Held")

_MOST_SUCCESSORS: Final = 20


class ManifestView:
    """The live entries by product, of a reading as new as a caller needs. Threads may share it.

    Of an entry that cannot be read, or that is gone, the last good one counts: a server that was flushed or
    replaced by an empty one has lost it, for products are never withdrawn. An entry of an earlier reading
    than one that was seen comes from a copy of the server that lags behind: it counts, and is not fresh.

    Args:
        read_client: Where it is read.
        alarms: Raised for an entry that cannot be read.
        on_change: Called with the new entries whenever they differ.
        scope: For whose readers they are.
    """

    def __init__(
        self, read_client: ReadClient, alarms: Alarms, on_change: Callable[[Entries], None], scope: str
    ) -> None:
        self._scope = scope
        self._alarms = alarms
        self._on_change = on_change
        self._known: Entries = {}
        self._lost: frozenset[str] = frozenset()
        self._older: frozenset[str] = frozenset()
        self._newest: dict[str, ManifestEntry] = {}
        self._view = HashView(read_client, manifest_key(scope), self._parse)

    def entries(self, since: float) -> Entries:
        """The live entries by product; `since` and errors as of `HashView.read`."""
        return self._view.read(since)

    @property
    def lost(self) -> frozenset[str]:
        """The products whose entry was known and is gone from Redis, by the last reading."""
        return self._lost

    @property
    def older(self) -> frozenset[str]:
        """The products of which a later reading of the source was seen than the entry is of."""
        return self._older

    def _parse(self, raw: Mapping[bytes, bytes]) -> Entries:
        entries = {}
        for field, text in raw.items():
            product = field.decode(errors="replace")
            try:
                entries[product] = _entry_of(product, self._scope, text)
            except CorruptManifest as error:
                # What another version published is no damage: it counts as not published.
                if version_of(text) in (None, SCHEMA_VERSION):
                    self._alarms.sound("manifest_corrupt", product, str(error))
                if product in self._known:
                    entries[product] = self._known[product]
        self._lost = frozenset(self._known.keys() - entries.keys())
        for product in self._lost:
            self._alarms.sound("manifest_lost", product, "Redis has lost its entry: it is being restored")
            entries[product] = self._known[product]
        self._older = frozenset(product for product, entry in entries.items() if self._is_older(entry))
        self._known = entries
        self._on_change(entries)
        return entries

    def _is_older(self, entry: ManifestEntry) -> bool:
        """Whether a later reading was seen; one that was not is remembered."""
        newest = self._newest.get(entry.product)
        # A new server may draw lower fences, where its clock is behind: its readings are later all the same.
        if newest is None or entry.fence >= newest.fence or entry.verified_at > newest.verified_at:
            self._newest[entry.product] = entry
            return False
        if entry.generation == newest.generation:
            return False
        advice = "a later reading was shown before, Redis has gone back to an older copy: refresh the product"
        self._alarms.sound("manifest_older", entry.generation, advice)
        return True


def _entry_of(product: str, scope: str, text: bytes, generation: str | None = None) -> ManifestEntry:
    entry = ManifestEntry.from_json(text)
    if (entry.product, entry.scope) != (product, scope) or generation not in (None, entry.generation):
        raise CorruptManifest(
            "a manifest entry is of another product or generation: publish the product again"
        )
    return entry


def replaced_by(
    live: ManifestEntry, read_client: ReadClient, alarms: Alarms, states: EntryStates
) -> list[ManifestEntry]:
    """The generations that a live one has replaced and that may still be shown, the newest first.

    One whose entry is gone is left out; so is one whose entry is damaged, with an alarm.

    Args:
        live: The live one.
        read_client: Where their entries are read.
        alarms: Raised for an entry that cannot be read.
        states: How generations stand.

    Raises:
        CacheUnavailable: If Redis cannot be reached.
    """
    # HMGET is not among the commands of the user `serving`.
    texts = read_client.call(lambda client: [client.hget(REPLACED_KEY, name) for name in live.previous])
    replaced = []
    for name, text in zip(live.previous, cast("list[bytes | None]", texts), strict=True):
        if text is None or version_of(text) not in (None, SCHEMA_VERSION):
            continue
        try:
            entry = _entry_of(live.product, live.scope, text, name)
        except CorruptManifest as error:
            alarms.sound("manifest_corrupt", name, str(error))
            continue
        if entry.schema_version == SCHEMA_VERSION and states.of(entry) is not AnswerState.EXPIRED:
            replaced.append(entry)
    return replaced


def with_successors(
    entry: ManifestEntry, newest: Callable[[float], ManifestEntry]
) -> Iterator[ManifestEntry]:
    """A generation, then those that replace it while it is read, for a caller who stops at what it needs.

    A generation may be replaced and removed between the reading of its entry and that of its keys. What the
    last one lacks is missing for good: it was still named after it was read.

    Args:
        entry: The first one.
        newest: The one named now, in a reading not begun before a time of `time.monotonic`.
    """
    for _ in range(_MOST_SUCCESSORS):
        yield entry
        newer = newest(time.monotonic())
        if newer.generation == entry.generation:
            return
        entry = newer


def first_held(
    entries: Iterator[ManifestEntry], read: Callable[[ManifestEntry], Held | None]
) -> tuple[ManifestEntry, Held | None]:
    """The first of some generations that holds something, and that; else the last one."""
    for entry in entries:
        held = read(entry)
        if held is not None:
            break
    return entry, held
