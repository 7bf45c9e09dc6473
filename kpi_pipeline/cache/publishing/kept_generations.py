"""The generations that readers are shown, and those replaced ones that can be shown to them again."""

from typing import cast

import redis

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import REPLACED_KEY
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.scopes import WHOLE_FIRM


class KeptGenerations:
    """Those of the readers of a scope. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
        scope: Whose readers they are for.
    """

    def __init__(self, client: redis.Redis, scope: str = WHOLE_FIRM) -> None:
        self._client = client
        self._publisher = Publisher(client, scope)

    def live(self, product: str) -> ManifestEntry | None:
        """The live entry of a product; None when there is none, or none that can be read."""
        return self._publisher.live(product)

    def replaced(self, product: str) -> list[ManifestEntry]:
        """Entries of the generations that a product's live one has replaced and that are kept."""
        live = self.live(product)
        return [] if live is None else self._replaced_by(live)

    def held(self, product: str) -> list[ManifestEntry]:
        """The live entry, and where somebody rolled back to it those that it replaced."""
        live = self.live(product)
        if live is None:
            return []
        return [live, *(self._replaced_by(live) if live.rolled_back_at is not None else ())]

    def showable(self, product: str, now: float) -> list[ManifestEntry]:
        """Entries that can be shown: the live one, then those it replaced, the newest first.

        Args:
            product: The product.
            now: Seconds since the epoch.

        Returns:
            Nothing where the live one cannot be shown.
        """
        live = self.live(product)
        if live is None or not _can_be_shown(live, now):
            return []
        return [live, *(entry for entry in self._replaced_by(live) if _can_be_shown(entry, now))]

    def readings(self) -> set[str]:
        """Digests of the readings that products show or can go back to."""
        live = [entry for product in PRODUCTS if (entry := self.live(product)) is not None]
        return {entry.reading for shown in live for entry in (shown, *self._replaced_by(shown))}

    def is_damaged(self, generation: str, now: float) -> bool:
        """Whether something of a generation is gone or cannot be read."""
        return not self._publisher.prolong(generation, now) or bool(self._publisher.damaged(generation))

    def _replaced_by(self, live: ManifestEntry) -> list[ManifestEntry]:
        if not live.previous:
            return []
        texts = cast("list[bytes | None]", self._client.hmget(REPLACED_KEY, list(live.previous)))
        replaced = []
        for generation, text in zip(live.previous, texts, strict=True):
            try:
                entry = ManifestEntry.from_json(text or b"")
            except CorruptManifest:
                continue
            if (entry.product, entry.generation) == (live.product, generation):
                replaced.append(entry)
        return replaced


def _can_be_shown(entry: ManifestEntry, now: float) -> bool:
    return entry.schema_version == SCHEMA_VERSION and entry.state_at(now) is not AnswerState.EXPIRED
