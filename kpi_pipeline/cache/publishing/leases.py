"""Leases: the right to rebuild a product, of one run at a time, that ends by itself.

A lease keeps rebuilds of one product from running side by side. That an older reading never replaces
a newer one is not its work: the fence drawn before reading the source sees to that, so a holder that
comes late harms nothing.
"""

from typing import Final

import redis

from kpi_pipeline.cache.keys import DEFAULT_SCOPE, lease_key
from kpi_pipeline.cache.scripts import RELEASE_LEASE, TAKE_LEASE

LEASE_S: Final = 30.0
"""How long a lease lasts without being taken again: so long others wait for a holder that has died."""


class Leases:
    """Takes and gives back leases. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `pipeline`, or of `serving` to see who holds one.
        seconds: How long a lease lasts once taken.
    """

    def __init__(self, client: redis.Redis, *, seconds: float = LEASE_S) -> None:
        self._client = client
        self._milliseconds = round(seconds * 1000)
        self._take = client.register_script(TAKE_LEASE)
        self._release = client.register_script(RELEASE_LEASE)

    def take(self, product: str, holder: str, scope: str = DEFAULT_SCOPE) -> bool:
        """Take a product's lease, or extend it when it is held already.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            holder: Who takes it: a run's id.
            scope: For readers of which scope.

        Returns:
            False, with nothing changed, when somebody else holds it.
        """
        return bool(self._take(keys=[lease_key(product, scope)], args=[holder, self._milliseconds]))

    def release(self, product: str, holder: str, scope: str = DEFAULT_SCOPE) -> bool:
        """Give a lease back.

        Returns:
            False, with nothing changed, when the holder does not hold it, or no longer.
        """
        return bool(self._release(keys=[lease_key(product, scope)], args=[holder]))

    def holder(self, product: str, scope: str = DEFAULT_SCOPE) -> str | None:
        """Who holds a product's lease; None when nobody does."""
        held = self._client.get(lease_key(product, scope))
        return held.decode() if isinstance(held, bytes) else None
