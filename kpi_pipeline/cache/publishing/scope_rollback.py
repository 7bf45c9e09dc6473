"""What scopes go back to when the whole firm does: what they showed when the source held its reading.

The reading of a scope is a digest of its own rows: it says nothing of the reading of the firm. The moments at
which the source was read are those of both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import redis

from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.model.scopes import Scope


@dataclass(frozen=True, slots=True)
class HeldFor:
    """For how long the source is known to have held a reading, in seconds since the epoch.

    Attributes:
        first: When it was first read and held it.
        last: When it was last read and held it.
    """

    first: float
    last: float

    @classmethod
    def of(cls, entries: Iterable[ManifestEntry]) -> Self:
        """That of a reading, by some generations of it."""
        held = list(entries)
        return cls(min(entry.first_read_at for entry in held), max(entry.verified_at for entry in held))

    def agreement(self, entry: ManifestEntry) -> int:
        """How well it fits that an entry shows the same rows.

        A reading that comes back may be held for longer than it looks, with another one in between: what
        was held at both ends is it.

        Returns:
            0 where the two were never held together; else 1, and 1 for each end at which they were.
        """
        if entry.first_read_at > self.last or entry.verified_at < self.first:
            return 0
        return 1 + sum(entry.first_read_at <= end <= entry.verified_at for end in (self.first, self.last))


class ScopeOutcome(StrEnum):
    """What a rollback does to a scope."""

    ROLLED_BACK = "rolled_back"

    SAME_FIGURES = "same_figures"
    """Its rows do not differ between the readings: it shows what it did."""

    NOT_KEPT = "not_kept"
    """It keeps nothing whole of the time when the source held the reading."""

    SHOWS_NOTHING = "shows_nothing"


@dataclass(frozen=True, slots=True)
class ScopeRollback:
    """What a rollback does to a scope.

    Attributes:
        name: As the policy has it.
        outcome: What becomes of it.
        chosen: By product, the generations to make live.
        live: By product, what it showed before.
        damaged: Generations that cannot be made live because keys of theirs are gone or cannot be read.
    """

    name: str
    outcome: ScopeOutcome
    chosen: Mapping[str, ManifestEntry]
    live: Mapping[str, ManifestEntry]
    damaged: tuple[str, ...] = ()


def scope_rollback(
    client: redis.Redis, scope: Scope, products: Sequence[str], target: HeldFor, left: HeldFor, now: float
) -> ScopeRollback:
    """What a scope goes back to.

    Args:
        client: A client of the user `pipeline`.
        scope: The scope.
        products: Which of its products go back; those that show nothing stay as they are.
        target: When the source held the reading to which the firm goes back.
        left: When it held the one that the firm shows.
        now: Seconds since the epoch.
    """
    kept = KeptGenerations(client, scope.id)
    held = {product: entries for product in products if (entries := kept.showable(product, now))}
    live = {product: entries[0] for product, entries in held.items()}
    if not held:
        return ScopeRollback(scope.name, ScopeOutcome.SHOWS_NOTHING, {}, {})
    # The newest of those that fit equally well comes first.
    fitting = {product: max(entries, key=target.agreement) for product, entries in held.items()}
    if not all(map(target.agreement, fitting.values())):
        return ScopeRollback(scope.name, ScopeOutcome.NOT_KEPT, {}, live)
    # What also fits the reading that is left shows the same rows of both, in all products.
    same = {entry.reading for entry in live.values() if target.agreement(entry) and left.agreement(entry)}
    chosen = {
        product: entry
        for product, entry in fitting.items()
        if entry.generation != live[product].generation or entry.reading not in same
    }
    if not chosen:
        return ScopeRollback(scope.name, ScopeOutcome.SAME_FIGURES, {}, live)
    names = [entry.generation for entry in chosen.values()]
    if damaged := tuple(name for name in names if kept.is_damaged(name, now)):
        return ScopeRollback(scope.name, ScopeOutcome.NOT_KEPT, {}, live, damaged)
    return ScopeRollback(scope.name, ScopeOutcome.ROLLED_BACK, chosen, live)
