"""The history in serving: a few seconds old at most, and the last known one while Redis is down."""

import time
from collections.abc import Mapping
from datetime import date
from typing import Final, cast

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.keys import HISTORY_KEY
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, month_end_entry
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.model.dimensions import SCHEMA_VERSION

POLL_S: Final = 5.0
"""How old the history may be: month ends are published once a month, or by a backfill."""


class NoMonthEnd(LookupError):
    """No month end of a product is kept on or before a date.

    Attributes:
        product: What was requested.
        as_of: The date.
        available: The month ends that are kept, the earliest first.
    """

    def __init__(self, product: str, as_of: date, available: tuple[date, ...]) -> None:
        shown = ", ".join(day.isoformat() for day in available) or "none"
        super().__init__(
            f"no month end of {product} is kept on or before {as_of}; kept are: {shown}. "
            "`kpi backfill` publishes others"
        )
        self.product = product
        self.as_of = as_of
        self.available = available


class HistoryView:
    """Reads the history when a caller needs a newer reading. Threads may share it.

    Args:
        read_client: Where it is read.
        alarms: Raised for an entry that cannot be read.
    """

    def __init__(self, read_client: ReadClient, alarms: Alarms) -> None:
        self._read_client = read_client
        self._alarms = alarms
        # Replaced whole, so that no thread sees entries of one reading with the time of another.
        self._known: tuple[float, dict[bytes, bytes], tuple[ManifestEntry, ...]] | None = None

    def entries(self, product: str, since: float) -> tuple[ManifestEntry, ...]:
        """The month ends of a product that this version can read, the earliest first.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            since: The reading must not have begun before this time of `time.monotonic`; while Redis
                cannot be reached, the last one counts.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        if self._known is None or self._known[0] < since:
            try:
                self._known = self._read()
            except CacheUnavailable:
                if self._known is None:
                    raise
        return tuple(entry for entry in self._known[2] if entry.product == product)

    def on(self, product: str, as_of: date, since: float) -> ManifestEntry:
        """The newest month end of a product on or before a date.

        Raises:
            NoMonthEnd: If there is none.
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        entries = self.entries(product, since)
        for entry in reversed(entries):
            if entry.as_of <= as_of:
                return entry
        raise NoMonthEnd(product, as_of, tuple(entry.as_of for entry in entries))

    def _read(self) -> tuple[float, dict[bytes, bytes], tuple[ManifestEntry, ...]]:
        begun = time.monotonic()
        raw = cast("dict[bytes, bytes]", self._read_client.call(lambda client: client.hgetall(HISTORY_KEY)))
        if self._known is not None and raw == self._known[1]:
            return begun, raw, self._known[2]
        return begun, raw, self._parse(raw)

    def _parse(self, raw: Mapping[bytes, bytes]) -> tuple[ManifestEntry, ...]:
        entries = []
        for field, text in raw.items():
            name = field.decode(errors="replace")
            try:
                entry = month_end_entry(name, text)
            except CorruptManifest as error:
                self._alarms.sound("history_corrupt", name, str(error))
                continue
            if entry.schema_version == SCHEMA_VERSION:
                entries.append(entry)
        return tuple(sorted(entries, key=lambda entry: entry.as_of))
