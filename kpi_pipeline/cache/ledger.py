"""The ledger of what readers ask for and no generation holds."""

import logging
import time
from collections.abc import Callable
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import wanted_key
from kpi_pipeline.cache.scripts import WANT
from kpi_pipeline.cache.wire import filter_from_text, filter_to_text
from kpi_pipeline.model.filters import Filter

_LOG: Final = logging.getLogger(__name__)
_KEPT: Final = 5_000
_KEPT_S: Final = 7 * 86_400


class Ledger:
    """Filters asked for that are not precomputed, the most recently asked `_KEPT` of each product.

    Args:
        client: A client of the user `serving` (to want) or `pipeline` (to read).
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._want = client.register_script(WANT)

    def want(self, product: str, filter: Filter) -> None:  # noqa: A002 - the domain's word
        """Note that somebody asked for a filter of a product; errors of Redis propagate."""
        self._want(keys=[wanted_key(product)], args=[self._clock(), filter_to_text(filter), _KEPT, _KEPT_S])

    def wanted(self, product: str, limit: int) -> list[Filter]:
        """Filters of a product that were asked for, most recently asked first.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            limit: How many at most, from 1.
        """
        texts = cast("list[bytes]", self._client.zrevrange(wanted_key(product), 0, max(limit, 1) - 1))
        filters = []
        for text in texts:
            try:
                filters.append(filter_from_text(text))
            except ValueError as error:
                _LOG.warning("an entry of the ledger of %s is left out: %s", product, error)
        return filters
