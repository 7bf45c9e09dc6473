"""Payloads kept in the serving process, so that most answers need no read from Redis."""

from collections import OrderedDict
from collections.abc import Collection
from threading import Lock
from typing import Final

from kpi_pipeline.cache.codec import Payload

OVERHEAD: Final = 1_024
"""Bytes that a payload takes besides its content: its key, its digest, and the objects that hold them."""


class PayloadMemory:
    """Payloads by generation and variant, least recently used out first. Threads may share it.

    Args:
        limit: Bytes to keep at most, those of the objects included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._held: OrderedDict[tuple[str, str], Payload] = OrderedDict()
        self._bytes = 0

    def get(self, generation: str, variant: str) -> Payload | None:
        """The payload held for a variant, if any."""
        with self._lock:
            payload = self._held.get((generation, variant))
            if payload is not None:
                self._held.move_to_end((generation, variant))
            return payload

    def put(self, generation: str, variant: str, payload: Payload) -> None:
        """Hold a payload; others make room for it."""
        with self._lock:
            self._remove((generation, variant))
            self._held[generation, variant] = payload
            self._bytes += _weight(payload)
            while self._bytes > self._limit:
                self._remove(next(iter(self._held)))

    def keep_only(self, generations: Collection[str]) -> None:
        """Drop the payloads of every other generation."""
        with self._lock:
            for key in [key for key in self._held if key[0] not in generations]:
                self._remove(key)

    def size(self) -> dict[str, int]:
        """How much is held: `payloads`, `bytes` and the `limit` in bytes."""
        with self._lock:
            return {"payloads": len(self._held), "bytes": self._bytes, "limit": self._limit}

    def _remove(self, key: tuple[str, str]) -> None:
        payload = self._held.pop(key, None)
        if payload is not None:
            self._bytes -= _weight(payload)


def _weight(payload: Payload) -> int:
    return len(payload.zstd) + len(payload.gzip) + OVERHEAD
