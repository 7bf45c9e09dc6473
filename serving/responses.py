"""How answers are sent: in which encoding and language, as JSON, or for ever at the hash of their content."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import orjson
import zstandard
from flask import Flask, Response, request
from isal import igzip
from werkzeug.datastructures import Accept, LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header, parse_etags

from kpi_pipeline.model.labels import LANGUAGES, Language

Encoding = Literal["zstd", "gzip", "identity"]

ENCODINGS: Final[tuple[Encoding, ...]] = ("zstd", "gzip", "identity")
"""Compressions that payloads are stored in, best first."""

LANGUAGE_PARAMETER: Final = "lang"

_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_SMALLEST: Final = 1_024
"""Bytes below which compressing is not worth it."""


class UnknownLanguage(ValueError):
    """The parameter `lang` names no language of ours, or several.

    Attributes:
        value: As it was sent.
    """

    def __init__(self, value: str) -> None:
        super().__init__(f"no language: {value}")
        self.value = value


# Clients send few different headers, and reading one takes longer than answering from memory.
@lru_cache(maxsize=512)
def choose_encoding(header: str) -> Encoding:
    """The stored compression that a client accepts with the greatest weight, the best of equals.

    `identity` when it accepts none of them: an answer it may refuse beats no answer (RFC 9110,
    section 12.5.3).

    Args:
        header: The Accept-Encoding header; empty when there is none.
    """
    accepted = parse_accept_header(header, Accept)
    # max() keeps the first of equals, and ENCODINGS is ordered by preference.
    best = max(ENCODINGS[:-1], key=accepted.quality)
    weight = accepted.quality(best)
    return best if weight and weight >= accepted.quality("identity") else "identity"


@lru_cache(maxsize=512)
def choose_language(header: str) -> Language:
    """The language of a reader's browser; Spanish where that prefers neither.

    Args:
        header: The Accept-Language header; regional tags (es-CL, en-GB) count for their language.
    """
    weights: dict[str, float] = {}
    for tag, weight in parse_accept_header(header, LanguageAccept):
        weights.setdefault(tag.partition("-")[0].casefold(), weight)  # the greatest weight comes first
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))


@lru_cache(maxsize=512)
def accepts_page(header: str) -> bool:
    """Whether a client accepts a page, by its Accept header; who sends none accepts anything."""
    return not header or parse_accept_header(header, MIMEAccept).quality("text/html") > 0


@lru_cache(maxsize=512)
def prefers_page(header: str) -> bool:
    """Whether a client prefers a page to JSON; a client that accepts anything gets JSON.

    Args:
        header: The Accept header; empty when there is none.
    """
    accepted = parse_accept_header(header, MIMEAccept)
    return accepted.quality("text/html") > accepted.quality("application/json")


def requested_encoding() -> Encoding:
    """The encoding of the answer to the present request."""
    return choose_encoding(request.headers.get("Accept-Encoding", ""))


def named_language(values: Iterable[str]) -> Language | None:
    """The language that values of the parameter `lang` name, in any case; None where all are empty.

    Raises:
        UnknownLanguage: If one is no language of ours, or they name several.
    """
    given = {value.strip().casefold(): value for value in values if value.strip()}
    language = next((language for language in LANGUAGES if language in given), None)
    if len(given) > 1 or (given and language is None):
        raise UnknownLanguage(", ".join(given.values()))
    return language


def requested_language() -> Language | None:
    """The language that the address of the present request names; raises as `named_language` does."""
    return named_language(request.args.getlist(LANGUAGE_PARAMETER))


def browser_language() -> Language:
    """The language of the browser that sends the present request."""
    return choose_language(request.headers.get("Accept-Language", ""))


def reader_language() -> Language:
    """The language of the page that answers the present request: that of its address or of the browser.

    Raises:
        UnknownLanguage: As `named_language`.
    """
    return requested_language() or browser_language()


def json_response(
    document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; without headers it is not to be stored."""
    return Response(
        orjson.dumps(document),
        status,
        {"Cache-Control": "no-store"} if headers is None else headers,
        content_type="application/json",
    )


def not_modified(headers: Mapping[str, str]) -> Response | None:
    """The answer that confirms what the client has, by the `ETag` of `headers`; None when it has it not."""
    if has_tag(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return Response(status=304, headers=headers)
    return None


@lru_cache(maxsize=512)
def has_tag(header: str, tag: str) -> bool:
    """Whether the header If-None-Match names an entity tag; an empty header names none."""
    return parse_etags(header).contains_raw(tag)


def immutable_response(digest: str, mimetype: str, body: Callable[[Encoding], bytes]) -> Response:
    """An answer whose address is the hash of its content, which a client may keep for ever.

    Args:
        digest: Of the content.
        mimetype: Its media type.
        body: Gives the content in an encoding.
    """
    headers = {"Cache-Control": _IMMUTABLE, "ETag": f'"{digest}"', "Vary": "Accept-Encoding"}
    if (unchanged := not_modified(headers)) is not None:
        return unchanged
    encoding = requested_encoding()
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body(encoding), headers=headers, mimetype=mimetype)


def compressed(content: bytes, encoding: Encoding) -> bytes:
    """A body in an encoding that a client accepts."""
    if encoding == "zstd":
        return zstandard.compress(content)
    if encoding == "gzip":
        return igzip.compress(content)
    return content


def compress_pages(app: Flask) -> None:
    """Send every page in the best encoding that its reader accepts."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype != "text/html" or "Content-Encoding" in response.headers:
            return response
        response.vary.add("Accept-Encoding")
        encoding = requested_encoding()
        if encoding != "identity" and (response.content_length or 0) >= _SMALLEST:
            response.set_data(compressed(response.get_data(), encoding))
            response.headers["Content-Encoding"] = encoding
        return response
