"""Any other database that SQLAlchemy supports, streamed in chunks."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import Relation, RelationName, settings_of
from kpi_pipeline.sources.selection import masked_url

_CHUNK_ROWS: Final = 50_000
_THREE_DECIMALS: Final = re.compile(r"\.\d{3}$")


def read_other(url: URL, relations: Mapping[RelationName, Relation]) -> dict[RelationName, pa.Table]:
    """Read tables and queries through SQLAlchemy.

    Every value becomes text: dates in ISO 8601, numbers in full, amounts with the mapping's decimal mark.
    A fraction of three digits gets a fourth, a zero: read as text it could be a group of thousands.

    Raises:
        SourceError: If there is no driver, or the server cannot be reached, denies access, or lacks a
            table or column.
    """
    address = masked_url(url.render_as_string(hide_password=False))
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
        with engine.connect() as connection:
            return {name: _read(connection, relation) for name, relation in relations.items()}
    except NoSuchModuleError:
        raise SourceError(
            f"{address}: SQLAlchemy has no dialect {url.drivername!r}; correct the URL, "
            "or install the package that provides it"
        ) from None
    except ImportError as error:
        raise SourceError(
            f"{address}: the driver is not installed ({error}); install it in this program's environment"
        ) from None
    except SQLAlchemyError as error:
        raise SourceError(
            f"cannot read {address}: {_reason(error, url)}. Check that the server runs, that user, password "
            f"and database in the URL are right, and {settings_of(relations.values())} in the mapping file"
        ) from None


def _read(connection: Connection, relation: Relation) -> pa.Table:
    relation.check(list(connection.execute(relation.no_rows()).keys()))
    statement = relation.select([sa.column(name) for name in relation.columns])
    schema = pa.schema([(name, pa.string()) for name in relation.columns])
    marks = [relation.mark_of(name) for name in relation.columns]
    streaming = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK_ROWS)
    batches = []
    for chunk in streaming.execute(statement).partitions(_CHUNK_ROWS):
        columns = zip(*chunk, strict=True)
        texts = [_texts(values, mark) for values, mark in zip(columns, marks, strict=True)]
        batches.append(pa.record_batch([pa.array(column, pa.string()) for column in texts], schema=schema))
    return pa.Table.from_batches(batches, schema)


def _texts(values: Sequence[Any], decimal_mark: str | None) -> list[str | None]:
    return [value if value is None or type(value) is str else _text(value, decimal_mark) for value in values]


def _text(value: object, decimal_mark: str | None) -> str:
    """A value as text; the decimal mark is that of an amount, None of any other number."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float | Decimal):
        written = str(value)
        if decimal_mark is None:
            return written
        return (written + "0" if _THREE_DECIMALS.search(written) else written).replace(".", decimal_mark)
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
