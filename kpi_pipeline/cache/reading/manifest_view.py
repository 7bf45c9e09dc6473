"""The manifest in serving: at most a moment old, and the last known one while Redis is down."""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Final, cast

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient

Entries = Mapping[str, ManifestEntry]

_MOST_SUCCESSORS: Final = 20


class ManifestView:
    """Reads the manifest when a caller needs a newer reading. Threads may share it.

    Args:
        read_client: Where it is read.
        alarms: Raised for an entry that cannot be read.
        on_change: Called with the new entries whenever they differ.
    """

    def __init__(self, read_client: ReadClient, alarms: Alarms, on_change: Callable[[Entries], None]) -> None:
        self._read_client = read_client
        self._alarms = alarms
        self._on_change = on_change
        self._lock = Lock()
        self._read_at = float("-inf")
        self._raw: dict[bytes, bytes] = {}
        self._entries: Entries | None = None

    def entries(self, since: float) -> Entries:
        """The live entries by product.

        Args:
            since: The reading must not have begun before this time of `time.monotonic`; while Redis
                cannot be reached, the last one counts.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        if self._read_at < since or self._entries is None:
            self._renew(since)
        if self._entries is None:
            raise CacheUnavailable(
                "Redis has not been reached yet: start it with `kpi up`, or check REDIS_URL"
            )
        return self._entries

    def _renew(self, since: float) -> None:
        # One thread reads for all. The others wait for it, but not on a server known to be down.
        if not self._lock.acquire(blocking=not self._read_client.failing):
            return
        try:
            if self._read_at < since or self._entries is None:
                self._read()
        except CacheUnavailable:
            if self._entries is None:
                raise
        finally:
            self._lock.release()

    def _read(self) -> None:
        begun = time.monotonic()
        raw = cast("dict[bytes, bytes]", self._read_client.call(lambda client: client.hgetall(MANIFEST_KEY)))
        if raw != self._raw or self._entries is None:
            self._entries = self._parse(raw)
            self._raw = raw
            self._on_change(self._entries)
        self._read_at = begun

    def _parse(self, raw: dict[bytes, bytes]) -> Entries:
        known = self._entries or {}
        entries = {}
        for field, text in raw.items():
            product = field.decode(errors="replace")
            try:
                entries[product] = _entry_of(product, text)
            except CorruptManifest as error:
                self._alarms.sound("manifest_corrupt", product, str(error))
                if product in known:
                    entries[product] = known[product]
        return entries


def _entry_of(product: str, text: bytes) -> ManifestEntry:
    entry = ManifestEntry.from_json(text)
    if entry.product != product:
        raise CorruptManifest("a manifest entry is of another product: publish the product again")
    return entry


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
