"""The database of access: its tables, and connections to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kpi_pipeline.settings import Settings

_BUSY_S: Final = 5
_METADATA: Final = sa.MetaData()

USERS: Final = sa.Table(
    "kpi_users",
    _METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column(
        "scope", sa.String(32)
    ),  # null for those for whom the policy says it, or who see the whole firm
    # Null for those whom a proxy or an identity provider names.
    sa.Column("password_hash", sa.String(256)),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    # Whether groups of the identity provider say their role, at each sign-in; else a command has.
    sa.Column("by_group", sa.Boolean),
    # Of whom the identity provider names: which account of it came first. Null until then.
    sa.Column("account", sa.String(64)),
)

TOKENS: Final = sa.Table(
    "kpi_tokens",
    _METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("scope", sa.String(32)),  # null for the whole firm
    sa.Column("secret_hash", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float),
)

SESSIONS: Final = sa.Table(
    "kpi_sessions",
    _METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

REFUSALS: Final = sa.Table(
    "kpi_refused_sign_ins",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String(128), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
)

PENDING_SIGN_INS: Final = sa.Table(
    "kpi_pending_sign_ins",
    _METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("next", sa.String(2048), nullable=False),
    sa.Column("address", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
)

AUDIT: Final = sa.Table(
    "kpi_audit",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("who", sa.String(96), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("detail", sa.String(512), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
)

WRITTEN_OPERATIONS: Final = sa.Table(
    "kpi_written_operations",
    _METADATA,
    # Of `model.operations.Operation`: each is written into the audit log once.
    sa.Column("id", sa.String(64), primary_key=True),
)

# What is written down stays: a statement that changes or removes it fails, whoever makes it.
for _event in ("UPDATE", "DELETE"):
    sa.event.listen(
        AUDIT,
        "after_create",
        sa.DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER kpi_audit_no_{_event.lower()} BEFORE {_event} ON kpi_audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        ).execute_if(dialect="sqlite"),
    )
sa.event.listen(
    AUDIT,
    "after_create",
    sa.DDL(  # type: ignore[no-untyped-call]
        "CREATE OR REPLACE FUNCTION kpi_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$; "
        "CREATE TRIGGER kpi_audit_only_grows BEFORE UPDATE OR DELETE ON kpi_audit "
        "FOR EACH ROW EXECUTE FUNCTION kpi_audit_only_grows()"
    ).execute_if(dialect="postgresql"),
)


_ADVISORY_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('kpi_access'))"
"""Held while tables are made."""

_TRUNCATE_TRIGGER: Final = "kpi_audit_no_truncate"
"""On PostgreSQL, where the table could be emptied by one statement that no trigger of its rows sees."""


class AccessUnavailable(RuntimeError):
    """The database of access cannot be used; the message says what to do and holds no password."""


@dataclass
class _Transaction:
    connection: sa.Connection
    is_failed: bool = False


class AccessDatabase:
    """Connections to the database; its tables are created where they lack. Threads may share it.

    Args:
        url: `sqlite:///` with a path, or `postgresql://` with user, password, host and name.

    Raises:
        AccessUnavailable: If the address is none of these.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._is_ready = False
        self._preparing = Lock()
        self._current: ContextVar[_Transaction | None] = ContextVar("access_transaction", default=None)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction. One within another is part of it: both are done, or neither.

        Raises:
            AccessUnavailable: If the database cannot be used.
        """
        try:
            if not self._is_ready:
                with self._preparing:
                    self._prepare()
            if (current := self._current.get()) is not None:
                try:
                    yield current.connection
                except BaseException:
                    current.is_failed = True
                    raise
                return
            with self._engine.begin() as connection:
                outermost = _Transaction(connection)
                token = self._current.set(outermost)
                try:
                    yield connection
                finally:
                    self._current.reset(token)
                if outermost.is_failed:
                    raise AccessUnavailable("a part of what is done as one has failed: nothing of it is done")
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None)
            raise AccessUnavailable(
                f"the database of access cannot be used ({type(cause or error).__name__}): check "
                "KPI_ACCESS_URL, its server, and that this user may write it"
            ) from error

    def lock(self, connection: sa.Connection, table: sa.Table) -> None:
        """Let nobody else write a table until this transaction ends: what is read of it stays so.

        On SQLite it is the first statement of the transaction.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
        elif not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        """Make what lacks; nothing where that is done."""
        if self._is_ready:
            return
        path = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Hashes of passwords are for the owner's eyes.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if not _METADATA.tables.keys() <= set(sa.inspect(self._engine).get_table_names()):
            with self._engine.begin() as connection:
                # One process at a time.
                is_file = self._engine.dialect.name == "sqlite"
                connection.exec_driver_sql("BEGIN IMMEDIATE" if is_file else _ADVISORY_LOCK)
                _METADATA.create_all(connection)
        for column in (USERS.c.scope, TOKENS.c.scope, USERS.c.by_group, USERS.c.account):
            self._add(column)
        if self._engine.dialect.name == "postgresql":
            self._refuse_truncation()
        self._is_ready = True

    def _refuse_truncation(self) -> None:
        """Let the audit log refuse to be emptied, also one that an earlier version has made."""
        try:
            if not self._refuses_truncation():
                with self._engine.begin() as connection:
                    connection.execute(
                        sa.text(
                            f"CREATE TRIGGER {_TRUNCATE_TRIGGER} BEFORE TRUNCATE ON {AUDIT} "
                            "FOR EACH STATEMENT EXECUTE FUNCTION kpi_audit_only_grows()"
                        )
                    )
        except SQLAlchemyError:
            # Another process has added it since.
            if not self._refuses_truncation():
                raise

    def _refuses_truncation(self) -> bool:
        found = sa.text(
            "SELECT 1 FROM pg_trigger WHERE tgname = :name AND tgrelid = CAST(:table AS regclass)"
        )
        with self._engine.begin() as connection:
            values = {"name": _TRUNCATE_TRIGGER, "table": str(AUDIT)}
            return connection.execute(found, values).one_or_none() is not None

    def _add(self, column: sa.Column[Any]) -> None:
        """Add a column to a table that an earlier version has made."""
        try:
            if not self._has(column):
                kind = column.type.compile(self._engine.dialect)
                with self._engine.begin() as connection:
                    connection.execute(sa.text(f"ALTER TABLE {column.table} ADD COLUMN {column.name} {kind}"))
        except SQLAlchemyError:
            # Another process has added it since.
            if not self._has(column):
                raise

    def _has(self, column: sa.Column[Any]) -> bool:
        columns = sa.inspect(self._engine).get_columns(str(column.table))
        return any(one["name"] == column.name for one in columns)


def access_database(settings: Settings) -> AccessDatabase:
    """The database of KPI_ACCESS_URL, or else a file under KPI_HOME; raises as `AccessDatabase` does."""
    if settings.access_url is not None:
        return AccessDatabase(settings.access_url.get_secret_value())
    return AccessDatabase(f"sqlite:///{settings.home / 'access.db'}")


def _engine(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except ArgumentError:
        address = None
    if address is None or address.get_backend_name() not in ("sqlite", "postgresql"):
        raise AccessUnavailable(
            "KPI_ACCESS_URL is no address of a database of access: use sqlite:////path/access.db or "
            "postgresql://user:password@host/name"
        )
    if address.get_backend_name() == "postgresql":
        driven = address.set(drivername="postgresql+psycopg")
        if "connect_timeout" not in driven.query:
            driven = driven.update_query_dict({"connect_timeout": str(_BUSY_S)})
        return sa.create_engine(driven, pool_pre_ping=True)
    engine = sa.create_engine(address, connect_args={"timeout": _BUSY_S})

    @sa.event.listens_for(engine, "connect")
    def _wait_for_no_reader(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")

    return engine
