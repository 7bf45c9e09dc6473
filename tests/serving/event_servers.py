"""Servers of events in threads of a test."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kpi_pipeline.cache.connection import connect_reader
from serving.access.identification import Identities, OpenIdentities
from serving.events.application import EventsApplication
from serving.events.broadcast import Broadcast
from serving.events.server import EventsServer, Feed, listening_socket, serve
from tests.conftest import free_port
from tests.waiting import wait_until

PATIENCE_S = 10


@dataclass
class Running:
    """A server in a thread of the test."""

    port: int
    web_port: int
    broadcast: Broadcast
    loop: asyncio.AbstractEventLoop

    def call(self, work: Callable[..., object], *arguments: object) -> None:
        """Run something in its event loop."""
        self.loop.call_soon_threadsafe(work, *arguments)


@contextmanager
def events_server(
    url: str,
    *,
    fed: bool = True,
    limit: int = 100,
    web_port: int = 5000,
    identities: Identities | None = None,
    **options: Any,
) -> Iterator[Running]:
    """A server of the cache at an address; one that is not `fed` sends what the test publishes.

    Where no `identities` find out who listens, everybody may.
    """
    port = free_port()
    broadcast, loop = Broadcast(limit), asyncio.new_event_loop()
    application = EventsApplication(broadcast, (), web_port, identities or OpenIdentities(), **options)
    server = EventsServer(application, broadcast)
    listening = listening_socket("127.0.0.1", port)
    feed = Feed(connect_reader(url), broadcast)
    work = serve(server, feed, listening) if fed else server.serve([listening])
    thread = threading.Thread(target=loop.run_until_complete, args=[work])
    thread.start()
    try:
        wait_until(lambda: server.started, PATIENCE_S, "the server runs")
        yield Running(port, web_port, broadcast, loop)
    finally:
        server.should_exit = True
        thread.join()
