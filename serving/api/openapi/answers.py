"""The answers of the API's operations: statuses, headers, bodies and problems."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kpi_pipeline.cache.freshness import AnswerState
from serving.api.openapi.json_schema import (
    BOOLEAN,
    DAY,
    INTEGER,
    MOMENT,
    TEXT,
    Schema,
    described,
    list_of,
    map_of,
    object_of,
    one_of,
    or_null,
    ref,
)
from serving.api.openapi.system_schemas import FILTER, PRODUCT, STATUS_URL, TASK_ID
from serving.problem_types.access import (
    FORM_EXPIRED,
    NOT_PERMITTED,
    PASSWORD_NEEDED,
    SCOPE_UNKNOWN,
    SIGN_IN_NEEDED,
    SIGN_IN_UNAVAILABLE,
)
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import UNTRUSTED_HOST
from serving.problem_types.requests import INTERNAL

Answer = dict[str, Any]
"""One response of an operation."""

JSON: Final = "application/json"

_EVERYWHERE: Final = (UNTRUSTED_HOST, INTERNAL)
"""Problems that any request may meet."""

OF_ACCESS: Final = (SIGN_IN_NEEDED, NOT_PERMITTED, SCOPE_UNKNOWN, PASSWORD_NEEDED, SIGN_IN_UNAVAILABLE)
"""Those of requests that not everybody may make, where access is controlled."""

OF_CHANGES: Final = (*OF_ACCESS, FORM_EXPIRED)
"""Those of requests that change something."""

_HEADERS: Final[Mapping[str, tuple[Schema, str]]] = {
    "ETag": (TEXT, "Changes with the content; send it as `If-None-Match`."),
    "Age": (INTEGER, "Seconds since the source last confirmed the figures."),
    "Cache-Control": (TEXT, "Whether and for how long a client may keep the answer."),
    "Vary": (TEXT, "Headers of the request that the answer depends on."),
    "X-Cache-State": (one_of(state.value for state in AnswerState), "The state of the figures."),
    "X-Fresh-Until": (MOMENT, "Until when the figures are fresh."),
    "X-As-Of": (DAY, "The business date of the figures."),
    "X-Generation": (TEXT, "The publication that the figures are of."),
    "X-Rolled-Back-At": (MOMENT, "When an administrator went back to the earlier reading that is shown."),
    "X-Mixed-Readings": (TEXT, "The reading of each product, as `kpis=<digest>, …`, while these differ."),
    "X-Cache-Reachable": (one_of(["no"]), "Redis cannot be reached: these are the last known figures."),
    "Retry-After": (INTEGER, "Seconds after which to send the request again."),
    "Location": ({**TEXT, "format": "uri-reference"}, "The address to follow."),
    "Content-Disposition": (TEXT, "The name of the file."),
    "WWW-Authenticate": (TEXT, "How to authenticate."),
    "Accept-Post": (TEXT, "Formats of a body that are read."),
}
_RARE: Final = ("X-Rolled-Back-At", "X-Mixed-Readings", "X-Cache-Reachable")
"""Headers that no answer always has."""

_LIVE_ONLY: Final = ("Age", "X-Fresh-Until", *_RARE)
_OF_FIGURES: Final = ("Cache-Control", "X-Cache-State", "X-Generation", "X-As-Of")
_WITH_TAG: Final = ("ETag", "Vary", *_OF_FIGURES)
_OF_STATUS: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    415: ("Accept-Post",),
    503: ("Retry-After",),
}
"""Headers that the problems of a status have beside `Cache-Control`."""


def header_components() -> dict[str, Any]:
    """The headers that some answers always have, by name."""
    return {name: _header(name, required=True) for name in _HEADERS if name not in _RARE}


def answer_schemas() -> dict[str, Schema]:
    """The schemas of `meta` and of problems by name."""
    live = {
        **_IDENTITY,
        "state": one_of([AnswerState.FRESH.value, AnswerState.STALE.value]),
        **_LIVE,
        **_READINGS,
    }
    missing = {
        **live,
        "state": one_of([AnswerState.MISSING.value]),
        "essential": described(BOOLEAN, "Always true: the figures are of a wider filter."),
        "asked_filter": FILTER,
        "task": described(or_null(ref("TaskReference")), "The task that computes the requested filter."),
    }
    wider = "Of figures of the nearest wider filter, in place of those of a filter that is not precomputed."
    return {
        "TaskReference": object_of({"id": TASK_ID, "status_url": STATUS_URL}),
        "LiveMeta": object_of(live, description="Of the current figures."),
        "MissingMeta": object_of(missing, description=wider),
        "MissingFileMeta": object_of(
            {name: schema for name, schema in missing.items() if name not in _IDENTITY},
            description="Of a file whose figures are not precomputed.",
        ),
        "HistoricMeta": object_of(
            {**_IDENTITY, **_HISTORIC}, description="Of figures of a month end, which do not age."
        ),
        "CatalogueMeta": object_of(
            {
                "product": PRODUCT,
                "state": one_of([AnswerState.FRESH.value, AnswerState.STALE.value]),
                **_LIVE,
            },
            description="Of the current catalogue.",
        ),
        "HistoricCatalogueMeta": object_of(
            {"product": PRODUCT, **_HISTORIC}, description="Of the catalogue of a month end."
        ),
        "Problem": _PROBLEM,
    }


def envelope(data: Schema, *metas: str) -> Schema:
    """The body of an answer: `data`, and one of some `meta`."""
    one, *others = map(ref, metas)
    return object_of({"data": data, "meta": {"oneOf": [one, *others]} if others else one})


def figures(data: Schema) -> dict[int, Answer]:
    """The answers that give a product's figures."""
    return {
        200: answer(
            "The figures: of now, or of a month end with `as_of`.",
            {JSON: envelope(data, "LiveMeta", "HistoricMeta")},
            _WITH_TAG,
            sometimes=_LIVE_ONLY,
        ),
        202: answer(
            "The filter is not precomputed, and has been requested: the figures of the nearest wider filter.",
            {JSON: envelope(data, "MissingMeta")},
            ("Retry-After", "Vary", "Age", "X-Fresh-Until", *_OF_FIGURES),
            sometimes=_RARE,
        ),
        304: unchanged(_WITH_TAG, sometimes=_LIVE_ONLY),
    }


def catalogue(data: Schema) -> dict[int, Answer]:
    """The answers that give the catalogue."""
    always = ("ETag", *_OF_FIGURES)
    body = {JSON: envelope(data, "CatalogueMeta", "HistoricCatalogueMeta")}
    sometimes = ("Age", "X-Fresh-Until")
    return {
        200: answer("The catalogue.", body, always, sometimes=sometimes),
        304: unchanged(always, sometimes=sometimes),
    }


def file(media_type: str, schema: Schema, text: str) -> dict[int, Answer]:
    """The answers that give a file of a page's figures."""
    prepared = object_of({"data": {"type": "null"}, "meta": ref("MissingFileMeta")})
    return {
        200: answer(
            text, {media_type: schema}, ("Content-Disposition", "Vary", *_OF_FIGURES), sometimes=_LIVE_ONLY
        ),
        202: answer(
            "The figures are not precomputed, and have been requested: there is no file yet.",
            {JSON: prepared, "text/html": TEXT},
            ("Retry-After", "Vary", "Age", "X-Fresh-Until", *_OF_FIGURES),
            sometimes=_RARE,
        ),
    }


def list_page(data: Schema) -> dict[int, Answer]:
    """The answers that give a page of the list of certificates."""
    body = {JSON: envelope(data, "LiveMeta")}
    return {
        200: answer("The page.", body, _WITH_TAG, sometimes=_LIVE_ONLY),
        304: unchanged(_WITH_TAG, sometimes=_LIVE_ONLY),
    }


def dated_page(data: Schema) -> dict[int, Answer]:
    """The answers that give figures of now, or of a month end."""
    body = {JSON: envelope(data, "LiveMeta", "HistoricMeta")}
    text = "The figures: of now, or of a month end with `as_of`."
    return {**list_page(data), 200: answer(text, body, _WITH_TAG, sometimes=_LIVE_ONLY)}


def prepared_page(answers: Mapping[int, Answer], data: Schema, prepared: str) -> dict[int, Answer]:
    """The answers that give figures, or say that these are being computed.

    Args:
        answers: Those that give figures.
        data: The schema of what is given.
        prepared: What it has of figures that are being computed.
    """
    return {
        **answers,
        202: answer(
            prepared,
            {JSON: envelope(data, "MissingMeta")},
            ("Retry-After", "Age", "X-Fresh-Until", *_OF_FIGURES),
            sometimes=_RARE,
        ),
    }


def list_file(media_type: str, schema: Schema, text: str) -> dict[int, Answer]:
    """The answer that gives a file of the list of certificates."""
    always = ("Content-Disposition", "Vary", *_OF_FIGURES)
    return {200: answer(text, {media_type: schema}, always, sometimes=_LIVE_ONLY)}


def unchanged(always: Sequence[str], *, sometimes: Sequence[str] = ()) -> Answer:
    """What the client has is still right."""
    return answer("What you have is still right.", {}, always, sometimes=sometimes)


def answer(
    text: str,
    content: Mapping[str, Schema],
    always: Sequence[str] = ("Cache-Control",),
    *,
    sometimes: Sequence[str] = (),
) -> Answer:
    """One response.

    Args:
        text: What it is.
        content: Schemas of its body by media type; none without a body.
        always: Names of headers that it has.
        sometimes: Names of headers that it may have.
    """
    named: dict[str, Any] = {name: {"$ref": f"#/components/headers/{name}"} for name in always}
    named |= {name: _header(name, required=False) for name in sometimes}
    made: Answer = {"description": text, "headers": named}
    if content:
        made["content"] = {media_type: {"schema": schema} for media_type, schema in content.items()}
    return made


def problems(kinds: Iterable[ProblemType], *, as_page: bool = False) -> dict[int, Answer]:
    """The answers of some kinds of problem and of those that any request may meet.

    Args:
        kinds: The kinds.
        as_page: Whether a client that prefers a page gets one.
    """
    by_status: dict[int, list[ProblemType]] = {}
    for kind in dict.fromkeys((*kinds, *_EVERYWHERE)):
        by_status.setdefault(kind.status, []).append(kind)
    return {status: _problem(status, held, as_page=as_page) for status, held in sorted(by_status.items())}


def both_answers(one: Answer | None, other: Answer) -> Answer:
    """The answer of a status that an operation has in two ways, such as a report and a problem."""
    if one is None:
        return other
    return {
        "description": f"{one['description']} {other['description']}.",
        # What both have: only those does the answer have in any case.
        "headers": {name: held for name, held in one["headers"].items() if name in other["headers"]},
        "content": {**one.get("content", {}), **other.get("content", {})},
    }


def _problem(status: int, kinds: Sequence[ProblemType], *, as_page: bool) -> Answer:
    narrowed: Schema = {
        "allOf": [ref("Problem")],
        "type": "object",
        "properties": {"type": one_of(kind.uri for kind in kinds), "status": {"const": status}},
    }
    always = ("Cache-Control", *_OF_STATUS.get(status, ()))
    made = answer("; ".join(kind.title.en for kind in kinds), {"application/problem+json": narrowed}, always)
    made["content"]["application/problem+json"]["examples"] = {
        kind.slug: {
            "summary": kind.title.en,
            "value": {
                "type": kind.uri,
                "title": kind.title.en,
                "status": status,
                "detail": kind.explanation("en", for_programs=True),
                "instance": "/",
            },
        }
        for kind in kinds
    }
    if as_page:
        made["content"]["text/html"] = {"schema": TEXT}
    return made


def _header(name: str, *, required: bool) -> dict[str, Any]:
    schema, text = _HEADERS[name]
    return {"description": text, "required": required, "schema": schema}


_IDENTITY: Final = {
    "product": PRODUCT,
    "filter": described(FILTER, "The filter that the figures are of. {} is everything."),
    "scope": TEXT,
}
_LIVE: Final = {
    "generation": TEXT,
    "as_of": described(DAY, "The business date."),
    "computed_at": MOMENT,
    "verified_at": described(MOMENT, "When the source last confirmed the figures."),
    "age_s": described(INTEGER, "Seconds since then."),
    "fresh_until": MOMENT,
    "stale_until": described(MOMENT, "From then on they are no longer shown."),
    "run_id": TEXT,
    "watermark": described(or_null(TEXT), "How far the source had come, in its own terms."),
}
_READINGS: Final = {
    "reading": described(TEXT, "Digest of the reading of the source; equal ones agree with each other."),
    "rolled_back": described(
        or_null(object_of({"read_at": MOMENT, "rolled_back_at": MOMENT})),
        "The earlier reading that was gone back to, and when; null as a rule.",
    ),
    "mixed_readings": described(
        or_null(map_of(object_of({"reading": TEXT, "read_at": MOMENT}))),
        "The reading of each product, while these differ; null as a rule.",
    ),
}
_HISTORIC: Final = {
    "state": one_of([AnswerState.HISTORIC.value]),
    "generation": TEXT,
    "as_of": described(DAY, "The month end."),
    "asked_as_of": DAY,
    "computed_at": MOMENT,
    "run_id": TEXT,
    "watermark": or_null(TEXT),
}
_PROBLEM: Final = object_of(
    {
        "type": described(
            {**TEXT, "format": "uri-reference"}, "The kind of problem; its address explains it to people."
        ),
        "title": TEXT,
        "status": INTEGER,
        "detail": described(TEXT, "What happened, and what to do."),
        "instance": described({**TEXT, "format": "uri-reference"}, "The address requested."),
        "parameter": described(TEXT, "The parameter at fault."),
        "value": described(or_null(TEXT), "Its value at fault; null where it is the name."),
        "allowed": described(list_of(TEXT), "What may stand in its place."),
        "others": described(
            list_of(object_of({"parameter": TEXT, "value": or_null(TEXT), "allowed": list_of(TEXT)})),
            "Further parameters at fault.",
        ),
        "asked_filter": FILTER,
        "permission": described(TEXT, "What is not permitted."),
        "work": described(TEXT, "What was requested too often."),
        "per_minute": described(INTEGER, "How often it may be requested in a minute."),
        "product": TEXT,
        "generation": TEXT,
        "stale_until": MOMENT,
        "task": described(or_null(ref("TaskReference")), "The task that computes what is missing."),
    },
    optional=(
        *("parameter", "value", "allowed", "others", "asked_filter", "permission", "work", "per_minute"),
        *("product", "generation", "stale_until", "task"),
    ),
    description="Problem details (RFC 9457).",
)
