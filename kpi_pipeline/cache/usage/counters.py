"""Usage counters: what readers request, how it is answered, and why not."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import redis

from kpi_pipeline.cache.filter_text import filter_from_text, filter_to_text
from kpi_pipeline.cache.keys import missed_key, reads_key, stale_key, wanted_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.popularity import Popularity
from kpi_pipeline.model.filters import Filter

_LOG: Final = logging.getLogger(__name__)

DAYS_KEPT: Final = 7
"""For how many days it is kept how lookups were answered, today included."""

_HIT: Final = "hit"
_STALE: Final = "stale"
_DAY_S: Final = 86_400
_REASON_END: Final = b" "


@dataclass(frozen=True, slots=True)
class RequestedFilter:
    """A filter that readers request.

    Attributes:
        filter: Which certificates.
        weight: How often; a request's weight halves every day.
    """

    filter: Filter
    weight: float


@dataclass(frozen=True, slots=True)
class MissedFilter:
    """A filter that was not answered with its own figures.

    Attributes:
        filter: Which certificates.
        reason: Why.
        weight: How often; a miss's weight halves every day.
    """

    filter: Filter
    reason: MissReason
    weight: float


@dataclass(frozen=True, slots=True)
class Reads:
    """How the lookups of the last `DAYS_KEPT` days were answered.

    Attributes:
        hits: How many with their own figures, fresh or stale.
        misses: How many were not, by reason.
        stale: How many of the hits were stale.
    """

    hits: int
    misses: Mapping[MissReason, int]
    stale: int = 0

    @property
    def missed(self) -> int:
        """How many lookups were not answered with their own figures."""
        return sum(self.misses.values())


class UsageCounters:
    """Counts lookups by filter, bounded in size. Errors of Redis propagate.

    Args:
        client: A client of the user `serving` (to add) or `pipeline` (all).
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._popularity = Popularity(client, clock=clock)

    def add_request(self, product: str, filter: Filter) -> None:
        """Count one request for a filter of a product."""
        self.add_requests(product, {filter: 1})

    def add_requests(self, product: str, requests: Mapping[Filter, int]) -> None:
        """Add how often filters of a product were requested."""
        self._add(wanted_key(product), requests)

    def add_stale(self, product: str, stale: Mapping[Filter, int]) -> None:
        """Add how often filters of a product were answered with stale figures."""
        self._add(stale_key(product), stale)

    def add_misses(self, product: str, misses: Mapping[tuple[Filter, MissReason], int]) -> None:
        """Add how often filters of a product were missed, and why."""
        entries = {
            reason.encode() + _REASON_END + filter_to_text(filter_): times
            for (filter_, reason), times in misses.items()
        }
        self._popularity.add(missed_key(product), entries)

    def add_reads(self, product: str, hits: int, misses: Mapping[MissReason, int], stale: int = 0) -> None:
        """Add how lookups of today were answered.

        Args:
            product: What was requested.
            hits: How many were answered with their own figures.
            misses: How many were not, by reason.
            stale: How many of the hits were stale.
        """
        key = self._reads_keys(product)[0]
        # No transaction: serving may not begin one.
        pipeline = self._client.pipeline(transaction=False)
        for outcome, times in ((_HIT, hits), (_STALE, stale), *misses.items()):
            if times:
                pipeline.hincrby(key, outcome, times)
        pipeline.expire(key, (DAYS_KEPT + 1) * _DAY_S)
        pipeline.execute()

    def most_requested_filters(self, product: str, limit: int) -> list[Filter]:
        """Filters of a product that were requested, the most popular first; `limit` at most, from 1."""
        return [requested.filter for requested in self.most_requested(product, limit)]

    def most_requested(self, product: str, limit: int) -> list[RequestedFilter]:
        """The same with their weights."""
        return self._ranked(wanted_key(product), limit)

    def most_stale(self, product: str, limit: int) -> list[RequestedFilter]:
        """Filters most often answered with stale figures, these first; `limit` at most, from 1."""
        return self._ranked(stale_key(product), limit)

    def most_missed(self, product: str, limit: int) -> list[MissedFilter]:
        """Filters missed most often, these first, one entry per reason; `limit` at most, from 1."""
        missed = []
        for entry, weight in self._popularity.ranked(missed_key(product), limit):
            reason, _, text = entry.partition(_REASON_END)
            try:
                missed.append(MissedFilter(filter_from_text(text), MissReason(reason.decode()), weight))
            except ValueError as error:
                _LOG.warning("an entry of %s is left out: %s", missed_key(product), error)
        return missed

    def reads(self, product: str) -> Reads:
        """How the lookups of the last `DAYS_KEPT` days were answered."""
        pipeline = self._client.pipeline(transaction=False)
        for key in self._reads_keys(product):
            pipeline.hgetall(key)
        counts: Counter[str] = Counter()
        for day in cast("list[dict[bytes, bytes]]", pipeline.execute()):
            for outcome, times in day.items():
                if times.isdigit():
                    counts[outcome.decode(errors="replace")] += int(times)
        misses = {reason: counts[reason] for reason in MissReason if reason in counts}
        return Reads(counts[_HIT], misses, counts[_STALE])

    def _add(self, key: str, counts: Mapping[Filter, int]) -> None:
        self._popularity.add(key, {filter_to_text(filter_): times for filter_, times in counts.items()})

    def _ranked(self, key: str, limit: int) -> list[RequestedFilter]:
        ranked = []
        for text, weight in self._popularity.ranked(key, limit):
            try:
                ranked.append(RequestedFilter(filter_from_text(text), weight))
            except ValueError as error:
                _LOG.warning("an entry of %s is left out: %s", key, error)
        return ranked

    def _reads_keys(self, product: str) -> list[str]:
        """The keys of the days kept, today's first."""
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        return [reads_key(product, today - timedelta(days=days)) for days in range(DAYS_KEPT)]
