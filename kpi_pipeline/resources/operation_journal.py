"""What commands did, in a file of KPI_HOME that outlives Redis, until the dashboard has written it down."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from kpi_pipeline.atomic_files import locked, replacing
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import MOST_OPERATIONS, Operation

_FILE: Final = "operations"


class OperationJournal:
    """The operations of the commands of one KPI_HOME. Several processes may write it at once.

    Args:
        home: KPI_HOME.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = home / _FILE
        self._clock = clock

    def write(self, who: str, action: AuditAction, detail: str) -> list[Operation]:
        """Add an operation; it is on disk when this returns.

        Args:
            who: As the audit log names them.
            action: What they do.
            detail: Of what, in a few words.

        Returns:
            All that is kept, the new one last.

        Raises:
            OSError: If it cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._path.with_suffix(".lock")):
            kept, at = self.read(), self._clock()
            # Also where the clock was set back.
            order = max(int(at * 1000), *(one.order + 1 for one in kept[-1:]), 0)
            kept = [*kept, Operation(uuid4().hex, order, at, who, action, detail)][-MOST_OPERATIONS:]
            with replacing(self._path, durable=True) as part:
                part.write_bytes(b"".join(one.to_json() + b"\n" for one in kept))
        return kept

    def read(self) -> list[Operation]:
        """All that is kept, the oldest first; lines that are no operations are passed over.

        Raises:
            OSError: If it cannot be read.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        kept = []
        for line in lines:
            with suppress(ValueError):
                kept.append(Operation.from_json(line))
        return kept
