"""What can be asked: the catalogue, and the chart specifications that it names."""

import time

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reader import CacheUnavailable, NothingPublished
from serving.cache_access import CacheAccess, Connection
from serving.catalogues import CATALOGUE_SOURCES
from serving.freshness import IMMUTABLE, entity_tag, freshness_headers, live_meta
from serving.problem_types import SPEC_UNKNOWN
from serving.problems import Problem
from serving.questions import expired


def catalogue_routes(access: CacheAccess) -> Blueprint:
    """Routes of the catalogue and of chart specifications, under /manager/api.

    Args:
        access: The cache.
    """
    routes = Blueprint("catalogue", __name__, url_prefix="/manager/api")

    @routes.get("/catalogue")
    def catalogue() -> Response:
        return _catalogue(access.current())

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
    data = dict(connection.catalogues.stored(product))
    del data["specs"]  # each has its own address, which never changes what it says
    data["charts"] = [
        {**chart, "spec_url": f"/manager/api/charts/specs/{chart['spec']}"} for chart in data["charts"]
    ]
    body = orjson.dumps({"data": data, "meta": {"product": product, **live_meta(entry, state, now)}})
    return Response(body, headers=headers, content_type="application/json")


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
            headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{digest}"'}
            if request.if_none_match.contains_raw(headers["ETag"]):
                return Response(status=304, headers=headers)
            return Response(orjson.dumps(spec), headers=headers, content_type="application/json")
    raise unread or Problem(SPEC_UNKNOWN)
