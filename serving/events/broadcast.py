"""Which pages listen, and what each of them is to be sent next."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kpi_pipeline.model.scopes import WHOLE_FIRM
from serving.events.live_products import NOTHING_KNOWN, LiveProducts

REQUESTS_PER_S: Final = 500
"""How many requests for new figures a second all pages together are to make after a flip."""

ALIVE: Final = b"event: alive\ndata:\n\n"
"""Sent when there was nothing else for a while: a page that hears nothing does not know whether it would."""


HELLO: Final = b": listening\nretry: %d\n\n"
"""Sent at once: a page learns that it is connected, and after how many milliseconds to connect again."""

_RETRY_MS: Final = (1_000, 5_000)  # all connect again after a restart, but not all at once


class TooManyListeners(RuntimeError):
    """As many pages listen as may."""


class Broadcast:
    """Sends each listener the newest state, however many it has missed: nothing waits in a queue.

    All of it runs in one event loop. A broadcast of the whole firm has one within it for each scope whose
    readers listen: these hear of nothing else.

    Args:
        limit: How many may listen.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self.live = NOTHING_KNOWN
        self._clock = clock
        self._listeners = 0
        self._is_closed = False
        self._waiting: set[asyncio.Future[None]] = set()
        # Almost all listeners know the same: one message for all of them.
        self._message: tuple[str, str, bytes] = ("", "", b"")
        self._whole = self
        self._within: dict[str, Broadcast] = {}

    @property
    def count(self) -> int:
        """How many listen, those of scopes among them."""
        return self._listeners + sum(one.count for one in self._within.values())

    def within(self, scope: str) -> "Broadcast":
        """That of a scope, or this one for the whole firm."""
        if scope == WHOLE_FIRM:
            return self
        if scope not in self._within:
            one = self._within[scope] = Broadcast(self.limit, self._clock)
            one._whole, one._is_closed = self, self._is_closed
        return self._within[scope]

    def scopes(self) -> list[str]:
        """The scopes whose readers listen."""
        for scope in [scope for scope, one in self._within.items() if not one.count]:
            del self._within[scope]
        return list(self._within)

    def publish(self, live: LiveProducts) -> None:
        """Send a new state to all who listen, unless it is the one they know."""
        if live.id != self.live.id:
            self.live = live
            self.wake()

    def wake(self) -> None:
        """Send all listeners the newest state or, where they know it, a sign of life."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)
        for one in self._within.values():
            one.wake()

    def close(self) -> None:
        """End all streams."""
        self._is_closed = True
        for one in self._within.values():
            one.close()
        self.wake()

    @contextmanager
    def listener(self) -> Iterator[None]:
        """Count one listener.

        Raises:
            TooManyListeners: If as many listen as may.
        """
        if self._whole.count >= self.limit:
            raise TooManyListeners
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1

    async def messages(self, known: str, gone: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
        """What a listener is to be sent, until it is gone or the process ends.

        Args:
            known: The id of the last state that it was sent; empty for none.
            gone: Done when nobody listens any more.
        """
        sent = self.live if known == self.live.id else NOTHING_KNOWN
        yield HELLO % random.randrange(*_RETRY_MS)  # noqa: S311 - it only spreads them
        while not self._is_closed:
            if sent.id != self.live.id:
                sent, before = self.live, sent
                yield self._message_of(before)
                continue
            await self._woken(gone)
            if gone.done() or self._is_closed:
                return
            if sent.id == self.live.id:
                yield ALIVE

    async def _woken(self, gone: "asyncio.Future[None]") -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_: object) -> None:
            if not future.done():
                future.set_result(None)

        self._waiting.add(future)
        gone.add_done_callback(end)
        try:
            await future
        finally:
            gone.remove_done_callback(end)
            self._waiting.discard(future)

    def _message_of(self, before: LiveProducts) -> bytes:
        known, sent, message = self._message
        if (known, sent) != (before.id, self.live.id):
            spread_s = round(self._listeners / REQUESTS_PER_S, 1)
            message = self.live.message(before, self._clock(), spread_s)
            self._message = (before.id, self.live.id, message)
        return message
