"""The audit log: who did what, when and from where. It only grows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from kpi_pipeline.access.database import AUDIT, WRITTEN_OPERATIONS, AccessDatabase
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import Operation

_LONGEST_DETAIL: Final = 512


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did.

    Attributes:
        at: When, in seconds since the epoch.
        who: A name; `token:` and its id for a program; `console:` and a user of the machine for a command.
        action: What.
        detail: Of what, in a few words.
        address: From where; empty for a command.
    """

    at: float
    who: str
    action: AuditAction
    detail: str
    address: str


class AuditLog:
    """The log of a database. All methods raise `AccessUnavailable` where it cannot be used.

    Args:
        database: Where it is kept.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, database: AccessDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def write(self, who: str, action: AuditAction, detail: str = "", address: str = "") -> None:
        """Write down what somebody did; arguments as of `AuditEntry`."""
        row = _row(self._clock(), who, action, detail, address)
        with self._database.begin() as connection:
            connection.execute(sa.insert(AUDIT).values(**row))

    def write_change(self, who: str, action: AuditAction, detail: str, first: str) -> None:
        """Write down what holds from now on, unless it is known to hold, by whoever has written it.

        Args:
            who: Who has changed it.
            action: What.
            detail: What holds.
            first: What holds while there is no entry of this kind.
        """
        detail = detail[:_LONGEST_DETAIL]
        # Where nothing is to be written, nothing has to be writable.
        if (self.latest(action) or first) == detail:
            return
        with self._database.begin() as connection:
            self._database.lock(connection, AUDIT)
            if (self.latest(action) or first) != detail:
                self.write(who, action, detail)

    def latest(self, action: AuditAction) -> str | None:
        """What the latest entry of a kind says; None where there is none."""
        found = sa.select(AUDIT.c.detail).where(AUDIT.c.action == action).order_by(AUDIT.c.id.desc()).limit(1)
        with self._database.begin() as connection:
            detail: str | None = connection.execute(found).scalar_one_or_none()
        return detail

    def write_operations(self, operations: Sequence[Operation]) -> None:
        """Write down what commands of the pipeline did, each once, whoever else does so now or did before."""
        with self._database.begin() as connection:
            for one in operations:
                # SQLite and PostgreSQL say this alike.
                written = insert(WRITTEN_OPERATIONS).values(id=one.id).on_conflict_do_nothing()
                if connection.execute(written.returning(WRITTEN_OPERATIONS.c.id)).one_or_none() is not None:
                    row = _row(one.at, one.who, one.action, one.detail, "")
                    connection.execute(sa.insert(AUDIT).values(**row))

    def read(
        self,
        *,
        who: str | None = None,
        action: AuditAction | None = None,
        since: float | None = None,
        most: int = 100,
    ) -> list[AuditEntry]:
        """The latest entries, the newest first.

        Args:
            who: Only theirs.
            action: Only of this kind.
            since: Only from this moment on, in seconds since the epoch.
            most: How many at most.
        """
        # What the dashboard has learned later of a command stands where it was done.
        selected = sa.select(AUDIT).order_by(AUDIT.c.at.desc(), AUDIT.c.id.desc()).limit(most)
        if who is not None:
            selected = selected.where(AUDIT.c.who == who)
        if action is not None:
            selected = selected.where(AUDIT.c.action == action)
        if since is not None:
            selected = selected.where(AUDIT.c.at >= since)
        with self._database.begin() as connection:
            return [
                AuditEntry(row.at, row.who, AuditAction(row.action), row.detail, row.address)
                for row in connection.execute(selected)
            ]


def _row(at: float, who: str, action: AuditAction, detail: str, address: str) -> dict[str, object]:
    return {
        "at": at,
        "who": who[:96],
        "action": action,
        "detail": detail[:_LONGEST_DETAIL],
        "address": address[:64],
    }
