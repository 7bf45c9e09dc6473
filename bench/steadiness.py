"""Whether what is measured minute by minute stays as it is: memory, keys, latency, pace of publications."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60
_HOUR: Final = 3600 / WINDOW_S

HOURLY_SHARE: Final = 0.05
"""By how much of what it is a measure may grow in an hour."""

HOURLY_MIB: Final = 40
"""A program may grow by so much in an hour in any case: of half an hour no less can be told."""

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
        keys: Keys in the cache at the end.
    """

    requests: int
    p50_ms: float
    p99_ms: float
    published: int
    mib: dict[str, int]
    keys: int


def thirds(measured: Sequence[Window]) -> list[Sequence[Window]]:
    """The beginning, the middle and the end."""
    size = len(measured) // 3
    return [measured[:size], measured[size : 2 * size], measured[-size:]]


def unsteady(measured: Sequence[Window], every_s: float) -> list[str]:
    """What has not stayed as it was.

    Growth is that of the line of least squares through all but the first third, in which a stack fills what
    it keeps: a step that ends is none, and a slow growth is one however slow it is beside what was there.

    Args:
        measured: One after the other.
        every_s: Seconds from one publication to the next, as they were asked for.
    """
    first, *_, last = thirds(measured)
    settled = measured[len(first) :]
    found = []
    for name in sorted({name for window in measured for name in window.mib}):
        found += _growth(f"{name}, MiB", [window.mib.get(name, 0) for window in settled], HOURLY_MIB)
    found += _growth("keys of the cache", [window.keys for window in settled], 0)
    slow = [statistics.median(window.p99_ms for window in part) for part in (first, last)]
    if slow[1] > slow[0] * LONGER:
        found.append(f"p99 is {slow[1]:.1f} ms after {slow[0]:.1f}")
    asked_for = len(measured) * WINDOW_S / every_s
    published = sum(window.published for window in measured)
    if published < KEPT_PACE * asked_for:
        found.append(f"{published} publications of {asked_for:.0f} asked for")
    return found


def _growth(of: str, values: Sequence[float], least: float) -> list[str]:
    """Says by how much something grows, where it is more than may be."""
    hourly = statistics.linear_regression(range(len(values)), values).slope * _HOUR
    usual = statistics.mean(values)
    if hourly <= max(HOURLY_SHARE * usual, least):
        return []
    return [f"{of}: grows by {hourly:.0f} an hour, of {usual:.0f}"]
