"""Dagster's event log in SQLite, as Dagster keeps it, with its connections held open.

Dagster opens and closes a connection for each event, and each closing flushes the database to disk
twice: half of the time of a refresh that takes a second. Here a process holds the few connections it
uses, and SQLite's write-ahead log reaches the disk when it is folded into its database. A process that
is killed loses nothing by that; a machine that loses power can lose the events of its last moments.
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

_HELD: Final = 8
"""Databases held open: that of all runs, and one for each of the latest runs."""

_TEMPLATE: Final = "empty-run.sqlite"


class HeldSqliteEventLogStorage(SqliteEventLogStorage):
    """The same files as `SqliteEventLogStorage`, which can take them over at any time.

    Args:
        base_dir: Their folder.
        inst_data: How the instance was configured.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sql.Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """The storage that the instance's configuration describes."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and tell those who watch its run: they look at when its file was changed."""
        super().store_event(event)
        with suppress(FileNotFoundError):
            os.utime(self.path_for_shard(event.run_id))

    def wipe(self) -> None:
        """Remove every event."""
        with self._db_lock:
            self._let_go(0)
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        with self._db_lock:
            self._let_go(0)

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
        self._let_go(_HELD)
        return engine

    def _create(self, path: Path) -> None:
        """Make a run's database as a copy of an empty one: made step by step, each takes 60 ms."""
        template = path.with_name(_TEMPLATE)
        part = path.with_name(f"{uuid4().hex}.part")
        if not template.exists():
            made = sql.create_engine(f"sqlite:///{part}", poolclass=sql.NullPool)
            self._initdb(made)
            made.dispose()
            part.replace(template)
        shutil.copyfile(template, part)
        # Another process may have been first: what it has written must stay.
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink()

    def _let_go(self, most: int) -> None:
        while len(self._engines) > most:
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
    def _flush_when_folded(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
