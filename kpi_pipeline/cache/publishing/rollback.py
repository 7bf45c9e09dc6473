"""Rollback: a generation that was replaced and is still kept is made live again."""

import time
from dataclasses import replace
from typing import cast

import redis

from kpi_pipeline.cache.keys import REPLACED_KEY
from kpi_pipeline.cache.manifest import AnswerState, CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.publisher import IncompleteGeneration, Publisher


class NoSuchGeneration(LookupError):
    """A product has no such generation to roll back to; the message lists those it has."""


class Rollback:
    """Rolls products back, with a client of the user `pipeline`. Errors of Redis propagate."""

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
        kept = []
        for generation, text in zip(live.previous, texts, strict=True):
            try:
                entry = ManifestEntry.from_json(text or b"")
            except CorruptManifest:
                continue
            if (entry.product, entry.generation) == (product, generation):
                kept.append(entry)
        return kept

    def roll_back(self, product: str, generation: str | None = None) -> ManifestEntry:
        """Make a kept generation live again, its times unchanged.

        It gets a new fence: a run that read the source before the rollback never replaces it, the next
        run does.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            generation: A kept generation; the one replaced last if not given.

        Returns:
            The entry that is live now.

        Raises:
            NoSuchGeneration: If it is not kept, or too old to be shown.
            IncompleteGeneration: If it has lost keys or cannot be read; the live one stays.
        """
        now = time.time()
        kept = [entry for entry in self.kept(product) if entry.state_at(now) is not AnswerState.EXPIRED]
        chosen = next((entry for entry in kept if generation in (None, entry.generation)), None)
        if chosen is None:
            names = ", ".join(entry.generation for entry in kept) or "none"
            raise NoSuchGeneration(
                f"{product} cannot be rolled back to {generation or 'an earlier generation'}: kept and not "
                f"expired are {names}; `kpi warm` publishes a new one"
            )
        if not self._publisher.prolong(chosen.generation, now) or self._publisher.damaged(chosen.generation):
            raise IncompleteGeneration(
                f"{chosen.generation} has lost keys or cannot be read: roll back to another, or refresh with "
                "`kpi warm`; the live generation stays"
            )
        self._publisher.flip(replace(chosen, fence=self._publisher.next_fence(), previous=()))
        return self._publisher.live(product) or chosen
