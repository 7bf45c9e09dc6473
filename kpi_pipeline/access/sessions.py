"""Sessions: who has signed in with which browser. Only a hash of what the browser holds is kept."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

import sqlalchemy as sa

from kpi_pipeline.access.database import SESSIONS, USERS, AccessDatabase, AccessUnavailable
from kpi_pipeline.access.users import User, user_of_row
from kpi_pipeline.settings import Settings

_LOG: Final = logging.getLogger(__name__)
_SEEN_S: Final = 60
"""How exactly it is known when somebody was last seen: not every request writes."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts, in seconds.

    Attributes:
        idle_s: Without a request.
        longest_s: In all.
    """

    idle_s: float
    longest_s: float

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Those that settings name."""
        return cls(60.0 * settings.session_idle_minutes, 3600.0 * settings.session_hours)


class Sessions:
    """The sessions of a database. All methods raise `AccessUnavailable` where it cannot be used.

    Args:
        database: Where they are kept.
        limits: How long each lasts.
        clock: The present, in seconds since the epoch.
    """

    def __init__(
        self, database: AccessDatabase, limits: SessionLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    def start(self, user: str) -> str:
        """Begin a session of somebody, and forget those that are over.

        Returns:
            What their browser holds.
        """
        held, now = secrets.token_urlsafe(32), self._clock()
        with self._database.begin() as connection:
            over = sa.select(SESSIONS.c.hash).where(sa.not_(self._is_open(now)))
            # Those that another sign-in forgets now are left to it: neither waits for the other.
            over = over.with_for_update(skip_locked=True)
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.hash.in_(over)))
            row = {"hash": _hashed(held), "user": user, "started_at": now, "seen_at": now}
            connection.execute(sa.insert(SESSIONS).values(**row))
        return held

    def user_of(self, held: str, *, is_use: bool = True) -> User | None:
        """Whose session it is; None where it is over, or they are somebody no longer.

        Args:
            held: What their browser holds.
            is_use: Whether they have been seen now: the session lasts longer then.
        """
        now, hashed = self._clock(), _hashed(held)
        found = sa.select(USERS, SESSIONS.c.seen_at).join_from(
            SESSIONS, USERS, USERS.c.name == SESSIONS.c.user
        )
        with self._database.begin() as connection:
            row = connection.execute(found.where(SESSIONS.c.hash == hashed, self._is_open(now))).one_or_none()
        if row is None:
            return None
        if is_use and row.seen_at < now - _SEEN_S:
            self._see(hashed, now)
        return user_of_row(row)

    def _see(self, hashed: str, now: float) -> None:
        """Note that somebody was seen. Where that fails they go on, until their session has been idle."""
        try:
            with self._database.begin() as connection:
                connection.execute(sa.update(SESSIONS).where(SESSIONS.c.hash == hashed).values(seen_at=now))
        except AccessUnavailable as error:
            _LOG.warning("when somebody was last seen cannot be written: %s", error)

    def end(self, held: str) -> None:
        """End a session; nothing happens where there is none."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.hash == _hashed(held)))

    def end_all(self, user: str) -> int:
        """End all sessions of somebody; how many there were."""
        with self._database.begin() as connection:
            return connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user == user.casefold())).rowcount

    def _is_open(self, now: float) -> sa.ColumnElement[bool]:
        limits = self._limits
        return sa.and_(
            SESSIONS.c.seen_at > now - limits.idle_s, SESSIONS.c.started_at > now - limits.longest_s
        )


def _hashed(held: str) -> str:
    return sha256(held.encode()).hexdigest()
