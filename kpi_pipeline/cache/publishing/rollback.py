"""Rolling back: making a generation live again that was replaced and is still kept."""

import time
from dataclasses import replace
from typing import cast

import redis

from kpi_pipeline.cache.keys import REPLACED_KEY
from kpi_pipeline.cache.manifest import AnswerState, CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.publisher import IncompleteGeneration, Publisher


class NoSuchGeneration(LookupError):
    """A product has no such generation to roll back to; the message names those there are."""


class Rollback:
    """Rolls products back. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._publisher = Publisher(client)

    def live(self, product: str) -> ManifestEntry | None:
        """The live entry of a product; None when there is none, or none that can be read."""
        return self._publisher.live(product)

    def kept(self, product: str) -> list[ManifestEntry]:
        """Entries of the generations to which a product can be rolled back, the newest first."""
        live = self._publisher.live(product)
        if live is None or not live.previous:
            return []
        texts = cast("list[bytes | None]", self._client.hmget(REPLACED_KEY, list(live.previous)))
        found = []
        for generation, text in zip(live.previous, texts, strict=True):
            try:
                entry = ManifestEntry.from_json(text or b"")
            except CorruptManifest:
                continue
            if (entry.product, entry.generation) == (product, generation):
                found.append(entry)
        return found

    def roll_back(self, product: str, generation: str | None = None) -> ManifestEntry:
        """Make a kept generation live again, as old as it is.

        It gets a fence of its own: a run that began to read the source before the rollback never
        replaces it, the next one does.

        Args:
            product: Which product.
            generation: To which generation; the one replaced last if not given.

        Returns:
            The entry that is live now.

        Raises:
            NoSuchGeneration: If it is not kept, or too old to be shown.
            IncompleteGeneration: If it has lost keys or cannot be read; what is live stays.
        """
        now = time.time()
        kept = [one for one in self.kept(product) if one.state_at(now) is not AnswerState.EXPIRED]
        chosen = next((one for one in kept if generation in (None, one.generation)), None)
        if chosen is None:
            names = ", ".join(one.generation for one in kept) or "none"
            raise NoSuchGeneration(
                f"{product} cannot be rolled back to {generation or 'an earlier generation'}: kept and not "
                f"expired are {names}; `kpi warm` publishes a new one"
            )
        if not self._publisher.prolong(chosen.generation, now) or self._publisher.inspect(chosen.generation):
            raise IncompleteGeneration(
                f"{chosen.generation} has lost keys or cannot be read: roll back to another, or refresh with "
                "`kpi warm`; what was live stays"
            )
        self._publisher.flip(replace(chosen, fence=self._publisher.next_fence(), previous=()))
        return self._publisher.live(product) or chosen
