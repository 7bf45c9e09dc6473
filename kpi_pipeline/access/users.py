"""People: their roles and passwords, and how often somebody may try."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import REFUSALS, SESSIONS, USERS, AccessDatabase
from kpi_pipeline.access.passwords import hash_password, is_password
from kpi_pipeline.model.access import AuditAction, Role

LONGEST_NAME: Final = 64

LOCKED_S: Final = 900
"""Within so many seconds only so many sign-ins may be refused: then further ones are, unread."""

MOST_OF_NAME: Final = 5
"""Refused sign-ins of one name."""

BY_PROVIDER: Final = "provider"
"""Who gives roles by groups, as the audit log names it."""

MOST_OF_ADDRESS: Final = 30
"""Refused sign-ins from one address, behind which there may be a whole firm."""


class NoSuchUser(LookupError):
    """Nobody has this name."""


class UserExists(ValueError):
    """Somebody has this name already."""


class InvalidName(ValueError):
    """No name of a person: empty, too long, or with characters that are none."""


class LockedOut(RuntimeError):
    """Too many sign-ins were refused: wait."""


class NotAdmitted(RuntimeError):
    """The identity provider names somebody who may not come in by it; the message says why, for the log."""


class HasPassword(NotAdmitted):
    """They sign in by a password here: whoever the provider gives that name is not known to be them."""


class OtherAccount(NotAdmitted):
    """Another account of the identity provider came by this name first: the name was given away since."""


@dataclass(frozen=True, slots=True)
class User:
    """A person.

    Attributes:
        name: In lower case.
        role: What they are.
        scope: The scope with which they were added; None for none.
        has_password: Whether they can sign in here; else only a proxy or an identity provider names them.
        must_change: Whether their password was given to them.
        created_at: In seconds since the epoch.
        by_group: Whether the groups of the identity provider say their role.
    """

    name: str
    role: Role
    scope: str | None
    has_password: bool
    must_change: bool
    created_at: float
    by_group: bool


class Users:
    """The people of a database. All methods raise `AccessUnavailable` where it cannot be used.

    Args:
        database: Where they are kept.
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, database: AccessDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._audit = AuditLog(database, clock)

    def add(
        self,
        name: str,
        role: Role,
        password: str | None,
        scope: str | None = None,
        *,
        by_group: bool = False,
    ) -> User:
        """Add somebody.

        Args:
            name: Case does not matter.
            role: What they are.
            password: To be changed at the first sign-in; None for somebody whom a proxy or an identity
                provider names.
            scope: The name of their scope; None where the policy says it, or they see the whole firm.
            by_group: Whether the groups of the identity provider say their role.

        Raises:
            InvalidName: If it is no name.
            UserExists: If there is somebody of this name.
            WeakPassword: If the password is not fit to be one.
        """
        name = folded_name(name)
        hashed = None if password is None else hash_password(name, password)
        with self._database.begin() as connection:
            if _row(connection, name) is not None:
                raise UserExists(name)
            row = {"name": name, "role": role, "scope": scope, "created_at": self._clock()}
            password_row = {"password_hash": hashed, "must_change": hashed is not None}
            connection.execute(sa.insert(USERS).values(**row, **password_row, by_group=by_group))
        return self.named(name)

    def admitted(self, name: str, role: Role | None, account: str) -> User:
        """Who comes by the identity provider. Whom a command has added has the role that it gave.

        The first account that comes by a name is the one of that name until the person is removed. What
        their groups give, change or take is written into the audit log with it.

        Args:
            name: As the provider names them.
            role: What their groups give them; None for nothing.
            account: Their account there.

        Raises:
            InvalidName: If it is no name.
            NotAdmitted: If neither a command nor their groups let them in, or they have a password, or came
                by another account before. Who came by a group in which they are no longer loses all sessions.
        """
        name = folded_name(name)
        with self._database.begin() as connection:
            # Another of their tabs, or a command, may be about to do the same.
            self._database.lock(connection, USERS)
            row = _row(connection, name)
            known = None if row is None else user_of_row(row)
            if known is not None and known.has_password:
                raise HasPassword("signs in by a password")
            if row is not None and row.account not in (None, account):
                raise OtherAccount("another account of the provider came by this name before")
            has_left = role is None and (known is None or known.by_group)
            if role is not None and known is None:
                self.add(name, role, None, by_group=True)
                self._audit.write(BY_PROVIDER, AuditAction.USER_ADDED, f"{name} {role} by group")
            elif role is not None and known is not None and known.by_group and known.role is not role:
                self._change(name, role=role)
                self._audit.write(BY_PROVIDER, AuditAction.USER_CHANGED, f"{name} {role} by group")
            if not has_left:
                self._bind(name, account)
        if has_left:
            self._leave(name)
            raise NotAdmitted("no role")
        return self.named(name)

    def _leave(self, name: str) -> None:
        """End the sessions of somebody whose groups give no role."""
        with self._database.begin():
            if self._end_sessions(name):
                self._audit.write(BY_PROVIDER, AuditAction.SIGN_OUT, f"{name} everywhere, without a group")

    def _bind(self, name: str, account: str) -> None:
        """Let a name belong to an account; raises `OtherAccount` if it has become another's meanwhile."""
        is_free = sa.or_(USERS.c.account.is_(None), USERS.c.account == account)
        with self._database.begin() as connection:
            statement = sa.update(USERS).where(USERS.c.name == name, is_free).values(account=account)
            if not connection.execute(statement).rowcount:
                raise OtherAccount("another account of the provider came by this name before")

    def named(self, name: str) -> User:
        """Somebody by name; raises `NoSuchUser`."""
        with self._database.begin() as connection:
            row = _row(connection, name.casefold())
        if row is None:
            raise NoSuchUser(name)
        return user_of_row(row)

    def all(self) -> list[User]:
        """Everybody, by name."""
        with self._database.begin() as connection:
            return [user_of_row(row) for row in connection.execute(sa.select(USERS).order_by(USERS.c.name))]

    def set_role(self, name: str, role: Role) -> None:
        """Give somebody another role; raises `NoSuchUser`. It holds within seconds, also for open pages."""
        self._change(name, role=role, by_group=False)

    def set_scope(self, name: str, scope: str | None) -> None:
        """Give somebody another scope, or none; raises `NoSuchUser`. It holds within seconds."""
        self._change(name, scope=scope)

    def give_password(self, name: str, password: str) -> None:
        """Give somebody a password to be changed, and end their sessions.

        Raises:
            NoSuchUser: If there is nobody of this name.
            WeakPassword: If it is not fit to be one.
        """
        hashed = hash_password(name, password)
        with self._database.begin():
            self._change(name, password_hash=hashed, must_change=True, by_group=False)
            self._end_sessions(name)

    def choose_password(self, name: str, password: str) -> None:
        """Let somebody have the password that they chose, and end their sessions; raises likewise."""
        hashed = hash_password(name, password)
        with self._database.begin():
            self._change(name, password_hash=hashed, must_change=False)
            self._end_sessions(name)

    def remove(self, name: str) -> None:
        """Remove somebody, and end their sessions; raises `NoSuchUser`."""
        with self._database.begin() as connection:
            if not connection.execute(sa.delete(USERS).where(USERS.c.name == name.casefold())).rowcount:
                raise NoSuchUser(name)
            self._end_sessions(name)

    def checked(self, name: str, password: str, address: str) -> User | None:
        """Who signs in.

        Args:
            name: As it was entered.
            password: Likewise.
            address: Where it came from.

        Returns:
            None where name and password do not belong together.

        Raises:
            LockedOut: If too many were refused of this name or from this address.
        """
        name = name.casefold().strip()[:LONGEST_NAME]
        of_name, of_address = f"name:{name}", _of_address(address)
        subjects = {of_name: MOST_OF_NAME, of_address: MOST_OF_ADDRESS}
        with self._database.begin() as connection:
            # Counted first: of however many tries at a time, so many are read.
            self._database.lock(connection, REFUSALS)
            self._require_unlocked(connection, subjects)
            _, counted_of_address = (self._count_refusal(subject) for subject in subjects)
            row = _row(connection, name)
        # Outside of a transaction: it takes its time.
        if is_password(None if row is None else row.password_hash, password) and row is not None:
            is_over = sa.or_(REFUSALS.c.subject == of_name, REFUSALS.c.id == counted_of_address)
            with self._database.begin() as connection:
                connection.execute(sa.delete(REFUSALS).where(is_over))
            return user_of_row(row)
        return None

    def require_unlocked(self, address: str) -> None:
        """Check that an address may try; raises `LockedOut` if too many sign-ins from it were refused."""
        with self._database.begin() as connection:
            self._require_unlocked(connection, {_of_address(address): MOST_OF_ADDRESS})

    def count_refusal(self, address: str) -> None:
        """Count a sign-in from an address that was refused."""
        self._count_refusal(_of_address(address))

    def _require_unlocked(self, connection: sa.Connection, subjects: Mapping[str, int]) -> None:
        connection.execute(sa.delete(REFUSALS).where(REFUSALS.c.at < self._clock() - LOCKED_S))
        for subject, most in subjects.items():
            refused = sa.select(sa.func.count()).where(REFUSALS.c.subject == subject)
            if connection.execute(refused).scalar_one() >= most:
                raise LockedOut(subject)

    def _count_refusal(self, subject: str) -> int:
        """Count a refused sign-in; returns the id of what counts it."""
        with self._database.begin() as connection:
            counted = connection.execute(sa.insert(REFUSALS).values(subject=subject, at=self._clock()))
        (number,) = counted.inserted_primary_key or (0,)
        return int(number)

    def _change(self, name: str, **values: object) -> None:
        with self._database.begin() as connection:
            statement = sa.update(USERS).where(USERS.c.name == name.casefold()).values(**values)
            if not connection.execute(statement).rowcount:
                raise NoSuchUser(name)

    def _end_sessions(self, name: str) -> int:
        with self._database.begin() as connection:
            return connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user == name.casefold())).rowcount


def _of_address(address: str) -> str:
    return f"address:{address}"[:128]


def folded_name(name: str) -> str:
    """A name as it is kept.

    Raises:
        InvalidName: If it is no name.
    """
    folded = name.strip().casefold()
    if not folded or len(folded) > LONGEST_NAME or not folded.isprintable():
        raise InvalidName(f"a name has 1 to {LONGEST_NAME} printable characters")
    return folded


def _row(connection: sa.Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(USERS).where(USERS.c.name == name)).one_or_none()


def user_of_row(row: sa.Row[tuple[object, ...]]) -> User:
    """Somebody, of a row that has the columns of `USERS`."""
    return User(
        row.name,
        Role(row.role),
        row.scope,
        row.password_hash is not None,
        row.must_change,
        row.created_at,
        bool(row.by_group),
    )
