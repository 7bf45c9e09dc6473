"""The cache as this process reaches it: at REDIS_URL, or at the embedded server, which may start later."""

import logging
import time
from dataclasses import dataclass
from threading import Lock
from typing import Final

from kpi_pipeline.cache.connection import NoRedis, connect_reader, redis_url
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.settings import Settings
from serving.catalogue import Catalogues
from serving.pipeline_client import PipelineClient

_LOG: Final = logging.getLogger(__name__)
_LOOK_AGAIN_S: Final = 1.0
_POLL_S: Final = 0.05
"""How old the manifest may be: somebody waits for a refresh of less than a second."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One Redis server.

    Attributes:
        reader: What it answers.
        catalogues: What it can be asked.
        pipeline_client: Where the pipeline is asked for work.
        coverage: Which variants there are and how questions find them.
        leases: Which runs rebuild products.
    """

    reader: CacheReader
    catalogues: Catalogues
    pipeline_client: PipelineClient
    coverage: Coverage
    leases: Leases


class CacheAccess:
    """Finds the server and connects to it; threads may share it.

    The address of an embedded server appears when `kpi up` has started it and differs after each
    start, so it is looked up again now and then. While there is none, the last one counts: the
    reader goes on with what it holds.

    Args:
        settings: They tell where the address is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._look_at = float("-inf")
        self._url = ""
        self._reason = ""
        self._connection: Connection | None = None

    def current(self) -> Connection:
        """The connection to use now.

        Raises:
            NoRedis: If no address has been known so far, or it is none.
        """
        if time.monotonic() >= self._look_at:
            with self._lock:
                if time.monotonic() >= self._look_at:
                    self._look()
                    self._look_at = time.monotonic() + _LOOK_AGAIN_S
        if self._connection is None:
            raise NoRedis(self._reason)
        return self._connection

    def _look(self) -> None:
        try:
            url = redis_url(self._settings)
            if url != self._url:
                self._connection = _connect(url)
                self._url = url
        except NoRedis as error:
            if self._connection is None and str(error) != self._reason:
                _LOG.warning("no figures can be served yet: %s", error)
            self._reason = str(error)


def _connect(url: str) -> Connection:
    client = connect_reader(url)
    reader = CacheReader(client, poll_s=_POLL_S)
    return Connection(
        reader=reader,
        catalogues=Catalogues(reader),
        pipeline_client=PipelineClient(client),
        coverage=Coverage(client),
        leases=Leases(client),
    )
