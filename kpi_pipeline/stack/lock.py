"""One `kpi up` at a time for a KPI_HOME: a file lock that the system frees however its holder ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

_RETRY_S: Final = 0.2
"""Longer than another process holds the lock just to test whether it is free."""


class StackLock:
    """The right to run the stack of one KPI_HOME: a lock on a file whose folder exists."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        deadline = time.monotonic() + _RETRY_S
        while not self._try():
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_S / 10)
        return True

    def release(self) -> None:
        """Free the lock."""
        os.close(self._handle)

    def held(self) -> bool:
        """Whether any process holds the lock."""
        if not self._path.exists():
            return False
        if not self._try():
            return True
        self.release()
        return False

    def _try(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True
