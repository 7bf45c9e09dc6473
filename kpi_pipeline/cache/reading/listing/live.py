"""The list of certificates of the live generation, and what is published beside it."""

from collections.abc import Callable

from kpi_pipeline.cache.bridges import BRIDGES, BridgeIndex
from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.open_items import OPEN_ITEMS, OpenItemsIndex
from kpi_pipeline.cache.reading.entry_states import EntryStates
from kpi_pipeline.cache.reading.listing.certificates import CertificateBlocks, ListedCertificates
from kpi_pipeline.cache.reading.live_entries import LiveEntries
from kpi_pipeline.cache.reading.manifest_view import Held, first_held
from kpi_pipeline.cache.reading.payloads import Payloads
from kpi_pipeline.model.listing import LISTED_WITH


class LiveList:
    """What the live generation of `LISTED_WITH` holds beside its answers. Threads may share it.

    Args:
        entries: Which generation that is.
        certificates: Reads the certificates of a generation.
        payloads: Reads and checks the rest.
        states: How generations stand.
    """

    def __init__(
        self,
        entries: LiveEntries,
        certificates: CertificateBlocks,
        payloads: Payloads,
        states: EntryStates,
    ) -> None:
        self._entries = entries
        self._certificates = certificates
        self._payloads = payloads
        self._states = states

    def certificates(self) -> tuple[ManifestEntry, ListedCertificates | None]:
        """The generation and the list of certificates that it holds.

        Returns:
            None as the list where it has expired, or the generation has none that can be read.

        Raises:
            NothingPublished: If Redis holds no generation of the product.
            CacheUnavailable: If Redis cannot be reached and the list is not held.
        """
        return self._held(self._certificates.of)

    def bridges(self) -> tuple[ManifestEntry, BridgeIndex | None]:
        """The generation and which bridges it holds.

        Returns:
            None as the bridges where it has expired, or they cannot be read.

        Raises:
            NothingPublished: If Redis holds no generation of the product.
            CacheUnavailable: If Redis cannot be reached and they are not held.
        """
        entry, payload = self._held(lambda one: self._payloads.named(one, BRIDGES))
        return entry, None if payload is None else BridgeIndex.of(payload.data())

    def open_items(self) -> tuple[ManifestEntry, OpenItemsIndex | None]:
        """The same of the open items of month ends."""
        entry, payload = self._held(lambda one: self._payloads.named(one, OPEN_ITEMS))
        return entry, None if payload is None else OpenItemsIndex.of(payload.data())

    def document(self, entry: ManifestEntry, name: str) -> Payload | None:
        """What a generation holds under a name of `cache.bridges` or `cache.open_items`; None where it cannot
        be read.

        Raises:
            CacheUnavailable: If Redis cannot be reached and it is not held.
        """
        return self._payloads.named(entry, name)

    def _held(self, read: Callable[[ManifestEntry], Held | None]) -> tuple[ManifestEntry, Held | None]:
        entry = self._entries.of(LISTED_WITH)
        if self._states.of(entry) is AnswerState.EXPIRED:
            return entry, None
        return first_held(self._entries.from_entry(entry), read)
