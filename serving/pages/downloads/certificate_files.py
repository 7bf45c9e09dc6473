"""The list of certificates as files: every row, typed, in memory that does not grow with their number."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.reading.listing.certificates import Value, value_of
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listed_work import WHY
from kpi_pipeline.model.listing import LIST_COLUMNS, LISTED_WITH, ListColumn
from serving.cache_access import current_connection, current_settings
from serving.kept.unkept import file_answer
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import CERTIFICATES_PATH
from serving.pages.downloads.about import (
    Provenance,
    column_label,
    file_name,
    filter_in_name,
    list_label,
    list_title,
    notices_of,
    why_text,
)
from serving.pages.downloads.csv_files import CSV_TYPE, csv_parts
from serving.pages.downloads.sheets import SheetCell, SheetKind, SheetValue, first_day
from serving.pages.downloads.workbooks import MIMETYPE, ListedColumn, listed_workbook
from serving.pages.page_data import pages_on
from serving.pages.writing import Writer, writer_for
from serving.problems import DOWNLOADS_PATH
from serving.responses import LANGUAGE_PARAMETER, reader_language

CERTIFICATE_FILES: Final = f"{DOWNLOADS_PATH}{CERTIFICATES_PATH.removeprefix('/manager')}"

_WIDTHS: Final = {Kind.MONEY: 16, Kind.DAY: 12, Kind.DAYS: 12, Kind.MONTH: 10, Kind.CURRENCY: 10}
_TEXT_WIDTH: Final = 28
_KINDS: Final[Mapping[Kind, SheetKind]] = {Kind.DAY: "day", Kind.DAYS: "days"}
_AT_A_TIME: Final = 1 << 16

routes: Final = Blueprint("certificate_files", __name__)


@dataclass(frozen=True, slots=True)
class _File:
    """What a file of the list is written from."""

    result: ListResult
    writer: Writer
    notices: list[str]
    columns: list[ListColumn]

    @classmethod
    def of_request(cls) -> "_File":
        """That of the present request."""
        language, connection = reader_language(), current_connection()
        pairs = list(request.args.items(multi=True))
        result = look_up_list(connection, [pair for pair in pairs if pair[0] != LANGUAGE_PARAMETER])
        as_of = result.figures.requested_as_of
        catalogue = connection.catalogues.on(LISTED_WITH, as_of)
        writer = writer_for(language, catalogue, current_settings().timezone)
        notices = notices_of(connection, LISTED_WITH, pages_on(connection, as_of), result.figures, writer)
        columns = result.request.shown
        if all(column.kind is not Kind.CURRENCY for column in columns) and len(_currencies(result)) > 1:
            # An amount without its currency says nothing.
            place = next((place for place, one in enumerate(columns) if one.kind is Kind.MONEY), len(columns))
            columns[place:place] = [one for one in LIST_COLUMNS if one.kind is Kind.CURRENCY]
        return cls(result, writer, notices, columns)

    @property
    def heads(self) -> list[str]:
        return [column_label(column, self.result.request, self.writer) for column in self.columns]

    @property
    def title(self) -> str:
        return list_title(self.result.request, self.writer)

    @property
    def filtered(self) -> str:
        return list_label(self.result, self.writer)

    @property
    def provenance(self) -> Provenance:
        return Provenance(self.filtered, self.result.figures.entry, self.notices, self.writer)

    def rows(self) -> Iterator[list[SheetValue]]:
        """The values of all certificates."""
        return (values for _, values in self._values())

    def cells(self) -> Iterator[list[SheetCell]]:
        """The same with their kinds; months are dates."""
        makes = [_cell(column, self.writer) for column in self.columns]
        for currency, values in self._values():
            yield [make(value, currency) for make, value in zip(makes, values, strict=True)]

    def _values(self) -> Iterator[tuple[str, list[SheetValue]]]:
        """Of each certificate its currency and its values."""
        writes = [_file_value(column, self.writer) for column in self.columns]
        names = [column.name for column in self.columns]
        request, writer = self.result.request, self.writer
        for row in self.result.rows():
            currency = str(value_of(row, "currency"))
            values = [write(value_of(row, name), currency) for name, write in zip(names, writes, strict=True)]
            if request.work_list:
                values[names.index(WHY)] = why_text(row, request, writer)
            yield currency, values

    def answer(self, body: Any, mimetype: str, ending: str) -> Response:
        """The answer with the file."""
        figures, filtered = self.result.figures, filter_in_name(self.filtered, self.writer)
        name = file_name([self.title], [figures.entry.as_of], filtered)
        return file_answer(figures, body, mimetype, f"{name}.{ending}")


@routes.get(f"{CERTIFICATE_FILES}.csv")
def as_csv() -> Response:
    """The rows as CSV."""
    file = _File.of_request()
    parts = csv_parts(file.heads, file.rows(), file.provenance.columns(), file.writer.language)
    return file.answer(parts, CSV_TYPE, "csv")


@routes.get(f"{CERTIFICATE_FILES}.xlsx")
def as_workbook() -> Response:
    """The rows as a workbook."""
    file = _File.of_request()
    figures, texts = file.result.figures, file.writer.texts
    about = file.provenance.about(file.title)
    created = datetime.fromtimestamp(figures.entry.computed_at, UTC).replace(tzinfo=None)
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    path = Path(name)
    try:
        os.close(handle)
        listed_workbook(
            (texts["about"], about), file.title, _workbook_columns(file), file.cells(), created, path
        )
        content = path.open("rb")
    finally:
        # What is open is read all the same.
        path.unlink()
    response = file.answer(iter(lambda: content.read(_AT_A_TIME), b""), MIMETYPE, "xlsx")
    response.call_on_close(content.close)
    return response


def _workbook_columns(file: _File) -> list[ListedColumn]:
    return [
        ListedColumn(head, max(_WIDTHS.get(column.kind, _TEXT_WIDTH), len(head) + 2))
        for column, head in zip(file.columns, file.heads, strict=True)
    ]


def _currencies(result: ListResult) -> list[str]:
    return sorted(result.certificates.totals(result.selection).amounts)


def _amount(value: Value, decimals: int) -> SheetValue:
    """An amount in whole units."""
    if not decimals or not isinstance(value, int):
        return value
    return Decimal(value).scaleb(-decimals)


def _file_value(column: ListColumn, writer: Writer) -> Callable[[Value, str], SheetValue]:
    """Writes a value of a column, of which the currency is given."""
    if column.kind is Kind.MONEY:
        return lambda value, currency: _amount(value, writer.formats.decimals(currency))
    if column.kind in (Kind.DAY, Kind.DAYS, Kind.TEXT, Kind.NAME, Kind.MONTH, Kind.CURRENCY, Kind.WHY):
        return lambda value, _: value
    known: dict[Value, SheetValue] = {None: None}

    def written(value: Value, currency: str) -> SheetValue:
        if value not in known:
            known[value] = writer.text(column.kind, value, currency)
        return known[value]

    return written


def _cell(column: ListColumn, writer: Writer) -> Callable[[SheetValue, str], SheetCell]:
    """Gives a value of a column its kind: an amount has the format of its row's currency."""
    if column.kind is Kind.MONEY:
        formats = writer.formats
        return lambda value, currency: SheetCell(
            value, "money", formats.decimals(currency), formats.sign(currency)
        )
    if column.kind is Kind.MONTH:
        return lambda value, _: SheetCell(value and first_day(str(value)), "month")
    kind = _KINDS.get(column.kind, "text")
    return lambda value, _: SheetCell(value, kind)
