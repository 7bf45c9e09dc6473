"""Leases: the right of one run at a time to rebuild a product; a lease expires by itself.

A lease avoids double work only. The fence drawn before reading the source ensures that an older reading
never replaces a newer one, so a holder that comes late does no harm. A run that was terminated is revoked: it
gets no lease, and nothing of it goes live, however long its process goes on.
"""

from typing import Final

import redis

from kpi_pipeline.cache.keys import lease_key, revoked_key
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.scripts import RELEASE_LEASE, TAKE_LEASE
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.scopes import NO_POLICY, WHOLE_FIRM

LEASE_S: Final = 30.0
"""How long a lease lasts unless it is extended: so long others wait for a holder that has died."""


REVOKED_S: Final = 86_400
"""How long a revocation is remembered: far longer than the longest run."""


def month_end_lease(product: str) -> str:
    """What the lease of a product's month ends is named by."""
    return f"month_end_{product}"


class Revoked(RuntimeError):
    """A run was terminated and may publish nothing any more."""


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

    def take(self, product: str, holder: str, scope: str = WHOLE_FIRM) -> bool:
        """Take a product's lease, or extend it when it is held already.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            holder: Id of the run that takes it.
            scope: The readers' scope.

        Returns:
            False, with nothing changed, when another run holds it.

        Raises:
            Revoked: If the run was terminated.
        """
        keys = [lease_key(product, scope), revoked_key(holder)]
        taken = int(self._take(keys=keys, args=[holder, self._milliseconds]))
        if taken < 0:
            raise Revoked(f"run {holder} was terminated: nothing of it is published")
        return bool(taken)

    def release(self, product: str, holder: str, scope: str = WHOLE_FIRM) -> bool:
        """Release a lease; False, with nothing changed, when the holder does not hold it."""
        return bool(self._release(keys=[lease_key(product, scope)], args=[holder]))

    def revoke(self, holder: str) -> None:
        """Let a run, by its id, publish nothing any more, and free the leases that it holds."""
        self._client.set(revoked_key(holder), 1, ex=REVOKED_S)
        policy = PublishedScopes(self._client).policy() or NO_POLICY
        for product in PRODUCTS:
            self.release(month_end_lease(product), holder)
            for scope in (WHOLE_FIRM, *policy.ids):
                self.release(product, holder, scope)

    def holder(self, product: str, scope: str = WHOLE_FIRM) -> str | None:
        """The run that holds a product's lease; None when none does."""
        held = self._client.get(lease_key(product, scope))
        return held.decode() if isinstance(held, bytes) else None
