"""Operations that request work, and follow it."""

from collections.abc import Sequence
from typing import Final

from serving.api.openapi.answers import (
    JSON,
    Answer,
    answer,
)
from serving.api.openapi.json_schema import TEXT, ref
from serving.api.openapi.operations.operation import BAD_FILTER, FILTERS, NO_FIGURES, Operation
from serving.api.refresh import CLEAR_PATH
from serving.problem_types.access import TOO_MANY_REQUESTS
from serving.problem_types.figures import (
    CACHE_UNAVAILABLE,
    FILTER_ROLLED_BACK,
    REQUEST_UNKNOWN,
    UNKNOWN_LANGUAGE,
)
from serving.problem_types.requests import (
    BODY_TOO_LARGE,
    CROSS_SITE,
    NOT_FOUND,
    REQUEST_REFUSED,
    SIGNATURE_INVALID,
    TOKEN_NEEDED,
    UNKNOWN_PRODUCT,
    UNREADABLE_FORM,
    UNSUPPORTED_BODY,
    WEBHOOK_OFF,
)
from serving.problems import REFRESH_PATH

_NOT_TAKEN: Final = (TOO_MANY_REQUESTS, REQUEST_REFUSED, CACHE_UNAVAILABLE)
_ADMIN: Final = (TOKEN_NEEDED, CROSS_SITE)
_BODY: Final = (UNREADABLE_FORM, BODY_TOO_LARGE, UNSUPPORTED_BODY)
_FORM: Final = (*FILTERS, "product", "lang", "form_page")
_AS_ADMIN: Final[list[dict[str, list[str]]]] = [{"adminToken": []}, {}]
"""Without a token where none is set and the request is of the same machine."""


def _accepted(schema: str, text: str, always: Sequence[str]) -> dict[int, Answer]:
    return {202: answer(text, {JSON: ref(schema)}, ("Cache-Control", "Retry-After", *always))}


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
    *BAD_FILTER,
    FILTER_ROLLED_BACK,
    UNKNOWN_LANGUAGE,
    UNKNOWN_PRODUCT,
    *_NOT_TAKEN,
    *NO_FIGURES[1:],
)
_CLEAR_TEXT: Final = (
    "Every figure is computed and written again. What is published is served until then. A form with the "
    "same fields may stand in place of the query."
)
_CLEAR_ANSWERS: Final = _accepted("Requests", "The requests are accepted: follow their tasks.", ())
_CLEAR_PROBLEMS: Final = (UNKNOWN_PRODUCT, *_ADMIN, *_NOT_TAKEN)
REQUESTS: Final = (
    Operation(
        "requestRefresh",
        "post",
        REFRESH_PATH,
        "requests",
        "Request newer figures of a product",
        _REFRESH_ANSWERS,
        (*_REFRESH_PROBLEMS, CROSS_SITE, *_BODY),
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
        (REQUEST_UNKNOWN, NOT_FOUND, CACHE_UNAVAILABLE),
        ("task_id", "accept_language"),
    ),
    Operation(
        "reportDataChanged",
        "post",
        "/webhook/data-changed",
        "requests",
        "Report that the source has changed: every product is refreshed",
        _accepted("Requests", "The requests are accepted: follow their tasks.", ()),
        (
            SIGNATURE_INVALID,
            WEBHOOK_OFF,
            BODY_TOO_LARGE,
            *_NOT_TAKEN,
        ),
        ("timestamp", "signature"),
        "The body may be anything of at most 65,536 bytes: only its signature matters.",
        body={},
        is_public=True,
    ),
)
