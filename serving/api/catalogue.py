"""What can be requested: the catalogue, and the chart specifications that it names."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.performance import AnswerKind
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
from serving.kept.current import KeptAnswers, current_kept
from serving.kept.memory import KeptJson
from serving.kept.replies import Reply
from serving.lookup import expired
from serving.pages.addresses import API_PATH
from serving.problem_types.figures import SPEC_UNKNOWN
from serving.problems import Problem
from serving.responses import compressed, has_tag, immutable_response

routes: Final = Blueprint("catalogue", __name__, url_prefix=API_PATH)

_ROUTE: Final = f"{API_PATH}/catalogue"


@routes.get("/catalogue")
def catalogue() -> Response:
    """The catalogue of the present, or of the month end that `as_of` selects."""
    as_of, _ = requested_as_of(list(request.args.items(multi=True)))
    connection, kept = current_connection(), current_kept()
    confirmed = request.headers.get("If-None-Match", "")
    if as_of is not None:
        reply = _catalogue_as_of(kept, connection, as_of, confirmed)
    elif (live := _live_catalogue(kept, connection, confirmed)) is not None:
        reply = live
    else:
        raise expired(connection, connection.catalogues.any()[1])
    kept.remember(_Catalogue(_ROUTE, kept, as_of))
    return reply.as_response()


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


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """The catalogue of the present, or on a date of the past, sent without Flask."""

    route: str
    kept: KeptAnswers
    as_of: date | None
    kind: AnswerKind | None = None

    def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """The answer; None where there is none."""
        connection, confirmed = self.kept.connection(environ), environ.get("HTTP_IF_NONE_MATCH", "")
        if self.as_of is not None:
            return _catalogue_as_of(self.kept, connection, self.as_of, confirmed)
        return _live_catalogue(self.kept, connection, confirmed)


def _live_catalogue(kept: KeptAnswers, connection: Connection, confirmed: str) -> Reply | None:
    """That of the present; None where it has expired."""
    product, entry = connection.catalogues.any()
    now, state = time.time(), connection.reader.state_of(entry)
    if state is AnswerState.EXPIRED:
        return None
    headers = freshness_headers(entry, state, now)
    headers["ETag"] = entity_tag(entry.generation, state)
    meta = {"product": product, **live_meta(entry, state, now)}
    name = connection.reader.catalogue_generation(product)
    stored = partial(connection.catalogues.stored, product)
    return _reply(kept, headers, meta, confirmed, _Source(name, name, stored))


def _catalogue_as_of(kept: KeptAnswers, connection: Connection, as_of: date, confirmed: str) -> Reply:
    failure: NoMonthEnd | None = None
    for product in CATALOGUE_SOURCES:
        try:
            entry = connection.reader.month_ends.entry(product, as_of)
        except NoMonthEnd as error:
            failure = failure or error
            continue
        headers = historic_headers(entry)
        headers["ETag"] = entity_tag(entry.generation, AnswerState.HISTORIC)
        meta = {"product": product, **historic_meta(entry, as_of)}
        stored = partial(connection.catalogues.stored_as_of, product, as_of)
        return _reply(kept, headers, meta, confirmed, _Source(entry.generation, "", stored))
    raise failure or NothingPublished(CATALOGUE_SOURCES[0])


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the data of a catalogue come from.

    Attributes:
        name: The generation of the catalogue.
        live: The same while it is live; empty for a month end.
        stored: Gives the catalogue as it was published.
    """

    name: str
    live: str
    stored: Callable[[], Mapping[str, Any]]


def _reply(
    kept: KeptAnswers, headers: Mapping[str, str], meta: Mapping[str, Any], confirmed: str, source: _Source
) -> Reply:
    """A catalogue without the specifications: each has its own address, whose content never changes."""
    pairs = list(headers.items())
    if confirmed and has_tag(confirmed, headers["ETag"]):
        return Reply(304, [*pairs, ("Vary", "Accept-Encoding")], b"")
    body = b'{"data":%b,"meta":%b}' % (_data(kept, source), orjson.dumps(meta))
    return Reply(200, [*pairs, ("Content-Type", "application/json")], body)


def _data(kept: KeptAnswers, source: _Source) -> bytes:
    """The data of a catalogue, written once."""
    key = ("catalogue data", source.name)
    if (known := kept.memory.get(key, KeptJson)) is not None:
        return known.text
    with kept.memory.turn(key):
        written = kept.memory.get(key, KeptJson)
        if written is None:
            data = {name: value for name, value in source.stored().items() if name != "specs"}
            data["charts"] = [
                {
                    **chart,
                    **{
                        f"spec_url_{language}": _spec_url(chart[f"spec_{language}"]) for language in LANGUAGES
                    },
                }
                for chart in data["charts"]
            ]
            written = KeptJson(orjson.dumps(data), source.live)
            kept.memory.put(key, written)
    return written.text


def _spec_url(digest: str) -> str:
    return f"{API_PATH}/charts/specs/{digest}"
