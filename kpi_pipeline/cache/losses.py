"""Losses: what the manifest should name or names, and Redis no longer holds."""

from itertools import islice
from typing import Final

import redis

from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.publisher import Publisher

_BATCH: Final = 1000


class Losses:
    """Finds losses. Errors of Redis propagate as they are.

    Args:
        client: A client that may read the cache.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._publisher = Publisher(client)

    def of(self, product: str, now: float) -> str | None:
        """What a product has lost, in words; None when its live generation is whole or expired.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            now: Seconds since the epoch.
        """
        live = self._publisher.live(product)
        if live is None:
            return "the manifest has no entry that can be read"
        if live.state_at(now) is AnswerState.EXPIRED:
            return None
        members = self._client.sscan_iter(members_key(live.generation), count=_BATCH)
        found: set[bytes] = set()
        gone = 0
        while batch := list(islice(members, _BATCH)):
            gone += len(batch) - self._client.exists(*batch)
            found.update(batch)
        expected = live.variants + 1
        if len(found) != expected:
            return f"{live.generation} names {len(found)} of its {expected} keys"
        return f"{gone} of {expected} keys of {live.generation} are gone" if gone else None
