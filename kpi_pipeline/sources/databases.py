"""Databases: their addresses, and transactions in which relations of them are read."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.other_databases import read_other
from kpi_pipeline.sources.relations import ReadRelation, Relation, RelationName
from kpi_pipeline.sources.selection import masked_url


def read_database(url: str, relations: Mapping[RelationName, Relation]) -> dict[RelationName, pa.Table]:
    """Read relations of a database, in one read-only transaction where it supports that.

    Raises:
        SourceError: As `extract`.
    """
    address = parse_address(url)
    if not is_of_arrow(address):
        return read_other(address, relations)
    with transaction(address, relations.values()) as read:
        return {name: read(relation) for name, relation in relations.items()}


def is_of_arrow(address: URL) -> bool:
    """Whether a database is read as Arrow columns, by `transaction`."""
    return address.get_backend_name() in ("sqlite", "postgresql")


def transaction(address: URL, relations: Collection[Relation]) -> AbstractContextManager[ReadRelation]:
    """Open a read-only transaction, in which what is read next may depend on what was read before.

    Args:
        address: The address of a database of which `is_of_arrow` is true.
        relations: All that may be read, for messages.

    Raises:
        SourceError: As `extract`, when it is entered or reads.
    """
    # The drivers load pandas, a third of the start of every command; most read no database.
    from kpi_pipeline.sources.arrow_databases import (  # noqa: PLC0415
        postgresql_transaction,
        sqlite_transaction,
    )

    begin = sqlite_transaction if address.get_backend_name() == "sqlite" else postgresql_transaction
    return begin(address, relations)


def parse_address(url: str) -> URL:
    """Parse the address of a database.

    Raises:
        SourceError: If it is malformed; the message contains no password.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise SourceError(
            f"{_what_is_wrong(url)}{masked_url(url)} is neither the path of a .csv file nor a database URL; "
            "examples: data.csv, 'invoices-*.csv', "
            "sqlite:///path/to/file.db, postgresql://user:password@host:5432/database"
        ) from None
    if address.host and "@" in address.host:
        raise SourceError(f'{masked_url(url)}: write "@" in the password as %40')
    return address


def _what_is_wrong(url: str) -> str:
    """What is known of the path of a file that is no CSV file, as a clause."""
    if "://" in url:
        return ""
    path = Path(url).expanduser()
    if path.is_dir():
        return f"{url} is a folder; name its files by a pattern such as {path / '*.csv'}: "
    return "" if path.exists() else f"there is no file {url}: "
