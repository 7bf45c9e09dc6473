"""The figures of a page as files: one workbook of everything, or one table as CSV."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.settings import Settings
from serving.as_of import requested_as_of
from serving.cache_access import CacheAccess, Connection
from serving.catalogue import Catalogue, Page
from serving.lookup import LookupResult, look_up
from serving.negotiation import Language, choose_language
from serving.pages.addresses import LANGUAGE_PARAMETER
from serving.pages.downloads.csv_files import csv_file
from serving.pages.downloads.links import DOWNLOADS_PATH, in_address
from serving.pages.downloads.sheets import KEY_FIGURES, Sheet, sheet_names, sheets
from serving.pages.downloads.workbooks import MIMETYPE, workbook
from serving.pages.formats import Formats
from serving.pages.page_data import catalogue_of, figures_of, filter_in_words, pages_on
from serving.pages.writing import Writer
from serving.problem_types import UNKNOWN_DOWNLOAD, Text
from serving.problems import Problem

_CSV_TYPE: Final = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the files of one page are written from."""

    page: Page
    catalogue: Catalogue
    result: LookupResult
    writer: Writer
    sheets: list[Sheet]


def download_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Routes of the files of each page; their parameters are those of the page.

    Args:
        access: The cache.
        settings: They tell the time zone.
    """
    routes = Blueprint("downloads", __name__, url_prefix=DOWNLOADS_PATH)
    timezone = ZoneInfo(settings.timezone)

    @routes.get("/<page>.xlsx")
    def everything(page: str) -> Response:
        found = _answer(access.current(), page, timezone)
        return found if isinstance(found, Response) else _workbook(found)

    @routes.get("/<page>.csv")
    def key_figures(page: str) -> Response:
        return one_sheet(page, in_address(KEY_FIGURES))

    @routes.get("/<page>/<sheet>.csv")
    def one_sheet(page: str, sheet: str) -> Response:
        found = _answer(access.current(), page, timezone, sheet)
        return found if isinstance(found, Response) else _csv(found, sheet)

    return routes


def _answer(
    connection: Connection, name: str, timezone: ZoneInfo, sheet: str | None = None
) -> _Answer | Response:
    """What is written, or that it is being prepared: a file never holds the figures of a wider filter."""
    pairs = list(request.args.items(multi=True))
    parameters = [pair for pair in pairs if pair[0] != LANGUAGE_PARAMETER]
    as_of, _ = requested_as_of(parameters)
    page = _one_of(pages_on(connection, as_of), name)
    if sheet is not None and sheet not in map(in_address, sheet_names(page)):
        raise _unknown("table", sheet, sheet_names(page))
    result = look_up(connection, page.product, parameters)
    if result.state is AnswerState.MISSING:
        body = orjson.dumps({"data": None, "meta": result.meta()})
        return Response(body, result.status, result.headers(), content_type="application/json")
    catalogue = catalogue_of(connection, page, result.requested_as_of)
    decimals = {one.code: one.decimals for one in catalogue.currencies}
    language = _language()
    writer = Writer(language, Formats(language, decimals, timezone), catalogue)
    figures = figures_of(connection, page, catalogue, result)
    return _Answer(page, catalogue, result, writer, sheets(page, figures, writer))


def _workbook(found: _Answer) -> Response:
    texts = found.writer.texts
    return _file(found, workbook(texts["about"], _about(found), found.sheets), MIMETYPE, "xlsx")


def _csv(found: _Answer, name: str) -> Response:
    # A chart of which the catalogue says nothing is on no page either.
    sheet = _named(found.sheets, name)
    if sheet is None:
        raise _unknown("table", name, [one.name for one in found.sheets])
    return _file(found, csv_file(sheet, found.writer.language), _CSV_TYPE, "csv", name)


def _about(found: _Answer) -> list[tuple[str, str]]:
    texts, writer, entry = found.writer.texts, found.writer, found.result.entry
    return [
        (texts["about_page"], f"{writer.label(found.page)} · {texts['product_name']}"),
        (texts["about_filter"], filter_in_words(found.catalogue, found.result.answered, writer)),
        (texts["about_as_of"], entry.as_of.isoformat()),
        (texts["about_computed_at"], writer.formats.moment(entry.computed_at)),
        (texts["about_generation"], entry.generation),
        (texts["about_sheets"], ", ".join(sheet.title for sheet in found.sheets)),
    ]


def _file(found: _Answer, body: bytes, mimetype: str, ending: str, part: str = "") -> Response:
    headers = found.result.headers()
    parts = ["edp", in_address(found.page.name), part, found.result.entry.as_of.isoformat()]
    name = "-".join(one for one in parts if one)
    headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    # Like the page: made anew each time, and asked for again each time.
    headers["Cache-Control"] = "private, no-cache"
    headers["Vary"] = "Accept-Language"
    return Response(body, headers=headers, content_type=mimetype)


def _one_of(pages: Iterable[Page], name: str) -> Page:
    known = list(pages)
    for page in known:
        if in_address(page.name) == name:
            return page
    raise _unknown("page", name, [page.name for page in known])


def _named(found: Iterable[Sheet], name: str) -> Sheet | None:
    return next((sheet for sheet in found if in_address(sheet.name) == name), None)


def _unknown(parameter: str, name: str, known: Iterable[str]) -> Problem:
    cause = Text(f"No hay ninguna descarga «{name}».", f'There is no download "{name}".')
    allowed = [in_address(one) for one in known]
    return Problem(
        UNKNOWN_DOWNLOAD, cause, members={"parameter": parameter, "value": name, "allowed": allowed}
    )


def _language() -> Language:
    requested = request.args.get(LANGUAGE_PARAMETER, "")
    return choose_language(requested, request.headers.get("Accept-Language", ""))
