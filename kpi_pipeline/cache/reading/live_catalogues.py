"""The catalogues of the live generations in serving: the last one known while one cannot be read."""

from collections.abc import Callable, Mapping
from typing import Any

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.keys import CATALOGUE, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.answer import NothingPublished
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.entry_states import EntryStates
from kpi_pipeline.cache.reading.live_entries import LiveEntries
from kpi_pipeline.cache.reading.manifest_view import first_held, replaced_by
from kpi_pipeline.cache.reading.payloads import Payloads


class LiveCatalogues:
    """Reads the catalogue of each product once a generation. Threads may share it.

    Args:
        read_client: Where they are read.
        alarms: Raised for one that is gone.
        payloads: Reads and checks them.
        entries: Which generations are live.
        states: How generations stand.
        on_lost: Called with a product whose live generation has lost its catalogue.
    """

    def __init__(
        self,
        read_client: ReadClient,
        alarms: Alarms,
        payloads: Payloads,
        entries: LiveEntries,
        states: EntryStates,
        on_lost: Callable[[str], object],
    ) -> None:
        self._read_client = read_client
        self._alarms = alarms
        self._payloads = payloads
        self._entries = entries
        self._states = states
        self._on_lost = on_lost
        self._known: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def of(self, entry: ManifestEntry) -> tuple[str, Mapping[str, Any]]:
        """The catalogue of a live generation, after the name of the generation that it is of.

        Raises:
            NothingPublished: If there is none.
            CacheUnavailable: If Redis cannot be reached and none is known.
        """
        product = entry.product
        known = self._known.get(product)
        if known is not None and known[0] == entry.generation:
            return known
        try:
            entry, payload = first_held(
                self._entries.from_entry(entry),
                lambda live: self._payloads.read(live, CATALOGUE),
            )
        except CacheUnavailable:
            if known is None:
                raise
            return known
        if payload is not None:
            return self._keep(entry, payload)
        if self._entries.has(entry):
            advice = "a live generation has lost its catalogue: refresh the product"
            self._alarms.sound("catalogue_vanished", payload_key(entry.generation, CATALOGUE), advice)
            self._on_lost(product)
        if known is not None:
            return known
        for replaced in replaced_by(entry, self._read_client, self._alarms, self._states):
            payload = self._payloads.read(replaced, CATALOGUE)
            if payload is not None:
                return self._keep(replaced, payload)
        raise NothingPublished(product, "its catalogue is lost")

    def _keep(self, entry: ManifestEntry, payload: Payload) -> tuple[str, Mapping[str, Any]]:
        known = self._known[entry.product] = (entry.generation, payload.data())
        return known
