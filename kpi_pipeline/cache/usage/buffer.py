"""The usage buffer: lookups and answers are counted in memory and written a moment later, apart from them."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Final, TypeVar

import redis

from kpi_pipeline.cache.connection import FAILURES
from kpi_pipeline.cache.keys import publication
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.performance import Field, PerformanceCounters, duration_counts, lookup_field
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.performance import AnswerKind, Measure, Outcome
from kpi_pipeline.model.scopes import WHOLE_FIRM

THREAD_NAME: Final = "usage-buffer"
"""Name of the threads that write the buffer."""

DELAY_S: Final = 1.0
"""Seconds from a lookup to the writing of its count."""

_LOG: Final = logging.getLogger(__name__)

Key = TypeVar("Key")


@dataclass(slots=True)
class _Counts:
    """What was counted of one product and is not yet written."""

    reads: Counter[MissReason | None] = field(default_factory=Counter)
    stale_reads: int = 0
    requests: Counter[Filter] = field(default_factory=Counter)
    stale: Counter[Filter] = field(default_factory=Counter)
    misses: Counter[tuple[Filter, MissReason]] = field(default_factory=Counter)

    def add(self, requested: Filter, miss: MissReason | None, stale: bool, times: int, limit: int) -> None:
        self.reads[miss] += times
        if stale:
            self.stale_reads += times
            _add(self.stale, requested, times, limit)
        # Whoever requests a missing variant from the pipeline counts that request at once.
        if miss in (None, MissReason.EXPIRED):
            _add(self.requests, requested, times, limit)
        if miss is not None:
            _add(self.misses, (requested, miss), times, limit)

    def merge(self, later: "_Counts", limit: int) -> None:
        self.reads.update(later.reads)
        self.stale_reads += later.stale_reads
        for requested, times in later.requests.items():
            _add(self.requests, requested, times, limit)
        for requested, times in later.stale.items():
            _add(self.stale, requested, times, limit)
        for missed, times in later.misses.items():
            _add(self.misses, missed, times, limit)


def _add(counts: Counter[Key], key: Key, times: int, limit: int) -> None:
    if key in counts or len(counts) < limit:
        counts[key] += times


def outcome_of(miss: MissReason | None, *, stale: bool) -> Outcome:
    """How a lookup was answered that was a miss for a reason, or a hit."""
    if miss is MissReason.EXPIRED:
        return Outcome.EXPIRED
    if miss is not None:
        return Outcome.MISS
    return Outcome.STALE if stale else Outcome.HIT


class UsageBuffer:
    """Counts lookups and answers. Threads may share it; counting never waits for Redis.

    What was counted in the last moment of a process is lost with it.

    Args:
        client: From `connection.connect_reader`.
        delay_s: Seconds from a lookup to the writing of its count; `DELAY_S` if not given.
        max_filters: How many filters of a product are counted apart between two writings; of further
            ones only the number of lookups is kept.
    """

    def __init__(
        self, client: redis.Redis, *, delay_s: float | None = None, max_filters: int = 2_000
    ) -> None:
        self._usage_counters = UsageCounters(client)
        self._performance_counters = PerformanceCounters(client)
        self._delay_s = DELAY_S if delay_s is None else delay_s
        self._max_filters = max_filters
        self._lock = Lock()
        self._counts: dict[str, _Counts] = {}
        self._measured: Counter[Field] = Counter()
        self._timer: Timer | None = None
        self._failing = False

    def count(
        self,
        product: str,
        filter: Filter,
        miss: MissReason | None,
        *,
        stale: bool = False,
        times: int = 1,
        scope: str = WHOLE_FIRM,
    ) -> None:
        """Count one lookup, or several equal ones.

        Args:
            product: What was requested.
            filter: For which certificates.
            miss: Why it was not answered with its own figures; None when it was.
            stale: Whether its own figures were stale.
            times: How many there were.
            scope: What the reader may see.
        """
        outcome = outcome_of(miss, stale=stale)
        reason = miss.value if miss is not None and outcome is Outcome.MISS else ""
        with self._lock:
            counts = self._counts.setdefault(publication(product, scope), _Counts())
            counts.add(filter, miss, stale, times, self._max_filters)
            self._measured[lookup_field(product, outcome, reason)] += times
            if self._timer is None:
                self._write_later()

    def measure(self, kind: AnswerKind, seconds: Sequence[float], size: int) -> None:
        """Count answers of a kind.

        Args:
            kind: What was sent.
            seconds: How long each took.
            size: The bytes of all.
        """
        counts = duration_counts(Measure.ANSWER, kind.value, seconds, size)
        with self._lock:
            measured = self._measured
            for field, times in counts.items():
                measured[field] += times
            if self._timer is None:
                self._write_later()

    def _write_later(self) -> None:
        self._timer = Timer(self._delay_s, self.write)
        self._timer.name = THREAD_NAME
        self._timer.daemon = True
        self._timer.start()

    def write(self) -> None:
        """Write what was counted; what cannot be written is kept and written with the next counts."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            counted, self._counts, self._timer = self._counts, {}, None
            measured, self._measured = self._measured, Counter()
        errors = []
        try:
            self._performance_counters.add(measured)
        except FAILURES as error:
            errors.append(error)
            with self._lock:
                self._measured.update(measured)
        for product, counts in counted.items():
            try:
                self._write(product, counts)
            except FAILURES as error:
                errors.append(error)
                with self._lock:
                    counts.merge(self._counts.get(product, _Counts()), self._max_filters)
                    self._counts[product] = counts
        if errors and not self._failing:
            _LOG.warning("lookups are counted and cannot be written yet: %s", errors[0])
        self._failing = bool(errors)

    def _write(self, product: str, counts: _Counts) -> None:
        # What is written leaves the counts, so that it is not written again when a later part fails.
        self._usage_counters.add_requests(product, counts.requests)
        counts.requests = Counter()
        self._usage_counters.add_misses(product, counts.misses)
        counts.misses = Counter()
        self._usage_counters.add_stale(product, counts.stale)
        counts.stale = Counter()
        misses = {reason: times for reason, times in counts.reads.items() if reason is not None}
        self._usage_counters.add_reads(product, counts.reads[None], misses, counts.stale_reads)
