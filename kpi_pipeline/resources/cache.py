"""The cache as assets see it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster import ConfigurableResource, Failure

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.publishing.cleanup import Cleanup
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.restoration import Restoration
from kpi_pipeline.cache.requests.tasks import Requests
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.model.precompute_set import Budget
from kpi_pipeline.settings import current_settings

LONGEST_WAIT_S = 150.0
"""How long somebody waits for a lease: a holder that lives may extend it."""

LEASE_POLL_S = 0.05


class CacheResource(ConfigurableResource[None]):
    """The writing side of the cache, at the address that settings give."""

    def publisher(self) -> Publisher:
        """Publishes generations."""
        return Publisher(connect(redis_url(current_settings())))

    def requests(self) -> Requests:
        """The stream of requests from serving."""
        return Requests(connect(redis_url(current_settings())))

    def usage_counters(self) -> UsageCounters:
        """What readers ask for."""
        return UsageCounters(connect(redis_url(current_settings())))

    def coverage(self) -> Coverage:
        """Which variants are precomputed, and how questions find them."""
        return Coverage(connect(redis_url(current_settings())))

    def precompute_budget(self) -> Budget:
        """What the variants of one generation may take."""
        settings = current_settings()
        return Budget(settings.precompute_max_variants, settings.precompute_max_bytes)

    def history(self) -> History:
        """Keeps month ends."""
        return History(connect(redis_url(current_settings())))

    def history_months(self) -> int:
        """How many month ends are kept."""
        return current_settings().history_months

    def history_bytes(self) -> int:
        """Stored size that all month ends together may have."""
        return current_settings().history_bytes

    def cleanup(self) -> Cleanup:
        """Cleans the cache up."""
        return Cleanup(connect(redis_url(current_settings())))

    def alarms(self) -> Alarms:
        """Alarms to the engineers."""
        return Alarms(connect(redis_url(current_settings())))

    def archive(self) -> Archive:
        """Live generations on disk."""
        settings = current_settings()
        return Archive(connect(redis_url(settings)), settings.storage / "archive")

    def integrity(self) -> IntegrityCheck:
        """What Redis no longer holds of what is live."""
        return IntegrityCheck(connect(redis_url(current_settings())))

    def restoration(self) -> Restoration:
        """Brings back from the archive what is lost."""
        return Restoration(connect(redis_url(current_settings())), self.archive())

    @contextmanager
    def lease(self, product: str, holder: str) -> Iterator[Callable[[], None]]:
        """Hold the right to rebuild a product, waiting for whoever holds it.

        Args:
            product: Which.
            holder: The run's id.

        Yields:
            What extends the lease; to be called from time to time by long work.

        Raises:
            Failure: If it is not free in time: then a holder that lives keeps it.
        """
        leases = Leases(connect(redis_url(current_settings())))
        deadline = time.monotonic() + LONGEST_WAIT_S
        while not leases.take(product, holder):
            if time.monotonic() > deadline:
                raise Failure(
                    f"{product} is being rebuilt by run {leases.holder(product)} for longer than "
                    f"{LONGEST_WAIT_S:.0f} s: look at that run, cancel it if it hangs, then try again"
                )
            time.sleep(LEASE_POLL_S)
        try:
            yield lambda: _extend(leases, product, holder)
        finally:
            leases.release(product, holder)

    def time_to_live(self, product: str) -> int:
        """Seconds for which a generation of a product stays fresh."""
        return current_settings().ttl[product]

    def stale_grace(self) -> int:
        """Seconds for which a generation may be served after it ceased to be fresh."""
        return current_settings().stale_grace


def _extend(leases: Leases, product: str, holder: str) -> None:
    leases.take(product, holder)
