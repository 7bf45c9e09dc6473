"""The live generation of each product, as who looks something up in it needs it."""

import time
from collections.abc import Iterator

from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.answer import NothingPublished
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.manifest_view import Entries, ManifestView, with_successors
from kpi_pipeline.model.dimensions import SCHEMA_VERSION


class LiveEntries:
    """The entries that are live now. Threads may share it.

    The methods for one entry raise `NothingPublished` where Redis holds no generation of its product, and
    `CacheUnavailable` where Redis cannot be reached and none was seen before.

    Args:
        view: What is known of the manifest.
        read_client: Says whether Redis can be read.
        poll_s: How old the manifest may be, in seconds.
    """

    def __init__(self, view: ManifestView, read_client: ReadClient, poll_s: float) -> None:
        self._view = view
        self._read_client = read_client
        self._poll_s = poll_s

    def all(self) -> Entries:
        """Those of all products.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        return self._view.entries(time.monotonic() - self._poll_s)

    def of(self, product: str) -> ManifestEntry:
        """That of a product, in a reading that is not older than the manifest may be."""
        return self.since(product, time.monotonic() - self._poll_s)

    def since(self, product: str, since: float) -> ManifestEntry:
        """The same, in a reading not begun before a time of `time.monotonic`."""
        entry = self._view.entries(since).get(product)
        if entry is None and self._read_client.failing:
            raise CacheUnavailable(
                f"Redis cannot be read and no generation of {product} was seen before: start it with "
                "`kpi up`, or check REDIS_URL and the server it names"
            )
        if entry is None:
            raise NothingPublished(product)
        if entry.schema_version != SCHEMA_VERSION:
            raise NothingPublished(
                product, f"it was published in format {entry.schema_version}, {SCHEMA_VERSION} is needed"
            )
        return entry

    def has(self, entry: ManifestEntry) -> bool:
        """Whether a generation is live this moment."""
        return self.since(entry.product, time.monotonic()).generation == entry.generation

    def from_entry(self, entry: ManifestEntry) -> Iterator[ManifestEntry]:
        """A generation, then those that replace it while it is read; see `with_successors`."""
        return with_successors(entry, lambda since: self.since(entry.product, since))
