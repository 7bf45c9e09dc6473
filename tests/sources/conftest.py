"""A PostgreSQL server of our own, and a dialect that only SQLAlchemy knows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from kpi_pipeline.model.mapping import SourceMapping, parse_mapping


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
