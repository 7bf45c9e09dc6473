"""Performance counters: what was measured within the last minutes, the last hour and the last day.

Each window has its own hashes, one for each of its slots, with a bounded number of fields, which expire with
the window.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import performance_key
from kpi_pipeline.model.performance import (
    WINDOWS,
    Distribution,
    Lookups,
    Measure,
    Outcome,
    Performance,
    Window,
    bucket_of,
)

Field = tuple[str, ...]
"""What is counted: `lookup`, product, outcome and reason; or a measure, a name, and a bucket or a total."""

_LOOKUP: Final = "lookup"
_MICROSECONDS: Final = "us"
_BYTES: Final = "bytes"
_BETWEEN: Final = "|"


def lookup_field(product: str, outcome: Outcome, reason: str = "") -> Field:
    """What counts a lookup; the reason is that of a miss."""
    return (_LOOKUP, product, outcome.value, reason)


def duration_counts(measure: Measure, name: str, seconds: Sequence[float], size: int = 0) -> dict[Field, int]:
    """What counts durations, and the bytes that were sent with them."""
    buckets = Counter(map(bucket_of, seconds))
    counts: dict[Field, int] = {
        (measure.value, name, str(bucket)): times for bucket, times in buckets.items()
    }
    counts[measure.value, name, _MICROSECONDS] = sum(int(one * 1e6) for one in seconds)
    if size:
        counts[measure.value, name, _BYTES] = size
    return counts


class PerformanceCounters:
    """Counts what was measured. Errors of Redis propagate.

    Args:
        client: A client of the user `serving` or `pipeline`.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def add(self, counts: Mapping[Field, int]) -> None:
        """Add counts of the present."""
        if not counts:
            return
        now = self._clock()
        # No transaction: serving may not begin one.
        pipeline = self._client.pipeline(transaction=False)
        for window in WINDOWS:
            key = performance_key(window.name, window.slots(now)[-1])
            for field, times in counts.items():
                pipeline.hincrby(key, _BETWEEN.join(field), times)
            pipeline.expire(key, window.seconds + 2 * window.slot_s)
        pipeline.execute()

    def add_duration(self, measure: Measure, name: str, seconds: float) -> None:
        """Add one duration, in seconds; one below 0, of clocks that differ, counts as 0."""
        self.add(duration_counts(measure, name, (max(seconds, 0.0),)))

    def read(self, window: Window) -> Performance:
        """What was measured within a window."""
        pipeline = self._client.pipeline(transaction=False)
        for slot in window.slots(self._clock()):
            pipeline.hgetall(performance_key(window.name, slot))
        counts: Counter[Field] = Counter()
        for slot_counts in cast("list[dict[bytes, bytes]]", pipeline.execute()):
            for text, times in slot_counts.items():
                if times.isdigit():
                    counts[tuple(text.decode(errors="replace").split(_BETWEEN))] += int(times)
        return _performance(window, counts)


def _performance(window: Window, counts: Mapping[Field, int]) -> Performance:
    lookups: dict[str, Counter[tuple[str, str]]] = {}
    measured: dict[Measure, dict[str, Counter[str]]] = {measure: {} for measure in Measure}
    for field, times in counts.items():
        match field:
            case (kind, product, outcome, reason) if kind == _LOOKUP:
                lookups.setdefault(product, Counter())[outcome, reason] += times
            case (kind, name, part) if kind in set(Measure):
                measured[Measure(kind)].setdefault(name, Counter())[part] += times
    return Performance(
        window,
        {product: _lookups(by_outcome) for product, by_outcome in sorted(lookups.items())},
        {
            measure: {name: _distribution(parts) for name, parts in sorted(by_name.items())}
            for measure, by_name in measured.items()
        },
    )


def _lookups(counts: Counter[tuple[str, str]]) -> Lookups:
    return Lookups(
        counts[Outcome.HIT.value, ""],
        counts[Outcome.STALE.value, ""],
        {reason: times for (outcome, reason), times in sorted(counts.items()) if outcome == Outcome.MISS},
        counts[Outcome.EXPIRED.value, ""],
    )


def _distribution(parts: Counter[str]) -> Distribution:
    buckets = {int(part): times for part, times in parts.items() if part.isdigit()}
    return Distribution(buckets, parts[_MICROSECONDS] / 1e6, parts[_BYTES])
