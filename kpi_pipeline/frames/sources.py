"""Where figures are read: the HTTP API or Redis, both with the same result."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.client import HTTPException
from typing import Any, Final, Literal, get_args
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import orjson

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis, connect, redis_url
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.frames.published import Published, require
from kpi_pipeline.model.filter_parameters import parse_filter
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.settings import Settings

FilterValue = str | Iterable[str]
OnMissing = Literal["raise", "wider"]
Parameters = list[tuple[str, str]]

_TIMEOUT_S: Final = 30.0
_API_PATHS: Final = {"dashboards": "dashboard"}
_NO_READINGS: Final = LiveReadings({}, mixed=False).meta("")
"""Said of the past."""

_PROBLEM_REASONS: Final = {
    "cache-unavailable": "unreachable",
    "cache-empty": "unpublished",
    "expired": "expired",
    "not-ready": "missing",
    "filter-not-kept": "missing",
    "no-month-end": "no_month_end",
    "no-month-ends": "no_month_end",
}


class Unavailable(RuntimeError):
    """Figures that cannot be given; the message says what to do.

    Attributes:
        reason: `unreachable`, `unpublished`, `expired`, `missing` (the filter is not precomputed),
            `no_month_end`, `corrupt`, or `refused` by the HTTP API.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read(
    source: str | None,
    product: str,
    filters: Mapping[str, FilterValue],
    as_of: date | str | None,
    on_missing: OnMissing,
) -> Published:
    """Read what a product says of a filter; see `readers.kpis` for the other arguments and the errors."""
    require(on_missing, get_args(OnMissing), "on_missing")
    parameters = [
        (name.removesuffix("_"), value)
        for name, given in filters.items()
        for value in ((given,) if isinstance(given, str) else given)
    ]
    day = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    try:
        address = redis_url(Settings()) if source is None else source
    except NoRedis as error:
        raise Unavailable("unreachable", str(error)) from error
    match urlsplit(address).scheme:
        case "http" | "https":
            result = _read_api(address.rstrip("/"), product, parameters, day)
        case "redis" | "rediss" | "unix":
            result = _read_redis(address, product, parameters, day)
        case scheme:
            raise ValueError(f"unknown source {scheme!r}; use http://host:port or redis://host:port/0")
    if result.state == AnswerState.MISSING and on_missing == "raise":
        raise _missing(product, result.requested, day)
    return result


def _public(address: str) -> str:
    """An address without user and password."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _missing(product: str, requested: Mapping[str, list[str]], as_of: date | None) -> Unavailable:
    filtered = f"{product} of {Filter.of(requested)}"
    if as_of is not None:
        return Unavailable(
            "missing",
            f"{filtered} is not kept: month ends keep everything and each single value of one filter",
        )
    options = " ".join(f"--filter '{name}={value}'" for name, values in requested.items() for value in values)
    return Unavailable(
        "missing",
        f"{filtered} is not precomputed: run `kpi warm {options}` (the HTTP API requests it itself: "
        'repeat in some seconds), or pass on_missing="wider" for the figures of the nearest wider filter',
    )


def _read_redis(address: str, product: str, parameters: Parameters, as_of: date | None) -> Published:
    with _cache_errors(), connect(address) as client:
        reader = CacheReader(client)
        if as_of is None:
            catalogue = reader.catalogue(product)
            requested = parse_filter(parameters, catalogue)
            answer = reader.answer(product, requested)
        else:
            catalogue = reader.month_ends.catalogue(product, as_of)
            requested = parse_filter(parameters, catalogue)
            answer = reader.month_ends.answer(product, as_of, requested)
        if answer.state is AnswerState.EXPIRED:
            raise Unavailable("expired", f"the figures of {product} are too old to be used: run `kpi warm`")
        if answer.payload is None or answer.entry is None:
            raise _missing(product, requested.as_dict(), as_of)
        return Published(
            data=answer.payload.data(),
            catalogue=catalogue,
            state=answer.state.value,
            generation=answer.entry.generation,
            as_of=answer.entry.as_of.isoformat(),
            computed_at=as_iso(answer.entry.computed_at),
            readings=_NO_READINGS if as_of else reader.live_readings(answer.entry).meta(product),
            requested=requested.as_dict(),
            answered=answer.answered.as_dict(),
            product=product,
            source=_public(address),
        )


@contextmanager
def _cache_errors() -> Iterator[None]:
    """Raise what goes wrong with the cache as `Unavailable`."""
    try:
        yield
    except NoMonthEnd as error:
        raise Unavailable("no_month_end", str(error)) from error
    except NothingPublished as error:
        raise Unavailable("unpublished", str(error)) from error
    except (CacheUnavailable, NoRedis) as error:
        raise Unavailable("unreachable", str(error)) from error
    except CorruptPayload as error:
        raise Unavailable("corrupt", str(error)) from error


def _read_api(address: str, product: str, parameters: Parameters, as_of: date | None) -> Published:
    past = [] if as_of is None else [("as_of", as_of.isoformat())]
    catalogue = _get(address, "catalogue", past)["data"]
    requested = parse_filter(parameters, catalogue)
    terms = [(name, value) for name, values in requested.terms for value in values]
    answer = _get(address, _API_PATHS.get(product, product), [*terms, *past])
    meta = answer["meta"]
    return Published(
        data=answer["data"],
        catalogue=catalogue,
        state=meta["state"],
        generation=meta["generation"],
        as_of=meta["as_of"],
        computed_at=meta["computed_at"],
        readings={name: meta.get(name) for name in _NO_READINGS},
        requested=requested.as_dict(),
        answered=meta["filter"],
        product=product,
        source=_public(address),
    )


def _get(address: str, path: str, parameters: Parameters) -> dict[str, Any]:
    """The JSON object at an address of the HTTP API."""
    url = f"{address}/manager/api/{path}?{urlencode(parameters)}"
    sent = Request(url)  # noqa: S310 - its scheme is checked
    if (token := Settings().api_token) is not None:
        # For this address alone: where it leads on to another, the token stays.
        sent.add_unredirected_header("Authorization", f"Bearer {token.get_secret_value()}")
    try:
        with urlopen(sent, timeout=_TIMEOUT_S) as response:  # noqa: S310 - likewise
            answer = orjson.loads(response.read())
            return {"data": answer["data"], "meta": answer["meta"]}
    except HTTPError as error:
        raise _refused(address, error) from error
    except (OSError, HTTPException, ValueError, TypeError, KeyError) as error:
        raise Unavailable(
            "unreachable",
            f"{_public(address)} does not answer as the HTTP API does ({error}): start it with `kpi up`, or "
            "check the address",
        ) from error


def _refused(address: str, error: HTTPError) -> Unavailable:
    """What the HTTP API says about a request that it does not answer."""
    try:
        problem = orjson.loads(error.read())
        slug, message = problem["type"].rpartition("/")[2], f"{problem['title']}. {problem['detail']}"
        allowed = problem.get("allowed", ())
    except (OSError, ValueError, TypeError, KeyError):
        slug, message, allowed = "", f"{_public(address)} answers {error.code}: is it the HTTP API?", ()
    named = f" Allowed: {', '.join(allowed)}." if allowed else ""
    return Unavailable(_PROBLEM_REASONS.get(slug, "refused"), message + named)
