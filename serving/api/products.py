"""The figures of each product: stored bytes passed through, completed with their live meta."""

from dataclasses import dataclass
from functools import partial
from typing import Final
from wsgiref.types import WSGIEnvironment

from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.performance import AnswerKind
from serving.cache_access import current_connection
from serving.freshness_headers import entity_tag
from serving.kept.current import KeptAnswers, current_kept
from serving.kept.memory import KeptJson
from serving.kept.replies import Reply
from serving.lookup import look_up, look_up_again, unreadable, used_again
from serving.lookup_result import Lookup, LookupResult
from serving.metrics.answer_buffer import Counted
from serving.pages.addresses import API_PATH, PRODUCT_PATHS
from serving.responses import Encoding, choose_encoding, has_tag

routes: Final = Blueprint("products", __name__, url_prefix=API_PATH)

_JSON: Final = ("Content-Type", "application/json")
_VARY: Final = ("Vary", "Accept-Encoding")


@dataclass(frozen=True, slots=True)
class _Figures:
    """The figures of one lookup, sent without Flask."""

    route: str
    kept: KeptAnswers
    lookup: Lookup
    kind: AnswerKind = AnswerKind.FIGURES

    def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """The answer; None where the figures are not there."""
        connection = self.kept.connection(environ)
        result = look_up_again(connection, self.lookup)
        if result is None:
            return None
        encoding = choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        counted = used_again(connection, result)
        return _reply(self.kept, result, encoding, environ.get("HTTP_IF_NONE_MATCH", ""), counted)


def _figures(path: str, product: str) -> Response:
    connection, kept = current_connection(), current_kept()
    result = look_up(connection, product, list(request.args.items(multi=True)))
    encoding = choose_encoding(request.headers.get("Accept-Encoding", ""))
    try:
        if result.state is AnswerState.MISSING:
            return _of_wider(result, encoding).as_response()
        reply = _reply(kept, result, encoding, request.headers.get("If-None-Match", ""))
    except CorruptPayload as error:
        raise unreadable(connection, product) from error
    kept.remember(_Figures(f"{API_PATH}/{path}", kept, result.lookup))
    return reply.as_response()


def _reply(
    kept: KeptAnswers,
    result: LookupResult,
    encoding: Encoding,
    confirmed: str,
    counted: Counted | None = None,
) -> Reply:
    """The answer with the figures that were requested.

    Args:
        kept: What is kept of answers.
        result: The figures.
        encoding: Of the body.
        confirmed: The header If-None-Match; empty where there is none.
        counted: As of `Reply.lookup`.

    Raises:
        CorruptPayload: If the content cannot be decompressed.
    """
    stamp, payload = kept.stamps.of(result), result.payload
    tag = entity_tag(f"{payload.digest}-{stamp.mark}", result.state)
    headers = [*stamp.headers, _VARY, ("ETag", tag)]
    if confirmed and has_tag(confirmed, tag):
        return Reply(304, headers, b"", counted)
    if encoding == "identity":
        return Reply(200, [*headers, _JSON], _content(kept, result) + stamp.tail.text, counted)
    headers += [("Content-Encoding", encoding), _JSON]
    return Reply(200, headers, payload.compressed(encoding, stamp.tail), counted)


def _of_wider(result: LookupResult, encoding: Encoding) -> Reply:
    """The answer with the figures of a wider filter: it is never confirmed as unchanged, and not kept."""
    headers = [*result.headers().items(), _VARY]
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    return Reply(result.status, [*headers, _JSON], result.payload.body(encoding, result.meta()))


def _content(kept: KeptAnswers, result: LookupResult) -> bytes:
    """The JSON text of an answer: decompressed once."""
    key = ("figures", result.payload.digest)
    content = kept.memory.get(key, KeptJson)
    if content is None:
        generation = "" if result.state is AnswerState.HISTORIC else result.entry.generation
        content = KeptJson(result.payload.content(), generation)
        kept.memory.put(key, content)
    return content.text


for _path, _product in PRODUCT_PATHS.items():
    routes.add_url_rule(f"/{_path}", _path, partial(_figures, _path, _product))
