"""One table as a file: as CSV, or as a workbook with what is known of its figures."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response

from serving.kept.unkept import file_answer
from serving.lookup_result import LookupResult
from serving.pages.downloads.about import Provenance
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
        provenance: What is known of the figures.
        writer: Writes values in the reader's language.
    """

    sheet: Sheet
    figures: LookupResult
    title: str
    name: str
    provenance: Provenance
    writer: Writer

    def as_csv(self) -> Response:
        """The answer with the rows as CSV."""
        body = csv_file(self.sheet, self.provenance.columns(), self.writer.language)
        return file_answer(self.figures, body, CSV_TYPE, f"{self.name}.csv")

    def as_workbook(self) -> Response:
        """The answer with the rows as a workbook."""
        created = datetime.fromtimestamp(self.figures.entry.computed_at, UTC).replace(tzinfo=None)
        about = self.provenance.about(self.title)
        body = workbook(self.writer.texts["about"], about, [self.sheet], created)
        return file_answer(self.figures, body, MIMETYPE, f"{self.name}.xlsx")
