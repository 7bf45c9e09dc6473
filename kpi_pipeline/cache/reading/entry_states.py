"""The state of live generations by the clock: one that is set back makes nothing younger."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry


@dataclass(frozen=True, slots=True)
class _FirstSeen:
    """The times of an entry, and how far the clock of its publisher is ahead of the steady one, at least."""

    fence: int
    times: tuple[float, float]
    ahead_s: float


class EntryStates:
    """How the entries of a scope stand. Threads may share it.

    From its first sight an entry ages at least as fast as a steady clock goes, and it was verified before
    that, whatever the other clock shows then or later.

    Args:
        clock: The present, in seconds since the epoch; it may jump.
        steady: Seconds that only grow, of any beginning.
    """

    def __init__(self, clock: Callable[[], float], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._first_seen: dict[str, _FirstSeen] = {}

    def of(self, entry: ManifestEntry) -> AnswerState:
        """The state of an entry now: the worse one of that by the clock and that by its age."""
        now, steady = self._clock(), self._steady()
        aged = entry.state_at(max(now, steady + self._seen(entry, now, steady).ahead_s))
        return entry.state_at(now) if aged is AnswerState.FRESH else aged

    def follow(self, live: Collection[ManifestEntry]) -> None:
        """Note that these are live, and forget those that none of them has replaced."""
        now, steady = self._clock(), self._steady()
        for entry in live:
            self._seen(entry, now, steady)
        named = {name for entry in live for name in (entry.generation, *entry.previous)}
        self._first_seen = {name: seen for name, seen in list(self._first_seen.items()) if name in named}

    def _seen(self, entry: ManifestEntry, now: float, steady: float) -> _FirstSeen:
        times = entry.verified_at, entry.fresh_until
        seen = self._first_seen.get(entry.generation)
        # Only a later reading gives it other times: a rollback, or a copy that lags behind, does not.
        if seen is None or (entry.fence >= seen.fence and times != seen.times):
            ahead_s = max(now, entry.verified_at) - steady
            seen = self._first_seen[entry.generation] = _FirstSeen(entry.fence, times, ahead_s)
        return seen
