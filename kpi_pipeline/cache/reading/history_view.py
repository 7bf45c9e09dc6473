"""The history in serving: the month ends that are kept."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.keys import history_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, month_end_entry, version_of
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.hash_view import HashView
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
    """The month ends, of a reading as new as a caller needs. Threads may share it.

    When none is left the server has lost them, as when it was flushed, and the last ones known count.

    Args:
        read_client: Where they are read.
        alarms: Raised for an entry that cannot be read.
        scope: For whose readers they are.
    """

    def __init__(self, read_client: ReadClient, alarms: Alarms, scope: str) -> None:
        self._alarms = alarms
        self._known: tuple[ManifestEntry, ...] = ()
        self._unreadable: tuple[str, ...] = ()
        self._view = HashView(read_client, history_key(scope), self._parse)

    def entries(self, product: str, since: float) -> tuple[ManifestEntry, ...]:
        """The month ends of a product that this version can read, the earliest first.

        `since` and errors are those of `HashView.read`.
        """
        return tuple(entry for entry in self._view.read(since) if entry.product == product)

    def unreadable(self, since: float) -> tuple[str, ...]:
        """The months, as YYYY-MM and in order, of entries that this version cannot read.

        `since` and errors are those of `HashView.read`.
        """
        self._view.read(since)
        return self._unreadable

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

    def _parse(self, raw: Mapping[bytes, bytes]) -> tuple[ManifestEntry, ...]:
        entries, unreadable = [], set()
        for field, text in raw.items():
            name = field.decode(errors="replace")
            try:
                entry = month_end_entry(name, text)
            except CorruptManifest as error:
                # What another version wrote is no damage.
                if version_of(text) in (None, SCHEMA_VERSION):
                    self._alarms.sound("history_corrupt", name, str(error))
                    continue
                unreadable.add(name.rpartition(":")[2])
                continue
            if entry.schema_version == SCHEMA_VERSION:
                entries.append(entry)
            else:
                unreadable.add(name.rpartition(":")[2])
        self._unreadable = tuple(sorted(unreadable))
        if raw or not self._known:
            self._known = tuple(sorted(entries, key=lambda entry: entry.as_of))
        return self._known
