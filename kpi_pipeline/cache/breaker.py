"""A circuit breaker: after a failure, leave the server alone for a while."""

import time
from collections.abc import Callable
from threading import Lock


class Breaker:
    """Tells whether a call may be tried. Threads may share it.

    After a failure nobody tries for `pause_s`; then one caller may, and only if that succeeds may
    all others.

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
        """Whether the caller may try now; who is let in must report how it went."""
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
