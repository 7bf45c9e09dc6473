"""A tally of questions: kept in memory, written to the ledger a moment later, aside from any answer."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Final

import redis

from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import Filter

THREAD_NAME: Final = "tally"
"""Name of the threads that write tallies."""

_LOG: Final = logging.getLogger(__name__)
_DELAY_S: Final = 1.0
_HELD: Final = 2_000


@dataclass(slots=True)
class _Counts:
    """What was counted of one product and is not yet written."""

    reads: Counter[MissReason | None] = field(default_factory=Counter)
    stale: Counter[Filter] = field(default_factory=Counter)
    stale_reads: int = 0
    asks: Counter[Filter] = field(default_factory=Counter)
    misses: Counter[tuple[Filter, MissReason]] = field(default_factory=Counter)

    def add(self, requested: Filter, miss: MissReason | None, stale: bool) -> None:
        self.reads[miss] += 1
        self.stale_reads += stale
        if stale and (requested in self.stale or len(self.stale) < _HELD):
            self.stale[requested] += 1
        # What is missing is wanted at once, by whoever asks for it to be computed.
        if miss in (None, MissReason.EXPIRED) and (requested in self.asks or len(self.asks) < _HELD):
            self.asks[requested] += 1
        if miss is not None and ((requested, miss) in self.misses or len(self.misses) < _HELD):
            self.misses[requested, miss] += 1

    def take_back(self, earlier: "_Counts") -> None:
        self.reads.update(earlier.reads)
        self.stale_reads += earlier.stale_reads
        self.stale = Counter(dict((self.stale + earlier.stale).most_common(_HELD)))
        self.asks = Counter(dict((self.asks + earlier.asks).most_common(_HELD)))
        self.misses = Counter(dict((self.misses + earlier.misses).most_common(_HELD)))


class UsageBuffer:
    """Counts questions. Threads may share it; counting waits for nothing but them.

    Of each product it holds the `_HELD` filters it met first; of further ones only the number of questions
    is kept. What was counted in the last moment of a process is lost with it.

    Args:
        client: From `connection.connect_reader`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._usage_counters = UsageCounters(client)
        self._lock = Lock()
        self._counts: dict[str, _Counts] = {}
        self._timer: Timer | None = None
        self._failing = False

    def count(
        self,
        product: str,
        filter: Filter,  # noqa: A002 - the domain's word
        miss: MissReason | None,
        *,
        stale: bool = False,
    ) -> None:
        """Count one question.

        Args:
            product: What was asked.
            filter: For which certificates.
            miss: Why it was not answered with its own figures; None when it was.
            stale: Whether its own figures were stale.
        """
        with self._lock:
            self._counts.setdefault(product, _Counts()).add(filter, miss, stale)
            if self._timer is None:
                self._timer = Timer(_DELAY_S, self.write)
                self._timer.name = THREAD_NAME
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Write what was counted to the ledger; what cannot be written is tried again with the next."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            counted, self._counts, self._timer = self._counts, {}, None
        for product, counts in counted.items():
            try:
                self._write(product, counts)
            except redis.RedisError as error:
                if not self._failing:
                    _LOG.warning("questions are counted and cannot be written yet: %s", error)
                self._failing = True
                with self._lock:
                    self._counts.setdefault(product, _Counts()).take_back(counts)
            else:
                self._failing = False

    def _write(self, product: str, counts: _Counts) -> None:
        # What is written leaves the counts, so that it is not written again when a later part fails.
        self._usage_counters.note_asks(product, counts.asks)
        counts.asks = Counter()
        self._usage_counters.note_misses(product, counts.misses)
        counts.misses = Counter()
        self._usage_counters.note_stale(product, counts.stale)
        counts.stale = Counter()
        misses = {reason: times for reason, times in counts.reads.items() if reason is not None}
        self._usage_counters.note_reads(product, counts.reads[None], misses, counts.stale_reads)
