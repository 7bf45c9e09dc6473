"""Sign-ins that have begun at an identity provider and not ended here. Each ends once, in its own browser."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from kpi_pipeline.access.database import PENDING_SIGN_INS, AccessDatabase
from kpi_pipeline.access.users import LockedOut
from kpi_pipeline.model.access import SIGN_IN_S

MOST_OF_ADDRESS: Final = 100
"""Sign-ins from one address that have not ended: beyond, nobody begins another one from there."""

_LONGEST_PAGE: Final = 2048


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that begins.

    Attributes:
        state: What the provider sends back.
        held: What only the browser holds in which it has begun.
    """

    state: str
    held: str


class PendingSignIns:
    """Those of a database. All methods raise `AccessUnavailable` where it cannot be used.

    Only a hash of both secrets of each is kept.

    Args:
        database: Where they are kept.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, database: AccessDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, page: str, home: str, address: str) -> Begun:
        """Begin a sign-in.

        Args:
            page: Where it leads; one of ours.
            home: Where it leads instead where that is too long to be kept.
            address: Where it begins.

        Raises:
            LockedOut: If too many have begun there.
        """
        begun, now = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32)), self._clock()
        address = address[:64]
        kept = page if len(page) <= _LONGEST_PAGE else home
        open_there = sa.select(sa.func.count()).where(PENDING_SIGN_INS.c.address == address)
        with self._database.begin() as connection:
            connection.execute(sa.delete(PENDING_SIGN_INS).where(PENDING_SIGN_INS.c.at < now - SIGN_IN_S))
            if connection.execute(open_there).scalar_one() >= MOST_OF_ADDRESS:
                raise LockedOut(address)
            row = {"hash": _hashed(begun.state, begun.held), "next": kept, "address": address, "at": now}
            connection.execute(sa.insert(PENDING_SIGN_INS).values(**row))
        return begun

    def end(self, state: str, held: str) -> str | None:
        """End a sign-in, which can be done once.

        Args:
            state: What the provider has sent back.
            held: What the browser holds.

        Returns:
            Where it leads; None where none has begun with these, or it has ended or lasted too long.
        """
        this = PENDING_SIGN_INS.c.hash == _hashed(state, held)
        since = self._clock() - SIGN_IN_S
        with self._database.begin() as connection:
            found = sa.select(PENDING_SIGN_INS.c.next).where(this, PENDING_SIGN_INS.c.at >= since)
            page = connection.execute(found).scalar_one_or_none()
            # Of two requests at a time one removes it.
            removed = connection.execute(sa.delete(PENDING_SIGN_INS).where(this)).rowcount
        return page if removed else None


def _hashed(state: str, held: str) -> str:
    return sha256(f"{state} {held}".encode()).hexdigest()
