"""Errors as clients see them: RFC 9457 problem details, and the same content as a page for people."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import orjson
from flask import Blueprint, Flask, Response, abort, make_response, request
from werkzeug.exceptions import HTTPException

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.filter_parameters import QueryError
from kpi_pipeline.model.labels import LANGUAGES, Language, Text
from serving.as_of import AS_OF, AS_OF_PARAMETER, InvalidDate
from serving.dates import day_choice, day_text
from serving.filter_faults import AllowedValues, fault_of
from serving.freshness_headers import RETRY_S
from serving.problem_types import PROBLEM_TYPES
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import (
    BRIDGE_NOT_KEPT,
    CACHE_EMPTY,
    CACHE_UNAVAILABLE,
    CERTIFICATE_UNKNOWN,
    INVALID_DATE,
    LIST_NOT_KEPT,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    NOT_READY,
    UNKNOWN_LANGUAGE,
)
from serving.problem_types.requests import BODY_TOO_LARGE, INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND
from serving.requested_page import RequestedPage
from serving.responses import (
    LANGUAGE_PARAMETER,
    UnknownLanguage,
    accepts_page,
    prefers_page,
    reader_language,
)

MACHINE_PATHS: Final = ("/manager/api/", "/manager/dashboard/status/", "/health/", "/webhook/")
"""Prefixes of addresses that programs read: their errors are JSON. All others are pages."""

REFRESH_PATH: Final = "/manager/dashboard/refresh"
"""Read by programs and, after the button of a page, by people: each gets what it prefers."""

DOWNLOADS_PATH: Final = "/manager/api/download"
"""Of files, read by programs and, after a link of a page, by people: of errors each gets what it prefers."""

RETRY: Final = {"Retry-After": str(RETRY_S)}
"""Headers of a problem that passes by itself."""

_LOG: Final = logging.getLogger(__name__)
_OF_PATHS: Final = "/:@!$&'()*+,;="
_OF_QUERIES: Final = f"{_OF_PATHS}?%"
_STRAY_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BY_STATUS: Final = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, INTERNAL)}

_REFUSED: Final = (
    Text("La solicitud no es válida", "The request is not valid"),
    NOT_FOUND.advice,
)
"""Title and advice for readers, of a request that is at fault in a way without a kind of its own."""

_WIDER_TEXTS: Final = {
    **dict.fromkeys(
        (INVALID_DATE, NO_MONTH_END, NO_MONTH_ENDS, LIST_NOT_KEPT, BRIDGE_NOT_KEPT), "to_current"
    ),
    UNKNOWN_LANGUAGE: "to_browser_language",
}
"""By kind, the text of the link to the page without the parameter at fault, where that is no filter."""

routes: Final = Blueprint("problems", __name__)


class Problem(Exception):
    """A request that cannot be answered.

    Attributes:
        kind: What went wrong.
        cause: What it was this time; the kind's advice follows it in the answer.
        members: Further members of the problem document, such as `parameter` and `allowed`.
        headers: Headers of the answer, such as Retry-After.
        blamed: Whether a query parameter, by name and value, is at fault: the page without those is offered
            to people. None where no parameter is.
        allowed: What people can choose instead, by parameter; those of the members by default.
        page: The page that the reader sees; None where that is the address requested.
    """

    def __init__(
        self,
        kind: ProblemType,
        cause: Text | None = None,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        blamed: Callable[[str, str], bool] | None = None,
        allowed: Sequence[AllowedValues] | None = None,
        page: RequestedPage | None = None,
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.cause = cause
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        self.blamed = blamed
        values = tuple(Text(value, value) for value in self.members.get("allowed", ()))
        self.allowed = (AllowedValues(None, values),) if allowed is None else tuple(allowed)
        self.page = page

    def detail(self, language: Language, *, for_programs: bool) -> str:
        """What happened and what to do."""
        cause = f"{self.cause.into(language)} " if self.cause else ""
        return cause + self.kind.explanation(language, for_programs=for_programs)


@routes.get("/problems/<slug>")
def problem_page(slug: str) -> Response:
    """The page that explains one kind of problem: where its type URI leads."""
    kind = PROBLEM_TYPES.get(slug)
    if kind is None:
        abort(404)
    language = reader_language()
    # Commands and settings are for operators: the problems that programs get have them, and the reference.
    explanation = kind.explanation(language, for_programs=False)
    response = _page(kind.status, kind.title.into(language), explanation)
    response.status_code = 200
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def problem_response(problem: Problem) -> Response:
    """Answer with a problem: JSON for programs, a page for people."""
    kind = problem.kind
    if is_for_programs():
        detail = problem.detail("en", for_programs=True)
        response = _document(
            kind.status, type=kind.uri, title=kind.title.en, detail=detail, **problem.members
        )
    else:
        language = (problem.page or RequestedPage.of_request()).language
        response = _page(
            kind.status,
            kind.title.into(language),
            kind.explanation(language, for_programs=False),
            cause=problem.cause.into(language) if problem.cause else "",
            allowed=problem.allowed,
            page=problem.page,
            blamed=problem.blamed,
            wider_text=_WIDER_TEXTS.get(problem.kind, ""),
            leads_to_list=problem.kind is CERTIFICATE_UNKNOWN,
        )
    response.headers.update(problem.headers)
    return response


def register_problem_handlers(app: Flask) -> None:
    """Make every failure of a request answer with a problem; a failure of ours never shows a trace."""
    app.register_blueprint(routes)
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidDate, _invalid_date)
    app.register_error_handler(UnknownLanguage, _unknown_language)
    app.register_error_handler(QueryError, lambda error: problem_response(filter_problem(error)))
    app.register_error_handler(NoMonthEnd, _no_month_end)
    app.register_error_handler(NoRedis, _unavailable)
    app.register_error_handler(CacheUnavailable, _unavailable)
    app.register_error_handler(NothingPublished, _empty)
    app.register_error_handler(CorruptPayload, _corrupt)


def _http_error(error: HTTPException) -> Response:
    status = error.code or INTERNAL.status
    if kind := _BY_STATUS.get(status):
        response = problem_response(Problem(kind))
    else:
        name = HTTPStatus(status).phrase
        if is_for_programs():
            response = _document(status, type="about:blank", title=name, detail=error.description or name)
        else:
            language = RequestedPage.of_request().language
            told = _REFUSED if status < INTERNAL.status else (INTERNAL.title, INTERNAL.advice)
            response = _page(status, *(text.into(language) for text in told))
    for header, value in error.get_headers():
        if header.casefold() == "allow":
            response.headers[header] = value
    return response


def _invalid_date(error: InvalidDate) -> Response:
    cause = Text(
        f"«{AS_OF_PARAMETER.label.es}» ({AS_OF}): «{error.value}» no es una fecha.",
        f'"{AS_OF_PARAMETER.label.en}" ({AS_OF}): "{error.value}" is not a date.',
    )
    members = {"parameter": AS_OF, "value": error.value}
    return problem_response(Problem(INVALID_DATE, cause, members=members, blamed=_is_date))


def _unknown_language(error: UnknownLanguage) -> Response:
    cause = Text(
        f"«{error.value}» no es un idioma de estas páginas.",
        f'"{error.value}" is no language of these pages.',
    )
    members = {"parameter": LANGUAGE_PARAMETER, "value": error.value, "allowed": LANGUAGES}
    return problem_response(Problem(UNKNOWN_LANGUAGE, cause, members=members, blamed=_is_language))


def filter_problem(error: QueryError, page: "RequestedPage | None" = None) -> Problem:
    """The problem of query parameters that are no filter: all that is at fault, at once.

    Args:
        error: What is wrong with them.
        page: The page that the reader sees; None where that is the address requested.
    """
    faults = [fault_of(one) for one in (error, *error.others)]
    members = [
        {"parameter": one.parameter, "value": one.value, "allowed": one.allowed}
        for one in (error, *error.others)
    ]
    return Problem(
        faults[0].kind,
        Text(" ".join(fault.cause.es for fault in faults), " ".join(fault.cause.en for fault in faults)),
        members=members[0] | ({"others": members[1:]} if members[1:] else {}),
        blamed=lambda name, value: any(fault.blames(name, value) for fault in faults),
        allowed=tuple(fault.allowed for fault in faults),
        page=page,
    )


def _no_month_end(error: NoMonthEnd) -> Response:
    day = day_text(error.as_of)
    members: dict[str, Any] = {"parameter": AS_OF, "value": error.as_of.isoformat()}
    if not error.available:
        cause = Text(f"No hay cifras al {day.es}.", f"There are no figures as of {day.en}.")
        return problem_response(Problem(NO_MONTH_ENDS, cause, members=members, blamed=_is_date))
    cause = Text(
        f"No se guarda ningún cierre de mes hasta el {day.es}.",
        f"No month end is kept on or before {day.en}.",
    )
    members["allowed"] = tuple(month_end.isoformat() for month_end in error.available)
    allowed = (AllowedValues(None, tuple(map(day_choice, members["allowed"]))),)
    return problem_response(Problem(NO_MONTH_END, cause, members=members, blamed=_is_date, allowed=allowed))


def _unavailable(error: NoRedis | CacheUnavailable) -> Response:
    # The error's own words name addresses and files: for the log and `kpi doctor`, not for readers.
    _LOG.debug("answered with %s: %s", CACHE_UNAVAILABLE.slug, error)
    return problem_response(Problem(CACHE_UNAVAILABLE, headers=RETRY))


def _empty(error: NothingPublished) -> Response:
    _LOG.debug("answered with %s: %s", CACHE_EMPTY.slug, error)
    return problem_response(Problem(CACHE_EMPTY, members={"product": error.product}, headers=RETRY))


def _corrupt(error: CorruptPayload) -> Response:
    _LOG.warning("answered with %s: %s", NOT_READY.slug, error)
    return problem_response(Problem(NOT_READY, headers=RETRY))


def is_for_programs() -> bool:
    """Whether the present request is answered with JSON, and not with a page."""
    if request.path == REFRESH_PATH or _is_for_file():
        return not prefers_page(request.headers.get("Accept", ""))
    # What accepts no page is no reader: the stream of events of an open page, as a rule.
    return request.path.startswith(MACHINE_PATHS) or not accepts_page(request.headers.get("Accept", ""))


def _is_for_file() -> bool:
    return request.path.startswith(f"{DOWNLOADS_PATH}/")


def _document(status: int, **members: Any) -> Response:
    document = {"status": status, "instance": _requested_address(), **members}
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(document), status, headers, content_type="application/problem+json")


def _requested_address() -> str:
    """The path and query of the present request as a URI reference, whatever the client has written."""
    path = quote(request.path, safe=_OF_PATHS)
    query = quote(_STRAY_PERCENT.sub(b"%25", request.query_string), safe=_OF_QUERIES)
    return f"{path}?{query}" if query else path


def _is_date(name: str, _value: str) -> bool:
    return name == AS_OF


def _is_language(name: str, _value: str) -> bool:
    return name == LANGUAGE_PARAMETER


def _page(
    status: int,
    title: str,
    advice: str,
    *,
    cause: str = "",
    allowed: Sequence[AllowedValues] = (),
    page: "RequestedPage | None" = None,
    blamed: Callable[[str, str], bool] | None = None,
    wider_text: str = "",
    leads_to_list: bool = False,
) -> Response:
    shown = page or RequestedPage.of_request()
    language = shown.language
    body = shown.message(
        "problem.html",
        status=status,
        title=title,
        cause=cause,
        advice=advice,
        allowed=[
            (
                values.label.into(language) if values.label else "",
                [one.into(language) for one in values.values],
            )
            for values in allowed
            if values.values
        ],
        leads_to_list=leads_to_list,
        wider_url=shown.without(blamed) if blamed else "",
        wider_text="to_other_file"
        if _is_for_file()
        else wider_text or ("to_wider_several" if len(allowed) > 1 else "to_wider"),
    )
    return make_response(body, status, {"Cache-Control": "no-store", "Vary": "Accept-Language"})
