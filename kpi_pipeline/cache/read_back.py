"""Reading a whole generation back: whether every answer it should hold is there and makes sense."""

from collections.abc import Iterator
from typing import Final, cast

import redis

from kpi_pipeline.cache.codec import CorruptPayload, decode
from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.manifest import ManifestEntry

_BATCH: Final = 250


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
    for begin in range(0, len(keys), _BATCH):
        batch = keys[begin : begin + _BATCH]
        problems = []
        for key, frame in zip(batch, cast("list[bytes | None]", client.mget(batch)), strict=True):
            try:
                if frame is None:
                    problems.append(f"{key.decode()} is gone: refresh {entry.product} again")
                else:
                    decode(frame)
            except CorruptPayload as error:
                problems.append(f"{key.decode()}: {error}")
        yield begin + len(batch), problems
    if len(keys) != entry.variants + 1:
        yield (
            len(keys),
            [f"{entry.generation} names {len(keys)} answers instead of {entry.variants + 1}: refresh again"],
        )
