"""Where the figures of a page can be had as files."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from kpi_pipeline.model.labels import Language
from serving.as_of import AS_OF
from serving.pages.selection import Parameters
from serving.problems import DOWNLOADS_PATH
from serving.responses import LANGUAGE_PARAMETER


@dataclass(frozen=True, slots=True)
class DownloadLinks:
    """The addresses of a page's files.

    Attributes:
        page: Its name.
        requested: The parameters of its filter.
        as_of: The date of the past that it shows; None for the present.
        language: Of the texts in the files.
    """

    page: str
    requested: Parameters
    as_of: date | None
    language: Language

    def workbook(self) -> str:
        """The address of everything in one workbook."""
        return self._of(f"{in_address(self.page)}.xlsx")

    def document(self) -> str:
        """The address of everything as a PDF."""
        return self._of(f"{in_address(self.page)}.pdf")

    def key_figures(self) -> str:
        """The address of the page's KPIs as CSV."""
        return self._of(f"{in_address(self.page)}.csv")

    def sheet(self, name: str) -> str:
        """The address of one table, or of the data of one chart, as CSV.

        Args:
            name: One of `sheets.sheet_names`.
        """
        return self._of(f"{in_address(self.page)}/{in_address(name)}.csv")

    def _of(self, file: str) -> str:
        day = [(AS_OF, self.as_of.isoformat())] if self.as_of is not None else []
        question = urlencode([*self.requested, *day, (LANGUAGE_PARAMETER, self.language)])
        return f"{DOWNLOADS_PATH}/{file}?{question}"


def in_address(name: str) -> str:
    """A name of the catalogue as addresses write it."""
    return name.replace("_", "-")
