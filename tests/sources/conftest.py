"""A PostgreSQL server of our own, and a dialect that only SQLAlchemy knows."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from kpi_pipeline.model.mapping import SourceMapping, parse_mapping

PASSWORD = "s3cr3t-contraseña"


def _postgres_folder() -> Path | None:
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a private server, up for the session."""
    binaries = _postgres_folder()
    if binaries is None:
        reason = "no PostgreSQL server is installed (Debian package postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # The server refuses to run as root: Debian's package brings a user for it.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Not under pytest's folders: another user cannot enter them.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        password_file = folder / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        if user:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(password_file, "postgres", "postgres")

        def call(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(binaries / program), *arguments],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
                **user,
            )

        data = str(folder / "data")
        call(
            "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", str(password_file),
            "-E", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        call("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", str(folder / "log"))
        try:
            address = sa.URL.create(
                "postgresql", "owner", PASSWORD, host="127.0.0.1", port=port, database="postgres"
            )
            yield address.render_as_string(hide_password=False)
        finally:
            call("pg_ctl", "stop", "-D", data, "-m", "immediate")


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[tuple[str, psycopg.Connection]]:
    """URL of an empty database, and an open connection to it."""
    address = sa.make_url(postgres_server)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS source WITH (FORCE)")
        admin.execute("CREATE DATABASE source")
    url = address.set(database="source").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield url, connection


class ElsewhereDialect(SQLiteDialect_pysqlite):
    """A database that ADBC does not know: SQLite under another name."""

    name = "elsewhere"
    supports_statement_cache = True

    def create_connect_args(self, url: sa.URL) -> tuple[list[str], dict[str, Any]]:
        """As SQLite's, but a user and a password are allowed."""
        return super().create_connect_args(sa.URL.create("elsewhere", host=url.host, database=url.database))


@pytest.fixture(scope="session")
def elsewhere() -> Callable[[Path], str]:
    """Makes the URL by which a file is read through SQLAlchemy alone."""
    registry.register("elsewhere", __name__, "ElsewhereDialect")
    registry.impls["elsewhere"] = lambda: ElsewhereDialect
    return lambda path: f"elsewhere:///{path}"


MINIMAL = """
name = "minimal"
[columns]
certificate_id = "id"
client = "customer"
issued_on = "issued"
amount_proposed = "amount"
[defaults]
state = "enviado"
currency = "USD"
"""


@pytest.fixture(scope="session")
def minimal() -> Callable[[str], SourceMapping]:
    """Makes a mapping of the fewest columns, with more TOML after it."""
    return lambda more="": parse_mapping(MINIMAL + more, "minimal.toml")
