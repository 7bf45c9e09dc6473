"""What can be asked: the catalogue, and the chart specifications that it names."""

import time
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from serving.as_of import requested_as_of
from serving.cache_access import CacheAccess, Connection
from serving.catalogue import CATALOGUE_SOURCES
from serving.compression import compressed
from serving.freshness import (
    entity_tag,
    freshness_headers,
    historic_headers,
    historic_meta,
    live_meta,
)
from serving.immutable import immutable_answer
from serving.lookup import expired
from serving.negotiation import LANGUAGES
from serving.problem_types import SPEC_UNKNOWN
from serving.problems import Problem


def catalogue_routes(access: CacheAccess) -> Blueprint:
    """Routes of the catalogue and of chart specifications, under /manager/api.

    Args:
        access: The cache.
    """
    routes = Blueprint("catalogue", __name__, url_prefix="/manager/api")

    @routes.get("/catalogue")
    def catalogue() -> Response:
        as_of, _ = requested_as_of(list(request.args.items(multi=True)))
        return _catalogue(access.current()) if as_of is None else _catalogue_as_of(access.current(), as_of)

    @routes.get("/charts/specs/<digest>")
    def specification(digest: str) -> Response:
        return _specification(access.current(), digest)

    return routes


def _catalogue(connection: Connection) -> Response:
    product, entry = connection.catalogues.any()
    now = time.time()
    state = entry.state_at(now)
    if state is AnswerState.EXPIRED:
        raise expired(connection, entry)
    headers = freshness_headers(entry, state, now)
    headers["ETag"] = entity_tag(entry.generation, state)
    if request.if_none_match.contains_raw(headers["ETag"]):
        return Response(status=304, headers=headers)
    data = _shown(connection.catalogues.stored(product))
    body = orjson.dumps({"data": data, "meta": {"product": product, **live_meta(entry, state, now)}})
    return Response(body, headers=headers, content_type="application/json")


def _catalogue_as_of(connection: Connection, as_of: date) -> Response:
    unknown: NoMonthEnd | None = None
    for product in CATALOGUE_SOURCES:
        try:
            entry = connection.reader.month_end(product, as_of)
        except NoMonthEnd as error:
            unknown = unknown or error
            continue
        headers = historic_headers(entry)
        headers["ETag"] = entity_tag(entry.generation, AnswerState.HISTORIC)
        if request.if_none_match.contains_raw(headers["ETag"]):
            return Response(status=304, headers=headers)
        data = _shown(connection.catalogues.stored_as_of(product, as_of))
        body = orjson.dumps({"data": data, "meta": {"product": product, **historic_meta(entry, as_of)}})
        return Response(body, headers=headers, content_type="application/json")
    raise unknown or NothingPublished(CATALOGUE_SOURCES[0])


def _shown(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A catalogue without the specifications: each has its own address, which never changes what it says."""
    data = {name: value for name, value in stored.items() if name != "specs"}
    data["charts"] = [
        {**chart, **{f"spec_url_{language}": _spec_url(chart[f"spec_{language}"]) for language in LANGUAGES}}
        for chart in data["charts"]
    ]
    return data


def _spec_url(digest: str) -> str:
    return f"/manager/api/charts/specs/{digest}"


def _specification(connection: Connection, digest: str) -> Response:
    published, unread = connection.reader.manifest(), None
    for product in CATALOGUE_SOURCES:
        if product not in published:
            continue
        try:
            spec = connection.catalogues.of(product).specs.get(digest)
        except (NothingPublished, CorruptPayload):
            continue
        except CacheUnavailable as error:
            unread = error
            continue
        if spec is not None:
            body = partial(compressed, orjson.dumps(spec))
            return immutable_answer(digest, "application/json", body)
    raise unread or Problem(SPEC_UNKNOWN)
