"""Serving's client of Redis: it fails fast, and then leaves the server alone for a while."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Final, TypeVar

import redis

from kpi_pipeline.cache.connection import FAILURES, is_damage


class Breaker:
    """Decides whether a call may be tried. Threads may share it.

    After a failure no caller tries for `pause_s`; then one may, and the others once that succeeds.

    Args:
        pause_s: Seconds to wait after a failure.
        clock: Seconds that only ever grow.
    """

    def __init__(self, pause_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_s = pause_s
        self._clock = clock
        self._lock = Lock()
        self._failing = False
        self._try_at = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last call that ended has failed."""
        return self._failing

    def admits(self) -> bool:
        """Whether the caller may try now; if so it must report `succeeded` or `failed`."""
        if not self._failing:
            return True
        with self._lock:
            now = self._clock()
            if now < self._try_at:
                return False
            self._try_at = now + self._pause_s
            return True

    def succeeded(self) -> None:
        """The server answered."""
        self._failing = False

    def failed(self) -> None:
        """The server could not be reached or did not answer in time."""
        with self._lock:
            self._failing = True
            self._try_at = self._clock() + self._pause_s


_LOG: Final = logging.getLogger(__name__)
_PAUSE_S: Final = 1.0

Result = TypeVar("Result")


class CacheUnavailable(RuntimeError):
    """Redis cannot be reached and this process does not hold what is requested."""


class ReadClient:
    """Sends commands to Redis. Threads may share it.

    Args:
        client: From `connection.connect_reader`: its timeouts bound how long a reader waits.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._breaker = Breaker(_PAUSE_S)
        self._reason = ""

    @property
    def failing(self) -> bool:
        """Whether Redis could not be reached when last tried."""
        return self._breaker.failing

    def call(self, command: Callable[[redis.Redis], Result]) -> Result:
        """Run a command.

        Raises:
            CacheUnavailable: If Redis does not answer, refuses, answers what is no reply to it, or failed a
                moment ago.
        """
        if not self._breaker.admits():
            raise self._unavailable()
        try:
            reply = command(self._client)
        except FAILURES as error:
            if not self._breaker.failing:
                _LOG.warning("Redis cannot be read: %s", error, exc_info=is_damage(error))
            self._reason = str(error)
            self._breaker.failed()
            raise self._unavailable() from error
        if self._breaker.failing:
            _LOG.warning("Redis can be read again")
        self._breaker.succeeded()
        return reply

    def _unavailable(self) -> CacheUnavailable:
        return CacheUnavailable(
            f"Redis cannot be read ({self._reason}): start it with `kpi up`, or check REDIS_URL and the "
            "server it names; serving recovers by itself"
        )
