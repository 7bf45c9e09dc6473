"""Tokens: how programs prove who they are. Only a hash of each is kept."""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from kpi_pipeline.access.database import TOKENS, AccessDatabase
from kpi_pipeline.access.users import folded_name
from kpi_pipeline.model.access import Role

_TOKEN: Final = re.compile(r"kpi_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)


class NoSuchToken(LookupError):
    """No token has this id."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token.

    Attributes:
        id: Its public part.
        name: What it is for.
        role: What who holds it may do.
        scope: The name of the scope of what they may see; None for the whole firm.
        created_at: In seconds since the epoch; likewise the others.
        expires_at: From when on it is refused.
        revoked_at: Since when it is refused; None where it is not.
    """

    id: str
    name: str
    role: Role
    scope: str | None
    created_at: float
    expires_at: float
    revoked_at: float | None

    def is_valid(self, now: float) -> bool:
        """Whether it is accepted."""
        return self.revoked_at is None and now < self.expires_at


class Tokens:
    """The tokens of a database. All methods raise `AccessUnavailable` where it cannot be used.

    Args:
        database: Where they are kept.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, database: AccessDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(self, name: str, role: Role, valid_s: float, scope: str | None = None) -> tuple[Token, str]:
        """Create a token.

        Args:
            name: What it is for.
            role: What who holds it may do.
            valid_s: For how many seconds.
            scope: The name of the scope of what they may see; None for the whole firm.

        Returns:
            What is known of it, and its text, which nobody can read again.

        Raises:
            InvalidName: If it is no name.
        """
        now, secret = self._clock(), secrets.token_urlsafe(32)
        token = Token(secrets.token_hex(6), folded_name(name), role, scope, now, now + valid_s, None)
        row = {
            "id": token.id,
            "name": token.name,
            "role": role,
            "scope": scope,
            "secret_hash": _hashed(secret),
            "created_at": now,
            "expires_at": token.expires_at,
        }
        with self._database.begin() as connection:
            connection.execute(sa.insert(TOKENS).values(**row))
        return token, f"kpi_{token.id}_{secret}"

    def all(self) -> list[Token]:
        """Every token, the newest first."""
        with self._database.begin() as connection:
            rows = connection.execute(sa.select(TOKENS).order_by(TOKENS.c.created_at.desc(), TOKENS.c.id))
            return [_token(row) for row in rows]

    def named(self, token_id: str) -> Token:
        """A token by its id; raises `NoSuchToken`."""
        with self._database.begin() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == token_id)).one_or_none()
        if row is None:
            raise NoSuchToken(token_id)
        return _token(row)

    def revoke(self, token_id: str) -> bool:
        """Refuse a token from now on, or within seconds; returns whether it was not refused before."""
        with self._database.begin() as connection:
            revoked = sa.update(TOKENS).where(TOKENS.c.id == token_id, TOKENS.c.revoked_at.is_(None))
            return connection.execute(revoked.values(revoked_at=self._clock())).rowcount > 0

    def checked(self, text: str) -> Token | None:
        """The token of a text; None where there is none, or it is accepted no longer."""
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        with self._database.begin() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == match["id"])).one_or_none()
        if row is None or not hmac.compare_digest(str(row.secret_hash), _hashed(match["secret"])):
            return None
        token = _token(row)
        return token if token.is_valid(self._clock()) else None


def _hashed(secret: str) -> str:
    # Of 256 random bits: a slow hash would protect nothing more.
    return sha256(secret.encode()).hexdigest()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(row.id, row.name, Role(row.role), row.scope, row.created_at, row.expires_at, row.revoked_at)
