"""Operations that give figures as files."""

from typing import Final

from serving import problem_types as problem
from serving.api.openapi.answers import (
    file,
    list_file,
)
from serving.api.openapi.json_schema import TEXT
from serving.api.openapi.operations.operation import FILTERED, FILTERS, Operation
from serving.api.openapi.operations.reading import (
    BRIDGE_PARAMETERS,
    BRIDGE_PROBLEMS,
    LIST_PARAMETERS,
    LIST_PROBLEMS,
)
from serving.pages.downloads.bridge_files import BRIDGE_FILES
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.downloads.documents import MIMETYPE as DOCUMENT
from serving.pages.downloads.links import DOWNLOADS_PATH
from serving.pages.downloads.workbooks import MIMETYPE as WORKBOOK

_FILE_PARAMETERS: Final = (*FILTERS, "as_of", "lang", "accept_language")
_FILE_PROBLEMS: Final = (*FILTERED, problem.UNKNOWN_LANGUAGE, problem.UNKNOWN_DOWNLOAD, problem.NOT_FOUND)
_CSV: Final = "text/csv"
PAGE_FILES: Final = (
    Operation(
        "downloadWorkbook",
        "get",
        f"{DOWNLOADS_PATH}/{{page}}.xlsx",
        "files",
        "A page as an Excel workbook",
        file(WORKBOOK, {}, "The workbook: a sheet for each table and chart."),
        _FILE_PROBLEMS,
        ("page", *_FILE_PARAMETERS),
    ),
    Operation(
        "downloadDocument",
        "get",
        f"{DOWNLOADS_PATH}/{{page}}.pdf",
        "files",
        "A page as a PDF",
        file(DOCUMENT, {}, "The document: key figures, charts and tables."),
        (*_FILE_PROBLEMS, problem.NO_DOCUMENTS),
        ("page", *_FILE_PARAMETERS),
    ),
    Operation(
        "downloadKeyFigures",
        "get",
        f"{DOWNLOADS_PATH}/{{page}}.csv",
        "files",
        "The KPIs of a page as CSV",
        file(_CSV, TEXT, "One row for each value; UTF-8."),
        _FILE_PROBLEMS,
        ("page", *_FILE_PARAMETERS),
    ),
    Operation(
        "downloadSheet",
        "get",
        f"{DOWNLOADS_PATH}/{{page}}/{{sheet}}.csv",
        "files",
        "One table of a page, or the data of one chart, as CSV",
        file(_CSV, TEXT, "The rows; UTF-8."),
        _FILE_PROBLEMS,
        ("page", "sheet", *_FILE_PARAMETERS),
    ),
)
_LIST_FILE: Final = (*LIST_PROBLEMS, problem.UNKNOWN_LANGUAGE)
_LIST_FILE_PARAMETERS: Final = (*LIST_PARAMETERS, "lang", "accept_language")
FILES_OF_CERTIFICATES: Final = (
    Operation(
        "downloadCertificates",
        "get",
        f"{CERTIFICATE_FILES}.csv",
        "files",
        "All certificates of a filter as CSV",
        list_file(_CSV, TEXT, "A row for each certificate; UTF-8."),
        _LIST_FILE,
        _LIST_FILE_PARAMETERS,
    ),
    Operation(
        "downloadCertificatesWorkbook",
        "get",
        f"{CERTIFICATE_FILES}.xlsx",
        "files",
        "All certificates of a filter as an Excel workbook",
        list_file(WORKBOOK, {}, "The workbook: dates, days and amounts are numbers."),
        _LIST_FILE,
        _LIST_FILE_PARAMETERS,
    ),
)
_BRIDGE_FILE: Final = (*BRIDGE_PROBLEMS, problem.UNKNOWN_LANGUAGE)
_BRIDGE_FILE_PARAMETERS: Final = (*BRIDGE_PARAMETERS, "lang", "accept_language")
FILES_OF_BRIDGES: Final = (
    Operation(
        "downloadChanges",
        "get",
        f"{BRIDGE_FILES}.csv",
        "files",
        "What changed between two days, or the certificates of a part, as CSV",
        list_file(_CSV, TEXT, "A row for each part, or for each certificate of a figure; UTF-8."),
        _BRIDGE_FILE,
        _BRIDGE_FILE_PARAMETERS,
    ),
    Operation(
        "downloadChangesWorkbook",
        "get",
        f"{BRIDGE_FILES}.xlsx",
        "files",
        "What changed between two days, or the certificates of a part, as an Excel workbook",
        list_file(WORKBOOK, {}, "The workbook."),
        _BRIDGE_FILE,
        _BRIDGE_FILE_PARAMETERS,
    ),
)
