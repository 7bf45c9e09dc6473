"""A hash of Redis in serving: as new as a caller needs, and the last known one while Redis is down."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar, cast

from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient

Parsed = TypeVar("Parsed")


class HashView(Generic[Parsed]):
    """Reads a hash when a caller needs a newer reading. Threads may share it.

    Args:
        read_client: Where it is read.
        key: The hash.
        parse: Parses its fields; called when they differ from those of the last reading.
    """

    def __init__(
        self, read_client: ReadClient, key: str, parse: Callable[[dict[bytes, bytes]], Parsed]
    ) -> None:
        self._read_client = read_client
        self._key = key
        self._parse = parse
        self._lock = Lock()
        self._read_at = float("-inf")
        self._raw: dict[bytes, bytes] = {}
        self._parsed: Parsed | None = None

    def read(self, since: float) -> Parsed:
        """The parsed hash.

        Args:
            since: The reading must not have begun before this time of `time.monotonic`; while Redis
                cannot be reached, the last reading counts.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        if self._read_at < since or self._parsed is None:
            self._renew(since)
        if self._parsed is None:
            raise CacheUnavailable(
                "Redis has not been reached yet: start it with `kpi up`, or check REDIS_URL"
            )
        return self._parsed

    def _renew(self, since: float) -> None:
        # One thread reads for all. The others wait for it, but not on a server known to be down.
        if not self._lock.acquire(blocking=not self._read_client.failing):
            return
        try:
            if self._read_at < since or self._parsed is None:
                begun = time.monotonic()
                raw = self._read_client.call(lambda client: client.hgetall(self._key))
                if raw != self._raw or self._parsed is None:
                    self._raw = cast("dict[bytes, bytes]", raw)
                    self._parsed = self._parse(self._raw)
                self._read_at = begun
        except CacheUnavailable:
            if self._parsed is None:
                raise
        finally:
            self._lock.release()
