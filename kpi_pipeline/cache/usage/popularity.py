"""Popularity: how often items were requested; the weight of a request halves every day."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final, cast

import redis

from kpi_pipeline.cache.scripts import WEIGH

HALF_LIFE_S: Final = 86_400.0
"""Seconds after which a request's weight has halved."""

FORGOTTEN: Final = 2.0**-7
"""Weight below which an item counts as never requested: one request a week ago."""

KEPT: Final = 2_000
"""How many items are kept under one key."""

_KEPT_S: Final = 14 * 86_400
_MOST: Final = 40
"""Binary logarithm of a weight that nothing real reaches."""


class Popularity:
    """Weights of items; under any key the heaviest are kept. Errors of Redis propagate.

    Args:
        client: A client of the user `serving` (to add) or `pipeline` (to read).
        kept: How many items are kept under one key.
        clock: The present, in seconds since the epoch.
    """

    def __init__(
        self, client: redis.Redis, *, kept: int = KEPT, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._kept = kept
        self._clock = clock
        self._weigh = client.register_script(WEIGH)

    def add(self, key: str, requests: Mapping[bytes, int]) -> None:
        """Count requests that come now.

        Args:
            key: Where the items are weighed.
            requests: Each item and how often it was requested, from 1.
        """
        if requests:
            pairs = [part for pair in requests.items() for part in pair]
            self._weigh(keys=[key], args=[repr(self._present()), self._kept, _KEPT_S, *pairs])

    def ranked(self, key: str, limit: int) -> list[tuple[bytes, float]]:
        """Items with their weights, the heaviest first.

        Args:
            key: Where the items are weighed.
            limit: How many at most, from 1.
        """
        present = self._present()
        lowest, highest = present + math.log2(FORGOTTEN), present + _MOST
        scored = cast(
            "list[tuple[bytes, float]]",
            self._client.zrevrangebyscore(key, highest, lowest, start=0, num=max(limit, 1), withscores=True),
        )
        return [(item, 2.0 ** (score - present)) for item, score in scored]

    def scores(self, key: str) -> dict[bytes, float]:
        """The stored scores of all items, to be kept elsewhere and given to `merge`."""
        scored = self._client.zrange(key, 0, -1, withscores=True)
        return dict(cast("list[tuple[bytes, float]]", scored))

    def merge(self, key: str, scores: Mapping[bytes, float]) -> None:
        """Add items with scores of `scores`; of an item that is there already the greater score counts."""
        if scores:
            pipeline = self._client.pipeline(transaction=True)
            pipeline.zadd(key, dict(scores), gt=True)
            pipeline.zremrangebyrank(key, 0, -1 - self._kept)
            pipeline.expire(key, _KEPT_S)
            pipeline.execute()

    def _present(self) -> float:
        return self._clock() / HALF_LIFE_S
