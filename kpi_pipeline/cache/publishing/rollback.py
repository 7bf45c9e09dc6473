"""Rollback: products go back to an earlier reading of the source, from generations that are still kept.

Scopes go back with the whole firm, in the same step.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import redis

from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.scope_rollback import (
    HeldFor,
    ScopeOutcome,
    ScopeRollback,
    scope_rollback,
)
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.scopes import NO_POLICY

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


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What a rollback has made live.

    Attributes:
        products: The live entries of the whole firm, by product.
        scopes: What became of each scope of the policy.
    """

    products: Mapping[str, ManifestEntry]
    scopes: tuple[ScopeRollback, ...] = ()


class RollbackRefused(LookupError):
    """Nothing was rolled back.

    Attributes:
        reason: Why, and what to do, as one sentence.
        kept: The readings that products hold, the one that the source held last first.
        damaged: Generations that cannot be made live because keys of theirs are gone or cannot be read.
        scopes: Names of the scopes that keep nothing whole of the time when the source held the reading.
    """

    def __init__(
        self,
        reason: str,
        kept: Sequence[KeptReading] = (),
        damaged: Sequence[str] = (),
        scopes: Sequence[str] = (),
    ) -> None:
        self.reason = reason
        self.kept = tuple(kept)
        self.damaged = tuple(damaged)
        self.scopes = tuple(scopes)
        super().__init__(reason)


class Rollback:
    """Rolls products back, with a client of the user `pipeline`. Errors of Redis propagate."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._publisher = Publisher(client)
        self._kept = KeptGenerations(client)

    def roll_back(
        self,
        products: Sequence[str] = PRODUCTS,
        generation: str | None = None,
        *,
        leaves_scopes: bool = False,
    ) -> RollbackResult:
        """Make an earlier reading of the source live again, in one step: of all products, or of none.

        Each scope goes back in the same step to what it showed when the source held that reading; one
        whose rows did not differ stays as it is.

        The times of its generations stay. They get a new fence: a run that read the source before never
        replaces them; one that reads something else, or is to end the rollback, does. A product that shows
        nothing, because nothing of it is live or it has expired, is left as it is.

        Args:
            products: Which are rolled back; others keep what they show.
            generation: A generation of one of them, whose reading is the one; if not given, the latest
                reading before the newest live one of which each has a whole generation.
            leaves_scopes: Whether scopes that keep nothing whole of that time stay as they are, rather
                than keep all from going back.

        Raises:
            RollbackRefused: If no such reading is kept whole by each product, if a scope keeps nothing whole
                of its time, or a newer one was published meanwhile; nothing is changed.
        """
        now = time.time()
        held = {product: entries for product in products if (entries := self._kept.showable(product, now))}
        if not held:
            raise RollbackRefused(f"nothing of {', '.join(products)} is live: publish with `kpi warm`")
        damaged: list[str] = []
        for candidate in _candidates(held, generation):
            names = [entry.generation for entry in candidate.values()]
            lost = [name for name in names if self._kept.is_damaged(name, now)]
            if not lost:
                scopes = self._scopes(candidate, held, now)
                if not leaves_scopes:
                    _refuse_without(scopes, held)
                return self._make_live(candidate, held, scopes, now)
            damaged += lost
        raise RollbackRefused(_reason(generation), _kept_readings(held), damaged)

    def _scopes(
        self, chosen: Mapping[str, ManifestEntry], held: Held, now: float
    ) -> tuple[ScopeRollback, ...]:
        policy = PublishedScopes(self._client).policy() or NO_POLICY
        left = _newest_live(held).reading
        times = (
            HeldFor.of(chosen.values()),
            HeldFor.of(entries[0] for entries in held.values() if entries[0].reading == left),
        )
        return tuple(
            scope_rollback(self._client, scope, tuple(chosen), *times, now)
            for scope in policy.scopes.values()
        )

    def _make_live(
        self,
        chosen: Mapping[str, ManifestEntry],
        held: Held,
        scopes: tuple[ScopeRollback, ...],
        now: float,
    ) -> RollbackResult:
        fence = self._publisher.next_fence()
        replaced = [(held[product][0], entry) for product, entry in chosen.items()]
        replaced += [(scope.live[product], one) for scope in scopes for product, one in scope.chosen.items()]
        entries = [
            replace(
                entry,
                fence=fence,
                rolled_back_at=now,
                # Going back once more replaces the same reading of the source.
                rolled_back_from=live.rolled_back_from or live.reading,
                previous=(),
            )
            for live, entry in replaced
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
        products = {product: self._kept.live(product) or entry for product, entry in chosen.items()}
        return RollbackResult(products, scopes)


def _refuse_without(scopes: Sequence[ScopeRollback], held: Held) -> None:
    """Refuse where a scope would keep what it shows, though it is of the reading that is left."""
    lacking = [scope for scope in scopes if scope.outcome is ScopeOutcome.NOT_KEPT]
    if not lacking:
        return
    names = [scope.name for scope in lacking]
    raise RollbackRefused(
        f"of the time of that reading nothing is kept whole for the scopes {', '.join(names)}; "
        "nothing was changed",
        _kept_readings(held),
        [name for scope in lacking for name in scope.damaged],
        names,
    )


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
    newest = _newest_live(held)
    readings = {entry.reading for entries in held.values() for entry in entries} - {newest.reading}
    common = [chosen for reading in readings if len(chosen := _of_reading(held, reading)) == len(held)]
    for chosen in sorted(common, key=_last_held_at, reverse=True):
        if _last_held_at(chosen) <= newest.verified_at:
            yield chosen


def _newest_live(held: Held) -> ManifestEntry:
    return max((entries[0] for entries in held.values()), key=lambda live: live.verified_at)


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
