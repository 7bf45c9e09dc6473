"""CSV files, every column as text; the mapping gives cells their meaning."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import check_columns, resolve_columns
from kpi_pipeline.sources.summary_rows import LeftOut, leave_out
from kpi_pipeline.sources.text_encoding import file_encoding, transcoded, wrong_encoding


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file is laid out.

    Attributes:
        encoding: Its encoding.
        delimiter: Its field separator.
        lines_before: Lines before the header.
        header: The names of its columns.
    """

    encoding: str
    delimiter: str
    lines_before: int
    header: list[str]


def read_csv(path: Path, mapping: SourceMapping) -> tuple[pa.Table, LeftOut]:
    """Read the mapping's columns of a CSV file with a header line, as text in the mapping's order.

    A byte order mark tells UTF-8 and UTF-16, a line `sep=;` before the header its delimiter; both go before
    the mapping. Headers may differ from the mapping's names in case, accents and spaces.

    Returns:
        The rows, and how many are left out: empty ones, and sums below the rows.

    Raises:
        SourceError: If the file is missing, is not valid CSV or lacks a column; or if the mapping names
            what only a database has.
    """
    if not path.exists():
        raise SourceError(f"there is no file {path}; check the path")
    _refuse_database_settings(path, mapping)
    try:
        layout = _layout(path, mapping)
        names = _columns(path, mapping, layout)
        return _read(path, layout, names, mapping)
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


def _layout(path: Path, mapping: SourceMapping) -> _Layout:
    encoding = file_encoding(path, mapping.source.encoding)
    # utf-8-sig drops the byte order mark that spreadsheets write, as Arrow does.
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        first = file.readline().strip("\r\n").strip('"')
        has_separator_line = first[:4].lower() == "sep=" and len(first) == len("sep=") + 1
        delimiter = first[-1] if has_separator_line else mapping.source.delimiter
        if not has_separator_line:
            file.seek(0)
        header = next(csv.reader(file, delimiter=delimiter), None)
    if not header:
        raise SourceError(f"{path} is empty; its first line must name the columns")
    return _Layout(encoding, delimiter, int(has_separator_line), header)


def _columns(path: Path, mapping: SourceMapping, layout: _Layout) -> list[str]:
    """The file's own names of the mapping's columns."""
    names = resolve_columns(mapping.source_columns, layout.header)
    others = [mark for mark in ";,\t|" if mark != layout.delimiter and mark in "".join(layout.header)]
    if len(layout.header) == 1 and others:
        raise SourceError(
            f"{path} has one column by delimiter {layout.delimiter!r}, named {layout.header[0]!r}; write "
            f"delimiter = {_toml_mark(others[0])} under [source] in the mapping file"
        )
    check_columns(str(path), tuple(names), layout.header)
    return names


def _toml_mark(mark: str) -> str:
    return '"\\t"' if mark == "\t" else f'"{mark}"'


def _read(path: Path, layout: _Layout, names: list[str], mapping: SourceMapping) -> tuple[pa.Table, LeftOut]:
    blank_lines = 0

    def skip_blank(row: pacsv.InvalidRow) -> str:
        nonlocal blank_lines
        if row.text.strip(layout.delimiter + '" \t\r\n'):
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
    rows, left_out = leave_out(table.rename_columns(list(mapping.source_columns)), mapping)
    return rows, LeftOut(left_out.blank + blank_lines, left_out.totals)
