"""The figures of a page as files: one workbook of everything, or one table as CSV."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.settings import Settings
from serving.as_of import requested_as_of
from serving.cache_access import CacheAccess, Connection
from serving.lookup import look_up
from serving.negotiation import choose_language
from serving.pages.addresses import LANGUAGE_PARAMETER
from serving.pages.downloads.csv_files import csv_file
from serving.pages.downloads.links import DOWNLOADS_PATH, in_address
from serving.pages.downloads.sheets import KEY_FIGURES, Sheet, sheet_names, sheets
from serving.pages.downloads.workbooks import MIMETYPE, workbook
from serving.pages.page_data import PageData, filter_label, page_data, pages_on
from serving.pages.writing import Writer, writer_for
from serving.problem_types import UNKNOWN_DOWNLOAD, Text
from serving.problems import Problem

_CSV_TYPE: Final = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Download:
    """What the files of one page are written from."""

    data: PageData
    writer: Writer
    sheets: list[Sheet]


def download_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Routes of the files of each page; their parameters are those of the page.

    Args:
        access: The cache.
        settings: They hold the time zone.
    """
    routes = Blueprint("downloads", __name__, url_prefix=DOWNLOADS_PATH)

    @routes.get("/<page>.xlsx")
    def everything(page: str) -> Response:
        download = _download(access.current(), page, settings.timezone)
        return download if isinstance(download, Response) else _workbook(download)

    @routes.get("/<page>.csv")
    def key_figures(page: str) -> Response:
        return one_sheet(page, in_address(KEY_FIGURES))

    @routes.get("/<page>/<sheet>.csv")
    def one_sheet(page: str, sheet: str) -> Response:
        download = _download(access.current(), page, settings.timezone, sheet)
        return download if isinstance(download, Response) else _csv(download, sheet)

    return routes


def _download(
    connection: Connection, name: str, timezone: str, sheet: str | None = None
) -> _Download | Response:
    """What is written, or that it is being prepared: a file never holds the figures of a wider filter."""
    pairs = list(request.args.items(multi=True))
    parameters = [pair for pair in pairs if pair[0] != LANGUAGE_PARAMETER]
    as_of, _ = requested_as_of(parameters)
    pages = pages_on(connection, as_of)
    page = next((page for page in pages if in_address(page.name) == name), None)
    if page is None:
        raise _unknown("page", name, [page.name for page in pages])
    if sheet is not None and sheet not in map(in_address, sheet_names(page)):
        raise _unknown("table", sheet, sheet_names(page))
    result = look_up(connection, page.product, parameters)
    if result.state is AnswerState.MISSING:
        body = orjson.dumps({"data": None, "meta": result.meta()})
        return Response(body, result.status, result.headers(), content_type="application/json")
    data = page_data(connection, page, result)
    language = choose_language(
        request.args.get(LANGUAGE_PARAMETER, ""), request.headers.get("Accept-Language", "")
    )
    writer = writer_for(language, data.catalogue, timezone)
    return _Download(data, writer, sheets(page, data.figures, writer))


def _workbook(download: _Download) -> Response:
    title = download.writer.texts["about"]
    return _file(download, workbook(title, _about(download), download.sheets), MIMETYPE, "xlsx")


def _csv(download: _Download, name: str) -> Response:
    # A chart that the catalogue does not describe is on no page either.
    sheet = next((sheet for sheet in download.sheets if in_address(sheet.name) == name), None)
    if sheet is None:
        raise _unknown("table", name, [sheet.name for sheet in download.sheets])
    return _file(download, csv_file(sheet, download.writer.language), _CSV_TYPE, "csv", name)


def _about(download: _Download) -> list[tuple[str, str]]:
    data, writer, texts = download.data, download.writer, download.writer.texts
    entry = data.result.entry
    return [
        (texts["about_page"], f"{writer.label(data.page)} · {texts['product_name']}"),
        (texts["about_filter"], filter_label(data.catalogue, data.result.answered, writer)),
        (texts["about_as_of"], entry.as_of.isoformat()),
        (texts["about_computed_at"], writer.formats.moment(entry.computed_at)),
        (texts["about_generation"], entry.generation),
        (texts["about_sheets"], ", ".join(sheet.title for sheet in download.sheets)),
    ]


def _file(download: _Download, body: bytes, mimetype: str, ending: str, part: str = "") -> Response:
    page, result = download.data.page, download.data.result
    headers = result.headers()
    parts = ["edp", in_address(page.name), part, result.entry.as_of.isoformat()]
    name = "-".join(filter(None, parts))
    headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    # Like the page: made for each request, and requested again each time.
    headers["Cache-Control"] = "private, no-cache"
    headers["Vary"] = "Accept-Language"
    return Response(body, headers=headers, content_type=mimetype)


def _unknown(parameter: str, name: str, known: Iterable[str]) -> Problem:
    cause = Text(f"No hay ninguna descarga «{name}».", f'There is no download "{name}".')
    allowed = [in_address(name) for name in known]
    return Problem(
        UNKNOWN_DOWNLOAD, cause, members={"parameter": parameter, "value": name, "allowed": allowed}
    )
