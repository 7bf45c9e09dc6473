"""Sheets as one Excel workbook: real numbers with their formats, and a first sheet that describes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from serving.pages.downloads.sheets import Sheet, SheetCell

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MIMETYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NAME_LENGTH: Final = 31
_NOT_IN_NAMES: Final = str.maketrans("", "", "[]:*?/\\'")
_NUMBER_FORMATS: Final = {
    "share": "0.0%",
    "days": "#,##0.0",
    "count": "#,##0",
    "day": "yyyy-mm-dd",
    "month": "mmm yyyy",
}
_WHOLE: Final = "#,##0"
_ABOUT_WIDTHS: Final = (18, 60)
_ROWS_OF_SHEET: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ListedColumn:
    """A column of a long list.

    Attributes:
        head: Its head.
        width: In characters.
    """

    head: str
    width: int


def workbook(
    title: str, about: Sequence[tuple[str, str]], sheets: Sequence[Sheet], created: datetime
) -> bytes:
    """Write a workbook: the same bytes whenever it is written.

    Args:
        title: The name of its first sheet.
        about: The rows of the first sheet: labels and texts.
        sheets: The others; each has its heads frozen and can be filtered.
        created: When its figures were computed.
    """
    # Imported only for a request of a workbook: the server starts faster without it.
    from xlsxwriter import Workbook  # noqa: PLC0415

    content = BytesIO()
    # A text is never a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(content, options) as book:
        book.set_properties({"created": created})
        bold = book.add_format({"bold": True})
        _describe(book.add_worksheet(_name(title, [])), about, bold)
        formats: dict[str, Any] = {}
        for sheet in sheets:
            name = _name(sheet.title, [worksheet.get_name() for worksheet in book.worksheets()])
            _fill(book.add_worksheet(name), sheet, bold, book, formats)
    return content.getvalue()


def listed_workbook(
    about: tuple[str, Sequence[tuple[str, str]]],
    title: str,
    columns: Sequence[ListedColumn],
    rows: Iterable[Sequence[SheetCell]],
    created: datetime,
    path: Path,
) -> None:
    """Write a long list as a workbook file, row by row: all of them need never be held at once.

    Args:
        about: The name and the rows of the first sheet.
        title: The name of the sheets of the list: another one begins where Excel has no room for more.
        columns: Its columns.
        rows: As long as `columns`, each.
        created: When the list was computed.
        path: Where to write it.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(path), options) as book:
        book.set_properties({"created": created})
        bold = book.add_format({"bold": True})
        _describe(book.add_worksheet(_name(about[0], [])), about[1], bold)
        formats: dict[str, Format] = {}
        remaining, taken = iter(rows), [_name(about[0], [])]
        while True:
            name = _name(title, taken)
            taken.append(name)
            worksheet = book.add_worksheet(name)
            worksheet.freeze_panes(1, 0)
            for at, column in enumerate(columns):
                worksheet.set_column(at, at, column.width)
                worksheet.write_string(0, at, column.head, bold)
            last = 0
            for last, row in enumerate(islice(remaining, _ROWS_OF_SHEET), 1):
                for at, cell in enumerate(row):
                    _write(worksheet, last, at, cell, _format(cell, book, formats))
            worksheet.autofilter(0, 0, last, len(columns) - 1)
            if last < _ROWS_OF_SHEET:
                return


def _describe(worksheet: "Worksheet", about: Sequence[tuple[str, str]], bold: "Format") -> None:
    for row, (label, text) in enumerate(about):
        worksheet.write_string(row, 0, label, bold)
        worksheet.write_string(row, 1, text)
    for column, width in enumerate(_ABOUT_WIDTHS):
        worksheet.set_column(column, column, width)


def _fill(
    worksheet: "Worksheet", sheet: Sheet, bold: "Format", book: "Workbook", formats: "dict[str, Format]"
) -> None:
    bold_month = book.add_format({"bold": True, "num_format": _NUMBER_FORMATS["month"], "align": "left"})
    for column, head in enumerate(sheet.heads):
        if isinstance(head, str):
            worksheet.write_string(0, column, head, bold)
        else:
            worksheet.write_datetime(0, column, head, bold_month)
    for place, row in enumerate(sheet.rows, 1):
        for column, cell in enumerate(row):
            _write(worksheet, place, column, cell, _format(cell, book, formats))
    worksheet.freeze_panes(1, 0)
    worksheet.autofilter(0, 0, len(sheet.rows), len(sheet.heads) - 1)
    worksheet.autofit()


def _write(worksheet: "Worksheet", row: int, column: int, cell: SheetCell, form: "Format | None") -> None:
    value = cell.value
    if value is None:
        return
    if isinstance(value, str):
        worksheet.write_string(row, column, value)
    elif isinstance(value, date):
        worksheet.write_datetime(row, column, value, form)
    else:
        worksheet.write_number(row, column, value, form)


def _format(cell: SheetCell, book: "Workbook", formats: "dict[str, Format]") -> "Format | None":
    """The number format of a cell; each is made once a workbook."""
    pattern = _pattern(cell)
    if not pattern:
        return None
    if pattern not in formats:
        formats[pattern] = book.add_format({"num_format": pattern})
    return formats[pattern]


def _pattern(cell: SheetCell) -> str:
    """The number format of a cell's value; empty for texts."""
    if cell.kind == "money":
        sign = f'"{cell.sign}"' if cell.sign else ""
        return sign + _WHOLE + (f".{'0' * cell.decimals}" if cell.decimals else "")
    if cell.kind == "days" and isinstance(cell.value, int):
        return _WHOLE
    return _NUMBER_FORMATS.get(cell.kind, "")


def _name(title: str, taken: Sequence[str]) -> str:
    """A name that Excel allows and that no other sheet has; it ignores case."""
    plain = title.translate(_NOT_IN_NAMES)[:_NAME_LENGTH].strip()
    others = {name.casefold() for name in taken}
    name, number = plain, 1
    while name.casefold() in others:
        number += 1
        name = f"{plain[: _NAME_LENGTH - len(str(number)) - 1]} {number}"
    return name
