"""What a burst of equal requests for a refresh costs: `python bench/burst.py [--requests 20000]`.

How long each waits for its answer, how many tasks they are, and how long a reader waits meanwhile. Needs
Debian's hey.
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Final, NamedTuple

import redis
from refreshes import Refreshes
from stack import Stack, demo, stack_of

from kpi_pipeline.cache.keys import task_key
from kpi_pipeline.stack.addresses import LOOPBACK

READ: Final = "/manager/api/dashboard"
REFRESH: Final = "/manager/dashboard/refresh?product=dashboards"
PAUSE_S: Final = 0.02


class Waits(NamedTuple):
    """How long answers took, in milliseconds."""

    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> "Waits":
        """Those of some answers."""
        cuts = statistics.quantiles(milliseconds, n=100)
        return cls(*(round(one, 1) for one in (cuts[49], cuts[98], max(milliseconds))))


def burst(stack: Stack, requests: int, connections: int) -> tuple[list[float], Counter[str]]:
    """Milliseconds of each of many requests for a refresh, and how many answers there were of each status."""
    url = f"http://{LOOPBACK}:{stack.addresses.web_port}{REFRESH}"
    command = ["hey", "-n", str(requests), "-c", str(connections), "-m", "POST", "-o", "csv", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = list(csv.DictReader(text.splitlines()))
    return [float(row["response-time"]) * 1000 for row in rows], Counter(row["status-code"] for row in rows)


def reading(stack: Stack, ended: Event, waits: list[float]) -> None:
    """Read an answer again and again."""
    web = Refreshes(stack.addresses, "dashboards")
    while not ended.wait(PAUSE_S):
        begun = time.perf_counter()
        status, _ = web.request("GET", READ)
        assert status == 200
        waits.append((time.perf_counter() - begun) * 1000)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stack_of(f"sqlite:///{demo(Path(folder), options.rows)}") as stack,
    ):
        cache, ended, waits = (
            redis.Redis.from_url(stack.addresses.redis_url("pipeline")),
            Event(),
            list[float](),
        )
        pattern = task_key("*")
        before = sum(1 for _ in cache.scan_iter(pattern, count=1_000))
        reader = Thread(target=reading, args=[stack, ended, waits])
        reader.start()
        begun = time.perf_counter()
        try:
            times, statuses = burst(stack, options.requests, options.connections)
        finally:
            ended.set()
            reader.join()
        tasks = sum(1 for _ in cache.scan_iter(pattern, count=1_000)) - before
        assert set(statuses) == {"202"}, statuses
        print(f"{len(times)} requests in {time.perf_counter() - begun:.1f} s, {tasks} tasks")
        print(f"milliseconds of a request: {Waits.of(times)}; of a reader meanwhile: {Waits.of(waits)}")


if __name__ == "__main__":
    main()
