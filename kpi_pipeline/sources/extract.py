"""Reading a source: a CSV file or any database that SQLAlchemy's URLs name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.csv_files import read_csv
from kpi_pipeline.sources.csv_layout import FileRows, place_rows
from kpi_pipeline.sources.csv_paths import is_csv
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.other_databases import read_other
from kpi_pipeline.sources.relations import Relation, RelationName, relations_of
from kpi_pipeline.sources.selection import masked_url
from kpi_pipeline.sources.summary_rows import LeftOut
from kpi_pipeline.sources.watermark import watermark

__all__ = ["CostExtract", "Extract", "SourceError", "extract", "parse_address", "read_database"]


@dataclass(frozen=True, slots=True)
class CostExtract:
    """Costs as read, one row per cost, and their lines, if the mapping has any; only mapped columns."""

    headers: pa.Table
    lines: pa.Table | None


@dataclass(frozen=True, slots=True)
class Extract:
    """A source as read.

    Attributes:
        raw: The rows, only the mapping's source columns.
        log: The change log, only the columns that the mapping names; None where it has none.
        costs: The costs; None where the mapping has none.
        left_out: Rows of files that are no rows.
        files: What each file gave; empty where rows come from a database.
        watermark: The greatest `updated_at` as ISO text, else a digest of the rows; with a digest of the
            costs if there are any; None without rows.
    """

    raw: pa.Table
    log: pa.Table | None
    costs: CostExtract | None
    watermark: str | None
    left_out: LeftOut = field(default_factory=LeftOut)
    files: tuple[FileRows, ...] = ()

    def placed(self, quarantine: pa.Table) -> pa.Table:
        """Refused certificates with their file and the line in it; null where they come from a database."""
        return place_rows(quarantine, self.files) if self.files else quarantine


def extract(url: str, mapping: SourceMapping) -> Extract:
    """Read all rows of a source, its change log and its costs, without changing it.

    Args:
        url: Path of a .csv, .tsv or .txt file, pattern of such paths, or SQLAlchemy URL.
        mapping: What to read.

    Raises:
        SourceError: If the source cannot be read or lacks what the mapping names; the message says what
            to do and contains no password.
    """
    if is_csv(url):
        rows = read_csv(url, mapping)
        tables: dict[RelationName, pa.Table] = {"certificates": rows.table}
        left_out, files = rows.left_out, rows.files
    else:
        left_out, files = LeftOut(), ()
        parse_address(url)  # An address that is none goes before what the mapping says of it.
        tables = read_database(url, relations_of(mapping))
    raw, headers, lines = tables["certificates"], tables.get("cost_headers"), tables.get("cost_lines")
    return Extract(
        raw,
        tables.get("log"),
        None if headers is None else CostExtract(headers, lines),
        watermark(raw, mapping, [table for table in (headers, lines) if table is not None]),
        left_out,
        files,
    )


def read_database(url: str, relations: Mapping[RelationName, Relation]) -> dict[RelationName, pa.Table]:
    """Read relations of a database, in one read-only transaction where it supports that.

    Raises:
        SourceError: As `extract`.
    """
    # The drivers load pandas, a third of the start of every command; most read no database.
    from kpi_pipeline.sources.arrow_databases import read_postgresql, read_sqlite  # noqa: PLC0415

    address = parse_address(url)
    readers = {"sqlite": read_sqlite, "postgresql": read_postgresql}
    read = readers.get(address.get_backend_name(), read_other)
    return read(address, relations)


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
