"""The ledger of what readers ask for, how they are answered, and why not."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import missed_key, reads_key, stale_key, wanted_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.serialization import filter_from_text, filter_to_text
from kpi_pipeline.cache.usage.popularity import Popularity
from kpi_pipeline.model.filters import Filter

_LOG: Final = logging.getLogger(__name__)

DAYS_KEPT: Final = 7
"""Days of which the ledger tells how questions were answered, today included."""

_HIT: Final = "hit"
_STALE: Final = "stale"
_DAY_S: Final = 86_400
_REASON_END: Final = b" "


@dataclass(frozen=True, slots=True)
class RequestedFilter:
    """A filter that readers ask for.

    Attributes:
        filter: Which certificates.
        weight: How often, an ask of a day ago counting half.
    """

    filter: Filter
    weight: float


@dataclass(frozen=True, slots=True)
class MissedFilter:
    """A filter that was not answered with its own figures.

    Attributes:
        filter: Which certificates.
        reason: Why.
        weight: How often, a miss of a day ago counting half.
    """

    filter: Filter
    reason: MissReason
    weight: float


@dataclass(frozen=True, slots=True)
class Reads:
    """How the questions of the last `DAYS_KEPT` days were answered.

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
        """How many questions were not answered with their own figures."""
        return sum(self.misses.values())


class UsageCounters:
    """Counts questions by filter, bounded in size. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `serving` (to note) or `pipeline` (all).
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._popularity = Popularity(client, clock=clock)

    def want(self, product: str, filter: Filter) -> None:  # noqa: A002 - the domain's word
        """Note that somebody asked for a filter of a product, once and at once."""
        self.note_asks(product, {filter: 1})

    def note_asks(self, product: str, asks: Mapping[Filter, int]) -> None:
        """Note how often filters of a product were asked for."""
        self._popularity.add(wanted_key(product), {filter_to_text(one): asks[one] for one in asks})

    def note_misses(self, product: str, misses: Mapping[tuple[Filter, MissReason], int]) -> None:
        """Note how often filters of a product were missed, and why."""
        self._popularity.add(
            missed_key(product),
            {
                reason.encode() + _REASON_END + filter_to_text(one): times
                for (one, reason), times in misses.items()
            },
        )

    def note_stale(self, product: str, stale: Mapping[Filter, int]) -> None:
        """Note how often filters of a product were answered with stale figures."""
        self._popularity.add(stale_key(product), {filter_to_text(one): stale[one] for one in stale})

    def note_reads(self, product: str, hits: int, misses: Mapping[MissReason, int], stale: int = 0) -> None:
        """Note how today's questions were answered.

        Args:
            product: What was asked.
            hits: How many were answered with their own figures.
            misses: How many were not, by reason.
            stale: How many of the hits were stale.
        """
        key = reads_key(product, self._today())
        # No transaction: serving may not begin one.
        pipeline = self._client.pipeline(transaction=False)
        for outcome, times in ((_HIT, hits), (_STALE, stale), *misses.items()):
            if times:
                pipeline.hincrby(key, outcome, times)
        pipeline.expire(key, (DAYS_KEPT + 1) * _DAY_S)
        pipeline.execute()

    def wanted(self, product: str, limit: int) -> list[Filter]:
        """Filters of a product that were asked for, the most popular first.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            limit: How many at most, from 1.
        """
        return [requested.filter for requested in self.requested(product, limit)]

    def requested(self, product: str, limit: int) -> list[RequestedFilter]:
        """The same with their weights."""
        return self._weighed(product, wanted_key(product), limit)

    def stale(self, product: str, limit: int) -> list[RequestedFilter]:
        """Filters of a product that were answered with stale figures, those most often so first.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            limit: How many at most, from 1.
        """
        return self._weighed(product, stale_key(product), limit)

    def missed(self, product: str, limit: int) -> list[MissedFilter]:
        """Filters of a product that were missed, those missed most first; one entry a reason.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            limit: How many at most, from 1.
        """
        found = []
        for entry, weight in self._popularity.ranked(missed_key(product), limit):
            reason, _, text = entry.partition(_REASON_END)
            try:
                found.append(MissedFilter(filter_from_text(text), MissReason(reason.decode()), weight))
            except ValueError as error:
                _LOG.warning("a miss in the ledger of %s is left out: %s", product, error)
        return found

    def reads(self, product: str) -> Reads:
        """How the questions of the last `DAYS_KEPT` days were answered."""
        pipeline = self._client.pipeline(transaction=False)
        for days in range(DAYS_KEPT):
            pipeline.hgetall(reads_key(product, self._today() - timedelta(days=days)))
        counts: dict[str, int] = {}
        for held in cast("list[dict[bytes, bytes]]", pipeline.execute()):
            for outcome, times in held.items():
                if times.isdigit():
                    name = outcome.decode(errors="replace")
                    counts[name] = counts.get(name, 0) + int(times)
        misses = {reason: counts[reason] for reason in MissReason if reason in counts}
        return Reads(counts.get(_HIT, 0), misses, counts.get(_STALE, 0))

    def _weighed(self, product: str, key: str, limit: int) -> list[RequestedFilter]:
        found = []
        for text, weight in self._popularity.ranked(key, limit):
            try:
                found.append(RequestedFilter(filter_from_text(text), weight))
            except ValueError as error:
                _LOG.warning("an entry of the ledger of %s is left out: %s", product, error)
        return found

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()
