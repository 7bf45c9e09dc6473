"""Popularity: how often things were asked for, of which a count halves each day."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final, cast

import redis

from kpi_pipeline.cache.scripts import WEIGH

HALF_LIFE_S: Final = 86_400.0
"""Seconds after which an ask counts half."""

FORGOTTEN: Final = 2.0**-7
"""Weight below which a thing counts as never asked for: one ask a week ago."""

KEPT: Final = 2_000
"""How many things are kept under one key."""

_KEPT_S: Final = 14 * 86_400
_MOST: Final = 40
"""Binary logarithm of a weight that nothing real reaches."""


class Popularity:
    """Weights of things, under any key the `KEPT` heaviest. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `serving` (to add) or `pipeline` (to read).
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._weigh = client.register_script(WEIGH)

    def add(self, key: str, asks: Mapping[bytes, int]) -> None:
        """Note that things were asked for now.

        Args:
            key: Where they are weighed.
            asks: Each thing and how often, from 1.
        """
        if asks:
            pairs = [part for pair in asks.items() for part in pair]
            self._weigh(keys=[key], args=[repr(self._present()), KEPT, _KEPT_S, *pairs])

    def ranked(self, key: str, limit: int) -> list[tuple[bytes, float]]:
        """Things with their weights, the heaviest first: asks, each halved once a half-life.

        Args:
            key: Where they are weighed.
            limit: How many at most, from 1.
        """
        present = self._present()
        found = cast(
            "list[tuple[bytes, float]]",
            self._client.zrevrangebyscore(
                key,
                present + _MOST,
                present + math.log2(FORGOTTEN),
                start=0,
                num=max(limit, 1),
                withscores=True,
            ),
        )
        return [(thing, 2.0 ** (score - present)) for thing, score in found]

    def _present(self) -> float:
        return self._clock() / HALF_LIFE_S
