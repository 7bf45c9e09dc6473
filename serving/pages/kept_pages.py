"""Pages as they are kept: written once, with places for the texts that differ while nothing else does."""

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from wsgiref.types import WSGIEnvironment

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.performance import AnswerKind
from serving.access.identity import Identity, identity_of
from serving.freshness_headers import age_s
from serving.kept.current import KeptAnswers
from serving.kept.replies import Reply
from serving.lookup import look_up_again, used_again
from serving.lookup_result import Lookup, LookupResult
from serving.pages.earlier_quarters import earlier_quarters
from serving.pages.formats import ago
from serving.pages.standing import Standing, standing_of
from serving.responses import Encoding, choose_encoding, choose_language, compressed

_SECRET: Final = secrets.token_hex(8)

NOW_PLACE: Final = f"~now-{_SECRET}~"
"""Stands in a page where the present is named. Nobody can write it: each process has its own."""

AGO_PLACE: Final = f"~ago-{_SECRET}~"
"""Likewise, how long ago the source confirmed the figures."""

CSRF_PLACE: Final = f"~csrf-{_SECRET}~"
"""Likewise, what the forms of its reader send back."""

_PLACES: Final = re.compile(f"({NOW_PLACE}|{AGO_PLACE}|{CSRF_PLACE})".encode())
_ROOM_FOR_COMPRESSED: Final = 1.5


@dataclass(frozen=True, slots=True)
class PageKey:
    """What a page is requested as.

    Attributes:
        page: Its name.
        named: The language that its address names; None where it is the browser's.
        language: The reader's language.
        as_of: The date of the past; None for the present.
        filter: The requested filter.
        reading_class: What its readers may see and do, as of `Identity`.
    """

    page: str
    named: Language | None
    language: Language
    as_of: date | None
    filter: Filter
    reading_class: str


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page.

    Attributes:
        standing: What it depends on.
        generation: As of `memory.Kept`.
        parts: Its text, with the marks of places between.
        finished: In each encoding, what was last sent: the texts in the places and the body.
    """

    standing: Standing | None
    generation: str
    parts: tuple[bytes, ...]
    finished: dict[Encoding, tuple[tuple[bytes, ...], bytes]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, text: str, standing: Standing | None, generation: str) -> "KeptPage":
        """Keep a page as it was written, with its places; without a standing it is not used again."""
        return cls(standing, generation, tuple(_PLACES.split(text.encode())))

    @property
    def size(self) -> int:
        """Its bytes, with room for its compressed bodies."""
        return int(sum(map(len, self.parts)) * _ROOM_FOR_COMPRESSED)

    def body(self, encoding: Encoding, now: str, ago_text: str, csrf: str) -> bytes:
        """The page at a moment for a reader; compressed once a second for whoever is asked for no name."""
        texts = (now.encode(), ago_text.encode(), csrf.encode())
        known = self.finished.get(encoding)
        if known is not None and known[0] == texts:
            return known[1]
        places = (NOW_PLACE, AGO_PLACE, CSRF_PLACE)
        written = {place.encode(): text for place, text in zip(places, texts, strict=True)}
        body = compressed(b"".join(written.get(part, part) for part in self.parts), encoding)
        if encoding != "identity":
            self.finished[encoding] = (texts, body)
        return body


@dataclass(frozen=True, slots=True)
class PageShortcut:
    """A page that was requested before, sent without Flask while what it depends on is the same."""

    route: str
    kept: KeptAnswers
    page: str
    named: Language | None
    lookup: Lookup
    timezone: str
    kind: AnswerKind = AnswerKind.PAGE

    def key(self, accepted: str, identity: Identity) -> PageKey:
        """What the page is kept under, for the header Accept-Language and its reader."""
        language = self.named or choose_language(accepted)
        lookup = self.lookup
        return PageKey(self.page, self.named, language, lookup.as_of, lookup.filter, identity.reading_class)

    def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """The page; None where it is to be written."""
        connection = self.kept.connection(environ)
        identity = identity_of(environ)
        key = self.key(environ.get("HTTP_ACCEPT_LANGUAGE", ""), identity)
        page = self.kept.memory.get(key, KeptPage)
        result = look_up_again(connection, self.lookup) if page is not None else None
        if page is None or result is None:
            return None
        earlier = earlier_quarters(connection, result)
        if page.standing != standing_of(connection, result, self.timezone, earlier):
            return None
        encoding = choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        reply = page_reply(self.kept, page, result, key.language, encoding, identity.csrf)
        return replace(reply, lookup=used_again(connection, result))


def page_reply(
    kept: KeptAnswers,
    page: KeptPage,
    result: LookupResult,
    language: Language,
    encoding: Encoding,
    csrf: str,
) -> Reply:
    """A page as it is sent.

    Args:
        kept: What is kept of answers.
        page: The page.
        result: Its figures, as they were looked up now.
        language: The reader's.
        encoding: Of the body.
        csrf: What the reader's forms send back.
    """
    is_missing = result.state is AnswerState.MISSING
    stamped = tuple(result.headers().items()) if is_missing else kept.stamps.of(result).headers
    # The page shows its own age, which is true only at the moment it is made.
    cache_control = "no-store" if is_missing else "private, no-cache"
    headers = [(name, cache_control if name == "Cache-Control" else value) for name, value in stamped]
    headers += [("Content-Type", "text/html; charset=utf-8"), ("Vary", "Accept-Language, Accept-Encoding")]
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    body = page.body(encoding, as_iso(result.now), ago(age_s(result.entry, result.now), language), csrf)
    return Reply(result.status, headers, body)
