"""The short way: a request that was answered before is answered again without Flask's routing and objects.

What differs between two requests for the same address is looked at here as Flask does: the method, the host,
what the client accepts and already has. All else goes the long way, also whoever may not do the same as those
to whom the address was answered before.
"""

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.performance import AnswerKind
from serving.access.identity import identity_of
from serving.host_names import is_answered
from serving.kept.replies import Reply
from serving.metrics.answer_buffer import AnswerBuffer, Sent

MOST_SPELLINGS: Final = 6_000
"""How many addresses are remembered, with their parameters as they were written: each takes a kilobyte."""

LONGEST: Final = 1_000
"""Characters of an address that is remembered."""

_METHODS: Final = ("GET", "HEAD")
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase.upper()}" for status in HTTPStatus}
_MOST_HOSTS: Final = 1_000


class Shortcut(Protocol):
    """How one address is answered again."""

    @property
    def route(self) -> str:
        """The pattern of the address."""

    @property
    def kind(self) -> AnswerKind | None:
        """What is sent, as `metrics.measuring` counts it."""

    def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """The answer; None where it is not kept and the long way is to be gone.

        Raises:
            NoRedis: As the long way raises it, and likewise CacheUnavailable, NothingPublished, NoMonthEnd
                and CorruptPayload: that is gone then.
        """


class ShortWay:
    """Answers what it knows, and lets an application answer all else.

    Args:
        application: The long way.
        names: Host names that are answered, of `auth.answered_names`.
        headers: Those of every answer.
        answer_buffer: Counts each answer.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        names: frozenset[str],
        headers: Mapping[str, str],
        answer_buffer: AnswerBuffer,
    ) -> None:
        self._application = application
        self._names = names
        self._headers = list(headers.items())
        self._answer_buffer = answer_buffer
        self._hosts: set[str] = set()
        self._known: dict[tuple[str, str, str], Shortcut] = {}

    def remember(self, environ: WSGIEnvironment, shortcut: Shortcut) -> None:
        """Answer further requests for the address of a request that way."""
        key = _key(environ)
        if len(key[0]) + len(key[1]) > LONGEST or environ.get("SCRIPT_NAME"):
            return
        if key not in self._known and len(self._known) >= MOST_SPELLINGS:
            # Whatever is requested again comes back. Another thread may have removed it.
            self._known.pop(next(iter(self._known)), None)
        self._known[key] = shortcut

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        shortcut = self._known.get(_key(environ))
        if shortcut is None or not self._is_plain(environ):
            return self._application(environ, start_response)
        began = time.perf_counter()
        try:
            reply = shortcut.reply(environ)
        except (NoRedis, CacheUnavailable, NothingPublished, NoMonthEnd, CorruptPayload):
            reply = None
        if reply is None:
            return self._application(environ, start_response)
        headers, size = reply.headers, len(reply.body)
        if reply.status != HTTPStatus.NOT_MODIFIED:
            headers.append(("Content-Length", str(size)))
        headers += self._headers
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        spent, sent = time.perf_counter() - began, 0 if is_head else size
        self._answer_buffer.add(Sent(shortcut.route, shortcut.kind, reply.status, spent, sent, reply.lookup))
        start_response(_STATUS_LINES[reply.status], headers)
        return () if is_head or not size else (reply.body,)

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        """Whether nothing but the address decides what is answered, and its host is one of ours."""
        if (
            environ["REQUEST_METHOD"] not in _METHODS
            or environ.get("SCRIPT_NAME")
            or "HTTP_UPGRADE" in environ
        ):
            return False
        host = environ.get("HTTP_HOST", "")
        if host in self._hosts:
            return True
        if not is_answered(host, self._names):
            return False
        if len(self._hosts) < _MOST_HOSTS:
            self._hosts.add(host)
        return True


def _key(environ: WSGIEnvironment) -> tuple[str, str, str]:
    return environ["PATH_INFO"], environ.get("QUERY_STRING", ""), identity_of(environ).reading_class
