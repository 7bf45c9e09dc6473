"""Integrity: whether Redis still holds all that the manifest names, as it was written."""

from collections.abc import Iterator, Sequence
from typing import cast

import redis

from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.codec import CorruptPayload, verify
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.manifest import ManifestEntry, live_entry


class IntegrityCheck:
    """Finds missing keys, with a client that may read the cache. Errors of Redis propagate."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def of(self, product: str, now: float) -> str | None:
        """What is missing of a product, in words; None when its live generation is whole or expired.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            now: Seconds since the epoch.
        """
        live = live_entry(self._client, product)
        if live is None:
            return "the manifest has no entry that can be read"
        if live.state_at(now) is AnswerState.EXPIRED:
            return None
        members: set[bytes] = set()
        gone = 0
        for batch in batches(self._client.sscan_iter(members_key(live.generation), count=BATCH)):
            gone += len(batch) - self._client.exists(*batch)
            members.update(batch)
        expected = live.keys
        if len(members) != expected:
            return f"{live.generation} names {len(members)} of its {expected} keys"
        return f"{gone} of {expected} keys of {live.generation} are gone" if gone else None


class IncompleteGeneration(RuntimeError):
    """A generation lacks keys that were staged, so it must not go live."""


def unreadable(client: redis.Redis, keys: Sequence[bytes]) -> dict[bytes, str]:
    """The payloads that are gone or corrupt, each with its problem in words."""
    problems = {}
    for key, frame in zip(keys, cast("list[bytes | None]", client.mget(keys)), strict=True):
        if frame is None:
            problems[key] = f"{key.decode()} is gone: refresh the product again"
            continue
        try:
            verify(frame)
        except CorruptPayload as error:
            problems[key] = f"{key.decode()}: {error}"
    return problems


def read_back(client: redis.Redis, entry: ManifestEntry) -> Iterator[tuple[int, list[str]]]:
    """Read every answer of a generation, and its catalogue. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
        entry: The generation.

    Yields:
        After each batch how many have been read so far, and its problems in words; at last those of the
        whole.
    """
    keys = sorted(cast("set[bytes]", client.smembers(members_key(entry.generation))))
    read = 0
    for batch in batches(keys):
        read += len(batch)
        yield read, list(unreadable(client, batch).values())
    expected = entry.keys
    if read != expected:
        yield read, [f"{entry.generation} names {read} answers instead of {expected}: refresh again"]
