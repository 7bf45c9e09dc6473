"""DuckDB in memory: opened once a process, because opening it takes longer than a small computation."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from kpi_pipeline.compute.overflow import ADVICE, SumTooLarge
from kpi_pipeline.model.filters import fold

_BATCH_ROWS: Final = 131_072
"""Rows of a chunk of an Arrow table: those of DuckDB's relations."""


@contextmanager
def computation() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own: what it registers and its temporary tables go with it."""
    with _database(os.getpid()).cursor() as connection:
        yield connection


@contextmanager
def summation() -> Iterator[duckdb.DuckDBPyConnection]:
    """A computation in which all that can fail to fit its type are sums.

    Raises:
        SumTooLarge: If one does not.
    """
    with computation() as connection:
        try:
            yield connection
        except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
            raise SumTooLarge(ADVICE) from error


def arrow_table(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any] | None = None
) -> pa.Table:
    """The rows of a SELECT.

    A relation of `connection.sql` plans its statement when it is made, and again when it is run. Planning the
    statements of a roll-up takes longer than running them over a small table: planning once saves a third.
    """
    values = None if parameters is None else dict(parameters)
    return connection._submit(statement, values, "arrow", _BATCH_ROWS).arrow_table()


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    # A forked process must not use its parent's: its threads are not there.
    database = duckdb.connect()
    text = duckdb.sqltype("VARCHAR")
    database.create_function("fold", _folded, [text], text, type=PythonUDFType.ARROW)
    return database


def _folded(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Fold texts; each distinct one is folded once."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    distinct = whole.dictionary_encode()
    return pa.array(map(fold, distinct.dictionary.to_pylist()), pa.string()).take(distinct.indices)
