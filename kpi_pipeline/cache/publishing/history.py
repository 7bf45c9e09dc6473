"""The history: one generation of each product for each month end that is kept."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import HISTORY_KEY, members_key, month_end_field
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, month_end_entry
from kpi_pipeline.cache.publishing.publisher import Flip, IncompleteGeneration, Publisher
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.cache.scripts import FORGET_MONTH_END, KEEP_MONTH_END

KEPT_S: Final = 30 * 86_400
"""How long the keys of a month end last without being prolonged: longer than any outage of upkeep."""

_LOG: Final = logging.getLogger(__name__)


class History:
    """Keeps month ends. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `pipeline`.
    """

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

    def keep(self, entry: ManifestEntry) -> Flip:
        """Make a staged generation that of its month end, unless a later reading of the source is.

        The one it replaces is removed. Doing it again changes nothing.

        Raises:
            IncompleteGeneration: If keys of the generation are missing; what is kept stays.
        """
        field = month_end_field(entry.product, entry.as_of)
        outcome, *replaced = self._keep(
            keys=[HISTORY_KEY, members_key(entry.generation)],
            args=[field, entry.generation, entry.fence, entry.variants + 1, entry.to_json()],
        )
        if outcome == b"incomplete":
            raise IncompleteGeneration(
                f"{entry.generation} has not the {entry.variants} variants and the catalogue that were "
                "staged: run the backfill again; what was kept stays"
            )
        for generation in replaced:
            self._removal.remove(generation.decode())
        return Flip(outcome.decode())

    def prolong(self, now: float) -> tuple[int, list[ManifestEntry]]:
        """Let the keys of month ends last on, of those that would end within half of `KEPT_S`.

        A month end that has lost keys is forgotten: a part of one must not pass for the whole.

        Args:
            now: Seconds since the epoch.

        Returns:
            How many were prolonged, and those forgotten.
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
        """Forget month ends before a date, and then the earliest until the others fit into a size.

        Entries that cannot be read are forgotten too.

        Args:
            first: The first month end to keep.
            max_bytes: Stored size of the answers of all that are kept.

        Returns:
            Fields forgotten.
        """
        forgotten, size = [], 0
        for field, text, entry in self._read():
            size += entry.bytes if entry is not None else 0
            keeps = entry is not None and entry.as_of >= first and size <= max_bytes
            if not keeps and self._drop(field, text, entry):
                forgotten.append(field)
        return forgotten

    def _read(self) -> list[tuple[str, bytes, ManifestEntry | None]]:
        """Field, text and entry of each, the latest month end first; those unreadable last."""
        raw = cast("Mapping[bytes, bytes]", self._client.hgetall(HISTORY_KEY))
        named = [(field.decode(errors="replace"), text) for field, text in raw.items()]
        read = [(field, text, _readable(field, text)) for field, text in named]
        return sorted(read, key=lambda one: (one[2].as_of if one[2] else date.min, one[0]), reverse=True)

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
