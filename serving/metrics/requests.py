"""Requests and lookups, counted in files that the serving processes of one machine share.

Where `PROMETHEUS_MULTIPROC_DIR` names a folder, each process counts in files of its own there, and any of
them exposes the sum; counts outlive a process, not the folder. Elsewhere a process exposes its own.
"""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.model.performance import Outcome
from serving.metrics.declarations import HTTP_BYTES, HTTP_DURATION, HTTP_REQUESTS, LOOKUPS, Metric

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus-client, which reads it when it is imported."""

BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the buckets of durations: an answer from memory takes less than a millisecond."""

MOST_FILES: Final = 100
"""With more files than these, those of processes that have ended are removed: each takes 64 KiB."""

UNMATCHED: Final = "unmatched"
"""The route of addresses that there are not: each may differ."""

_LOG: Final = logging.getLogger(__name__)

disable_created_metrics()  # type: ignore[no-untyped-call]


class RequestMetrics:
    """Counts requests and lookups. Threads may share it."""

    def __init__(self) -> None:
        self._folder = os.environ.get(FOLDER_VARIABLE, "")
        self._enabled = True
        self._registry = CollectorRegistry()
        self._requests = _counter(HTTP_REQUESTS, self._registry)
        self._bytes = _counter(HTTP_BYTES, self._registry)
        self._lookups = _counter(LOOKUPS, self._registry)
        self._durations = Histogram(
            HTTP_DURATION.name,
            HTTP_DURATION.text,
            HTTP_DURATION.labels,
            registry=self._registry,
            buckets=BUCKETS_S,
        )
        # The library looks children up by text and under a lock, which takes longer than counting.
        self._routes: dict[str, tuple[Histogram, Counter]] = {}
        self._statuses: dict[tuple[str, int], Counter] = {}
        self._outcomes: dict[tuple[str, Outcome, MissReason | None], Counter] = {}
        self._pending: Callable[[], object] = lambda: None
        if self._folder:
            self._reserve()

    def before_reading(self, count: Callable[[], object]) -> None:
        """Have something counted first whenever the counts are read."""
        self._pending = count

    def answered(self, route: str, status: int, seconds: Sequence[float], size: int) -> None:
        """Count answers.

        Args:
            route: The pattern of their address; `UNMATCHED` for none.
            status: Their HTTP status.
            seconds: How long each took.
            size: Bytes of all bodies.
        """
        if not self._enabled:
            return
        children = self._routes.get(route)
        if children is None:
            children = self._routes[route] = (self._durations.labels(route), self._bytes.labels(route))
        counter = self._statuses.get((route, status))
        if counter is None:
            counter = self._statuses[route, status] = self._requests.labels(route, str(status))
        durations, sent = children
        counter.inc(len(seconds))
        for one in seconds:
            durations.observe(one)
        if size:
            sent.inc(size)

    def looked_up(self, product: str, outcome: Outcome, miss: MissReason | None, times: int) -> None:
        """Count lookups: of which product, how they were answered, why they were misses, and how many."""
        if not self._enabled:
            return
        counter = self._outcomes.get((product, outcome, miss))
        if counter is None:
            reason = miss.value if miss is not None and outcome is Outcome.MISS else ""
            counter = self._lookups.labels(product, outcome.value, reason)
            self._outcomes[product, outcome, miss] = counter
        counter.inc(times)

    def registry(self) -> CollectorRegistry:
        """What was counted, by all processes that share the folder."""
        self._pending()
        if not self._folder:
            return self._registry
        registry = CollectorRegistry()
        if self._enabled:
            MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return registry

    def _reserve(self) -> None:
        """Make the files of this process, and take their space: to count on a full disk would end it."""
        folder = Path(self._folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_many(folder)
            self._requests.labels(UNMATCHED, "404")
            self._durations.labels(UNMATCHED)
            for path in folder.glob(f"*_{os.getpid()}.db"):
                with path.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            self._enabled = False
            _LOG.warning("requests are not counted for /metrics: %s: %s", folder, error)


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name.removesuffix("_total"), metric.text, metric.labels, registry=registry)


def _remove_many(folder: Path) -> None:
    """Keep a web server that ends again and again from filling the disk; its counts begin anew."""
    files = list(folder.glob("*_*.db"))
    for path in files if len(files) > MOST_FILES else ():
        if not Path("/proc", path.stem.rpartition("_")[2]).exists():
            path.unlink(missing_ok=True)
