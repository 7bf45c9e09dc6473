"""Answers that are added to a live generation because readers wait for them: it is not written again.

They stand beside its own answers: its members, its entry and its copy in the archive stay as they are. The
next generation holds what is requested as its own.
"""

import time
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Final, cast

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.codec import encode_answer
from kpi_pipeline.cache.keys import added_key, additions_key, members_key, scope_of, variant_key
from kpi_pipeline.cache.scripts import ADD
from kpi_pipeline.model.filters import Filter

MOST: Final = 1_000
"""How many answers are added to a generation at most: the earliest make room for the latest."""


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

    def prolong(self, generation: str, expires_at: float) -> None:
        """Let what was added to a generation expire later, as the generation does.

        Args:
            generation: Its name.
            expires_at: When, in seconds since the epoch; never sooner than before.
        """
        pipeline = self._client.pipeline(transaction=False)
        for key in (*self._names(generation), additions_key(generation).encode()):
            pipeline.expireat(key, ceil(expires_at), gt=True)
        pipeline.execute()

    def remove(self, generation: str) -> None:
        """Remove what was added to a generation."""
        self._client.unlink(*self._names(generation), additions_key(generation))

    def _names(self, generation: str) -> list[bytes]:
        return cast("list[bytes]", self._client.zrange(additions_key(generation), 0, -1))
