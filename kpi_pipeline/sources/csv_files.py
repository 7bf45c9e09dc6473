"""CSV files, every column as text; the mapping gives cells their meaning."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.csv_layout import FileRows, Layout, layout_of
from kpi_pipeline.sources.csv_paths import CsvPath, csv_paths, is_pattern
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import CORRECT_NAMES, check_columns, resolve_columns
from kpi_pipeline.sources.summary_rows import LeftOut, leave_out
from kpi_pipeline.sources.text_encoding import transcoded, wrong_encoding


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The rows of one or more files.

    Attributes:
        table: The rows, as text in the mapping's columns and order; those of the first file first.
        left_out: How many are left out: empty ones, and sums below the rows.
        files: What each file gave.
    """

    table: pa.Table
    left_out: LeftOut
    files: tuple[FileRows, ...]


def read_csv(address: str, mapping: SourceMapping) -> CsvRows:
    """Read the mapping's columns of CSV files with a header line each; several are one table.

    Each file is read by itself. A byte order mark tells UTF-8 and UTF-16, a line `sep=;` before the header
    its delimiter; both go before the mapping. Headers may differ from the mapping's names in case, accents
    and spaces, and from file to file in their order.

    Args:
        address: A path, or a pattern of paths.
        mapping: What to read.

    Raises:
        SourceError: If a file is missing, is not valid CSV or lacks a column, or a pattern matches no file;
            or if the mapping names what only a database has.
    """
    paths = csv_paths(address)
    advice = _advice(address)
    tables, blank, totals, files = [], 0, 0, []
    for path in paths:
        table, left_out, file = _read_file(path, mapping, advice)
        tables.append(table)
        blank, totals = blank + left_out.blank, totals + left_out.totals
        files.append(file)
    return CsvRows(pa.concat_tables(tables), LeftOut(blank, totals), tuple(files))


def _advice(address: str) -> str:
    """What to do about a file without a column that is to be read."""
    if not is_pattern(address):
        return CORRECT_NAMES
    return (
        f"Every file of {address} needs it: correct the first line of this file, keep the file under a name "
        "that the pattern does not match, or correct the names in the mapping file"
    )


def _read_file(file: CsvPath, mapping: SourceMapping, advice: str) -> tuple[pa.Table, LeftOut, FileRows]:
    path = file.path
    if not path.exists():
        raise SourceError(f"there is no file {path}; check the path")
    _refuse_database_settings(path, mapping)
    try:
        layout = layout_of(path, mapping)
        names = _columns(path, mapping, layout, advice)
        table, blank_lines = _table(path, layout, names)
    except UnicodeDecodeError:
        raise wrong_encoding(path, mapping.source.encoding) from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check its permissions") from None
    except (pa.ArrowInvalid, csv.Error) as error:
        if "UTF8" in str(error):
            raise wrong_encoding(path, mapping.source.encoding) from None
        raise SourceError(
            f"{path} is not a well-formed CSV file: {str(error).splitlines()[0]}. Correct the file, "
            f"or source.delimiter ({mapping.source.delimiter!r}) in the mapping file"
        ) from None
    rows, blank, totals = leave_out(table.rename_columns(list(mapping.source_columns)), mapping)
    return (
        rows,
        LeftOut(len(blank) + blank_lines, len(totals)),
        FileRows(path, file.name, layout, rows.num_rows, blank | totals),
    )


def _refuse_database_settings(path: Path, mapping: SourceMapping) -> None:
    database_settings = {
        "source.table": mapping.source.table,
        "source.query": mapping.source.query,
        "[log]": mapping.log,
        "[costs]": mapping.costs,
    }
    if impossible := [name for name, value in database_settings.items() if value]:
        raise SourceError(
            f"{path} is a CSV file, but mapping {mapping.name!r} reads a database ({', '.join(impossible)}): "
            "choose another mapping, or a database URL such as sqlite:///path/to/file.db"
        )


def _columns(path: Path, mapping: SourceMapping, layout: Layout, advice: str) -> list[str]:
    """The file's own names of the mapping's columns."""
    names = resolve_columns(mapping.source_columns, layout.header)
    others = [mark for mark in ";,\t|" if mark != layout.delimiter and mark in "".join(layout.header)]
    if len(layout.header) == 1 and others:
        raise SourceError(
            f"{path} has one column by delimiter {layout.delimiter!r}, named {layout.header[0]!r}; write "
            f"delimiter = {_toml_mark(others[0])} under [source] in the mapping file, "
            f"or sep={others[0]} as the first line of the file"
        )
    check_columns(str(path), tuple(names), layout.header, mapping.column_places, advice)
    return names


def _toml_mark(mark: str) -> str:
    return '"\\t"' if mark == "\t" else f'"{mark}"'


def _table(path: Path, layout: Layout, names: list[str]) -> tuple[pa.Table, int]:
    """The columns of a file, and how many blank lines are left out."""
    blank_lines = 0

    def skip_blank(row: pacsv.InvalidRow) -> str:
        nonlocal blank_lines
        if not layout.is_blank(row.text):
            return "error"
        blank_lines += 1
        return "skip"

    content = path if layout.encoding == "utf-8" else io.BytesIO(transcoded(path, layout.encoding))
    table = pacsv.read_csv(
        content,
        read_options=pacsv.ReadOptions(skip_rows=layout.lines_before),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=skip_blank
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(layout.header, pa.string()), include_columns=names
        ),
    )
    return table, blank_lines
