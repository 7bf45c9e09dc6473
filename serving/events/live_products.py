"""What open pages need to know of the live generations, and the messages that say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import orjson

from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.moments import as_iso
from serving.freshness_headers import readings_headers

Products = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class LiveProducts:
    """The live generations as open pages see them.

    Attributes:
        id: The same for the same content, whichever process describes it.
        products: By product its generation, fence, times as ISO 8601, and what its pages say of readings.
    """

    id: str
    products: Products

    @classmethod
    def of(cls, entries: Mapping[str, ManifestEntry], now: float) -> Self:
        """Those of the manifest.

        Args:
            entries: By product.
            now: Seconds since the epoch.
        """
        readings = LiveReadings.of(entries, now)
        products = {
            product: {
                "generation": entry.generation,
                "fence": entry.fence,
                "verified_at": as_iso(entry.verified_at),
                "fresh_until": as_iso(entry.fresh_until),
                "readings": list(readings_headers(entry, readings).values()),
            }
            for product, entry in sorted(entries.items())
        }
        digest = blake2b(orjson.dumps(products), digest_size=8).hexdigest()
        return cls(digest, products)

    def message(self, before: "LiveProducts | None", now: float, spread_s: float) -> bytes:
        """The event for a page that knows an earlier state: only the products that differ.

        Args:
            before: What the page knows; None for nothing.
            now: Seconds since the epoch.
            spread_s: Over how many seconds pages are to spread their requests for new figures.
        """
        known: Products = before.products if before is not None else {}
        changed = {name: one for name, one in self.products.items() if known.get(name) != one}
        data = {"at": as_iso(now), "spread_s": spread_s, "products": changed}
        return b"id: %s\ndata: %s\n\n" % (self.id.encode(), orjson.dumps(data))


NOTHING_KNOWN = LiveProducts("", {})
"""Before the manifest has been read."""
