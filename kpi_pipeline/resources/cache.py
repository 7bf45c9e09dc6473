"""The cache as assets see it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
from dagster import ConfigurableResource, Failure, InitResourceContext
from pydantic import PrivateAttr

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.publishing.archive import Archive, MonthEndArchive
from kpi_pipeline.cache.publishing.leases import Leases, Revoked
from kpi_pipeline.cache.usage.popularity_file import PopularityFile
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import current_settings

LONGEST_WAIT_S = 600.0
"""Longest wait for a lease: its holder is alive, for a lease expires by itself, and may extend it."""

LEASE_POLL_S = 0.05


class CacheResource(ConfigurableResource[None]):
    """The writing side of the cache at the address in the settings: one client for a run or a tick.

    The address is read when the client is first used, so that who catches `NoRedis` then can act on it.
    """

    _client: redis.Redis | None = PrivateAttr(None)

    @property
    def client(self) -> redis.Redis:
        """The client that the cache's classes take.

        Raises:
            NoRedis: If there is no address, or it is malformed.
        """
        if self._client is None:
            self._client = connect(redis_url(current_settings()))
        return self._client

    def teardown_after_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002
        """Close the client."""
        if self._client is not None:
            self._client.close()

    @property
    def archive(self) -> Archive:
        """The live generations on disk."""
        return Archive(self.client, current_settings().archive)

    @property
    def month_end_archive(self) -> MonthEndArchive:
        """The month ends on disk."""
        return MonthEndArchive(self.client, current_settings().archive)

    @property
    def popularity_file(self) -> PopularityFile:
        """What readers request, on disk."""
        return PopularityFile(self.client, current_settings().archive / "popularity")

    @contextmanager
    def lease(self, product: str, holder: str, scope: str = WHOLE_FIRM) -> Iterator[Callable[[], object]]:
        """Hold the right to rebuild a product; wait while another run holds it.

        Args:
            product: The product.
            holder: The run's id.
            scope: For whose readers it is rebuilt.

        Yields:
            A function that extends the lease; long work calls it from time to time.

        Raises:
            Failure: If the lease is not free in time: its holder is alive and keeps it. Also, as the function
                does, if the run was terminated.
        """
        leases = Leases(self.client)

        def take() -> bool:
            try:
                return leases.take(product, holder, scope)
            except Revoked as error:
                raise Failure(f"{error}. The live generation stays.", allow_retries=False) from error

        deadline = time.monotonic() + LONGEST_WAIT_S
        while not take():
            if time.monotonic() > deadline:
                raise Failure(
                    f"{product} is being rebuilt by run {leases.holder(product, scope)} for longer than "
                    f"{LONGEST_WAIT_S:.0f} s: look at that run, cancel it if it hangs, then try again"
                )
            time.sleep(LEASE_POLL_S)
        try:
            yield take
        finally:
            leases.release(product, holder, scope)
