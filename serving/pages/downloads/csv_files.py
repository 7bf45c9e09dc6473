"""A sheet as a CSV file that a spreadsheet opens right in the reader's language."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any, Final

from kpi_pipeline.model.labels import Language
from serving.pages.downloads.sheets import Sheet, SheetValue

CSV_TYPE: Final = "text/csv; charset=utf-8"

_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it spreadsheets take UTF-8 for something else."""

_SEPARATORS: Final[dict[Language, str]] = {"es": ";", "en": ","}
"""Where the comma parts decimals, it cannot part values."""

_ROWS_AT_A_TIME: Final = 500
_FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_file(sheet: Sheet, provenance: Sequence[tuple[str, str]], language: Language) -> bytes:
    """Write a sheet as CSV in UTF-8: a row of heads, then its rows.

    Args:
        sheet: What to write.
        provenance: Heads and texts of the last columns, equal in all rows: of which day the figures are, and
            the like. Lines above the heads would keep programs from reading the table.
        language: Its separators: `;` and a decimal comma in Spanish, `,` and a decimal point in English.
    """
    rows = (
        [_month(cell.value) if cell.kind == "month" else cell.value for cell in row] for row in sheet.rows
    )
    heads = [head if isinstance(head, str) else _month(head) for head in sheet.heads]
    return b"".join(csv_parts(heads, rows, provenance, language))


def csv_parts(
    heads: Sequence[str],
    rows: Iterable[Sequence[SheetValue]],
    provenance: Sequence[tuple[str, str]],
    language: Language,
) -> Iterator[bytes]:
    """Write rows of values as CSV, part by part: all of them need never be held at once.

    Args:
        heads: Of the columns.
        rows: As long as `heads`, each.
        provenance: As of `csv_file`.
        language: As of `csv_file`.
    """
    text = StringIO()
    text.write(_BYTE_ORDER_MARK)
    writer = csv.writer(text, delimiter=_SEPARATORS[language], lineterminator="\r\n")
    writer.writerow([_harmless(head) for head in (*heads, *(head for head, _ in provenance))])
    behind = [_harmless(text) for _, text in provenance]
    for number, row in enumerate(rows, 1):
        writer.writerow([*(_written(value, language) for value in row), *behind])
        if number % _ROWS_AT_A_TIME == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _month(day: Any) -> str:
    return f"{day:%Y-%m}" if day else ""


def _written(value: SheetValue, language: Language) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _harmless(value)
    if isinstance(value, int):
        return str(value)
    # By its shortest text, and never with an exponent.
    number = f"{Decimal(str(value)):f}"
    return number.replace(".", ",") if language == "es" else number


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_BEGINNINGS) else text
