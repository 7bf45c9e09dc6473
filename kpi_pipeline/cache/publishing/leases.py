"""Leases: the right of one run at a time to rebuild a product; a lease expires by itself.

A lease avoids double work only. The fence drawn before reading the source ensures that an older reading
never replaces a newer one, so a holder that comes late does no harm.
"""

from typing import Final

import redis

from kpi_pipeline.cache.keys import DEFAULT_SCOPE, lease_key
from kpi_pipeline.cache.scripts import RELEASE_LEASE, TAKE_LEASE

LEASE_S: Final = 30.0
"""How long a lease lasts unless it is extended: so long others wait for a holder that has died."""


class Leases:
    """Takes and releases leases. Errors of Redis propagate.

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
            holder: Id of the run that takes it.
            scope: The readers' scope.

        Returns:
            False, with nothing changed, when another run holds it.
        """
        return bool(self._take(keys=[lease_key(product, scope)], args=[holder, self._milliseconds]))

    def release(self, product: str, holder: str, scope: str = DEFAULT_SCOPE) -> bool:
        """Release a lease; False, with nothing changed, when the holder does not hold it."""
        return bool(self._release(keys=[lease_key(product, scope)], args=[holder]))

    def holder(self, product: str, scope: str = DEFAULT_SCOPE) -> str | None:
        """The run that holds a product's lease; None when none does."""
        held = self._client.get(lease_key(product, scope))
        return held.decode() if isinstance(held, bytes) else None
