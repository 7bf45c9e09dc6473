"""One table as a file: as CSV, or as a workbook with what is known of its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response

from serving.kept.unkept import file_answer
from serving.lookup_result import LookupResult
from serving.pages.downloads.csv_files import CSV_TYPE, csv_file
from serving.pages.downloads.sheets import Sheet
from serving.pages.downloads.workbooks import MIMETYPE, workbook
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A table and what its file says besides.

    Attributes:
        sheet: The table.
        figures: Where its figures come from.
        title: Of the page whose file it is.
        name: Of the file, without its ending.
        provenance: Labels and texts of where the figures come from.
        writer: Writes values in the reader's language.
    """

    sheet: Sheet
    figures: LookupResult
    title: str
    name: str
    provenance: Sequence[tuple[str, str]]
    writer: Writer

    def as_csv(self) -> Response:
        """The answer with the rows as CSV."""
        body = csv_file(self.sheet, self.provenance, self.writer.language)
        return file_answer(self.figures, body, CSV_TYPE, f"{self.name}.csv")

    def as_workbook(self) -> Response:
        """The answer with the rows as a workbook."""
        entry, texts = self.figures.entry, self.writer.texts
        about = [
            (texts["about_page"], f"{self.title} · {texts['product_name']}"),
            *self.provenance,
            (texts["about_generation"], entry.generation),
        ]
        created = datetime.fromtimestamp(entry.computed_at, UTC).replace(tzinfo=None)
        body = workbook(texts["about"], about, [self.sheet], created)
        return file_answer(self.figures, body, MIMETYPE, f"{self.name}.xlsx")
