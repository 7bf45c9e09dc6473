"""Alarms: what must never happen is logged and counted."""

import logging
from threading import Lock
from typing import Final

import redis

from kpi_pipeline.cache.connection import FAILURES
from kpi_pipeline.cache.keys import ALARMS_KEY

_LOG: Final = logging.getLogger(__name__)
_REMEMBERED: Final = 10_000

KEPT_S: Final = 86_400
"""Seconds for which counts are kept after the last alarm."""


class Alarms:
    """Raises each alarm once per process, so that a popular broken key does not flood the log."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = Lock()
        self._raised: set[tuple[str, str]] = set()

    def sound(self, alarm: str, subject: str, advice: str) -> None:
        """Log an alarm and count it in Redis; a failure to count is only logged.

        Args:
            alarm: Its name, which is its field in the hash `kpi:metrics:alarms`.
            subject: What it is about, such as a key.
            advice: What to do about it.
        """
        with self._lock:
            if (alarm, subject) in self._raised:
                return
            if len(self._raised) >= _REMEMBERED:
                self._raised.clear()
            self._raised.add((alarm, subject))
        _LOG.error("%s: %s: %s", alarm, subject, advice)
        try:
            self._client.hincrby(ALARMS_KEY, alarm, 1)
            self._client.expire(ALARMS_KEY, KEPT_S)
        except FAILURES as error:
            _LOG.warning("the alarm %s could not be counted: %s", alarm, error)
