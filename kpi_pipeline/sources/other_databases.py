"""Any other database that SQLAlchemy knows, streamed in chunks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import Part, Relation, settings_of
from kpi_pipeline.sources.selection import shown

_CHUNK_ROWS: Final = 50_000


def read_other(url: URL, parts: Mapping[Part, Relation], mark: str) -> dict[Part, pa.Table]:
    """Read tables and queries through SQLAlchemy.

    Every value becomes text: dates in ISO 8601, numbers in full, amounts among them with the
    mapping's decimal mark, as if they had been written so.

    Args:
        url: Address of the database.
        parts: What to read.
        mark: Decimal mark of amounts that are text.

    Raises:
        SourceError: If there is no driver, the server cannot be reached, refuses, or lacks what is
            to be read.
    """
    address = shown(url.render_as_string(hide_password=False))
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
        with engine.connect() as connection:
            return {part: _read(connection, relation, mark) for part, relation in parts.items()}
    except NoSuchModuleError:
        raise SourceError(
            f"{address}: SQLAlchemy knows no database {url.drivername!r}; correct the URL, "
            "or install the package of its dialect"
        ) from None
    except ImportError as error:
        raise SourceError(
            f"{address}: the driver is not installed ({error}); install it beside this program"
        ) from None
    except SQLAlchemyError as error:
        raise SourceError(
            f"cannot read {address}: {_reason(error, url)}. Check that the server runs, that user, password "
            f"and database in the URL are right, and {settings_of(parts.values())} in the mapping file"
        ) from None


def _read(connection: Connection, relation: Relation, mark: str) -> pa.Table:
    relation.check(list(connection.execute(relation.no_rows()).keys()))
    statement: sa.Select[*tuple[Any, ...]] = sa.select(*map(sa.column, relation.columns)).select_from(
        relation.clause
    )
    schema = pa.schema([(name, pa.string()) for name in relation.columns])
    marks = [mark if name in relation.amounts else "." for name in relation.columns]
    streaming = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK_ROWS)
    batches = []
    for chunk in streaming.execute(statement).partitions(_CHUNK_ROWS):
        columns = zip(*chunk, strict=True)
        texts = [_texts(values, mark) for values, mark in zip(columns, marks, strict=True)]
        batches.append(pa.record_batch([pa.array(column, pa.string()) for column in texts], schema=schema))
    return pa.Table.from_batches(batches, schema)


def _texts(values: Sequence[Any], mark: str) -> list[str | None]:
    return [value if value is None or type(value) is str else _text(value, mark) for value in values]


def _text(value: object, mark: str) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float | Decimal):
        return str(value).replace(".", mark)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def _reason(error: SQLAlchemyError, url: URL) -> str:
    """The first line of the driver's message, without the password."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    message = lines[0].rstrip(".")
    return message.replace(str(url.password), "***") if url.password else message
