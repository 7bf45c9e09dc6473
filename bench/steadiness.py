"""Whether what is measured minute by minute stays as it is: memory, keys, latency, pace of publications."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60
_HOUR: Final = 3600 / WINDOW_S

CACHE: Final = "cache"
"""Names the program of the cache among the others."""

HOURLY_SHARE: Final = 0.05
"""By how much of what it is a measure may grow in an hour."""

HOURLY_MIB: Final = 20
"""A program may grow by so much in an hour in any case."""

LONGER: Final = 1.5
"""By how much the 99th percentile of the last third may exceed that of the first one."""

KEPT_PACE: Final = 0.9
"""The share of the publications asked for that must have gone live."""


@dataclass
class Window:
    """One minute.

    Attributes:
        requests: Answers at the pace.
        p50_ms: Their median.
        p99_ms: The 99th percentile.
        published: Generations that went live meanwhile.
        mib: Memory at the end, by program.
        data_kib: What the data of the cache take at the end.
        keys: How many keys these are.
        most_keys: How many there may be, by the generations that are kept.
    """

    requests: int
    p50_ms: float
    p99_ms: float
    published: int
    mib: dict[str, int]
    data_kib: int
    keys: int
    most_keys: int


def thirds(measured: Sequence[Window]) -> list[Sequence[Window]]:
    """The beginning, the middle and the end."""
    size = len(measured) // 3
    return [measured[:size], measured[size : 2 * size], measured[-size:]]


def unsteady(measured: Sequence[Window], every_s: float) -> list[str]:
    """What has not stayed as it was.

    Growth is that of the line of least squares through the second half, less twice its standard error: in the
    first half a stack fills what it keeps. That of the cache is of its data for each key, for it fills up
    with generations by the schedules of all products: how many keys there are has a bound, and its program
    keeps the memory that it once needed.

    Args:
        measured: One after the other.
        every_s: Seconds from one publication to the next, as they were asked for.
    """
    first, *_, last = thirds(measured)
    settled = measured[len(measured) // 2 :]
    found = []
    for name in sorted({name for window in measured for name in window.mib} - {CACHE}):
        found += _growth(f"{name}, MiB", [window.mib.get(name, 0) for window in settled], HOURLY_MIB)
    of_keys = [window.data_kib / max(window.keys, 1) for window in settled]
    found += _growth("the cache, KiB a key", of_keys, 0)
    if beyond := next((window for window in measured if window.keys > window.most_keys), None):
        found.append(f"the cache holds {beyond.keys} keys of at most {beyond.most_keys}")
    slow = [statistics.median(window.p99_ms for window in part) for part in (first, last)]
    if slow[1] > slow[0] * LONGER:
        found.append(f"p99 is {slow[1]:.1f} ms after {slow[0]:.1f}")
    asked_for = len(measured) * WINDOW_S / every_s
    published = sum(window.published for window in measured)
    if published < KEPT_PACE * asked_for:
        found.append(f"{published} publications of {asked_for:.0f} asked for")
    return found


def _growth(of: str, values: Sequence[float], least: float) -> list[str]:
    """Says by how much something grows, where that is surely more than may be."""
    minutes = range(len(values))
    slope, start = statistics.linear_regression(minutes, values)
    left = [value - start - slope * minute for minute, value in zip(minutes, values, strict=True)]
    spread = sum((minute - statistics.mean(minutes)) ** 2 for minute in minutes)
    error = (sum(one**2 for one in left) / max(len(values) - 2, 1) / spread) ** 0.5
    usual = statistics.mean(values)
    if (slope - 2 * error) * _HOUR <= max(HOURLY_SHARE * usual, least):
        return []
    return [f"{of}: grows by {slope * _HOUR:.3g} an hour, of {usual:.3g}"]
