"""The figures of a page as files: a workbook or a PDF of everything, or one table as CSV."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.labels import Language, Text
from serving.access.identity import current_identity
from serving.as_of import requested_as_of
from serving.cache_access import Connection, current_connection, current_settings
from serving.catalogue import Page
from serving.kept.current import current_kept
from serving.lookup import look_up
from serving.pages.downloads.about import Provenance, file_name, filter_in_name, notices_of
from serving.pages.downloads.csv_files import CSV_TYPE, csv_file
from serving.pages.downloads.documents import MIMETYPE as PDF
from serving.pages.downloads.documents import NoDocuments, document
from serving.pages.downloads.kept_files import FileShortcut, KeptFile, file_reply
from serving.pages.downloads.links import in_address
from serving.pages.downloads.preparing import preparing_answer
from serving.pages.downloads.sheets import KEY_FIGURES, Sheet, sheet_names, sheets
from serving.pages.downloads.workbooks import MIMETYPE, workbook
from serving.pages.earlier_quarters import earlier_quarters
from serving.pages.page_data import PageData, catalogue_of, filter_label, page_data, pages_on
from serving.pages.standing import standing_of
from serving.pages.writing import Writer, writer_for
from serving.problem_types.figures import NO_DOCUMENTS, UNKNOWN_DOWNLOAD
from serving.problems import DOWNLOADS_PATH, Problem
from serving.responses import LANGUAGE_PARAMETER, reader_language, requested_language

routes: Final = Blueprint("downloads", __name__, url_prefix=DOWNLOADS_PATH)


@dataclass(frozen=True, slots=True)
class _Download:
    """What the files of one page are written from."""

    data: PageData
    writer: Writer
    notices: list[str]
    sheets: list[Sheet]

    @property
    def filtered(self) -> str:
        """The filter that the figures answer, as people read it."""
        return filter_label(self.data.catalogue, self.data.result.answered, self.writer)

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.writer.label(self.data.page)

    @property
    def provenance(self) -> Provenance:
        """What is known of the figures."""
        return Provenance(self.filtered, self.data.result.entry, self.notices, self.writer)


@routes.get("/<page>.xlsx")
def everything(page: str) -> Response:
    """The figures of a page in one workbook."""
    return _answer(page, None, _workbook)


@routes.get("/<page>.pdf")
def printed(page: str) -> Response:
    """A page as a PDF."""
    return _answer(page, None, _pdf)


@routes.get("/<page>.csv")
def key_figures(page: str) -> Response:
    """The KPIs of a page as CSV."""
    return one_sheet(page, in_address(KEY_FIGURES))


@routes.get("/<page>/<sheet>.csv")
def one_sheet(page: str, sheet: str) -> Response:
    """One table of a page, or the data of one chart, as CSV."""
    return _answer(page, sheet, lambda download: _csv(download, sheet))


def _answer(name: str, sheet: str | None, write: Callable[[_Download], KeptFile]) -> Response:
    """A file, or that it is being prepared: it never holds the figures of a wider filter."""
    language = reader_language()
    connection, kept = current_connection(), current_kept()
    pairs = list(request.args.items(multi=True))
    parameters = [pair for pair in pairs if pair[0] != LANGUAGE_PARAMETER]
    as_of, _ = requested_as_of(parameters)
    pages = pages_on(connection, as_of)
    page = next((page for page in pages if in_address(page.name) == name), None)
    if page is None:
        raise _unknown("page", name, [page.name for page in pages])
    if sheet is not None:
        names = sheet_names(page, catalogue_of(connection, page, as_of))
        if sheet not in map(in_address, names):
            raise _unknown("table", sheet, names)
    result = look_up(connection, page.product, parameters)
    if result.state is AnswerState.MISSING:
        return preparing_answer(result)
    timezone = current_settings().timezone
    rule = request.url_rule
    shortcut = FileShortcut(
        rule.rule if rule else "", kept, request.path, requested_language(), result.lookup, timezone
    )
    earlier = earlier_quarters(connection, result)
    key = shortcut.key(language, current_identity())
    standing = standing_of(connection, result, timezone, earlier)
    with kept.memory.turn(key):
        file = kept.memory.get(key, KeptFile)
        if file is None or file.standing != standing:
            data = page_data(connection, page, result, earlier)
            file = write(_download(connection, data, pages, language))
            if standing == standing_of(connection, result, timezone, earlier):
                file = replace(file, standing=standing)
                kept.memory.put(key, file)
    kept.remember(shortcut)
    return file_reply(kept, file, result).as_response()


def _download(connection: Connection, data: PageData, pages: Sequence[Page], language: Language) -> _Download:
    """What a file is written from."""
    writer = writer_for(language, data.catalogue, current_settings().timezone)
    notices = notices_of(connection, data.page.product, pages, data.result, writer)
    return _Download(data, writer, notices, sheets(data.page, data.figures, writer))


def _workbook(download: _Download) -> KeptFile:
    texts = download.writer.texts
    names = ", ".join(sheet.title for sheet in download.sheets)
    about = [*download.provenance.about(download.title), (texts["about_sheets"], names)]
    # Without a zone, as workbooks have it.
    created = datetime.fromtimestamp(download.data.result.entry.computed_at, UTC).replace(tzinfo=None)
    return _file(download, workbook(texts["about"], about, download.sheets, created), MIMETYPE, "xlsx")


def _pdf(download: _Download) -> KeptFile:
    provenance = download.provenance
    about = [provenance.page_row(download.title), *provenance.rows()]
    try:
        made = document(download.data, about, download.writer)
    except NoDocuments as error:
        raise Problem(NO_DOCUMENTS) from error
    return _file(download, made, PDF, "pdf")


def _csv(download: _Download, name: str) -> KeptFile:
    # A chart that the catalogue does not describe is on no page either.
    sheet = next((sheet for sheet in download.sheets if in_address(sheet.name) == name), None)
    if sheet is None:
        raise _unknown("table", name, [sheet.name for sheet in download.sheets])
    body = csv_file(sheet, download.provenance.columns(), download.writer.language)
    return _file(download, body, CSV_TYPE, "csv", sheet.title)


def _file(download: _Download, body: bytes, mimetype: str, ending: str, title: str = "") -> KeptFile:
    result = download.data.result
    titles = (download.title, title)
    name = file_name(titles, [result.entry.as_of], filter_in_name(download.filtered, download.writer))
    generation = "" if result.state is AnswerState.HISTORIC else result.entry.generation
    return KeptFile(None, generation, mimetype, f'attachment; filename="{name}.{ending}"', body)


def _unknown(parameter: str, name: str, known: Iterable[str]) -> Problem:
    cause = Text(f"No hay ninguna descarga «{name}».", f'There is no download "{name}".')
    allowed = [in_address(name) for name in known]
    return Problem(
        UNKNOWN_DOWNLOAD, cause, members={"parameter": parameter, "value": name, "allowed": allowed}
    )
