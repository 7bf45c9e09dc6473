"""Reading a source: a CSV file or any database that SQLAlchemy's URLs name."""

from dataclasses import dataclass, field

import pyarrow as pa

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.csv_files import read_csv
from kpi_pipeline.sources.csv_layout import FileRows, place_rows
from kpi_pipeline.sources.csv_paths import is_csv
from kpi_pipeline.sources.databases import parse_address, read_database
from kpi_pipeline.sources.relations import RelationName, relations_of
from kpi_pipeline.sources.summary_rows import LeftOut
from kpi_pipeline.sources.watermark import watermark


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
