"""The stream of requests as Redis holds it: delivered at least once, to one consumer at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, cast

import redis
from redis.exceptions import NoPermissionError

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.keys import DISPATCHER_KEY, REQUESTS_KEY

_GROUP: Final = "pipeline"
_ABANDONED_MS: Final = 60_000
"""A consumer that has held an entry for so long counts as dead."""

_SETTLED_MS: Final = 5_000
"""After so long, whatever a dead consumer had begun for an entry is over."""

_SIGN_KEPT_MS: Final = 7 * 86_400_000

_AT_ONCE: Final = 500
"""Entries that are removed at a time."""

_UNREAD_COUNTED: Final = 1000
"""How many unread entries are counted at most."""

Fields = Mapping[bytes, bytes]


class Delivery(NamedTuple):
    """An entry of the stream, what it holds, and whether it has been delivered before."""

    entry: str
    fields: Fields
    again: bool


class Backlog(NamedTuple):
    """The requests that are left to work on.

    Attributes:
        waiting: How many no consumer has taken yet.
        taken: How many are taken and not acknowledged.
        seen_s: Seconds since a consumer last polled; None when none ever has.
    """

    waiting: int
    taken: int
    seen_s: float | None


class RequestStream:
    """Delivers entries. Errors of Redis propagate.

    It takes a client of the user `pipeline`, or of `serving` to see the backlog.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def left_or_new(self, consumer: str, limit: int, patience_s: float) -> list[Delivery]:
        """Entries that another consumer has abandoned, then new ones.

        Args:
            consumer: The consumer's name.
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
        """Entries that an earlier process of the same name took and did not acknowledge; else new ones,
        waiting for the first.

        Args:
            consumer: The consumer's name.
            limit: How many at most, from 1.
            wait_s: How long to wait, more than 0 and less than the client's timeout.
        """
        return self._in_group(
            lambda: self._claim_own(consumer, limit) or self._read_new(consumer, limit, wait_s)
        )

    def acknowledge(self, entries: Sequence[str]) -> None:
        """Remove entries from the stream."""
        for batch in batches(entries, _AT_ONCE):
            pipeline = self._client.pipeline(transaction=True)
            pipeline.xack(REQUESTS_KEY, _GROUP, *batch)
            pipeline.xdel(REQUESTS_KEY, *batch)
            pipeline.execute()

    def backlog(self) -> Backlog:
        """How many entries are left to work on, and when a consumer last polled."""
        length = int(self._client.xlen(REQUESTS_KEY))
        groups = self._client.xinfo_groups(REQUESTS_KEY) if length else []
        taken = sum(group["pending"] for group in groups if group["name"] == _GROUP.encode())
        return Backlog(max(length - taken, 0), taken, self._seen_s())

    def unread(self) -> tuple[int, float]:
        """How many entries no consumer has read, and for how many seconds the earliest of them waits.

        It takes a client of the user `pipeline`.
        """
        groups = {group["name"]: group for group in self._info(self._client.xinfo_groups, REQUESTS_KEY)}
        read = groups[_GROUP.encode()]["last-delivered-id"] if _GROUP.encode() in groups else b"0"
        entries = cast(
            "list[tuple[bytes, Fields]]",
            self._client.xrange(REQUESTS_KEY, min=f"({read.decode()}", count=_UNREAD_COUNTED),
        )
        return len(entries), self._age_s(entries[0][0]) if entries else 0.0

    def sign(self) -> None:
        """Show that the dispatcher reads requests. Redis 7.0 does not note polls that find none."""
        self._client.set(DISPATCHER_KEY, b"", px=_SIGN_KEPT_MS)

    def silent_s(self) -> float | None:
        """Seconds since the last sign of the dispatcher; None when it gave none for a week."""
        left_ms = int(self._client.pttl(DISPATCHER_KEY))
        return (_SIGN_KEPT_MS - left_ms) / 1000 if left_ms >= 0 else None

    def _seen_s(self) -> float | None:
        idle = [row["idle"] for row in self._info(self._client.xinfo_consumers, REQUESTS_KEY, _GROUP)]
        return min(idle) / 1000 if idle else None

    def _info(self, read: Callable[..., Any], *names: str) -> list[dict[str, Any]]:
        try:
            return cast("list[dict[str, Any]]", read(*names))
        except NoPermissionError:
            raise
        except redis.ResponseError:
            return []  # there is no stream yet, or no group

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
        return _deliveries(claimed[1], again=True)

    def _claim_own(self, consumer: str, limit: int) -> list[Delivery]:
        held = self._client.xpending_range(
            REQUESTS_KEY, _GROUP, "-", "+", limit, consumername=consumer, idle=_SETTLED_MS
        )
        entries = [pending["message_id"] for pending in cast("list[dict[str, Any]]", held)]
        if not entries:
            return []
        claimed = self._client.xclaim(REQUESTS_KEY, _GROUP, consumer, _SETTLED_MS, entries)
        return _deliveries(cast("list[tuple[bytes, Fields]]", claimed), again=True)

    def _read_new(self, consumer: str, limit: int, wait_s: float | None) -> list[Delivery]:
        block = None if wait_s is None else round(wait_s * 1000)
        streams = self._client.xreadgroup(_GROUP, consumer, {REQUESTS_KEY: ">"}, count=limit, block=block)
        read = cast("list[tuple[bytes, list[tuple[bytes, Fields]]]]", streams)
        return _deliveries(chain(*(entries for _, entries in read)), again=False)

    def _oldest_age_s(self) -> float:
        """The age of the oldest entry by the server's clock, of which its name is made."""
        oldest = cast("list[tuple[bytes, Fields]]", self._client.xrange(REQUESTS_KEY, count=1))
        return self._age_s(oldest[0][0]) if oldest else 0.0

    def _age_s(self, entry: bytes) -> float:
        seconds, microseconds = self._client.time()
        return float(seconds + microseconds / 1e6) - int(entry.partition(b"-")[0]) / 1000


def _deliveries(entries: Iterable[tuple[bytes, Fields]], *, again: bool) -> list[Delivery]:
    return [Delivery(entry.decode(), fields, again) for entry, fields in entries]
