"""Errors as clients see them: RFC 9457 problem details, and the same content as a page for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from serving.negotiation import choose_language, prefers_page
from serving.problem_types import (
    INTERNAL,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    ProblemType,
    Text,
)

MACHINE_PATHS: Final = ("/manager/api/", "/manager/dashboard/status/", "/health/", "/webhook/")
"""Prefixes of addresses that programs read: their errors are JSON. All others are pages."""

REFRESH_PATH: Final = "/manager/dashboard/refresh"
"""Read by programs and, after the button of a page, by people: each gets what it prefers."""

_BY_STATUS: Final = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, INTERNAL)}


class Problem(Exception):
    """A request that cannot be answered as asked.

    Attributes:
        kind: What went wrong.
        cause: What it was this time; the kind's advice follows it in the answer.
        members: Further members of the problem document, such as `parameter` and `allowed`.
        headers: Headers of the answer, such as Retry-After.
    """

    def __init__(
        self,
        kind: ProblemType,
        cause: Text | None = None,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.cause = cause
        self.members = dict(members or {})
        self.headers = dict(headers or {})

    def detail(self) -> Text:
        """What happened and what to do."""
        if self.cause is None:
            return self.kind.advice
        return Text(
            *(f"{cause} {advice}" for cause, advice in zip(self.cause, self.kind.advice, strict=True))
        )


def problem_response(problem: Problem) -> Response:
    """Answer with a problem: JSON under the machine paths, a page elsewhere."""
    if _is_for_programs():
        response = _as_json(
            problem.kind.status,
            type=problem.kind.uri,
            title=problem.kind.title.en,
            detail=problem.detail().en,
            **problem.members,
        )
    else:
        response = _as_page(
            problem.kind.status, problem.kind.title, problem.detail(), problem.members.get("allowed", ())
        )
    response.headers.update(problem.headers)
    return response


def register_problem_handlers(app: Flask) -> None:
    """Make every failure of a request answer with a problem; a failure of ours never shows a trace."""
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_error)


def _http_error(error: HTTPException) -> Response:
    status = error.code or INTERNAL.status
    if kind := _BY_STATUS.get(status):
        response = problem_response(Problem(kind))
    else:
        name = HTTPStatus(status).phrase
        text = Text(name, name)
        if _is_for_programs():
            response = _as_json(status, type="about:blank", title=name, detail=error.description or name)
        else:
            response = _as_page(status, text, text, ())
    for header, value in error.get_headers():
        if header.casefold() == "allow":
            response.headers[header] = value
    return response


def _is_for_programs() -> bool:
    if request.path == REFRESH_PATH:
        return not prefers_page(request.headers.get("Accept", ""))
    return request.path.startswith(MACHINE_PATHS)


def _as_json(status: int, **members: Any) -> Response:
    document = {"status": status, "instance": request.full_path.rstrip("?"), **members}
    return Response(
        orjson.dumps(document),
        status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


def _as_page(status: int, title: Text, detail: Text, allowed: tuple[str, ...]) -> Response:
    language = choose_language(request.args.get("lang", ""), request.headers.get("Accept-Language", ""))
    page = render_template(
        "problem.html",
        language=language,
        status=status,
        title=title.into(language),
        detail=detail.into(language),
        allowed=allowed,
    )
    return current_app.response_class(
        page, status, headers={"Cache-Control": "no-store", "Vary": "Accept-Language"}
    )
