"""The payloads of generations: held by this process, else read from Redis, and why one is not there."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from threading import Lock
from typing import Final, cast

import redis

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import CorruptPayload, Payload, decode
from kpi_pipeline.cache.keys import added_key, members_key, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.payload_memory import PayloadMemory
from kpi_pipeline.model.filters import Filter

MEMORY_BYTES: Final = 8 * 2**20
"""Bytes of payloads that a process holds unless it is told otherwise."""


class Payloads:
    """Reads payloads, counts how lookups were answered, and holds what was read last. Threads may share it.

    What reads Redis raises `CacheUnavailable` where it cannot be reached.

    Args:
        client: Where they are read.
        alarms: Raised for a payload that is corrupt.
        memory_bytes: Bytes of payloads to hold at most.
    """

    def __init__(self, client: ReadClient, alarms: Alarms, memory_bytes: int) -> None:
        self._client = client
        self._alarms = alarms
        self._memory = PayloadMemory(memory_bytes)
        self._lock = Lock()
        self._reads = {"memory": 0, "redis": 0, "missing": 0, "expired": 0}

    def exact(self, entry: ManifestEntry, requested: Filter) -> Payload | None:
        """The answer of a generation to a filter; None where there is none or it is corrupt."""
        variant = entry.variant(requested)
        payload = self._memory.get(entry.generation, variant)
        if payload is not None:
            self.count("memory")
            return payload
        payload = self.read(entry, variant)
        if payload is not None:
            self.count("redis")
            self._memory.put(entry.generation, variant, payload)
        return payload

    def hold(self, entry: ManifestEntry, filters: Collection[Filter]) -> None:
        """Read the answers of a generation to some filters in one request, but for those that are held."""
        variants = [entry.variant(one) for one in filters]
        wanted = [one for one in variants if self._memory.get(entry.generation, one) is None]
        keys = [key for variant in wanted for key in _keys(entry, variant)]
        if not keys:
            return
        frames = self._frames(keys)
        pairs = zip(frames[::2], frames[1::2], strict=True)
        for variant, (stored, added) in zip(wanted, pairs, strict=True):
            frame = added if stored is None else stored
            if frame is not None:
                # What is corrupt is for who requests it.
                with suppress(CorruptPayload):
                    self._memory.put(entry.generation, variant, decode(frame))

    def uncounted(self, entry: ManifestEntry, requested: Filter) -> Payload | None:
        """The same, which is no lookup and no miss; None where Redis cannot be reached either."""
        variant = entry.variant(requested)
        payload = self._memory.get(entry.generation, variant)
        if payload is None and not self._client.failing:
            try:
                payload = self.read(entry, variant)
            except CacheUnavailable:
                return None
            if payload is not None:
                self._memory.put(entry.generation, variant, payload)
        return payload

    def named(self, entry: ManifestEntry, name: str) -> Payload | None:
        """What a generation holds besides its answers, by its name; None where that cannot be read."""
        payload = self._memory.get(entry.generation, name)
        if payload is None and (payload := self.read(entry, name)) is not None:
            self._memory.put(entry.generation, name, payload)
        return payload

    def read(self, entry: ManifestEntry, variant: str) -> Payload | None:
        """A payload from Redis by its name; None where there is none, or it is corrupt: that is an alarm."""
        keys = _keys(entry, variant)
        frames = self._frames(keys)
        for key, frame in zip(keys, frames, strict=True):
            if frame is None:
                continue
            try:
                return decode(frame)
            except CorruptPayload as error:
                self._alarms.sound("payload_corrupt", key, str(error))
        return None

    def _frames(self, keys: Sequence[str]) -> list[bytes | None]:
        """The stored values of some keys; None for each that is not there."""

        def get(client: redis.Redis) -> list[bytes | None]:
            frames = client.mget(keys)
            if not isinstance(frames, list) or len(frames) != len(keys):
                raise redis.InvalidResponse("the reply has another number of values than keys were asked for")
            return cast("list[bytes | None]", frames)

        return self._client.call(get)

    def wider(self, entry: ManifestEntry, requested: Filter) -> tuple[Filter, Payload | None, MissReason]:
        """The nearest wider filter that a generation answers, and why the one requested is not."""
        candidates = (requested, *requested.wider())
        miss, exist = self.presence(entry, candidates)
        for candidate, exists in zip(candidates[1:], exist[1:], strict=True):
            payload = self.exact(entry, candidate) if exists else None
            if payload is not None:
                return candidate, payload, miss
        return requested, None, miss

    def presence(self, entry: ManifestEntry, candidates: Sequence[Filter]) -> tuple[MissReason, list[int]]:
        """Why the first of some filters is not answered, and of which there is a payload."""
        keys = [_keys(entry, entry.variant(one)) for one in candidates]
        members = members_key(entry.generation)

        def check(client: redis.Redis) -> list[int]:
            pipeline = client.pipeline(transaction=False)
            pipeline.exists(members)
            pipeline.sismember(members, keys[0][0])
            for stored in keys:
                pipeline.exists(*stored)
            return cast("list[int]", pipeline.execute())

        complete, was_published, *exist = self._client.call(check)
        miss = MissReason.CORRUPT if exist[0] else MissReason.NOT_PRECOMPUTED
        if not complete or (was_published and not exist[0]):
            miss = MissReason.VANISHED
        return miss, exist

    def held_wider(self, entry: ManifestEntry, requested: Filter) -> tuple[Filter, Payload | None]:
        """The nearest wider filter whose answer this process holds."""
        for candidate in requested.wider():
            payload = self._memory.get(entry.generation, entry.variant(candidate))
            if payload is not None:
                self.count("memory")
                return candidate, payload
        return requested, None

    def keep_only(self, generations: Collection[str]) -> None:
        """Let go of what is held of all other generations."""
        self._memory.keep_only(set(generations))

    def count(self, outcome: str) -> None:
        """Count one lookup by how it was answered."""
        with self._lock:
            self._reads[outcome] += 1

    def reads(self) -> dict[str, int]:
        """How lookups were answered since the process started."""
        with self._lock:
            return dict(self._reads)

    def size(self) -> dict[str, int]:
        """What is held, as `PayloadMemory.size`."""
        return self._memory.size()


def _keys(entry: ManifestEntry, variant: str) -> tuple[str, str]:
    """Where a payload is stored: among those of its generation, or of what was added to that."""
    return payload_key(entry.generation, variant), added_key(entry.generation, variant)
