"""Of which reading of the source the live figures of each product are, and whether that needs a word.

Products are published one after another, so that for some seconds of each refresh they are of different
readings. That is no reason to warn. It is one when an administrator has rolled a product back, or when a
product lags behind `MIXED_AFTER_S` after a newer reading began: its publication failed, or it is refreshed by
itself later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.phrases import PLAIN, Moment, Phrase, Phrases

MIXED_AFTER_S: Final = 120.0
"""Seconds from the beginning of a newer reading until products that lag behind it are marked.

A refresh of all products takes half of that with a million certificates.
"""

_OF_PRODUCTS: Final = Text("{products}: {reading} ({read})", "{products}: {reading} ({read})")


@dataclass(frozen=True, slots=True)
class LiveReading:
    """The reading of the source that the live figures of a product come from.

    Attributes:
        digest: `ManifestEntry.reading`.
        read_at: When the source was first read and held that, for any product, in seconds since the epoch:
            the moment by which it is named.
        checked_at: When the source was last read and held that, likewise.
        rolled_back_at: When an administrator rolled the product back to it; None if nobody did.
    """

    digest: str
    read_at: float
    checked_at: float
    rolled_back_at: float | None


@dataclass(frozen=True, slots=True)
class LiveReadings:
    """The readings that the products show.

    Attributes:
        by_product: Of each product that shows figures.
        mixed: Whether they differ, and readers are to know it.
    """

    by_product: Mapping[str, LiveReading]
    mixed: bool

    @classmethod
    def of(cls, entries: Mapping[str, ManifestEntry], now: float) -> "LiveReadings":
        """The readings of some live entries.

        Args:
            entries: By product.
            now: Seconds since the epoch.
        """
        shown = _shown(entries, now)
        read_at: dict[str, float] = {}
        checked_at: dict[str, float] = {}
        for entry in shown.values():
            reading = entry.reading
            read_at[reading] = min(entry.first_read_at, read_at.get(reading, entry.first_read_at))
            checked_at[reading] = max(entry.verified_at, checked_at.get(reading, entry.verified_at))
        return cls(
            {
                product: LiveReading(
                    entry.reading, read_at[entry.reading], checked_at[entry.reading], entry.rolled_back_at
                )
                for product, entry in shown.items()
            },
            _is_mixed(shown, now),
        )

    @property
    def rolled_back(self) -> tuple[str, ...]:
        """The products that an administrator has rolled back."""
        return tuple(name for name, one in self.by_product.items() if one.rolled_back_at is not None)

    def is_earlier(self, product: str) -> bool:
        """Whether readers are to know that a product is not of the newest reading: rolled back, or behind."""
        own = self.by_product.get(product)
        if own is None:
            return False
        newest = next(iter(self.groups()))
        return own.rolled_back_at is not None or (self.mixed and own.digest != newest.digest)

    def groups(self) -> dict[LiveReading, tuple[str, ...]]:
        """The products of each reading, the one that the source held last first."""
        digests = {one.digest: one for one in self.by_product.values()}
        return {
            reading: tuple(name for name, one in self.by_product.items() if one.digest == reading.digest)
            for reading in sorted(digests.values(), key=lambda one: one.checked_at, reverse=True)
        }

    def meta(self, product: str) -> dict[str, Any]:
        """What an answer of a product says of the readings, as plain JSON values; moments are ISO 8601.

        Returns:
            `rolled_back`: `read_at`, when the source was first read and held the reading that was gone back
            to, and when that was done, `rolled_back_at`; None where nobody did. `mixed_readings`: by product
            its `reading` and `read_at` while readers are to know that they differ; None otherwise.
        """
        own = self.by_product.get(product)
        rolled_back = None
        if own is not None and own.rolled_back_at is not None:
            rolled_back = {"read_at": as_iso(own.read_at), "rolled_back_at": as_iso(own.rolled_back_at)}
        mixed = {
            name: {"reading": one.digest, "read_at": as_iso(one.read_at)}
            for name, one in self.by_product.items()
        }
        return {"rolled_back": rolled_back, "mixed_readings": mixed if self.mixed else None}

    def as_phrases(self) -> Phrases:
        """Each reading with its products, the one that the source held last first."""
        return Phrases(
            tuple(
                Phrase(
                    _OF_PRODUCTS,
                    {
                        "products": ", ".join(products),
                        "reading": reading.digest[:8],
                        "read": Moment(reading.read_at),
                    },
                )
                for reading, products in self.groups().items()
            )
        )

    def as_text(self) -> str:
        """Each reading with its products, the one that the source held last first, for engineers."""
        return self.as_phrases().written(PLAIN)

    def as_dict(self) -> dict[str, Any]:
        """The readings as plain JSON values; times are seconds since the epoch."""
        return {
            "mixed": self.mixed,
            "products": {
                product: {
                    "reading": one.digest,
                    "read_at": one.read_at,
                    "checked_at": one.checked_at,
                    "rolled_back_at": one.rolled_back_at,
                }
                for product, one in self.by_product.items()
            },
        }


def settled_until(entries: Mapping[str, ManifestEntry], now: float) -> float:
    """Until when `LiveReadings.of` some live entries stays what it is now, unless the entries change.

    Args:
        entries: By product.
        now: Seconds since the epoch; so is the result, which may be infinite.
    """
    shown = _shown(entries, now)
    if not shown:
        return math.inf
    newest = max(shown.values(), key=lambda entry: entry.verified_at)
    moments = [entry.stale_until for entry in shown.values()]
    moments += [
        max(newest.first_read_at, entry.verified_at) + MIXED_AFTER_S
        for entry in shown.values()
        if entry.reading != newest.reading
    ]
    return min((moment for moment in moments if moment > now), default=math.inf)


def _shown(entries: Mapping[str, ManifestEntry], now: float) -> dict[str, ManifestEntry]:
    """The entries of which figures are shown, in the order of the products."""
    return {
        product: entry
        for product in PRODUCTS
        if (entry := entries.get(product)) is not None
        and entry.schema_version == SCHEMA_VERSION
        and entry.state_at(now) is not AnswerState.EXPIRED
    }


def _is_mixed(shown: Mapping[str, ManifestEntry], now: float) -> bool:
    if len({entry.reading for entry in shown.values()}) < 2:
        return False
    if any(entry.rolled_back_at is not None for entry in shown.values()):
        return True
    newest = max(shown.values(), key=lambda entry: entry.verified_at)
    # A reading that came back was first read long ago: then it counts from when the other was last confirmed.
    return any(
        now - max(newest.first_read_at, entry.verified_at) > MIXED_AFTER_S
        for entry in shown.values()
        if entry.reading != newest.reading
    )
