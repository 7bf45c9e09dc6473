"""The stream of requests as Redis holds it: delivered at least once, to one consumer at a time."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

import redis
from redis.exceptions import NoPermissionError

from kpi_pipeline.cache.keys import REQUESTS_KEY

_GROUP: Final = "pipeline"
_ABANDONED_MS: Final = 60_000
"""A consumer that has held an entry for so long is taken for dead."""

_SETTLED_MS: Final = 5_000
"""After so long, whatever a consumer that is dead now had begun for an entry is over."""

Fields = Mapping[bytes, bytes]


class Delivery(NamedTuple):
    """An entry of the stream, what it holds, and whether it has been delivered before."""

    entry: str
    fields: Fields
    again: bool


class Backlog(NamedTuple):
    """What is left to do of the requests.

    Attributes:
        waiting: How many nobody has taken yet.
        taken: How many are taken and not acknowledged.
        seen_s: Seconds since a consumer last looked for any; None when none ever has.
    """

    waiting: int
    taken: int
    seen_s: float | None


class RequestStream:
    """Delivers entries. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `pipeline`, or of `serving` to see the backlog.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def left_or_new(self, consumer: str, limit: int, patience_s: float) -> list[Delivery]:
        """Entries that another consumer has abandoned, then new ones.

        Args:
            consumer: Who takes them.
            limit: How many at most, from 1.
            patience_s: Leave new ones to others unless the oldest has waited for so many seconds.
        """

        def deliver() -> list[Delivery]:
            left = self._claim_abandoned(consumer, limit)
            if len(left) < limit and self._oldest_age_s() >= patience_s:
                return left + self._read_new(consumer, limit - len(left), None)
            return left

        return self._in_group(deliver)

    def own_or_new(self, consumer: str, limit: int, wait_s: float) -> list[Delivery]:
        """Entries that an earlier process of the same name had taken and not acknowledged; else new
        ones, for whose first it waits.

        Args:
            consumer: Who takes them.
            limit: How many at most, from 1.
            wait_s: How long to wait, more than 0 and less than the client's timeout.
        """
        return self._in_group(
            lambda: self._claim_own(consumer, limit) or self._read_new(consumer, limit, wait_s)
        )

    def acknowledge(self, entry: str) -> None:
        """Take an entry off the stream."""
        pipeline = self._client.pipeline(transaction=True)
        pipeline.xack(REQUESTS_KEY, _GROUP, entry)
        pipeline.xdel(REQUESTS_KEY, entry)
        pipeline.execute()

    def backlog(self) -> Backlog:
        """How much is left to do, and whether anybody is there to do it."""
        length = int(self._client.xlen(REQUESTS_KEY))
        groups = self._client.xinfo_groups(REQUESTS_KEY) if length else []
        taken = sum(group["pending"] for group in groups if group["name"] == _GROUP.encode())
        return Backlog(max(length - taken, 0), taken, self._seen_s())

    def _seen_s(self) -> float | None:
        try:
            consumers = self._client.xinfo_consumers(REQUESTS_KEY, _GROUP)
        except NoPermissionError:
            raise
        except redis.ResponseError:
            return None  # there is no stream yet, or no group
        idle = [one["idle"] for one in consumers]
        return min(idle) / 1000 if idle else None

    def _in_group(self, deliver: Callable[[], list[Delivery]]) -> list[Delivery]:
        try:
            return deliver()
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        # The server is new or was flushed.
        try:
            self._client.xgroup_create(REQUESTS_KEY, _GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        return deliver()

    def _claim_abandoned(self, consumer: str, limit: int) -> list[Delivery]:
        claimed = self._client.xautoclaim(REQUESTS_KEY, _GROUP, consumer, _ABANDONED_MS, count=limit)
        return [Delivery(entry.decode(), fields, True) for entry, fields in claimed[1]]

    def _claim_own(self, consumer: str, limit: int) -> list[Delivery]:
        held = self._client.xpending_range(
            REQUESTS_KEY, _GROUP, "-", "+", limit, consumername=consumer, idle=_SETTLED_MS
        )
        entries = [one["message_id"] for one in cast("list[dict[str, Any]]", held)]
        if not entries:
            return []
        claimed = self._client.xclaim(REQUESTS_KEY, _GROUP, consumer, _SETTLED_MS, entries)
        return [
            Delivery(entry.decode(), fields, True)
            for entry, fields in cast("list[tuple[bytes, Fields]]", claimed)
        ]

    def _read_new(self, consumer: str, limit: int, wait_s: float | None) -> list[Delivery]:
        block = None if wait_s is None else round(wait_s * 1000)
        streams = self._client.xreadgroup(_GROUP, consumer, {REQUESTS_KEY: ">"}, count=limit, block=block)
        return [
            Delivery(entry.decode(), fields, False)
            for _, entries in cast("list[tuple[bytes, list[tuple[bytes, Fields]]]]", streams)
            for entry, fields in entries
        ]

    def _oldest_age_s(self) -> float:
        """How long the oldest entry has been there; by the server's clock, as its name is."""
        oldest = cast("list[tuple[bytes, Fields]]", self._client.xrange(REQUESTS_KEY, count=1))
        if not oldest:
            return 0.0
        seconds, microseconds = self._client.time()
        return float(seconds + microseconds / 1e6) - int(oldest[0][0].partition(b"-")[0]) / 1000
