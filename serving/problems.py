"""Errors as clients see them: RFC 9457 problem details, and the same content as a page for people."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from flask import Blueprint, Flask, Response, abort, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.filter_parameters import FilterConflict, NoMonths, QueryError
from kpi_pipeline.model.labels import Language, Text
from serving.as_of import AS_OF, InvalidDate
from serving.freshness import RETRY_S
from serving.problem_types import (
    BODY_TOO_LARGE,
    CACHE_EMPTY,
    CACHE_UNAVAILABLE,
    FILTER_CONFLICT,
    INTERNAL,
    INVALID_DATE,
    METHOD_NOT_ALLOWED,
    NO_MONTH_END,
    NOT_FOUND,
    NOT_READY,
    PROBLEM_TYPES,
    UNKNOWN_FILTER,
    UNKNOWN_FILTER_VALUE,
    ProblemType,
)
from serving.responses import prefers_page, reader_language

MACHINE_PATHS: Final = ("/manager/api/", "/manager/dashboard/status/", "/health/", "/webhook/")
"""Prefixes of addresses that programs read: their errors are JSON. All others are pages."""

REFRESH_PATH: Final = "/manager/dashboard/refresh"
"""Read by programs and, after the button of a page, by people: each gets what it prefers."""

RETRY: Final = {"Retry-After": str(RETRY_S)}
"""Headers of a problem that passes by itself."""

_LOG: Final = logging.getLogger(__name__)
_OF_PATHS: Final = "/:@!$&'()*+,;="
_OF_QUERIES: Final = f"{_OF_PATHS}?%"
_STRAY_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BY_STATUS: Final = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, INTERNAL)}

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
    """

    def __init__(
        self,
        kind: ProblemType,
        cause: Text | None = None,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        blamed: Callable[[str, str], bool] | None = None,
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.cause = cause
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        self.blamed = blamed

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
    explanation = kind.explanation(language, for_programs=True)
    response = _page(kind.status, kind.title.into(language), explanation)
    response.status_code = 200
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def problem_response(problem: Problem) -> Response:
    """Answer with a problem: JSON under the machine paths, a page elsewhere."""
    kind = problem.kind
    if _is_for_programs():
        detail = problem.detail("en", for_programs=True)
        response = _document(
            kind.status, type=kind.uri, title=kind.title.en, detail=detail, **problem.members
        )
    else:
        language = reader_language()
        response = _page(
            kind.status,
            kind.title.into(language),
            kind.explanation(language, for_programs=False),
            cause=problem.cause.into(language) if problem.cause else "",
            allowed=problem.members.get("allowed", ()),
            wider_url=_address_without(problem.blamed) if problem.blamed else "",
        )
    response.headers.update(problem.headers)
    return response


def register_problem_handlers(app: Flask) -> None:
    """Make every failure of a request answer with a problem; a failure of ours never shows a trace."""
    app.register_blueprint(routes)
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidDate, _invalid_date)
    app.register_error_handler(QueryError, _unknown_filter)
    app.register_error_handler(FilterConflict, _filter_conflict)
    app.register_error_handler(NoMonths, _no_months)
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
        if _is_for_programs():
            response = _document(status, type="about:blank", title=name, detail=error.description or name)
        else:
            response = _page(status, name, name)
    for header, value in error.get_headers():
        if header.casefold() == "allow":
            response.headers[header] = value
    return response


def _invalid_date(error: InvalidDate) -> Response:
    cause = Text(f"«{error.value}» no es una fecha.", f'"{error.value}" is not a date.')
    members = {"parameter": AS_OF, "value": error.value}
    return problem_response(Problem(INVALID_DATE, cause, members=members, blamed=_is_date))


def _unknown_filter(error: QueryError) -> Response:
    if error.value is None:
        kind = UNKNOWN_FILTER
        cause = Text(f"No hay ningún filtro «{error.parameter}».", f'There is no filter "{error.parameter}".')
    else:
        kind = UNKNOWN_FILTER_VALUE
        cause = Text(
            f"El filtro «{error.parameter}» no tiene el valor «{error.value}».",
            f'The filter "{error.parameter}" has no value "{error.value}".',
        )
    members = {"parameter": error.parameter, "value": error.value, "allowed": error.allowed}
    return problem_response(
        Problem(
            kind,
            cause,
            members=members,
            blamed=lambda name, value: name == error.parameter and error.value in (None, value),
        )
    )


def _no_months(error: NoMonths) -> Response:
    first, last = error.first, error.last
    if error.is_reversed:
        cause = Text(
            f"El periodo comienza en {first} y termina antes, en {last} (filtro «{error.parameter}»).",
            f'The range begins in {first} and ends before, in {last} (filter "{error.parameter}").',
        )
    else:
        begin = Text(f" desde {first}", f" from {first}") if first else Text("", "")
        end = Text(f" hasta {last}", f" up to {last}") if last else Text("", "")
        cause = Text(
            f"No hay datos{begin.es}{end.es} (filtro «{error.parameter}»).",
            f'There are no data{begin.en}{end.en} (filter "{error.parameter}").',
        )
    members = {"parameter": error.parameter, "value": error.value, "allowed": error.allowed}
    return problem_response(
        Problem(UNKNOWN_FILTER_VALUE, cause, members=members, blamed=lambda _, value: value in (first, last))
    )


def _filter_conflict(error: FilterConflict) -> Response:
    if error.parameter == error.other:
        first, second = error.allowed
        cause = Text(
            f"El filtro «{error.parameter}» no puede ser a la vez «{first}» y «{second}».",
            f'The filter "{error.parameter}" cannot be both "{first}" and "{second}".',
        )
    else:
        cause = Text(
            f"Los filtros «{error.other}» y «{error.parameter}» no van juntos.",
            f'The filters "{error.other}" and "{error.parameter}" do not go together.',
        )
    members = {"parameter": error.parameter, "value": None, "allowed": error.allowed}
    return problem_response(
        Problem(FILTER_CONFLICT, cause, members=members, blamed=lambda name, _: name == error.parameter)
    )


def _no_month_end(error: NoMonthEnd) -> Response:
    day = error.as_of.isoformat()
    cause = Text(
        f"No se guarda ningún cierre de mes hasta el {day}.", f"No month end is kept on or before {day}."
    )
    allowed = tuple(month_end.isoformat() for month_end in error.available)
    members = {"parameter": AS_OF, "value": day, "allowed": allowed}
    return problem_response(Problem(NO_MONTH_END, cause, members=members, blamed=_is_date))


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


def _is_for_programs() -> bool:
    if request.path == REFRESH_PATH:
        return not prefers_page(request.headers.get("Accept", ""))
    return request.path.startswith(MACHINE_PATHS)


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


def _address_without(blamed: Callable[[str, str], bool]) -> str:
    """The address requested, without the query parameters at fault."""
    kept = [pair for pair in request.args.items(multi=True) if not blamed(*pair)]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def _page(
    status: int,
    title: str,
    advice: str,
    *,
    cause: str = "",
    allowed: Sequence[str] = (),
    wider_url: str = "",
) -> Response:
    body = render_template(
        "problem.html",
        language=reader_language(),
        status=status,
        title=title,
        cause=cause,
        advice=advice,
        allowed=allowed,
        wider_url=wider_url,
    )
    return make_response(body, status, {"Cache-Control": "no-store", "Vary": "Accept-Language"})
