"""The connection to the cache: at REDIS_URL, or at the embedded server, which may start later."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Lock
from typing import Final, cast

import redis
from flask import Flask, current_app

from kpi_pipeline.cache.connection import NoRedis, connect_reader, redis_url
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.settings import Settings
from serving.catalogue import Catalogues
from serving.pipeline_client import LookupListener, PipelineClient

ChangeListener = Callable[[Collection[str]], object]
"""Is told of the live generations."""

_LOG: Final = logging.getLogger(__name__)
_ADDRESS_S: Final = 1.0
_SETTINGS: Final = "kpi_settings"
_ACCESS: Final = "kpi_cache"
PAYLOAD_SHARE: Final = 0.5
"""Of the memory for answers: as they come from Redis. The rest is for answers as they are sent."""
_POLL_S: Final = 0.05
"""How old the manifest may be: somebody waits for a refresh of less than a second."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One Redis server.

    Attributes:
        client: The client of all of them.
        reader: Reads figures.
        catalogues: Reads the catalogue of each product.
        pipeline_client: Sends requests to the pipeline.
        coverage: Which variants exist, and the hits and misses of each.
        leases: Which runs rebuild products.
    """

    client: redis.Redis
    reader: CacheReader
    catalogues: Catalogues
    pipeline_client: PipelineClient
    coverage: Coverage
    leases: Leases


class CacheAccess:
    """Finds the server and connects to it; threads may share it.

    The address of an embedded server appears when `kpi up` has started it and differs after each
    start, so it is read again every `_ADDRESS_S` seconds. While there is none, the last address counts:
    the reader goes on with what it holds.

    Args:
        settings: Where the address is.
        on_lookup: As of `PipelineClient`.
        on_change: Called with the live generations whenever the manifest has changed.
    """

    def __init__(
        self,
        settings: Settings,
        on_lookup: LookupListener = lambda *_: None,
        on_change: ChangeListener = lambda _: None,
    ) -> None:
        self._settings = settings
        self._on_lookup = on_lookup
        self._on_change = on_change
        self._lock = Lock()
        self._next_check = float("-inf")
        self._url = ""
        self._reason = ""
        self._connection: Connection | None = None

    def current(self) -> Connection:
        """The connection to use now.

        Raises:
            NoRedis: If no valid address has been known so far.
        """
        if time.monotonic() >= self._next_check:
            with self._lock:
                if time.monotonic() >= self._next_check:
                    self._connect()
                    self._next_check = time.monotonic() + _ADDRESS_S
        if self._connection is None:
            raise NoRedis(self._reason)
        return self._connection

    def _connect(self) -> None:
        try:
            url = redis_url(self._settings)
            if url != self._url:
                self._connection = self._connected(url)
                self._url = url
        except NoRedis as error:
            if self._connection is None and str(error) != self._reason:
                _LOG.warning("no figures can be served yet: %s", error)
            self._reason = str(error)

    def _connected(self, url: str) -> Connection:
        client = connect_reader(url)
        pipeline_client = PipelineClient(client, self._on_lookup)
        reader = CacheReader(
            client,
            poll_s=_POLL_S,
            memory_bytes=int(self._settings.serving_memory_bytes * PAYLOAD_SHARE),
            on_change=self._on_change,
            on_lost_catalogue=pipeline_client.refresh,
        )
        return Connection(
            client=client,
            reader=reader,
            catalogues=Catalogues(reader),
            pipeline_client=pipeline_client,
            coverage=Coverage(client),
            leases=Leases(client),
        )


def register_cache(
    app: Flask, settings: Settings, on_lookup: LookupListener, on_change: ChangeListener
) -> CacheAccess:
    """Give an application its settings and its cache; the listeners are those of `CacheAccess`."""
    access = CacheAccess(settings, on_lookup, on_change)
    app.extensions[_SETTINGS] = settings
    app.extensions[_ACCESS] = access
    return access


def current_settings() -> Settings:
    """The settings of the application that answers the present request."""
    return cast(Settings, current_app.extensions[_SETTINGS])


def current_connection() -> Connection:
    """The connection that answers the present request.

    Raises:
        NoRedis: If no valid address has been known so far.
    """
    return cast(CacheAccess, current_app.extensions[_ACCESS]).current()
