"""Copies: a generation takes answers of another one inside Redis, without reading them out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.codec import encode_completion
from kpi_pipeline.cache.keys import members_key, payload_key, variant_key
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.scripts import COMPLETE, REUSE
from kpi_pipeline.model.filters import Filter


@dataclass(frozen=True, slots=True)
class Reusable:
    """Answers of one generation that another one reuses.

    Attributes:
        generation: The generation that holds them.
        filters: The filters whose answers are the same.
        completed: Further filters, with the values of `kpis_resting_on_all`: all else of their answers is the
            same.
    """

    generation: str
    filters: tuple[Filter, ...] = ()
    completed: Iterable[tuple[Filter, Mapping[str, Any]]] = ()


class Copies:
    """Copies what one generation holds into another. Errors of Redis propagate.

    In all methods `digests` gets the Redis keys of the copies, without digests, and `expiry` is when they
    expire, in seconds since the epoch; the stored size of the copies is returned. `IncompleteGeneration` is
    raised where something to copy is gone, `ValueError` where a name comes twice.

    Args:
        client: A client that may write the cache.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._reuse = client.register_script(REUSE)
        self._complete = client.register_script(COMPLETE)

    def of_answers(
        self,
        product: str,
        unchanged: Reusable,
        generation: str,
        digests: dict[str, bytes | None],
        expiry: int,
        scope: str,
    ) -> int:
        """Copy answers of a product; raises `TypeError` for a value without a JSON form."""
        same = [variant_key(product, answered, scope) for answered in unchanged.filters]
        size = self.named(unchanged.generation, generation, same, digests, expiry)
        completed = (
            (
                variant_key(product, answered, scope),
                encode_completion(kpis, product, answered.as_dict(), scope),
            )
            for answered, kpis in unchanged.completed
        )
        for batch in batches(completed):
            keys = _keys(unchanged.generation, generation, [variant for variant, _ in batch], digests)
            texts = [text for _, text in batch]
            size += _size(self._complete(keys=keys, args=[expiry, *texts]), unchanged.generation)
        return size

    def named(
        self,
        origin: str,
        generation: str,
        names: Sequence[str],
        digests: dict[str, bytes | None],
        expiry: int,
    ) -> int:
        """Copy what has some names, as of `keys.payload_key`."""
        return sum(
            _size(self._reuse(keys=_keys(origin, generation, batch, digests), args=[expiry]), origin)
            for batch in batches(names)
        )


def _keys(origin: str, generation: str, names: Sequence[str], digests: dict[str, bytes | None]) -> list[str]:
    """The keys of what is copied, of its copies, and of the set that names these."""
    copies = [payload_key(generation, name) for name in names]
    before = len(digests)
    digests.update(dict.fromkeys(copies))
    if len(digests) < before + len(names):
        raise ValueError("a filter comes twice: give it once")
    return [*(payload_key(origin, name) for name in names), *copies, members_key(generation)]


def _size(reply: Any, origin: str) -> int:
    """The stored size of copies, of the reply of a script."""
    if int(reply) < 0:
        raise IncompleteGeneration(f"a key of {origin} is gone: write every answer")
    return int(reply)
