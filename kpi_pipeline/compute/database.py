"""DuckDB in memory: opened once a process, because opening it takes longer than a small computation."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb


@contextmanager
def computation() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own: what it registers and its temporary tables go with it."""
    with _database(os.getpid()).cursor() as connection:
        yield connection


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    # A forked process must not use its parent's: its threads are not there.
    return duckdb.connect()
