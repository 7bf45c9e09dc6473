"""How a CSV file is laid out, and in which line of it a row begins."""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, TextIO

import pyarrow as pa

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.text_encoding import file_encoding

_SEPARATOR_LINE: Final = "sep="


@dataclass(frozen=True, slots=True)
class Layout:
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

    def is_blank(self, text: str) -> bool:
        """Whether a row holds nothing but marks and spaces."""
        return not text.strip(self.delimiter + '" \t\r\n')


@dataclass(frozen=True, slots=True)
class FileRows:
    """What was read of a file.

    Attributes:
        path: The file.
        name: What messages call it.
        layout: How it is laid out.
        rows: How many rows it gave.
        left_out: Places, among its rows from 0 on, of those that are no rows.
    """

    path: Path
    name: str
    layout: Layout
    rows: int
    left_out: frozenset[int]


def layout_of(path: Path, mapping: SourceMapping) -> Layout:
    """How a file is laid out.

    Raises:
        SourceError: If it is empty.
        UnicodeDecodeError: If it is not text of its encoding.
    """
    encoding = file_encoding(path, mapping.source.encoding)
    with _opened(path, encoding) as file:
        first = file.readline().strip("\r\n").strip('"')
        names_delimiter = first[:4].lower() == _SEPARATOR_LINE and len(first) == len(_SEPARATOR_LINE) + 1
        delimiter = first[-1] if names_delimiter else mapping.source.delimiter
        if not names_delimiter:
            file.seek(0)
        header = next(csv.reader(file, delimiter=delimiter), None)
    if not header:
        raise SourceError(f"{path} is empty; its first line must name the columns")
    return Layout(encoding, delimiter, int(names_delimiter), header)


def place_rows(quarantine: pa.Table, files: Sequence[FileRows]) -> pa.Table:
    """Fill in the file and the line of refused rows.

    A file is read again up to its last refused row. A line stays null where the file cannot be read any more.

    Args:
        quarantine: Refused rows with `row_number`, ascending, `file` and `line`.
        files: What was read, in order.
    """
    ends = list(accumulate(rows.rows for rows in files))
    wanted: dict[int, list[int]] = {}
    names = []
    for number in quarantine["row_number"].to_pylist():
        at = bisect_right(ends, number - 1)
        wanted.setdefault(at, []).append(number - 1 - (ends[at] - files[at].rows))
        names.append(files[at].name)
    lines = [line for at, places in wanted.items() for line in _lines(files[at], places)]
    for column, values in (("file", names), ("line", lines)):
        index = quarantine.schema.get_field_index(column)
        field = quarantine.schema.field(index)
        quarantine = quarantine.set_column(index, field, pa.array(values, field.type))
    return quarantine


def _lines(rows: FileRows, places: Sequence[int]) -> list[int | None]:
    """The lines, from 1 on, in which kept rows begin; `places` ascend, from 0 on."""
    found: list[int | None] = []
    try:
        with _opened(rows.path, rows.layout.encoding) as file:
            kept = (
                line for at, line in enumerate(_first_lines(file, rows.layout)) if at not in rows.left_out
            )
            for place, line in enumerate(kept):
                if len(found) == len(places):
                    break
                if place == places[len(found)]:
                    found.append(line)
    except (OSError, UnicodeDecodeError, csv.Error):
        pass  # Where a row was is all that is lost.
    return found + [None] * (len(places) - len(found))


def _first_lines(file: TextIO, layout: Layout) -> Iterator[int]:
    """The line in which each row after the header begins, of the rows that Arrow reads."""
    for _ in range(layout.lines_before):
        file.readline()
    reader = csv.reader(file, delimiter=layout.delimiter)
    next(reader, None)
    line = reader.line_num
    for row in reader:
        # Arrow skips empty lines, and the reader of a file skips blank ones of another length.
        if row and (len(row) == len(layout.header) or not layout.is_blank("".join(row))):
            yield layout.lines_before + line + 1
        line = reader.line_num


def _opened(path: Path, encoding: str) -> TextIO:
    # utf-8-sig drops the byte order mark that spreadsheets write, as Arrow does.
    return path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
