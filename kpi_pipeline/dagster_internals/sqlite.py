"""Dagster's runs and schedules in SQLite with connections that stay open.

Dagster makes a connection, and compiles its statements again, for each access, and checks the version of the
tables for each instance that it makes: a sensor's tick and a run begin with one. Here a process keeps its
connections, and checks each database once.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sql
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool

KEPT_CONNECTIONS: Final = 2
"""Connections that a process keeps to a database."""

MOST_CONNECTIONS: Final = 20
"""How many more it may open at once."""

_CHECKED: Final[set[tuple[str, int]]] = set()
"""The databases whose tables were checked, by address and process."""


class _KeptConnections:
    """What both storages do in another way than those of Dagster, from which they get the rest."""

    _conn_string: str
    _database: ClassVar[str]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Create the storage that the instance's configuration describes."""
        return cls.from_local(inst_data=inst_data, **config_value)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        """The storage in a folder, whose tables are made where they are missing."""
        address = create_db_conn_string(base_dir, cls._database)
        if (address, os.getpid()) not in _CHECKED:
            super().from_local(base_dir, inst_data)  # type: ignore[misc]
            _CHECKED.add((address, os.getpid()))
        return cls(address, inst_data)  # type: ignore[call-arg]

    @contextmanager
    def connect(self) -> Iterator[sql.Connection]:
        """A connection and its transaction."""
        with _engine(self._conn_string, os.getpid()).begin() as connection:
            yield connection


class PooledSqliteRunStorage(_KeptConnections, SqliteRunStorage):
    """Runs in the same file as those of `SqliteRunStorage`: either can read what the other wrote."""

    _database = "runs"

    def has_run_stats_index_cols(self) -> bool:
        """Whether runs have the columns of their times: those that this version of Dagster makes do."""
        return True


class PooledSqliteScheduleStorage(_KeptConnections, SqliteScheduleStorage):
    """Schedules in the same file as those of `SqliteScheduleStorage`."""

    _database = "schedules"


@lru_cache(maxsize=8)
def _engine(address: str, _process: int) -> sql.Engine:
    """The connections of this process, shared by all its instances; a forked process makes its own."""
    return sql.create_engine(
        address,
        poolclass=QueuePool,
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
