"""What commands of the pipeline did to what readers see, on its way into the dashboard's audit log."""

from dataclasses import dataclass
from typing import Final, Self

import orjson

from kpi_pipeline.model.access import AuditAction

MOST_OPERATIONS: Final = 1_000
"""So many are kept for a dashboard that has not written them down yet: the newest ones."""


CONSOLE: Final = "console:"
"""Begins the names of those who run commands."""

ACTIONS_OF_COMMANDS: Final = frozenset(
    (
        AuditAction.REFRESH,
        AuditAction.CLEAR,
        AuditAction.ROLLBACK,
        AuditAction.BACKFILL,
        AuditAction.SOURCE,
        AuditAction.READING_ACCEPTED,
        AuditAction.RELEASE,
    )
)
"""What commands of the pipeline do: of no other act it can tell the audit log."""

_LATEST: Final = 4_102_444_800  # the year 2100


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a command did, or was about to do.

    Attributes:
        id: Unlike every other one's.
        order: Greater than that of all before it of the same pipeline.
        at: When, in seconds since the epoch.
        who: As the audit log names them.
        action: What.
        detail: Of what, in a few words.
    """

    id: str
    order: int
    at: float
    who: str
    action: AuditAction
    detail: str

    def to_json(self) -> bytes:
        """The operation as one line."""
        return orjson.dumps([self.id, self.order, self.at, self.who, self.action, self.detail])

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is something else.
        """
        match orjson.loads(text):
            case [str(name), int(order), int() | float() as at, str(who), str(action), str(detail)]:
                read = cls(name, order, at, who, AuditAction(action), detail)
                is_told = read.action in ACTIONS_OF_COMMANDS and who.startswith(CONSOLE) and 0 <= at < _LATEST
                if is_told and "\0" not in f"{name}{who}{detail}":
                    return read
        raise ValueError("no operation of a command")
