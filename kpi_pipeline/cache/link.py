"""The reader's link to Redis: fails fast, and then leaves the server alone for a while."""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import redis

from kpi_pipeline.cache.breaker import Breaker

_LOG: Final = logging.getLogger(__name__)
_PAUSE_S: Final = 1.0

Reply = TypeVar("Reply")


class CacheUnavailable(RuntimeError):
    """Redis cannot be reached and this process does not hold what is asked for."""


class Link:
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

    def ask(self, command: Callable[[redis.Redis], Reply]) -> Reply:
        """Run a command.

        Raises:
            CacheUnavailable: If Redis does not answer, refuses, or failed a moment ago.
        """
        if not self._breaker.admits():
            raise self._unavailable()
        try:
            reply = command(self._client)
        except redis.RedisError as error:
            if not self._breaker.failing:
                _LOG.warning("Redis cannot be read: %s", error)
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
