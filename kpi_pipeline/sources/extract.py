"""Reading a source: a CSV file or any database that SQLAlchemy's URLs name."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.arrow_databases import read_postgresql, read_sqlite
from kpi_pipeline.sources.csv_files import read_csv
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.other_databases import read_other
from kpi_pipeline.sources.relations import Relation, relations
from kpi_pipeline.sources.selection import is_csv, shown
from kpi_pipeline.sources.watermark import watermark

__all__ = ["Extract", "SourceError", "extract", "parse_address", "read_database"]


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read.

    Attributes:
        raw: The rows, the mapping's source columns only.
        log: The change log, the columns that the mapping names only; None where it has none.
        watermark: The greatest `updated_at` as ISO text, else a digest of the rows; None of no rows.
    """

    raw: pa.Table
    log: pa.Table | None
    watermark: str | None


def extract(url: str, mapping: SourceMapping) -> Extract:
    """Read all rows of a source, and its change log, without changing it.

    Args:
        url: Path of a .csv file, or SQLAlchemy URL.
        mapping: What to read.

    Raises:
        SourceError: If the source cannot be read or lacks what the mapping names; the message says
            what to do and holds no password.
    """
    if is_csv(url):
        raw, log = read_csv(Path(url).expanduser(), mapping), None
    else:
        raw, log = read_database(url, *relations(mapping), mapping)
    return Extract(raw, log, watermark(raw, mapping))


def read_database(
    url: str, rows: Relation, log: Relation | None, mapping: SourceMapping
) -> tuple[pa.Table, pa.Table | None]:
    """Read relations of a database in one read-only transaction where it has such.

    Args:
        url: SQLAlchemy URL.
        rows: What to read.
        log: What else to read, if anything.
        mapping: Tells which columns are amounts and how those are written.

    Raises:
        SourceError: As `extract`.
    """
    address = parse_address(url)
    amounts = frozenset(
        column
        for name in ("amount_proposed", "amount_approved")
        if isinstance(column := mapping.columns.get(name), str)
    )
    readers = {"sqlite": read_sqlite, "postgresql": read_postgresql}
    read = readers.get(address.get_backend_name(), read_other)
    return read(address, rows, log, amounts, mapping.amounts.decimal)


def parse_address(url: str) -> URL:
    """The parts of a database's address.

    Raises:
        SourceError: If it is none; the message holds no password.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise SourceError(
            f"{shown(url)} is neither the path of a .csv file nor a database URL; examples: data.csv, "
            "sqlite:///path/to/file.db, postgresql://user:password@host:5432/database"
        ) from None
    if address.host and "@" in address.host:
        raise SourceError(f'{shown(url)}: write "@" in the password as %40')
    return address
