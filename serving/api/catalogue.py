"""What can be requested: the catalogue, and the chart specifications that it names."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.labels import LANGUAGES
from serving.as_of import requested_as_of
from serving.cache_access import Connection, current_connection
from serving.catalogue import CATALOGUE_SOURCES
from serving.freshness_headers import (
    entity_tag,
    freshness_headers,
    historic_headers,
    historic_meta,
    live_meta,
)
from serving.lookup import expired
from serving.problem_types import SPEC_UNKNOWN
from serving.problems import Problem
from serving.responses import compressed, immutable_response, json_response, not_modified

routes: Final = Blueprint("catalogue", __name__, url_prefix="/manager/api")


@routes.get("/catalogue")
def catalogue() -> Response:
    """The catalogue of the present, or of the month end that `as_of` selects."""
    as_of, _ = requested_as_of(list(request.args.items(multi=True)))
    connection = current_connection()
    return _catalogue(connection) if as_of is None else _catalogue_as_of(connection, as_of)


@routes.get("/charts/specs/<digest>")
def specification(digest: str) -> Response:
    """A chart specification by its digest."""
    connection = current_connection()
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
            return immutable_response(digest, "application/json", body)
    raise unread or Problem(SPEC_UNKNOWN)


def _catalogue(connection: Connection) -> Response:
    product, entry = connection.catalogues.any()
    now = time.time()
    state = entry.state_at(now)
    if state is AnswerState.EXPIRED:
        raise expired(connection, entry)
    headers = freshness_headers(entry, state, now)
    headers["ETag"] = entity_tag(entry.generation, state)
    meta = {"product": product, **live_meta(entry, state, now)}
    return _response(headers, meta, partial(connection.catalogues.stored, product))


def _catalogue_as_of(connection: Connection, as_of: date) -> Response:
    failure: NoMonthEnd | None = None
    for product in CATALOGUE_SOURCES:
        try:
            entry = connection.reader.month_end(product, as_of)
        except NoMonthEnd as error:
            failure = failure or error
            continue
        headers = historic_headers(entry)
        headers["ETag"] = entity_tag(entry.generation, AnswerState.HISTORIC)
        meta = {"product": product, **historic_meta(entry, as_of)}
        return _response(headers, meta, partial(connection.catalogues.stored_as_of, product, as_of))
    raise failure or NothingPublished(CATALOGUE_SOURCES[0])


def _response(
    headers: Mapping[str, str], meta: Mapping[str, Any], stored: Callable[[], Mapping[str, Any]]
) -> Response:
    """A catalogue without the specifications: each has its own address, whose content never changes."""
    if (unchanged := not_modified(headers)) is not None:
        return unchanged
    data = {name: value for name, value in stored().items() if name != "specs"}
    data["charts"] = [
        {**chart, **{f"spec_url_{language}": _spec_url(chart[f"spec_{language}"]) for language in LANGUAGES}}
        for chart in data["charts"]
    ]
    return json_response({"data": data, "meta": meta}, headers=headers)


def _spec_url(digest: str) -> str:
    return f"/manager/api/charts/specs/{digest}"
