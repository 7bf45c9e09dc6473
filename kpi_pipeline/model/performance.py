"""What is measured of the last minutes, the last hour and the last day: windows and distributions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_GROWTH: Final = 2**0.25
_SMALLEST_S: Final = 1e-5
_BUCKETS: Final = 128


class Measure(StrEnum):
    """What takes a time that is measured."""

    ANSWER = "answer"
    """An answer with figures, by its kind: the time from the request until it is written."""

    REFRESH = "refresh"
    """A request to the pipeline, by its kind: the time from it until its figures are served."""

    LAG = "lag"
    """A publication, by product: the time from the reading of the source until its figures are served."""

    STEP = "step"
    """A step of a run, by its name."""


class AnswerKind(StrEnum):
    """What was sent to somebody who requested figures."""

    FIGURES = "figures"
    PAGE = "page"
    DOWNLOAD = "download"
    UNCHANGED = "unchanged"
    """A confirmation that what the client has still holds."""

    ERROR = "error"
    """A problem in place of figures."""


class Outcome(StrEnum):
    """How a lookup was answered."""

    HIT = "hit"
    """With its own figures, fresh."""

    STALE = "stale"
    """With its own figures, stale."""

    MISS = "miss"
    """Not with its own figures; the reason says why."""

    EXPIRED = "expired"
    """Not at all: the figures are too old to be shown."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time until now that is looked back on.

    Attributes:
        name: Its name.
        seconds: How long it is.
        slot_s: What is counted together, in seconds: the window reaches back to the beginning of a slot.
    """

    name: str
    seconds: int
    slot_s: int

    def slots(self, now: float) -> range:
        """The slots that the window touches, numbered from the epoch; `now` in seconds since it."""
        last = int(now) // self.slot_s
        return range(last - self.seconds // self.slot_s, last + 1)


FIVE_MINUTES: Final = Window("5m", 300, 30)
HOUR: Final = Window("1h", 3_600, 300)
DAY: Final = Window("24h", 86_400, 3_600)
WINDOWS: Final = (FIVE_MINUTES, HOUR, DAY)

LOW_HIT_RATE: Final = 0.8
"""Below this share of hits too many readers wait for figures."""

SLOW_S: Final = 2.0
"""An answer that takes longer than this, in seconds, makes its reader wait."""

FEW_LOOKUPS: Final = 100
"""With fewer lookups within the window a share of hits says little."""


def bucket_of(seconds: float) -> int:
    """The bucket of a duration: each ends 19 % above the one before it, from 10 microseconds on."""
    if seconds <= _SMALLEST_S:
        return 0
    return min(math.ceil(math.log(seconds / _SMALLEST_S, _GROWTH)), _BUCKETS)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Durations that were measured.

    Attributes:
        buckets: How many fell into each bucket, by the number that `bucket_of` gives.
        total_s: Their sum in seconds.
        bytes: How many bytes were sent with them; 0 where nothing is.
    """

    buckets: Mapping[int, int]
    total_s: float = 0.0
    bytes: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.buckets.values())

    @property
    def mean_s(self) -> float | None:
        """Their mean; None where there are none."""
        return self.total_s / self.count if self.count else None

    def quantile_s(self, share: float) -> float | None:
        """The duration within which a share of them was, at most 19 % too long; None where there are none.

        Args:
            share: From 0 to 1.
        """
        rank, seen = share * self.count, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank and self.buckets[bucket]:
                return float(_SMALLEST_S * _GROWTH**bucket)
        return None


@dataclass(frozen=True, slots=True)
class Lookups:
    """How lookups were answered.

    Attributes:
        hits: How many with their own figures, fresh.
        stale: How many with their own figures, stale.
        misses: How many were not, by reason.
        expired: How many not at all.
    """

    hits: int = 0
    stale: int = 0
    misses: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0

    @property
    def count(self) -> int:
        """How many there were."""
        return self.hits + self.stale + self.expired + sum(self.misses.values())

    @property
    def hit_rate(self) -> float | None:
        """The share that was answered with its own figures, fresh or stale; None where there were none."""
        return (self.hits + self.stale) / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Performance:
    """What was measured within a window.

    Attributes:
        window: The window.
        lookups: How lookups were answered, by product.
        durations: What took how long, by measure and name.
    """

    window: Window
    lookups: Mapping[str, Lookups]
    durations: Mapping[Measure, Mapping[str, Distribution]]

    @property
    def all_lookups(self) -> Lookups:
        """The lookups of all products; their misses by reason."""
        reasons: dict[str, int] = {}
        for one in self.lookups.values():
            for reason, times in one.misses.items():
                reasons[reason] = reasons.get(reason, 0) + times
        return Lookups(
            sum(one.hits for one in self.lookups.values()),
            sum(one.stale for one in self.lookups.values()),
            reasons,
            sum(one.expired for one in self.lookups.values()),
        )

    @property
    def all_answers(self) -> Distribution:
        """The answers with figures, of every kind: pages, their data and downloads, changed or not."""
        kinds = (AnswerKind.FIGURES, AnswerKind.PAGE, AnswerKind.DOWNLOAD, AnswerKind.UNCHANGED)
        answers = [self.durations.get(Measure.ANSWER, {}).get(kind, Distribution({})) for kind in kinds]
        buckets: dict[int, int] = {}
        for one in answers:
            for bucket, times in one.buckets.items():
                buckets[bucket] = buckets.get(bucket, 0) + times
        return Distribution(buckets, sum(one.total_s for one in answers), sum(one.bytes for one in answers))
