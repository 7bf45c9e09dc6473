"""What is added to a live generation because readers wait for it: the generation is not written again.

They stand beside its own answers: its members, its entry and its copy in the archive stay as they are. The
next generation holds the answers that are requested as its own; bridges are added to it again on request.
"""

import time
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Final, cast

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.bridges import DOCUMENTS_OF_ONE
from kpi_pipeline.cache.codec import encode_answer
from kpi_pipeline.cache.keys import (
    added_bridges_key,
    added_key,
    additions_key,
    members_key,
    scope_of,
    variant_key,
)
from kpi_pipeline.cache.scripts import ADD
from kpi_pipeline.model.filters import Filter

MOST: Final = 1_000
"""How many answers are added to a generation at most: the earliest make room for the latest."""

MOST_BRIDGES: Final = 32
"""How many bridges between days are added to a generation at most, likewise: each lists its certificates."""


class Additions:
    """What was added to generations. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._add = client.register_script(ADD)

    def add(self, product: str, generation: str, answers: Iterable[tuple[Filter, Mapping[str, Any]]]) -> bool:
        """Add answers to a generation; one that is there already is replaced.

        Args:
            product: What the generation answers.
            generation: Its name.
            answers: Each filter with the data that answer it.

        Returns:
            False where the generation is gone.
        """
        scope = scope_of(generation)
        for batch in batches(answers):
            frames = {
                added_key(generation, variant_key(product, answered, scope)): encode_answer(
                    data, product, answered.as_dict(), scope
                )
                for answered, data in batch
            }
            keys = [members_key(generation), additions_key(generation), *frames]
            if not self._add(keys=keys, args=[MOST, repr(time.time()), *frames.values()]):
                return False
        return True

    def add_bridge(self, generation: str, documents: Mapping[str, bytes]) -> bool:
        """Add a bridge to a generation; one that is there already is replaced.

        Args:
            generation: Its name.
            documents: All documents of the bridge, by their names: stored values of `codec.encode`.

        Returns:
            False where the generation is gone.
        """
        names = [added_key(generation, name) for name in documents]
        keys = [members_key(generation), added_bridges_key(generation), *names]
        most = MOST_BRIDGES * DOCUMENTS_OF_ONE
        return bool(self._add(keys=keys, args=[most, repr(time.time()), *documents.values()]))

    def prolong(self, generation: str, expires_at: float) -> None:
        """Let what was added to a generation expire later, as the generation does.

        Args:
            generation: Its name.
            expires_at: When, in seconds since the epoch; never sooner than before.
        """
        pipeline = self._client.pipeline(transaction=False)
        for key in (*self._names(generation), *map(str.encode, _sets(generation))):
            pipeline.expireat(key, ceil(expires_at), gt=True)
        pipeline.execute()

    def remove(self, generation: str) -> None:
        """Remove what was added to a generation."""
        self._client.unlink(*self._names(generation), *_sets(generation))

    def _names(self, generation: str) -> list[bytes]:
        return [
            name for key in _sets(generation) for name in cast("list[bytes]", self._client.zrange(key, 0, -1))
        ]


def _sets(generation: str) -> tuple[str, str]:
    """The sets that name what was added to a generation."""
    return additions_key(generation), added_bridges_key(generation)
