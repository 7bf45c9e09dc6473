"""The history: for each product one generation per month end that is kept."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import HISTORY_KEY, members_key, month_end_field, revoked_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, month_end_entry
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.cache.scripts import FORGET_MONTH_END, KEEP_MONTH_END

KEPT_S: Final = 30 * 86_400
"""How long the keys of a month end last without being prolonged: longer than any outage of clean-up."""

_LOG: Final = logging.getLogger(__name__)


class History:
    """Keeps month ends, with a client of the user `pipeline`. Errors of Redis propagate."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._publisher = Publisher(client)
        self._removal = Removal(client)
        self._keep = client.register_script(KEEP_MONTH_END)
        self._forget = client.register_script(FORGET_MONTH_END)

    def entries(self) -> list[ManifestEntry]:
        """Every month end kept, the latest first; what cannot be read is logged and left out."""
        return [entry for _, _, entry in self._read() if entry is not None]

    def entry(self, product: str, as_of: date) -> ManifestEntry | None:
        """The entry of a product's month end; None when it is not kept, or cannot be read."""
        field = month_end_field(product, as_of)
        text = cast("bytes | None", self._client.hget(HISTORY_KEY, field))
        return None if text is None else _readable(field, text)

    def keep(self, entry: ManifestEntry, by: str | None = None) -> Flip:
        """Make a staged generation that of its month end, unless one of a later reading is.

        The one it replaces is removed. A second call changes nothing.

        Args:
            entry: Its entry.
            by: The run that publishes it: nothing changes once it is revoked. None outside a run.

        Raises:
            IncompleteGeneration: If keys of the generation are missing; the one kept before stays.
        """
        field = month_end_field(entry.product, entry.as_of)
        outcome, *replaced = self._keep(
            keys=[HISTORY_KEY, members_key(entry.generation), revoked_key(by or "")],
            args=[field, entry.generation, entry.fence, entry.keys, entry.to_json()],
        )
        if outcome == b"incomplete":
            raise IncompleteGeneration(
                f"{entry.generation} lacks some of the {entry.variants} variants and the catalogue that were "
                "staged: run the backfill again; the month end kept before stays"
            )
        for generation in replaced:
            self._removal.remove(generation.decode())
        return Flip(outcome.decode())

    def prolong(self, now: float) -> tuple[int, list[ManifestEntry]]:
        """Prolong the keys of month ends that would expire within half of `KEPT_S`.

        A month end that has lost keys is dropped: a part must not pass for the whole.

        Args:
            now: Seconds since the epoch.

        Returns:
            How many were prolonged, and those dropped.
        """
        prolonged, lost = 0, []
        for field, text, entry in self._read():
            if entry is None:
                continue
            ends_at = self._client.expiretime(members_key(entry.generation))
            if ends_at > now + KEPT_S / 2:
                continue
            if self._publisher.prolong(entry.generation, now + KEPT_S):
                prolonged += 1
            elif self._drop(field, text, entry):
                lost.append(entry)
        return prolonged, lost

    def bound(self, first: date, max_bytes: int) -> list[str]:
        """Drop month ends before a date, then the earliest until the others fit into a size.

        Entries that cannot be read are dropped too.

        Args:
            first: The first month end to keep.
            max_bytes: Stored size of the answers of all that are kept.

        Returns:
            Fields dropped.
        """
        dropped, size = [], 0
        for field, text, entry in self._read():
            size += entry.bytes if entry is not None else 0
            keeps = entry is not None and entry.as_of >= first and size <= max_bytes
            if not keeps and self._drop(field, text, entry):
                dropped.append(field)
        return dropped

    def drop_others(self, product: str, source: str) -> list[str]:
        """Drop the month ends of a product that come from another source than one.

        Args:
            product: The product.
            source: Of `ManifestEntry.source`.

        Returns:
            Fields dropped.
        """
        return [
            field
            for field, text, entry in self._read()
            if entry is not None
            and (entry.product == product and entry.source != source)
            and self._drop(field, text, entry)
        ]

    def _read(self) -> list[tuple[str, bytes, ManifestEntry | None]]:
        """Field, text and entry of each, the latest month end first; those unreadable last."""
        raw = cast("Mapping[bytes, bytes]", self._client.hgetall(HISTORY_KEY))
        named = [(field.decode(errors="replace"), text) for field, text in raw.items()]
        month_ends = [(field, text, _readable(field, text)) for field, text in named]
        month_ends.sort(key=lambda kept: (kept[2].as_of if kept[2] else date.min, kept[0]), reverse=True)
        return month_ends

    def _drop(self, field: str, text: bytes, entry: ManifestEntry | None) -> bool:
        gone = bool(self._forget(keys=[HISTORY_KEY], args=[field, text]))
        if gone and entry is not None:
            self._removal.remove(entry.generation)
        return gone


def _readable(field: str, text: bytes) -> ManifestEntry | None:
    try:
        return month_end_entry(field, text)
    except CorruptManifest as error:
        _LOG.warning("the month end %s cannot be read: %s", field, error)
        return None
