"""Values side by side as files: exact values and differences."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from flask import Blueprint, Response, request

from serving.cache_access import current_connection, current_settings
from serving.compare.look_up import CompareResult, compare_request, look_up_comparison
from serving.pages.compare.figures import ComparedKpi, compared_kpis, figures_of
from serving.pages.compare.view import grouped_kpis
from serving.pages.compare_links import value_label
from serving.pages.downloads.about import Provenance, file_name, notices_of
from serving.pages.downloads.preparing import preparing_answer
from serving.pages.downloads.sheet_files import SheetFile
from serving.pages.downloads.sheets import Sheet, SheetCell, sheet_cell
from serving.pages.page_data import filter_label, pages_on
from serving.pages.published.figures import Published
from serving.pages.writing import Writer, writer_for
from serving.problems import DOWNLOADS_PATH
from serving.responses import LANGUAGE_PARAMETER, reader_language

COMPARE_FILES: Final = f"{DOWNLOADS_PATH}/compare"

routes: Final = Blueprint("compare_files", __name__)


@dataclass(frozen=True, slots=True)
class _File:
    """What a file is written from."""

    result: CompareResult
    figures: list[Published | None]
    writer: Writer
    notices: list[str]

    @classmethod
    def of_request(cls) -> "_File | Response":
        """That of the present request; that it is being prepared where figures are."""
        language, connection = reader_language(), current_connection()
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != LANGUAGE_PARAMETER]
        result = look_up_comparison(connection, compare_request(connection, pairs))
        figures = result.figures
        if result.is_missing:
            return preparing_answer(figures)
        product, as_of = figures.lookup.product, result.request.as_of
        catalogue = connection.catalogues.on(product, as_of)
        writer = writer_for(language, catalogue, current_settings().timezone)
        notices = notices_of(connection, product, pages_on(connection, as_of), figures, writer)
        return cls(result, figures_of(connection, result), writer, notices)

    @property
    def title(self) -> str:
        return self.writer.texts["compare"]

    @property
    def labels(self) -> list[str]:
        request_ = self.result.request
        return [value_label(request_.dimension, value, self.writer) for value in request_.values]

    @property
    def provenance(self) -> Provenance:
        values = self.writer.formats.together(self.labels)
        common = filter_label(self.writer.catalogue, self.result.request.filter.as_dict(), self.writer)
        subjects = [(self.writer.texts["compare_values"], values)]
        return Provenance(common, self.result.figures.entry, self.notices, self.writer, subjects)

    def sheet(self) -> Sheet:
        """A row a KPI and currency: the values, each but the first with what the first is more."""
        texts, (first, *others) = self.writer.texts, self.labels
        heads = [texts["sheet_kpi"], texts["sheet_currency"], texts["sheet_unit"], first]
        for label in others:
            heads += [label, texts["compare_difference"].format(value=label, first=first)]
        return Sheet("compare", self.title, heads, [self._row(one) for one in self._compared()])

    def _compared(self) -> Iterator[ComparedKpi]:
        for _, kpis in grouped_kpis(self.writer.catalogue, self.writer):
            yield from compared_kpis(self.figures, kpis)

    def _row(self, compared: ComparedKpi) -> list[SheetCell]:
        writer, kpi = self.writer, compared.kpi
        row = [
            SheetCell(writer.label(kpi)),
            SheetCell(compared.currency),
            SheetCell(writer.texts[f"sheet_unit_{kpi.unit}"]),
        ]
        first = compared.number(0)
        for at in range(len(compared.values)):
            value = compared.number(at)
            row.append(sheet_cell(kpi.unit, value, compared.currency, writer))
            if at:
                difference = None if value is None or first is None else _minus(first, value)
                row.append(sheet_cell(kpi.unit, difference, compared.currency, writer))
        return row

    def of_sheet(self) -> SheetFile:
        """What is written."""
        figures = self.result.figures
        name = file_name([self.title, *self.labels], [figures.entry.as_of])
        return SheetFile(self.sheet(), figures, self.title, name, self.provenance, self.writer)


@routes.get(f"{COMPARE_FILES}.csv")
def as_csv() -> Response:
    """The rows as CSV."""
    file = _File.of_request()
    return file if isinstance(file, Response) else file.of_sheet().as_csv()


@routes.get(f"{COMPARE_FILES}.xlsx")
def as_workbook() -> Response:
    """The rows as a workbook."""
    file = _File.of_request()
    return file if isinstance(file, Response) else file.of_sheet().as_workbook()


def _minus(first: int | float, value: int | float) -> int | float:
    """The exact difference of two values as they are published."""
    if isinstance(first, int) and isinstance(value, int):
        return first - value
    return float(Decimal(str(first)) - Decimal(str(value)))
