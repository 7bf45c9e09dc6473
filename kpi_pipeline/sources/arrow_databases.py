"""SQLite and PostgreSQL, read by ADBC: rows arrive as Arrow columns, without a Python object per cell.

One read-only transaction reads everything, so rows, change log and costs are consistent; what is read next
may depend on what was read before.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_manager.dbapi import Connection, Cursor
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import URL, Dialect

from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import ReadRelation, Relation, settings_of
from kpi_pipeline.sources.selection import masked_url

# A failure while rows are streamed surfaces as an error of the system or of Arrow.
_DRIVER_ERRORS: Final = (adbc_driver_manager.Error, OSError, pa.ArrowException)
_BUSY_MS: Final = 10_000
"""How long to wait for another program's lock: a sensor looks at the source, too."""

_CONNECTION: Final = {
    "connect_timeout": "10",
    # A server that is gone without a word is noticed within a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Parameters of a connection to PostgreSQL where its address names no other."""

_LOCK_NOT_AVAILABLE: Final = "55P03"
# "named" keeps percent signs single: the drivers format nothing.
_SQLITE: Final = SQLiteDialect(paramstyle="named")
_POSTGRESQL: Final = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
# PostgreSQL types that keep their Arrow type; any other is read as text.
_TYPED: Final = frozenset({
    "bool", "int2", "int4", "int8", "float4", "float8", "date", "timestamp", "timestamptz", "text",
    "varchar",
})  # fmt: skip


@contextmanager
def sqlite_transaction(url: URL, relations: Collection[Relation]) -> Iterator[ReadRelation]:
    """Open a transaction that reads tables and queries from an SQLite file.

    A column of SQLite holds values of any type, so every column is read as text: whole numbers
    without a fraction, and amounts stored as numbers with the mapping's decimal mark and, where their
    fraction has three digits, a fourth (see `_amount`). Bytes that are not UTF-8 become U+FFFD.

    Args:
        url: The file's address.
        relations: All that may be read, for messages.

    Raises:
        SourceError: If the file is missing, not a database, locked, or lacks a table or column.
    """
    address = url.render_as_string()
    if url.database in {None, "", ":memory:"}:
        raise SourceError(f"{address} names no file; use sqlite:///path/to/file.db")
    path = Path(str(url.database))
    if not path.is_file():
        raise SourceError(f"there is no file {path}; check the path in {address}")

    def column(name: str, decimal_mark: str | None) -> sa.ColumnElement[Any]:
        value: sa.ColumnElement[Any] = sa.column(name)
        whole = sa.cast(value, sa.Integer)
        number: sa.ColumnElement[Any] = sa.case(
            (value == whole, sa.cast(whole, sa.Text)), else_=sa.cast(value, sa.Text)
        )
        if decimal_mark is not None:
            number = _amount(number, number.op("GLOB")("*.[0-9][0-9][0-9]"), decimal_mark)
        return sa.case((sa.func.typeof(value) == "real", number), else_=sa.cast(value, sa.Text)).label(name)

    def read(cursor: Cursor, relation: Relation) -> pa.Table:
        cursor.execute(_sql(relation.no_rows(), _SQLITE))
        relation.check([str(described[0]) for described in cursor.description or []])
        columns = [column(name, relation.mark_of(name)) for name in relation.columns]
        cursor.execute(_sql(relation.select(columns), _SQLITE))
        return _as_text(cursor.fetch_arrow_table(), relation.columns)

    def connect() -> Connection:
        connection: Connection = adbc_driver_sqlite.dbapi.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro"
        )
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return connection

    try:
        with connect() as connection, _cursor(connection) as cursor:
            yield partial(read, cursor)
    except _DRIVER_ERRORS as error:
        reason = _reason(error, url)
        if "not a database" in reason or "malformed" in reason:
            raise SourceError(
                f"{path} cannot be read as an SQLite database ({reason}): it is another kind of file, "
                "encrypted or damaged; check the path"
            ) from None
        if "locked" in reason or "busy" in reason:
            raise SourceError(
                f"{path} is locked by another program; try again when it has finished"
            ) from None
        raise SourceError(
            f"cannot read {path}: {reason}. Check the file's permissions, "
            f"and {settings_of(relations)} in the mapping file"
        ) from None


@contextmanager
def postgresql_transaction(url: URL, relations: Collection[Relation]) -> Iterator[ReadRelation]:
    """Open a transaction that reads tables and queries from PostgreSQL.

    Numbers, dates, timestamps and text keep their types; `numeric` and every other type are read as
    text, amounts with the mapping's decimal mark.

    Args:
        url: The server's address.
        relations: All that may be read, for messages.

    Raises:
        SourceError: If the server cannot be reached, denies access, has locked what is read, or lacks a
            table or column.
    """
    address = masked_url(url.render_as_string(hide_password=False))

    def column(field: pa.Field, decimal_mark: str | None) -> sa.ColumnElement[Any]:
        value: sa.ColumnElement[Any] = sa.column(field.name)
        kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
        if kind in _TYPED:
            return value
        # The text of `money` depends on the server's locale.
        text = sa.cast(sa.cast(value, sa.Numeric) if kind == "money" else value, sa.Text)
        if decimal_mark is not None and kind in {"numeric", "money"}:
            return _amount(text, text.like("%.___"), decimal_mark).label(field.name)
        return text.label(field.name)

    def read(cursor: Cursor, relation: Relation) -> pa.Table:
        schema = cursor.adbc_execute_schema(_sql(relation.no_rows(), _POSTGRESQL))
        relation.check(schema.names)
        columns = [column(schema.field(name), relation.mark_of(name)) for name in relation.columns]
        cursor.execute(_sql(relation.select(columns), _POSTGRESQL))
        return cursor.fetch_arrow_table()

    def connect() -> Connection:
        server = url.set(drivername="postgresql")
        server = server.set(query={**_CONNECTION, **server.query})
        try:
            connection: Connection = adbc_driver_postgresql.dbapi.connect(
                server.render_as_string(hide_password=False)
            )
        except _DRIVER_ERRORS as error:
            raise SourceError(
                f"cannot connect to {address}: {_reason(error, url)}. Check that the server runs and "
                "that host, port, user, password and database in the URL are right"
                " (special characters percent-encoded)"
            ) from None
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL lock_timeout = {_BUSY_MS}")
        return connection

    try:
        with connect() as connection, _cursor(connection) as cursor:
            yield partial(read, cursor)
    except _DRIVER_ERRORS as error:
        if getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise SourceError(
                f"{address}: a table is locked by another program; try again when it has finished"
            ) from None
        raise SourceError(
            f"cannot read {address}: {_reason(error, url)}. Check the user's privileges, "
            f"and {settings_of(relations)} in the mapping file"
        ) from None


def _amount(
    number: sa.ColumnElement[Any], has_three_decimals: sa.ColumnElement[bool], decimal_mark: str
) -> sa.ColumnElement[Any]:
    """The text of a number as amounts are read: with the decimal mark of the mapping.

    A fraction of three digits gets a fourth, a zero: read as text it could be a group of thousands.
    """
    unmistakable = sa.case((has_three_decimals, number.concat("0")), else_=number)
    return unmistakable if decimal_mark == "." else sa.func.replace(unmistakable, ".", decimal_mark)


@contextmanager
def _cursor(connection: Connection) -> Iterator[Cursor]:
    """A cursor of one transaction, which is rolled back at the end: there is nothing to commit."""
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()


def _sql(statement: sa.Select[*tuple[Any, ...]], dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _as_text(table: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """The table with every column as valid text, columns of nulls included."""
    columns = []
    for name in names:
        column = table.column(name).cast(pa.string())
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            values = column.cast(pa.binary()).to_pylist()
            column = pa.array(
                [None if value is None else value.decode("utf-8", "replace") for value in values], pa.string()
            )
        columns.append(column)
    return pa.table(dict(zip(names, columns, strict=True)))


def _reason(error: Exception, url: URL) -> str:
    """The first line of a driver's message, without its status code and without the password."""
    first = str(error).strip().splitlines()[0]
    message = re.sub(r"^([A-Z_]+: )?(\[\w+\] )?", "", first).strip().rstrip(".")
    return message.replace(str(url.password), "***") if url.password else message
