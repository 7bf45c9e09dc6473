"""Rollback: products go back to an earlier reading of the source, from generations that are still kept."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import redis

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import REPLACED_KEY
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION

Held = Mapping[str, Sequence[ManifestEntry]]
"""By product the generations that can be live: the live one, then those it replaced, the newest first."""


@dataclass(frozen=True, slots=True)
class KeptReading:
    """A reading of the source of which generations can be live.

    Attributes:
        digest: `ManifestEntry.reading`.
        read_at: When the source was first read and held it, in seconds since the epoch.
        generations: The newest generation of it of each product that has one.
        live: The products that show it.
    """

    digest: str
    read_at: float
    generations: Mapping[str, str]
    live: tuple[str, ...]


class RollbackRefused(LookupError):
    """Nothing was rolled back.

    Attributes:
        reason: Why, and what to do, as one sentence.
        kept: The readings that products hold, the one that the source held last first.
        damaged: Generations that cannot be made live because keys of theirs are gone or cannot be read.
    """

    def __init__(self, reason: str, kept: Sequence[KeptReading] = (), damaged: Sequence[str] = ()) -> None:
        self.reason = reason
        self.kept = tuple(kept)
        self.damaged = tuple(damaged)
        super().__init__(reason)


class Rollback:
    """Rolls products back, with a client of the user `pipeline`. Errors of Redis propagate."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._publisher = Publisher(client)

    def live(self, product: str) -> ManifestEntry | None:
        """The live entry of a product; None when there is none, or none that can be read."""
        return self._publisher.live(product)

    def kept(self, product: str) -> list[ManifestEntry]:
        """Entries of the generations that a product's live one has replaced and that are kept."""
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

    def readings(self) -> set[str]:
        """Digests of the readings that products show or can go back to."""
        live = [entry for product in PRODUCTS if (entry := self.live(product)) is not None]
        return {entry.reading for shown in live for entry in (shown, *self.kept(shown.product))}

    def roll_back(
        self, products: Sequence[str] = PRODUCTS, generation: str | None = None
    ) -> dict[str, ManifestEntry]:
        """Make an earlier reading of the source live again, in one step: of all products, or of none.

        The times of its generations stay. They get a new fence: a run that read the source before never
        replaces them; one that reads something else, or is to end the rollback, does. A product that shows
        nothing, because nothing of it is live or it has expired, is left as it is.

        Args:
            products: Which are rolled back; others keep what they show.
            generation: A generation of one of them, whose reading is the one; if not given, the latest
                reading before the newest live one of which each has a whole generation.

        Returns:
            The entries that are live now, by product.

        Raises:
            RollbackRefused: If no such reading is kept whole by each product, or a newer one was published
                meanwhile; nothing is changed.
        """
        now = time.time()
        held = {product: entries for product in products if (entries := self._held(product, now))}
        if not held:
            raise RollbackRefused(f"nothing of {', '.join(products)} is live: publish with `kpi warm`")
        damaged: list[str] = []
        for candidate in _candidates(held, generation):
            lost = [name for entry in candidate.values() if self._is_damaged(name := entry.generation, now)]
            if not lost:
                return self._make_live(candidate, held, now)
            damaged += lost
        raise RollbackRefused(_reason(generation), _kept_readings(held), damaged)

    def _held(self, product: str, now: float) -> list[ManifestEntry]:
        live = self._publisher.live(product)
        if live is None or not _can_be_shown(live, now):
            return []
        return [live, *(entry for entry in self.kept(product) if _can_be_shown(entry, now))]

    def _is_damaged(self, generation: str, now: float) -> bool:
        return not self._publisher.prolong(generation, now) or bool(self._publisher.damaged(generation))

    def _make_live(
        self, chosen: Mapping[str, ManifestEntry], held: Held, now: float
    ) -> dict[str, ManifestEntry]:
        fence = self._publisher.next_fence()
        entries = [
            replace(
                entry,
                fence=fence,
                rolled_back_at=now,
                # Going back once more replaces the same reading of the source.
                rolled_back_from=held[product][0].rolled_back_from or held[product][0].reading,
                previous=(),
            )
            for product, entry in chosen.items()
        ]
        try:
            outcome = self._publisher.flip_together(entries)
        except IncompleteGeneration as error:
            raise RollbackRefused(f"{error}; nothing was changed, run the command again") from error
        if outcome is not Flip.LIVE:
            raise RollbackRefused(
                "a newer reading of the source was published meanwhile; nothing was changed, run the command "
                "again"
            )
        return {entry.product: self._publisher.live(entry.product) or entry for entry in entries}


def _can_be_shown(entry: ManifestEntry, now: float) -> bool:
    return entry.schema_version == SCHEMA_VERSION and entry.state_at(now) is not AnswerState.EXPIRED


def _candidates(held: Held, generation: str | None) -> Iterator[dict[str, ManifestEntry]]:
    """Of each reading that can be gone back to, the latest first, a generation of each product."""
    if generation is not None:
        named = [entry for entries in held.values() for entry in entries if entry.generation == generation]
        for entry in named:
            of_reading = _of_reading(held, entry.reading)
            if len(of_reading) == len(held):
                yield {**of_reading, entry.product: entry}
        return
    # By when the source last held it: a rollback changes fences, and a reading may come back.
    newest = max((entries[0] for entries in held.values()), key=lambda live: live.verified_at)
    readings = {entry.reading for entries in held.values() for entry in entries} - {newest.reading}
    common = [chosen for reading in readings if len(chosen := _of_reading(held, reading)) == len(held)]
    for chosen in sorted(common, key=_last_held_at, reverse=True):
        if _last_held_at(chosen) <= newest.verified_at:
            yield chosen


def _of_reading(held: Held, reading: str) -> dict[str, ManifestEntry]:
    """The newest generation of a reading of each product that has one."""
    found = {}
    for product, entries in held.items():
        generation = next((entry for entry in entries if entry.reading == reading), None)
        if generation is not None:
            found[product] = generation
    return found


def _last_held_at(chosen: Mapping[str, ManifestEntry]) -> float:
    return max(entry.verified_at for entry in chosen.values())


def _reason(generation: str | None) -> str:
    if generation is None:
        return "no earlier reading of the source is kept whole by every product; nothing was changed"
    return (
        f"{generation} is not kept whole, or not every product keeps its reading whole; nothing was changed"
    )


def _kept_readings(held: Held) -> list[KeptReading]:
    entries = [entry for kept in held.values() for entry in kept]
    last_held_at = {
        reading: _last_held_at(_of_reading(held, reading)) for reading in {entry.reading for entry in entries}
    }
    return [
        KeptReading(
            reading,
            min(entry.first_read_at for entry in entries if entry.reading == reading),
            {product: entry.generation for product, entry in _of_reading(held, reading).items()},
            tuple(product for product, kept in held.items() if kept[0].reading == reading),
        )
        for reading in sorted(last_held_at, key=lambda reading: last_held_at[reading], reverse=True)
    ]
