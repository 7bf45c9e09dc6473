"""Writes into the audit log what commands of the pipeline did, which they show in Redis."""

import logging
import threading
from collections.abc import Callable
from typing import Final

import redis

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AccessUnavailable
from kpi_pipeline.cache.connection import FAILURES, NoRedis
from kpi_pipeline.cache.operations import newest_operation, shown_operations
from kpi_pipeline.model.operations import Operation

PERIOD_S: Final = 2.0
"""Seconds between two looks."""

THREAD_NAME: Final = "operations"
_LOG: Final = logging.getLogger(__name__)


class OperationRecorder:
    """Looks what commands did, and writes down what is not in the log yet.

    Each web process has one: the database lets each operation be written once.

    Args:
        client: Gives the client of Redis; raises `NoRedis` while there is none.
        audit: The log.
    """

    def __init__(self, client: Callable[[], redis.Redis], audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._newest: bytes | None = None
        self._reason = ""
        self._stopped = threading.Event()

    def look(self) -> None:
        """Write down what is new. What cannot be read or written now is by a later look."""
        try:
            client = self._client()
            newest = newest_operation(client)
            if newest is None or newest == self._newest:
                return
            self._audit.write_operations(_operations(shown_operations(client)))
            self._newest, self._reason = newest, ""
        except AccessUnavailable as error:
            if str(error) != self._reason:
                _LOG.error("what commands did is not in the audit log yet: %s", error)
            self._reason = str(error)
        except (NoRedis, *FAILURES):
            return

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process, or by `stop`."""
        threading.Thread(target=self._look_always, name=THREAD_NAME, daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _look_always(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception:  # whatever it is, the next look is worth a try
                _LOG.exception("what commands did cannot be written into the audit log")
            self._stopped.wait(PERIOD_S)


def _operations(texts: list[bytes]) -> list[Operation]:
    found = []
    for text in texts:
        try:
            found.append(Operation.from_json(text))
        except ValueError as error:
            # Of a later version of the pipeline, perhaps.
            _LOG.error("an operation of a command cannot be read, and is not in the audit log: %s", error)
    return found
