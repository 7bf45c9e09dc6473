"""Operations that give figures as files."""

from typing import Final

from serving.api.openapi.answers import (
    file,
    list_file,
)
from serving.api.openapi.json_schema import TEXT
from serving.api.openapi.operations.operation import FIGURES, FILTERED, NO_FIGURES, Operation
from serving.api.openapi.operations.reading import (
    BRIDGE_PROBLEMS,
    COMPARE_PROBLEMS,
    COMPARISON_PARAMETERS,
    LIST_PROBLEMS,
)
from serving.api.openapi.parameters import names_of
from serving.bridge.parameters import BRIDGE_PARAMETERS
from serving.listing.request import LIST_PARAMETERS
from serving.pages.compare.files import COMPARE_FILES
from serving.pages.downloads.bridge_files import BRIDGE_FILES
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.downloads.documents import MIMETYPE as DOCUMENT
from serving.pages.downloads.workbooks import MIMETYPE as WORKBOOK
from serving.problem_types.figures import (
    EXPIRED,
    INVALID_DATE,
    NO_DOCUMENTS,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    PROFILE_UNKNOWN,
    UNKNOWN_DOWNLOAD,
    UNKNOWN_FILTER,
    UNKNOWN_LANGUAGE,
)
from serving.problem_types.requests import NOT_FOUND
from serving.problems import DOWNLOADS_PATH

_FILE_PARAMETERS: Final = (*FIGURES, "lang", "accept_language")
_FILE_PROBLEMS: Final = (*FILTERED, UNKNOWN_LANGUAGE, UNKNOWN_DOWNLOAD, NOT_FOUND)
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
        (*_FILE_PROBLEMS, NO_DOCUMENTS),
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
_LIST_FILE: Final = (*LIST_PROBLEMS, UNKNOWN_LANGUAGE)
_LIST_FILE_PARAMETERS: Final = (*names_of(LIST_PARAMETERS), "lang", "accept_language")
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
_BRIDGE_FILE: Final = (*BRIDGE_PROBLEMS, UNKNOWN_LANGUAGE)
_BRIDGE_FILE_PARAMETERS: Final = (*names_of(BRIDGE_PARAMETERS), "lang", "accept_language")
FILES_OF_BRIDGES: Final = (
    Operation(
        "downloadChanges",
        "get",
        f"{BRIDGE_FILES}.csv",
        "files",
        "What changed between two days, or the certificates of a part, as CSV",
        file(_CSV, TEXT, "A row for each part, or for each certificate of a figure; UTF-8."),
        _BRIDGE_FILE,
        _BRIDGE_FILE_PARAMETERS,
    ),
    Operation(
        "downloadChangesWorkbook",
        "get",
        f"{BRIDGE_FILES}.xlsx",
        "files",
        "What changed between two days, or the certificates of a part, as an Excel workbook",
        file(WORKBOOK, {}, "The workbook."),
        _BRIDGE_FILE,
        _BRIDGE_FILE_PARAMETERS,
    ),
)
_STATEMENT_PROBLEMS: Final = (
    PROFILE_UNKNOWN,
    UNKNOWN_FILTER,
    UNKNOWN_LANGUAGE,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    EXPIRED,
    *NO_FIGURES,
)
_STATEMENT_PARAMETERS: Final = ("name", "as_of", "lang", "accept_language")
_STATEMENT_TEXT: Final = (
    "What the client owes on the business date, or with `as_of` at the newest month end on or before it that "
    "is kept: of the last thirteen. Its total is the client's receivables on that day."
)
FILES_OF_CLIENTS: Final = (
    Operation(
        "downloadAccountStatement",
        "get",
        f"{DOWNLOADS_PATH}/clients/{{name}}/statement.pdf",
        "files",
        "The statement of account of a client as a PDF",
        list_file(DOCUMENT, {}, "The document: nothing in it is internal."),
        (*_STATEMENT_PROBLEMS, NO_DOCUMENTS),
        _STATEMENT_PARAMETERS,
        _STATEMENT_TEXT,
    ),
    Operation(
        "downloadAccountStatementWorkbook",
        "get",
        f"{DOWNLOADS_PATH}/clients/{{name}}/statement.xlsx",
        "files",
        "The statement of account of a client as an Excel workbook",
        list_file(WORKBOOK, {}, "The workbook: dates, days and amounts are numbers."),
        _STATEMENT_PROBLEMS,
        _STATEMENT_PARAMETERS,
        _STATEMENT_TEXT,
    ),
)
_COMPARE_FILE: Final = (*COMPARE_PROBLEMS, UNKNOWN_LANGUAGE)
_COMPARE_FILE_PARAMETERS: Final = (*COMPARISON_PARAMETERS, "lang", "accept_language")
FILES_OF_COMPARISONS: Final = (
    Operation(
        "downloadComparison",
        "get",
        f"{COMPARE_FILES}.csv",
        "files",
        "Values side by side as CSV",
        file(_CSV, TEXT, "A row for each KPI and currency, with differences; UTF-8."),
        _COMPARE_FILE,
        _COMPARE_FILE_PARAMETERS,
    ),
    Operation(
        "downloadComparisonWorkbook",
        "get",
        f"{COMPARE_FILES}.xlsx",
        "files",
        "Values side by side as an Excel workbook",
        file(WORKBOOK, {}, "The workbook."),
        _COMPARE_FILE,
        _COMPARE_FILE_PARAMETERS,
    ),
)
