"""Losses: what the manifest should name or names, and Redis no longer holds."""

from collections.abc import Iterator
from typing import cast

import redis

from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.codec import CorruptPayload, decode
from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry, live_entry


class IntegrityCheck:
    """Finds losses. Errors of Redis propagate as they are.

    Args:
        client: A client that may read the cache.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def of(self, product: str, now: float) -> str | None:
        """What a product has lost, in words; None when its live generation is whole or expired.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            now: Seconds since the epoch.
        """
        live = live_entry(self._client, product)
        if live is None:
            return "the manifest has no entry that can be read"
        if live.state_at(now) is AnswerState.EXPIRED:
            return None
        found: set[bytes] = set()
        gone = 0
        for batch in batches(self._client.sscan_iter(members_key(live.generation), count=BATCH)):
            gone += len(batch) - self._client.exists(*batch)
            found.update(batch)
        expected = live.variants + 1
        if len(found) != expected:
            return f"{live.generation} names {len(found)} of its {expected} keys"
        return f"{gone} of {expected} keys of {live.generation} are gone" if gone else None


def read_back(client: redis.Redis, entry: ManifestEntry) -> Iterator[tuple[int, list[str]]]:
    """Read every answer of a generation, and its catalogue. Errors of Redis propagate as they are.

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
        problems = []
        for key, frame in zip(batch, cast("list[bytes | None]", client.mget(batch)), strict=True):
            try:
                if frame is None:
                    problems.append(f"{key.decode()} is gone: refresh {entry.product} again")
                else:
                    decode(frame)
            except CorruptPayload as error:
                problems.append(f"{key.decode()}: {error}")
        read += len(batch)
        yield read, problems
    if len(keys) != entry.variants + 1:
        yield (
            len(keys),
            [f"{entry.generation} names {len(keys)} answers instead of {entry.variants + 1}: refresh again"],
        )
