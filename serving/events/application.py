"""The ASGI application: one address that streams events, under the rules of every other address."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, Final

import orjson

from kpi_pipeline.model.access import Permission
from kpi_pipeline.model.labels import LANGUAGES
from serving.access.identification import Identities
from serving.access.identity import Identity
from serving.events.broadcast import Broadcast, TooManyListeners
from serving.host_names import answered_names, host_name, is_answered
from serving.problem_types.access import SCOPE_UNKNOWN, SIGN_IN_NEEDED, SIGN_IN_UNAVAILABLE
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import TOO_MANY_LISTENERS, UNTRUSTED_HOST
from serving.problem_types.requests import CROSS_SITE, METHOD_NOT_ALLOWED, NOT_FOUND
from serving.security_headers import SECURITY_HEADERS

EVENTS_PATH: Final = "/manager/events"
LIVE_PATH: Final = "/health/live"

RETRY_S: Final = 60
"""Seconds after which a page that was refused may try again; until then it polls."""

MOST_STREAMS: Final = 200
"""So many streams somebody may have at once: one cannot take them all."""

CHECKED_S: Final = 60.0
"""After so many seconds it is asked again whether somebody may listen."""

SLOW_S: Final = 20.0
"""A listener that has not taken a message within so many seconds is dropped."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_SECURITY: Final = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_STREAM: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies pass each event on as it comes.
    (b"x-accel-buffering", b"no"),
    (b"connection", b"close"),
    *_SECURITY,
]


class EventsApplication:
    """Answers `EVENTS_PATH` with a stream, and `LIVE_PATH` while the process runs.

    Args:
        broadcast: What streams send.
        allowed_hosts: Host names that are answered besides the loopback ones.
        web_port: The port of the web server, whose pages may connect where no proxy makes both one.
        identities: Finds out who listens.
        slow_s: As `SLOW_S`.
        checked_s: As `CHECKED_S`.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        allowed_hosts: Iterable[str],
        web_port: int,
        identities: Identities,
        slow_s: float = SLOW_S,
        checked_s: float = CHECKED_S,
    ) -> None:
        self._broadcast = broadcast
        self._names = answered_names(allowed_hosts)
        self._origins = {f"http://{name}:{web_port}" for name in self._names}
        self._identities = identities
        self._slow_s = slow_s
        self._checked_s = checked_s
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        problem = self._problem(scope, headers)
        if problem is not None:
            await _refuse(send, problem)
            return
        if scope["path"] == LIVE_PATH:
            await _answer(send, 200, b"application/json", orjson.dumps({"status": "ok"}))
            return
        identity = await self._listener(headers)
        problem = _refusal(identity)
        if problem is not None or identity.scope is None:
            await _refuse(send, problem or SCOPE_UNKNOWN)
        else:
            await self._stream(identity.name, identity.scope, headers, receive, send)

    async def _listener(self, headers: Mapping[str, str]) -> Identity:
        """Who listens. A page that is merely open does not show that somebody is there."""
        # It may ask a database.
        return await asyncio.to_thread(self._identities.of, headers, is_use=False)

    def _problem(self, scope: Scope, headers: Mapping[str, str]) -> ProblemType | None:
        if not is_answered(headers.get("host", ""), self._names):
            return UNTRUSTED_HOST
        if scope["path"] not in (EVENTS_PATH, LIVE_PATH):
            return NOT_FOUND
        if scope["method"] != "GET":
            return METHOD_NOT_ALLOWED
        if headers.get("sec-fetch-site", "").casefold() == "cross-site":
            return CROSS_SITE
        return None

    async def _stream(
        self, name: str, scope: str, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        try:
            with self._share_of(name), self._broadcast.within(scope).listener():
                await self._listen(scope, headers, receive, send)
        except TooManyListeners:
            await _refuse(send, TOO_MANY_LISTENERS, [(b"retry-after", str(RETRY_S).encode())])

    @contextmanager
    def _share_of(self, name: str) -> Iterator[None]:
        """Count one stream of somebody; where nobody is asked who they are, nobody's share is known.

        Raises:
            TooManyListeners: If they have as many as one may.
        """
        if name and self._streams[name] >= MOST_STREAMS:
            raise TooManyListeners
        self._streams[name] += 1
        try:
            yield
        finally:
            self._streams[name] -= 1
            if not self._streams[name]:
                del self._streams[name]

    async def _listen(self, scope: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        broadcast, checked = self._broadcast.within(scope), time.monotonic()
        gone: asyncio.Future[None] = asyncio.ensure_future(_disconnected(receive))
        start = {"type": "http.response.start", "status": 200, "headers": _STREAM + self._cors(headers)}
        await send(start)
        try:
            async with aclosing(broadcast.messages(headers.get("last-event-id", ""), gone)) as messages:
                async for message in messages:
                    if time.monotonic() - checked >= self._checked_s:
                        identity, checked = await self._listener(headers), time.monotonic()
                        if _refusal(identity) is not None or identity.scope != scope:
                            break
                    async with asyncio.timeout(self._slow_s):
                        await send({"type": "http.response.body", "body": message, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            pass  # the server closes a connection whose answer has no end
        finally:
            gone.cancel()

    def _cors(self, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """Lets a page of the web server read the stream: its port makes it one of another origin."""
        origin = headers.get("origin", "").casefold()
        # Only under the name by which the page itself was reached.
        own = origin.removeprefix("http://").rpartition(":")[0] == host_name(headers.get("host", ""))
        vary = (b"vary", b"Origin")
        if own and origin in self._origins:
            allowed = (b"access-control-allow-origin", origin.encode())
            return [vary, allowed, (b"access-control-allow-credentials", b"true")]
        return [vary]


def _refusal(identity: Identity) -> ProblemType | None:
    """Why somebody may not listen; None where they may."""
    if identity.is_unknown:
        return SIGN_IN_UNAVAILABLE
    if identity.role is not None and identity.scope is None:
        return SCOPE_UNKNOWN
    return None if identity.may(Permission.FIGURES) else SIGN_IN_NEEDED


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, problem: ProblemType, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    language = LANGUAGES[-1]
    document = {
        "type": problem.uri,
        "title": problem.title.into(language),
        "status": problem.status,
        "detail": problem.explanation(language, for_programs=True),
    }
    await _answer(send, problem.status, b"application/problem+json", orjson.dumps(document), headers)


async def _answer(
    send: Send, status: int, mimetype: bytes, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    listed = [
        (b"content-type", mimetype),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
        *_SECURITY,
    ]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
