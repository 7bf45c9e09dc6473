"""The cache as assets see it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster import ConfigurableResource, Failure

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.leases import LEASE_S, Leases
from kpi_pipeline.cache.ledger import Ledger
from kpi_pipeline.cache.publisher import Publisher
from kpi_pipeline.cache.requests import Requests
from kpi_pipeline.settings import Settings

LEASE_MARGIN_S = 30.0
"""How much longer than a lease lasts somebody waits for it."""

LEASE_POLL_S = 0.05


class CacheResource(ConfigurableResource[None]):
    """The writing side of the cache, at the address that settings give."""

    def publisher(self) -> Publisher:
        """Publishes generations."""
        return Publisher(connect(redis_url(Settings())))

    def requests(self) -> Requests:
        """The stream of requests from serving."""
        return Requests(connect(redis_url(Settings())))

    def ledger(self) -> Ledger:
        """Variants that readers asked for beyond those always computed."""
        return Ledger(connect(redis_url(Settings())))

    @contextmanager
    def lease(self, product: str, holder: str) -> Iterator[Callable[[], None]]:
        """Hold the right to rebuild a product, waiting for whoever holds it.

        Args:
            product: Which.
            holder: The run's id.

        Yields:
            What extends the lease; to be called from time to time by long work.

        Raises:
            Failure: If it is not free after the longest time that a dead holder can keep it.
        """
        leases = Leases(connect(redis_url(Settings())))
        deadline = time.monotonic() + LEASE_S + LEASE_MARGIN_S
        while not leases.take(product, holder):
            if time.monotonic() > deadline:
                raise Failure(
                    f"{product} is being rebuilt by run {leases.holder(product)} for longer than "
                    f"{LEASE_S:.0f} s: look at that run, cancel it if it hangs, then try again"
                )
            time.sleep(LEASE_POLL_S)
        try:
            yield lambda: _extend(leases, product, holder)
        finally:
            leases.release(product, holder)

    def time_to_live(self, product: str) -> int:
        """Seconds for which a generation of a product stays fresh."""
        return Settings().ttl[product]

    def stale_grace(self) -> int:
        """Seconds for which a generation may be served after it ceased to be fresh."""
        return Settings().stale_grace


def _extend(leases: Leases, product: str, holder: str) -> None:
    leases.take(product, holder)
