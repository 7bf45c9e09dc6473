"""The source fails in each way: readers get what was right, and what has changed once it is back."""

import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from kpi_pipeline.sources import arrow_databases
from tests.faults.homes import Home, change, home_of, larger
from tests.faults.relay import Relay, relayed
from tests.sources.locks import locked_by_another_process

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(900)]

TABLES = ("projects", "edp", "edp_log", "cost_header", "cost_lines")


@dataclass
class FileSource:
    """The demo in an SQLite file."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def execute(self, *statements: str) -> None:
        change(self.path, *statements)

    @contextmanager
    def down(self) -> Iterator[None]:
        aside = self.path.rename(self.path.with_suffix(".aside"))
        try:
            yield
        finally:
            aside.rename(self.path)

    def locked(self) -> AbstractContextManager[None]:
        return locked_by_another_process(self.path)

    @contextmanager
    def changed(self, *statements: str) -> Iterator[None]:
        """Statements that are undone when the block ends."""
        aside = self.path.with_suffix(".before")
        shutil.copy(self.path, aside)
        self.execute(*statements)
        try:
            yield
        finally:
            aside.replace(self.path)

    @contextmanager
    def damaged(self) -> Iterator[None]:
        content = self.path.read_bytes()
        self.path.write_bytes(content[: len(content) // 2])
        try:
            yield
        finally:
            self.path.write_bytes(content)

    def as_words(self) -> list[str]:
        return ["UPDATE edp SET monto_propuesto = 'CLP ' || monto_propuesto || ' aprox.'"]


@dataclass
class ServerSource:
    """The demo in PostgreSQL, behind a relay."""

    address: sa.URL
    relay: Relay

    @property
    def url(self) -> str:
        relayed = self.address.set(host="127.0.0.1", port=self.relay.port)
        return relayed.render_as_string(hide_password=False)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.address.render_as_string(hide_password=False), autocommit=True)

    def execute(self, *statements: str) -> None:
        with self.connect() as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def down(self) -> Iterator[None]:
        self.relay.is_down = True
        self.relay.cut()
        try:
            yield
        finally:
            self.relay.is_down = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE edp IN ACCESS EXCLUSIVE MODE")
            yield

    @contextmanager
    def changed(self, *statements: str) -> Iterator[None]:
        for table in TABLES:
            self.execute(f"CREATE TABLE before_{table} AS TABLE {table}")
        self.execute(*statements)
        try:
            yield
        finally:
            for table in TABLES:
                self.execute(f"DROP TABLE {table}", f"ALTER TABLE before_{table} RENAME TO {table}")

    @contextmanager
    def damaged(self) -> Iterator[None]:
        """It is cut off in the midst of its rows."""
        self.relay.passes = lambda sent: sent < 20_000
        try:
            yield
        finally:
            self.relay.passes = lambda _sent: True

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Each packet takes its time."""
        pause = threading.Event()
        self.relay.passes = lambda _sent: not pause.wait(0.1)
        try:
            yield
        finally:
            self.relay.passes = lambda _sent: True

    def as_words(self) -> list[str]:
        words = "'CLP ' || monto_propuesto || ' aprox.'"
        return [f"ALTER TABLE edp ALTER COLUMN monto_propuesto TYPE text USING {words}"]


Source = FileSource | ServerSource


def copy_to_postgres(path: Path, address: str) -> None:
    """The tables of an SQLite file in PostgreSQL."""
    with closing(sqlite3.connect(path)) as demo, psycopg.connect(address, autocommit=True) as server:
        for table in TABLES:
            (definition,) = demo.execute(
                "SELECT sql FROM sqlite_master WHERE name = ? AND type = 'table'", (table,)
            ).fetchone()
            plain = re.sub(r"REFERENCES \w+|PRIMARY KEY", "", definition)
            server.execute(plain.replace("INTEGER", "bigint"))
            rows = demo.execute(f"SELECT * FROM {table}").fetchall()
            marks = ", ".join(["%s"] * len(rows[0]))
            with server.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def source(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, small_demo: Path
) -> Iterator[Source]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("source") / "source.db"
        shutil.copy(small_demo, path)
        yield FileSource(path)
        return
    server = str(request.getfixturevalue("postgres_server"))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        admin.execute("CREATE DATABASE faults")
    address = sa.make_url(server).set(database="faults")
    copy_to_postgres(small_demo, address.render_as_string(hide_password=False))
    assert address.host is not None
    assert address.port is not None
    with relayed(address.host, address.port) as relay:
        yield ServerSource(address, relay)


@pytest.fixture(scope="module")
def home(source: Source, tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Home]:
    with home_of(tmp_path_factory.mktemp("home"), valkey_url, source.url) as made:
        yield made


Fault = Callable[[Source], AbstractContextManager[None]]

FAULTS: Mapping[str, tuple[str, Fault]] = {
    "down": ("the source is down", lambda source: source.down()),
    "damaged": ("the source ends in the midst of its rows", lambda source: source.damaged()),
    "locked": ("the source stays locked by another program", lambda source: source.locked()),
    "renamed": (
        "a column of the source is renamed",
        lambda source: source.changed("ALTER TABLE edp RENAME COLUMN monto_propuesto TO monto"),
    ),
    "dropped": (
        "a column of the source is gone",
        lambda source: source.changed("ALTER TABLE edp DROP COLUMN monto_aprobado"),
    ),
    "retyped": (
        "amounts of the source have become words",
        lambda source: source.changed(*source.as_words()),
    ),
    "halved": (
        "half of the source's rows are gone",
        lambda source: source.changed("DELETE FROM edp WHERE n_edp % 2 = 0"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_source(name: str, source: Source, home: Home, record, monkeypatch) -> None:
    monkeypatch.setattr(arrow_databases, "_BUSY_MS", 500)
    words, fault = FAULTS[name]
    with record(words, f"fault_of_the_source and {name}") as tries:
        readers, before = home.readers(tries), home.generations()
        tries.tries += 1
        # Of a source that is the same as far as its token tells, nothing is read.
        source.execute(larger())
        with readers.reading():
            with fault(source):
                assert not home.run().success
                if home.generations() != before:
                    tries.wrong.append("something went live")
                readers.look()
            ended = time.monotonic()
            source.execute(larger())
            home.recover(readers, ended, before)


def test_a_slow_source(source: Source, home: Home, record) -> None:
    if isinstance(source, FileSource):
        pytest.skip("a file is not slow")
    with record("the source is slow", "a_slow_source") as tries:
        readers, before = home.readers(tries), home.generations()
        tries.tries += 1
        source.execute(larger())
        with readers.reading(), source.slow():
            home.recover(readers, time.monotonic(), before)
