"""The process that sends events. Started as `python -m serving.events.server`.

It reads the manifest at short intervals instead of being told of flips: what nobody can lose need not be sent
again, and one read answers for all listeners.
"""

import argparse
import asyncio
import logging
import os
import resource
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import redis
import uvicorn

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import FAILURES, NoRedis, connect_reader, redis_url
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.manifest_view import ManifestView
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.usage.listeners import REPORT_S, report_listeners
from kpi_pipeline.logs import write_logs
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import Settings
from serving.access.control import AccessControl
from serving.cache_access import known_policy
from serving.events.application import SLOW_S, EventsApplication
from serving.events.broadcast import Broadcast
from serving.events.live_products import LiveProducts

POLL_S: Final = 0.5
"""Seconds between two reads of the manifest."""

ALIVE_S: Final = 20.0
"""Seconds between two signs of life to listeners."""

STOP_S: Final = 2
"""Seconds that streams have to end in."""

_OWN_FILES: Final = 100  # what the process opens besides connections
_BACKLOG: Final = 4_096
_SEND_BUFFER: Final = 16_384  # bytes that the kernel holds for each listener
_LOG: Final = logging.getLogger(__name__)


class EventsServer(uvicorn.Server):
    """Serves a broadcast, and ends its streams when it is stopped.

    Args:
        application: What answers.
        broadcast: What it sends.
    """

    def __init__(self, application: EventsApplication, broadcast: Broadcast) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=STOP_S,
            )
        )
        self._broadcast = broadcast

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, so that each page connects again, then stop."""
        self._broadcast.close()
        await super().shutdown(sockets)


class Feed:
    """Keeps a broadcast at the state of the manifest.

    Args:
        client: A client of the user `serving`.
        broadcast: What is kept.
        clock: The present, in seconds since the epoch.
    """

    def __init__(
        self, client: redis.Redis, broadcast: Broadcast, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._broadcast = broadcast
        self._clock = clock
        self._read_client, self._alarms = ReadClient(client), Alarms(client)
        self._views: dict[str, ManifestView] = {}
        self._process = f"{socket.gethostname()}-{os.getpid()}"

    async def read_always(self, poll_s: float = POLL_S) -> None:
        """Publish each change of the manifest; while Redis is down, the last known state stays."""
        while True:
            try:
                listened = [WHOLE_FIRM, *self._broadcast.scopes()]
                for scope in listened:
                    entries = await asyncio.to_thread(self._view_of(scope).entries, time.monotonic())
                    self._broadcast.within(scope).publish(LiveProducts.of(entries, self._clock()))
                self._views = {scope: self._views[scope] for scope in listened}
            except CacheUnavailable:
                pass  # its client has logged it
            await asyncio.sleep(poll_s)

    def _view_of(self, scope: str) -> ManifestView:
        if scope not in self._views:
            self._views[scope] = ManifestView(self._read_client, self._alarms, lambda _: None, scope)
        return self._views[scope]

    async def report_always(self, report_s: float = REPORT_S) -> None:
        """Report how many listen."""
        failing = False
        while True:
            try:
                await asyncio.to_thread(report_listeners, self._client, self._process, self._broadcast.count)
                failing = False
            except FAILURES as error:
                if not failing:
                    _LOG.warning("the number of listeners cannot be reported: %s", error)
                failing = True
            await asyncio.sleep(report_s)

    async def wake_always(self, alive_s: float = ALIVE_S) -> None:
        """Give signs of life."""
        while True:
            await asyncio.sleep(alive_s)
            self._broadcast.wake()


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket whose connections end when their client takes nothing for `SLOW_S`.

    Args:
        host: Address to listen on.
        port: Its port.

    Raises:
        OSError: If it is taken.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit both: a client may have gone without a word, or read nothing.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * SLOW_S))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listening.bind((host, port))
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


def most_listeners(wanted: int) -> int:
    """How many connections this process can hold, at most as many as wanted."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    possible = wanted if most == resource.RLIM_INFINITY else min(wanted, most - _OWN_FILES)
    if possible < wanted:
        _LOG.warning("only %d pages can listen: the system allows %d open files", possible, most)
    return possible


async def serve(server: EventsServer, feed: Feed, listening: socket.socket) -> None:
    """Serve until the process is told to stop."""
    work = (feed.read_always(), feed.report_always(), feed.wake_always())
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await server.serve([listening])
    finally:
        for task in tasks:
            task.cancel()


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn is logged: that a slow listener was dropped is no error."""
    return "without completing response" not in record.getMessage()


def main() -> None:
    """Serve at an address of the command line.

    Raises:
        SystemExit: If settings name no Redis; says what to set.
    """
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--host", required=True)
    arguments.add_argument("--port", type=int, required=True)
    chosen = arguments.parse_args()
    settings = Settings()
    write_logs(settings.log_format, "events")
    logging.getLogger("uvicorn.error").addFilter(is_worth_a_line)
    try:
        client = connect_reader(redis_url(settings))
    except NoRedis as error:
        raise SystemExit(str(error)) from error
    broadcast = Broadcast(most_listeners(settings.max_listeners))
    application = EventsApplication(
        broadcast,
        settings.allowed_hosts,
        settings.web_port,
        AccessControl.of_settings(settings, partial(known_policy, settings, CacheReader(client))).identities,
    )
    listening = listening_socket(chosen.host, chosen.port)
    asyncio.run(serve(EventsServer(application, broadcast), Feed(client, broadcast), listening))


if __name__ == "__main__":
    main()
