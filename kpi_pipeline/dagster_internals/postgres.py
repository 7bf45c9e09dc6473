"""Dagster's storage in PostgreSQL with connections that stay open.

Dagster opens and closes a connection for each event; a run takes four times as long with that. Here a
process keeps few connections and checks each before it is used, so that a restart of the server does no harm.
Dagster's code needs the driver psycopg2: with SQLAlchemy's default its web server closes connections that it
still needs.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Self

import sqlalchemy as sql
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

KEPT_CONNECTIONS: Final = 2
"""Connections that a process keeps."""

MOST_CONNECTIONS: Final = 20
"""How many more it may open at once."""

RECYCLE_S: Final = 1800
"""Age after which a connection is replaced: firewalls forget those that live long."""


class PooledPostgresStorage(DagsterPostgresStorage):
    """Runs, events and schedules in the same tables as `DagsterPostgresStorage`.

    Args:
        postgres_url: postgresql://user:password@host:port/database.
        should_autocreate_tables: Whether missing tables are created.
        inst_data: The instance's configuration.
    """

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        url = sql.make_url(postgres_url).set(drivername="postgresql+psycopg2")
        address = url.render_as_string(hide_password=False)
        super().__init__(address, should_autocreate_tables, inst_data)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = _engine(address, os.getpid())

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Create the storage that the instance's configuration describes."""
        return cls(inst_data=inst_data, **config_value)


@lru_cache(maxsize=1)
def _engine(address: str, _process: int) -> sql.Engine:
    """The connections of this process, shared by all its instances; a forked process makes its own."""
    return sql.create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS,
        pool_recycle=RECYCLE_S,
        pool_pre_ping=True,
    )
