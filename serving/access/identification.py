"""Finds out who sends a request, before anything else looks at it."""

import hmac
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from typing import Final, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from pydantic import SecretStr
from werkzeug.http import parse_cookie

from kpi_pipeline.settings import AccessMode, Settings
from serving.access.identity import EVERYBODY, IDENTITY, NOBODY, UNKNOWN, Identity, PolicyUnknown

SESSION_COOKIE: Final = "kpi_session"

USER_HEADER: Final = "X-Kpi-User"
"""In which a proxy names the person."""

PROXY_HEADER: Final = "X-Kpi-Proxy-Secret"
"""By which it proves that it is the proxy."""

_PROXY_VARIABLE: Final = "HTTP_X_KPI_PROXY_SECRET"

KNOWN_S: Final = 2.0
"""For how long an answer of the database counts: what is revoked is refused so much later at most."""

_MOST_KNOWN: Final = 4_096
_LOG: Final = logging.getLogger(__name__)


class Identities(Protocol):
    """Finds out who sends a request."""

    def of(self, headers: Mapping[str, str], *, is_use: bool = True) -> Identity:
        """Who sends it.

        Args:
            headers: Of the request, in lower case with `-`.
            is_use: Whether it shows that somebody is there: their session lasts longer then.
        """


class OpenIdentities:
    """Asks nobody.

    A proxy that proves itself counts on being asked who sends a request: it lets tokens pass unread. What it
    passes on is answered to nobody, until KPI_ACCESS says `proxy`.
    """

    def of(self, headers: Mapping[str, str], *, is_use: bool = True) -> Identity:  # noqa: ARG002
        """Whoever it is; the signature is that of all."""
        return UNKNOWN if PROXY_HEADER.casefold() in headers else EVERYBODY


class CheckedIdentities:
    """Looks sessions, tokens and people up in the database of access. Threads may share it.

    Args:
        settings: How readers prove who they are.
        person: By name, finds a person.
        session: By whether the session is used, and what a browser holds, finds whose it is.
        token: By its text, finds what a token may do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        person: Callable[[str], Identity | None],
        session: Callable[[bool, str], Identity | None],
        token: Callable[[str], Identity | None],
    ) -> None:
        self._mode = settings.access
        self._proxy_secret = settings.proxy_secret or SecretStr("")
        self._person = person
        self._session = session
        self._token = token
        self._known: dict[tuple[str, str], tuple[float, Identity]] = {}
        self._reason = ""

    def of(self, headers: Mapping[str, str], *, is_use: bool = True) -> Identity:
        """Who sends it; `NOBODY` who proves nothing or something that is wrong."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer":
            return self._looked_up("token", given.strip(), self._token)
        if self._mode is AccessMode.PROXY:
            return self._named_by_proxy(headers)
        held = parse_cookie(headers.get("cookie", "")).get(SESSION_COOKIE, "")
        return self._looked_up("session", held, partial(self._session, is_use)) if held else NOBODY

    def forget(self) -> None:
        """Ask the database again for everybody."""
        self._known.clear()

    def _named_by_proxy(self, headers: Mapping[str, str]) -> Identity:
        sent = headers.get(PROXY_HEADER.casefold(), "").encode()
        name = headers.get(USER_HEADER.casefold(), "").strip()
        if not name or not hmac.compare_digest(sent, self._proxy_secret.get_secret_value().encode()):
            return NOBODY
        return self._looked_up("person", name, self._person)

    def _looked_up(self, kind: str, text: str, look_up: Callable[[str], Identity | None]) -> Identity:
        from kpi_pipeline.access.database import AccessUnavailable  # noqa: PLC0415 - open access needs none

        key, now = (kind, sha256(text.encode()).hexdigest()), time.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        try:
            identity = look_up(text) or NOBODY
        except (AccessUnavailable, PolicyUnknown) as error:
            if str(error) != self._reason:
                _LOG.error("nobody can be let in: %s", error)
            self._reason = str(error)
            return UNKNOWN
        self._reason = ""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = (now + KNOWN_S, identity)
        return identity


def csrf_of(secret: str, name: str = "") -> str:
    """What the forms of somebody send back: only who knows their secret can tell it."""
    return hmac.new(secret.encode(), f"csrf {name}".encode(), sha256).hexdigest()[:32]


class Identification:
    """Names in the environment of each request who sends it.

    Args:
        application: What answers.
        identities: Finds it out.
    """

    def __init__(self, application: WSGIApplication, identities: Identities) -> None:
        self._application = application
        self._identities = identities
        self._is_open = isinstance(identities, OpenIdentities)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        # The program's own requests name who sends them; no header of a client reaches this name.
        if IDENTITY not in environ:
            # Of an open dashboard one header is looked at: others are not taken apart for each request.
            is_everybody = self._is_open and _PROXY_VARIABLE not in environ
            environ[IDENTITY] = EVERYBODY if is_everybody else self._identities.of(_headers(environ))
        return self._application(environ, start_response)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    return {
        name[5:].replace("_", "-").casefold(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
