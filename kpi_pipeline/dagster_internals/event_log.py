"""Dagster's event log in SQLite with connections that stay open.

Dagster opens and closes a connection for each event and builds the database of each run step by step; a
refresh takes 30% longer with that. Here a process keeps the few connections that it uses, and SQLite
flushes its write-ahead log only at checkpoints. A killed process loses nothing by that; a machine that
loses power can lose the latest events.
"""

import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import sqlalchemy as sql
from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool

MAX_OPEN_DATABASES: Final = 8
"""Databases that stay open: the index of all runs, and one for each of the latest runs."""

_TEMPLATE: Final = "empty-run.sqlite"

_FOUND: Final[set[tuple[str, str]]] = set()
"""Tables and columns that the index is known to have, by its folder: none is ever removed."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """An event log in the same files as `SqliteEventLogStorage`: either can read what the other wrote.

    Args:
        base_dir: Folder of the files.
        inst_data: The instance's configuration.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sql.Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Create the storage that the instance's configuration describes."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and update its file's modification time, which watchers of the run check."""
        super().store_event(event)
        with suppress(FileNotFoundError):
            os.utime(self.path_for_shard(event.run_id))

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; Dagster asks for each event of an asset."""
        known = self._base_dir, table_name
        if known not in _FOUND and super().has_table(table_name):
            _FOUND.add(known)
        return known in _FOUND

    def _has_asset_key_index_cols_on_connection(self, conn: sql.Connection) -> bool:
        # Asked for each event of an asset too.
        known = self._base_dir, "columns of asset_keys"
        if known not in _FOUND and super()._has_asset_key_index_cols_on_connection(conn):
            _FOUND.add(known)
        return known in _FOUND

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, its file included."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
        with self._db_lock:
            engine = self._engines.pop(run_id, None)
            if engine is not None:
                engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)
        self.free_concurrency_slots_for_run(run_id)

    def wipe(self) -> None:
        """Remove every event."""
        with self._db_lock:
            self._close_down_to(0)
        super().wipe()

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        with self._db_lock:
            self._close_down_to(0)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sql.Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> sql.Engine:
        engine = self._engines.get(shard)
        if engine is None:
            path = Path(self.path_for_shard(shard))
            if not path.exists():
                self._create(path)
            engine = self._engines[shard] = _engine(self.conn_string_for_shard(shard))
        self._engines.move_to_end(shard)
        self._close_down_to(MAX_OPEN_DATABASES)
        return engine

    def _create(self, path: Path) -> None:
        """Create a run's database by copying an empty one: building it takes 60 ms."""
        template = path.with_name(_TEMPLATE)
        part = path.with_name(f"{uuid4().hex}.part")
        if not template.exists():
            engine = sql.create_engine(f"sqlite:///{part}", poolclass=sql.NullPool)
            self._initdb(engine)
            engine.dispose()
            part.replace(template)
        shutil.copyfile(template, part)
        # Another process may have created it meanwhile; what it has written must stay.
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink()

    def _close_down_to(self, limit: int) -> None:
        while len(self._engines) > limit:
            _, engine = self._engines.popitem(last=False)
            engine.dispose()


def _engine(address: str) -> sql.Engine:
    engine = sql.create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @sql.event.listens_for(engine, "connect")
    def _flush_at_checkpoints(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
