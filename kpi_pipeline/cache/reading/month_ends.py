"""Answers of the past: the month ends that are kept of each product."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import CATALOGUE
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.reading.answer import Answer, NothingPublished
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.history_view import HistoryView
from kpi_pipeline.cache.reading.listing.certificates import CertificateBlocks, ListedCertificates
from kpi_pipeline.cache.reading.manifest_view import Held, first_held, with_successors
from kpi_pipeline.cache.reading.payloads import Payloads
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.listing import LISTED_WITH


class MonthEnds:
    """The month ends of a scope. Threads may share it.

    Args:
        read_client: Where they are read.
        alarms: Raised for what cannot be read.
        payloads: Reads and checks what they hold.
        certificates: Reads the list of one of them at a time.
        poll_s: How old what is known of the history may be, in seconds.
        scope: Of `model.scopes.Scope.id`.
    """

    def __init__(
        self,
        read_client: ReadClient,
        alarms: Alarms,
        payloads: Payloads,
        certificates: CertificateBlocks,
        poll_s: float,
        scope: str,
    ) -> None:
        self._read_client = read_client
        self._payloads = payloads
        self._certificates = certificates
        self._poll_s = poll_s
        self._history = HistoryView(read_client, alarms, scope)

    def answer(self, product: str, as_of: date, filter: Filter) -> Answer:
        """Look one variant up in the newest month end on or before a date.

        Returns:
            An answer that is `historic`; `missing` and without a payload when that month end does not
            hold the filter, or has lost it.

        Raises:
            NoMonthEnd: If none is kept on or before the date.
            CacheUnavailable: If Redis cannot be reached and no fitting payload is held.
        """
        entry, payload = self._read(product, as_of, lambda kept: self._payloads.exact(kept, filter))
        state, miss = AnswerState.HISTORIC, None
        if payload is None:
            self._payloads.count("missing")
            state, miss = AnswerState.MISSING, self._payloads.presence(entry, (filter,))[0]
        return self._answer(state, payload, entry, filter, miss)

    def own(self, product: str, as_of: date, filter: Filter) -> Answer | None:
        """What `answer` gives where the month end holds the variant.

        Returns:
            None where `answer` is to be called: the month end has no such payload.

        Raises:
            NoMonthEnd: If none is kept on or before the date.
            CacheUnavailable: If Redis cannot be reached and the payload is not held.
        """
        entry = self.entry(product, as_of)
        payload = self._payloads.exact(entry, filter)
        return None if payload is None else self._answer(AnswerState.HISTORIC, payload, entry, filter)

    def catalogue(self, product: str, as_of: date) -> Mapping[str, Any]:
        """The catalogue of the newest month end on or before a date.

        Raises:
            NoMonthEnd: If none is kept.
            NothingPublished: If it has lost its catalogue.
            CacheUnavailable: If Redis cannot be reached.
        """
        _, payload = self._read(product, as_of, lambda entry: self._payloads.read(entry, CATALOGUE))
        if payload is None:
            raise NothingPublished(product, "the catalogue of a month end is lost, run `kpi backfill` for it")
        return payload.data()

    def certificates(self, as_of: date) -> tuple[ManifestEntry, ListedCertificates | None]:
        """The newest month end of `LISTED_WITH` on or before a date, and its list of certificates.

        Returns:
            None as the list where the month end has none (see `has_list`), or none that can be read.

        Raises:
            NoMonthEnd: If none is kept on or before the date.
            CacheUnavailable: If Redis cannot be reached and the list is not held.
        """
        return self._read(
            LISTED_WITH, as_of, lambda entry: self._certificates.of(entry) if has_list(entry) else None
        )

    def listed_days(self) -> tuple[date, ...]:
        """The month ends that have a list of certificates, the earliest first.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        entries = self._history.entries(LISTED_WITH, self._since())
        return tuple(entry.as_of for entry in entries if has_list(entry))

    def entry(self, product: str, as_of: date) -> ManifestEntry:
        """The entry of the newest month end of a product on or before a date.

        Raises:
            NoMonthEnd: If none is kept.
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        return self._history.on(product, as_of, self._since())

    def days(self, product: str) -> tuple[date, ...]:
        """The month ends of a product that are kept, the earliest first.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        return tuple(entry.as_of for entry in self._history.entries(product, self._since()))

    def unreadable(self) -> tuple[str, ...]:
        """The months, as YYYY-MM and in order, whose ends another version of the program kept.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        return self._history.unreadable(self._since())

    def _since(self) -> float:
        return time.monotonic() - self._poll_s

    def _read(
        self, product: str, as_of: date, read: Callable[[ManifestEntry], Held | None]
    ) -> tuple[ManifestEntry, Held | None]:
        kept = self.entry(product, as_of)
        return first_held(with_successors(kept, lambda since: self._history.on(product, as_of, since)), read)

    def _answer(
        self,
        state: AnswerState,
        payload: Payload | None,
        entry: ManifestEntry,
        filter: Filter,
        miss: MissReason | None = None,
    ) -> Answer:
        return Answer(state, payload, entry, filter, not self._read_client.failing, miss)


def has_list(entry: ManifestEntry) -> bool:
    """Whether a month end has a list of certificates: it holds nothing else beside its answers."""
    return entry.blocks > 0
