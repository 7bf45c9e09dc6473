"""A sheet as a CSV file that a spreadsheet opens right in the reader's language."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Final

from kpi_pipeline.model.labels import Language
from serving.pages.downloads.sheets import Sheet, SheetCell

_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it spreadsheets take UTF-8 for something else."""

_SEPARATORS: Final[dict[Language, str]] = {"es": ";", "en": ","}
"""Where the comma parts decimals, it cannot part values."""

_FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_file(sheet: Sheet, provenance: Sequence[tuple[str, str]], language: Language) -> bytes:
    """Write a sheet as CSV in UTF-8: a row of heads, then its rows.

    Args:
        sheet: What to write.
        provenance: Heads and texts of the last columns, equal in all rows: of which day the figures are, and
            the like. Lines above the heads would keep programs from reading the table.
        language: Its separators: `;` and a decimal comma in Spanish, `,` and a decimal point in English.
    """
    text = StringIO()
    text.write(_BYTE_ORDER_MARK)
    writer = csv.writer(text, delimiter=_SEPARATORS[language], lineterminator="\r\n")
    writer.writerow([_harmless(head) for head in (*sheet.heads, *(head for head, _ in provenance))])
    for row in sheet.rows:
        writer.writerow([*(_written(cell, language) for cell in row), *(text for _, text in provenance)])
    return text.getvalue().encode()


def _written(cell: SheetCell, language: Language) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _harmless(value)
    # By its shortest text, and never with an exponent.
    number = f"{Decimal(str(value)):f}"
    return number.replace(".", ",") if language == "es" else number


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_BEGINNINGS) else text
