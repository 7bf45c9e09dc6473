"""The operations of the API: what each address does, takes and answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from serving import problem_types as problem
from serving.api.openapi.answers import (
    JSON,
    OF_ACCESS,
    OF_CHANGES,
    Answer,
    answer,
    both_answers,
    catalogue,
    figures,
    file,
    list_file,
    list_page,
    problems,
    unchanged,
)
from serving.api.openapi.bridges import BRIDGE
from serving.api.openapi.catalogue_schemas import CATALOGUE
from serving.api.openapi.figures import data_of
from serving.api.openapi.json_schema import TEXT, Schema, object_of, one_of, ref
from serving.api.openapi.listing import CERTIFICATE, CERTIFICATE_PAGE
from serving.api.openapi.parameters import bridge_names, filter_names, form_of, list_names, refer
from serving.api.operators import OPERATE_PATH
from serving.api.performance import PERFORMANCE_PATH
from serving.api.refresh import CLEAR_PATH
from serving.forms import FORM_TYPES
from serving.pages.addresses import API_PATH, CERTIFICATES_API_PATH, CHANGES_API_PATH, PRODUCT_PATHS
from serving.pages.downloads.bridge_files import BRIDGE_FILES
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.downloads.documents import MIMETYPE as DOCUMENT
from serving.pages.downloads.links import DOWNLOADS_PATH
from serving.pages.downloads.workbooks import MIMETYPE as WORKBOOK
from serving.problem_types import ProblemType
from serving.problems import REFRESH_PATH

DOCUMENT_PATH: Final = f"{API_PATH}/openapi.json"
EXPLORER_PATH: Final = f"{API_PATH}/docs"

TAGS: Final[Mapping[str, str]] = {
    "figures": "KPIs, charts and tables under any filter, and what can be requested.",
    "files": "The figures of a page as files.",
    "requests": "Requests for newer figures, and their progress.",
    "health": "How the system is.",
    "description": "This document.",
}
"""Groups of operations, in reading order."""

_NO_FIGURES: Final = (problem.CACHE_UNAVAILABLE, problem.CACHE_EMPTY, problem.NOT_READY)
_BAD_FILTER: Final = (problem.UNKNOWN_FILTER, problem.UNKNOWN_FILTER_VALUE, problem.FILTER_CONFLICT)
_FILTERED: Final = (
    *_BAD_FILTER,
    problem.INVALID_DATE,
    problem.NO_MONTH_END,
    problem.NO_MONTH_ENDS,
    problem.FILTER_NOT_KEPT,
    problem.FILTER_ROLLED_BACK,
    problem.EXPIRED,
    *_NO_FIGURES,
)
_NOT_TAKEN: Final = (problem.REQUEST_REFUSED, problem.CACHE_UNAVAILABLE)
_ADMIN: Final = (problem.TOKEN_NEEDED, problem.CROSS_SITE)
_BODY: Final = (problem.UNREADABLE_FORM, problem.BODY_TOO_LARGE, problem.UNSUPPORTED_BODY)
_FILTERS: Final = filter_names()
_FORM: Final = (*_FILTERS, "product", "lang", "form_page")
_AS_ADMIN: Final[list[dict[str, list[str]]]] = [{"adminToken": []}, {}]
"""Without a token where none is set and the request is of the same machine."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        id: Stable name.
        method: HTTP method.
        path: Its address.
        tag: One of `TAGS`.
        summary: What it does, in a few words.
        answers: What it answers by status, besides problems.
        problems: Kinds of problem that it answers with, besides those of any request.
        parameters: Names of `parameters.parameters`.
        text: What else to know.
        form: Names of the parameters that a form in its body may have.
        security: How it is protected; None where it is not.
        as_page: Whether a client that prefers a page gets one.
        body: The schema of a body of any format; None without one.
        is_public: Whether everybody may request it, also where access is controlled.
    """

    id: str
    method: Literal["get", "post"]
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    problems: Sequence[ProblemType] = ()
    parameters: Sequence[str] = ()
    text: str = ""
    form: Sequence[str] = ()
    security: list[dict[str, list[str]]] | None = None
    as_page: bool = False
    body: Schema | None = field(default=None)
    is_public: bool = False

    def described(self) -> dict[str, Any]:
        """It as an Operation Object."""
        of_access = () if self.is_public else OF_ACCESS if self.method == "get" else OF_CHANGES
        kinds = (*self.problems, *of_access)
        answers = dict(self.answers)
        for status, problem_answer in problems(kinds, as_page=self.as_page).items():
            answers[status] = both_answers(answers.get(status), problem_answer)
        made: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": refer(*self.parameters),
            "responses": {str(status): answers[status] for status in sorted(answers)},
        }
        if self.text:
            made["description"] = self.text
        if self.form:
            schema = form_of(self.form)
            made["requestBody"] = {"content": {media_type: {"schema": schema} for media_type in FORM_TYPES}}
        if self.body is not None:
            made["requestBody"] = {"content": {"*/*": {"schema": self.body}}}
        if self.is_public:
            made["security"] = []
        elif self.security is not None:
            made["security"] = self.security
        return made


def operations() -> Iterable[Operation]:
    """Every operation, in reading order."""
    yield from map(_figures, PRODUCT_PATHS.items())
    yield from _CERTIFICATES
    yield from _BRIDGES
    yield from _CATALOGUE
    yield from _FILES
    yield from _CERTIFICATE_FILES
    yield from _BRIDGE_FILES
    yield from _REQUESTS
    yield from _HEALTH
    yield from _DESCRIPTION


def _figures(named: tuple[str, str]) -> Operation:
    path, product = named
    return Operation(
        f"get{path.capitalize()}",
        "get",
        f"{API_PATH}/{path}",
        "figures",
        f"Figures of the product {product}",
        figures(data_of(product)),
        _FILTERED,
        (*_FILTERS, "as_of", "if_none_match"),
    )


def _accepted(schema: str, text: str, always: Sequence[str]) -> dict[int, Answer]:
    return {202: answer(text, {JSON: ref(schema)}, ("Cache-Control", "Retry-After", *always))}


def _health(name: str, summary: str, schema: Schema, *, may_be_down: bool = True) -> Operation:
    answers = {200: answer(summary, {JSON: schema})}
    if may_be_down:
        answers[503] = answer("No figures can be served.", {JSON: schema})
    return Operation(
        f"get{name.capitalize()}Health",
        "get",
        f"/health/{name}",
        "health",
        summary,
        answers,
        is_public=name == "live",
    )


_CATALOGUE: Final = (
    Operation(
        "getCatalogue",
        "get",
        f"{API_PATH}/catalogue",
        "figures",
        "Filters with their values; KPIs, charts, tables and pages with their texts",
        catalogue(ref(CATALOGUE)),
        (problem.INVALID_DATE, problem.NO_MONTH_END, problem.NO_MONTH_ENDS, problem.EXPIRED, *_NO_FIGURES),
        ("as_of", "if_none_match"),
    ),
    Operation(
        "getChartSpecification",
        "get",
        f"{API_PATH}/charts/specs/{{digest}}",
        "figures",
        "The Vega-Lite specification of a chart",
        {
            200: answer(
                "The specification; what an address holds never changes.",
                {JSON: {"type": "object"}},
                ("ETag", "Vary", "Cache-Control"),
            ),
            304: unchanged(("ETag", "Vary", "Cache-Control")),
        },
        (problem.SPEC_UNKNOWN, problem.NOT_FOUND, problem.CACHE_UNAVAILABLE),
        ("digest", "if_none_match"),
    ),
)
_LIST_PROBLEMS: Final = (
    *_BAD_FILTER,
    problem.INVALID_LIST_PARAMETER,
    problem.INVALID_DATE,
    problem.LIST_NOT_KEPT,
    problem.EXPIRED,
    *_NO_FIGURES,
)
_LIST_PARAMETERS: Final = (*_FILTERS, *list_names(), "as_of")
_CERTIFICATES: Final = (
    Operation(
        "getCertificates",
        "get",
        CERTIFICATES_API_PATH,
        "figures",
        "A page of the certificates of a filter, and what all of them sum to",
        list_page(ref(CERTIFICATE_PAGE)),
        _LIST_PROBLEMS,
        (*_LIST_PARAMETERS, "if_none_match"),
        "Certificates of the current generation of the product dashboards: what a list sums to is what its "
        "figures say. Of month ends there is no list.",
    ),
    Operation(
        "getCertificate",
        "get",
        f"{CERTIFICATES_API_PATH}/{{project}}/{{number}}",
        "figures",
        "One certificate: milestones, stages and when it is expected to be paid",
        list_page(ref(CERTIFICATE)),
        (problem.CERTIFICATE_UNKNOWN, *_LIST_PROBLEMS),
        ("project", "number", "as_of", "if_none_match"),
        "Names may be spelled in any case, with or without accents. A slash or a percent sign in one is "
        "quoted twice: `A/B` is `A%252FB`.",
    ),
)
_BRIDGE_PROBLEMS: Final = (
    *_BAD_FILTER,
    problem.INVALID_BRIDGE_PARAMETER,
    problem.INVALID_DATE,
    problem.BRIDGE_NOT_KEPT,
    problem.EXPIRED,
    *_NO_FIGURES,
)
_BRIDGE_PARAMETERS: Final = (*_FILTERS, *bridge_names(), "as_of")
_BRIDGES: Final = (
    Operation(
        "getChanges",
        "get",
        CHANGES_API_PATH,
        "figures",
        "How figures changed between two days, and the certificates of a part",
        list_page(ref(BRIDGE)),
        _BRIDGE_PROBLEMS,
        (*_BRIDGE_PARAMETERS, "if_none_match"),
        "Bridges of the current generation of the product dashboards. The opening figure plus the parts is "
        "exactly the closing one, for everything and for each single value of a dimension. Certificates are "
        "listed where a figure is requested.",
    ),
)
_FILE_PARAMETERS: Final = (*_FILTERS, "as_of", "lang", "accept_language")
_FILE_PROBLEMS: Final = (*_FILTERED, problem.UNKNOWN_LANGUAGE, problem.UNKNOWN_DOWNLOAD, problem.NOT_FOUND)
_CSV: Final = "text/csv"
_FILES: Final = (
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
_LIST_FILE: Final = (*_LIST_PROBLEMS, problem.UNKNOWN_LANGUAGE)
_LIST_FILE_PARAMETERS: Final = (*_LIST_PARAMETERS, "lang", "accept_language")
_CERTIFICATE_FILES: Final = (
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
_BRIDGE_FILE: Final = (*_BRIDGE_PROBLEMS, problem.UNKNOWN_LANGUAGE)
_BRIDGE_FILE_PARAMETERS: Final = (*_BRIDGE_PARAMETERS, "lang", "accept_language")
_BRIDGE_FILES: Final = (
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
_REFRESH_TEXT: Final = (
    "Without a filter, or with one that is precomputed, the product is computed again; a filter that is not "
    "precomputed is computed alone. Equal requests share a task. A client that prefers `text/html` is led to "
    "the page that shows the progress."
)
_REFRESH_ANSWERS: Final = {
    **_accepted("Request", "The request is accepted: follow its task.", ("Location",)),
    303: answer("The page that shows the progress.", {"text/html": TEXT}, ("Location",)),
}
_REFRESH_PROBLEMS: Final = (
    *_BAD_FILTER,
    problem.FILTER_ROLLED_BACK,
    problem.UNKNOWN_LANGUAGE,
    problem.UNKNOWN_PRODUCT,
    *_NOT_TAKEN,
    *_NO_FIGURES[1:],
)
_CLEAR_TEXT: Final = (
    "Every figure is computed and written again. What is published is served until then. A form with the "
    "same fields may stand in place of the query."
)
_CLEAR_ANSWERS: Final = _accepted("Requests", "The requests are accepted: follow their tasks.", ())
_CLEAR_PROBLEMS: Final = (problem.UNKNOWN_PRODUCT, *_ADMIN, *_NOT_TAKEN)
_REQUESTS: Final = (
    Operation(
        "requestRefresh",
        "post",
        REFRESH_PATH,
        "requests",
        "Request newer figures of a product",
        _REFRESH_ANSWERS,
        (*_REFRESH_PROBLEMS, problem.CROSS_SITE, *_BODY),
        _FORM,
        f"{_REFRESH_TEXT} A form with the same fields may stand in place of the query.",
        form=_FORM,
        as_page=True,
    ),
    Operation(
        "requestRefreshByAddress",
        "get",
        REFRESH_PATH,
        "requests",
        "Request newer figures of a product by a plain address",
        _REFRESH_ANSWERS,
        (*_REFRESH_PROBLEMS, *_ADMIN),
        _FORM,
        _REFRESH_TEXT,
        security=_AS_ADMIN,
        as_page=True,
    ),
    Operation(
        "requestClear",
        "post",
        CLEAR_PATH,
        "requests",
        "Request that products are computed from the start",
        _CLEAR_ANSWERS,
        (*_CLEAR_PROBLEMS, *_BODY),
        ("products",),
        _CLEAR_TEXT,
        form=("products",),
        security=_AS_ADMIN,
    ),
    Operation(
        "requestClearByAddress",
        "get",
        CLEAR_PATH,
        "requests",
        "The same by a plain address",
        _CLEAR_ANSWERS,
        _CLEAR_PROBLEMS,
        ("products",),
        _CLEAR_TEXT,
        security=_AS_ADMIN,
    ),
    Operation(
        "getTask",
        "get",
        "/manager/dashboard/status/{task_id}",
        "requests",
        "The progress of a request",
        {
            200: answer(
                "The task; `Retry-After` until it has ended.",
                {JSON: ref("Task")},
                sometimes=("Retry-After",),
            )
        },
        (problem.REQUEST_UNKNOWN, problem.NOT_FOUND, problem.CACHE_UNAVAILABLE),
        ("task_id",),
    ),
    Operation(
        "reportDataChanged",
        "post",
        "/webhook/data-changed",
        "requests",
        "Report that the source has changed: every product is refreshed",
        _accepted("Requests", "The requests are accepted: follow their tasks.", ()),
        (
            problem.SIGNATURE_INVALID,
            problem.WEBHOOK_OFF,
            problem.BODY_TOO_LARGE,
            *_NOT_TAKEN,
        ),
        ("timestamp", "signature"),
        "The body may be anything of at most 65,536 bytes: only its signature matters.",
        body={},
        is_public=True,
    ),
)
_HEALTH: Final = (
    _health("system", "The verdict on the whole system, with the state of each part", ref("SystemHealth")),
    _health("ready", "Whether figures can be served", ref("Verdict")),
    _health("live", "Whether this process answers", object_of({"status": one_of(["ok"])}), may_be_down=False),
    Operation(
        "checkOperator",
        "get",
        OPERATE_PATH,
        "health",
        "Whether whoever asks may operate the pipeline",
        {204: answer("They may.", {})},
        text="A proxy asks it before it lets somebody pass to Dagster.",
    ),
    Operation(
        "getCacheStatus",
        "get",
        f"{API_PATH}/cache/status",
        "health",
        "Generations, Redis, reads, alarms and readings of the source",
        {200: answer("The status as this process sees it.", {JSON: ref("CacheStatus")})},
    ),
    Operation(
        "getPerformance",
        "get",
        PERFORMANCE_PATH,
        "health",
        "Lookups, answers and publications of the last five minutes, the last hour and the last day",
        {200: answer("What all processes measured, by window.", {JSON: ref("Performance")})},
        (problem.CACHE_UNAVAILABLE,),
    ),
    Operation(
        "getAlerts",
        "get",
        f"{API_PATH}/alerts",
        "health",
        "Alerts that fire or are pending, and messages that could not be delivered",
        {200: answer("The alerts as they were evaluated last.", {JSON: ref("Alerts")})},
        (problem.INVALID_NUMBER,),
        parameters=("limit", "offset"),
    ),
)
_DESCRIPTION: Final = (
    Operation(
        "getOpenApi",
        "get",
        DOCUMENT_PATH,
        "description",
        "This document",
        {
            200: answer("The document.", {JSON: {"type": "object"}}, ("ETag", "Vary", "Cache-Control")),
            304: unchanged(("ETag", "Vary", "Cache-Control")),
        },
        parameters=("if_none_match",),
    ),
    Operation(
        "exploreApi",
        "get",
        EXPLORER_PATH,
        "description",
        "A page on which to try the operations",
        {200: answer("The page.", {"text/html": TEXT}, ("Cache-Control", "Vary"))},
        (problem.UNKNOWN_LANGUAGE,),
        parameters=("lang", "accept_language"),
    ),
)
