"""How many open pages hear of new figures: each process that serves them reports its own number."""

import re
import time
from collections.abc import Callable
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import LISTENERS_KEY

REPORT_S: Final = 5.0
"""Seconds between two reports of a process."""

SILENT_S: Final = 20.0
"""A process that has reported nothing for so long has ended."""

_KEPT_S: Final = 60
_REPORT: Final = re.compile(rb"(\d{1,9}) (\d{1,12}\.\d{3})")


def report_listeners(
    client: redis.Redis, process: str, count: int, clock: Callable[[], float] = time.time
) -> None:
    """Report how many pages listen to a process.

    Args:
        client: A client of either user.
        process: The name of the process.
        count: How many.
        clock: The present, in seconds since the epoch.
    """
    client.hset(LISTENERS_KEY, process, f"{count} {clock():.3f}")
    client.expire(LISTENERS_KEY, _KEPT_S)


def listeners(client: redis.Redis, clock: Callable[[], float] = time.time) -> int | None:
    """How many pages listen to all processes together; None where no process has reported lately.

    Args:
        client: A client of either user.
        clock: The present, in seconds since the epoch.
    """
    reports = cast("dict[bytes, bytes]", client.hgetall(LISTENERS_KEY))
    counts = [
        int(found[1])
        for report in reports.values()
        if (found := _REPORT.fullmatch(report)) is not None and float(found[2]) >= clock() - SILENT_S
    ]
    return sum(counts) if counts else None
