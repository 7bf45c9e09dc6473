"""Reading a source: a CSV file or any database that SQLAlchemy's URLs name."""

from collections.abc import Mapping
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
from kpi_pipeline.sources.relations import Part, Relation, relations
from kpi_pipeline.sources.selection import is_csv, shown
from kpi_pipeline.sources.watermark import watermark

__all__ = ["CostExtract", "Extract", "SourceError", "extract", "parse_address", "read_database"]


@dataclass(frozen=True, slots=True)
class CostExtract:
    """Costs as they were read.

    Attributes:
        headers: One row a cost, the columns that `mapping.costs` names only.
        lines: Their lines, the columns that the mapping names only; None where it has none.
    """

    headers: pa.Table
    lines: pa.Table | None


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read.

    Attributes:
        raw: The rows, the mapping's source columns only.
        log: The change log, the columns that the mapping names only; None where it has none.
        costs: The costs; None where the mapping has none.
        watermark: The greatest `updated_at` as ISO text, else a digest of the rows, with a digest of the
            costs if there are any; None of no rows.
    """

    raw: pa.Table
    log: pa.Table | None
    costs: CostExtract | None
    watermark: str | None


def extract(url: str, mapping: SourceMapping) -> Extract:
    """Read all rows of a source, its change log and its costs, without changing it.

    Args:
        url: Path of a .csv file, or SQLAlchemy URL.
        mapping: What to read.

    Raises:
        SourceError: If the source cannot be read or lacks what the mapping names; the message says
            what to do and holds no password.
    """
    if is_csv(url):
        tables: dict[Part, pa.Table] = {"certificates": read_csv(Path(url).expanduser(), mapping)}
    else:
        tables = read_database(url, relations(mapping), mapping)
    raw, headers, lines = tables["certificates"], tables.get("cost_headers"), tables.get("cost_lines")
    return Extract(
        raw,
        tables.get("log"),
        None if headers is None else CostExtract(headers, lines),
        watermark(raw, mapping, [table for table in (headers, lines) if table is not None]),
    )


def read_database(url: str, parts: Mapping[Part, Relation], mapping: SourceMapping) -> dict[Part, pa.Table]:
    """Read relations of a database in one read-only transaction where it has such.

    Args:
        url: SQLAlchemy URL.
        parts: What to read.
        mapping: Tells how amounts are written.

    Returns:
        A table of each part.

    Raises:
        SourceError: As `extract`.
    """
    address = parse_address(url)
    readers = {"sqlite": read_sqlite, "postgresql": read_postgresql}
    read = readers.get(address.get_backend_name(), read_other)
    return read(address, parts, mapping.amounts.decimal)


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
