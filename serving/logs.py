"""The log of the web server: a line for each answer, under the id that its client or proxy gave it."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from kpi_pipeline.logs import REQUEST_ID, LogFormatter, begin_ids, end_ids, fields
from kpi_pipeline.settings import Settings

REQUEST_ID_HEADER: Final = "X-Request-ID"

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_TOLD: Final = {"Content-Length": "bytes", "X-Cache-State": "cache"}
"""The headers of an answer that its line tells, as serving writes them."""

_LOG: Final = logging.getLogger("serving.access")


def web_formatter() -> LogFormatter:
    """The formatter of the web server's own lines, by the settings."""
    return LogFormatter(Settings().log_format, "web")


class AccessLog:
    """Gives every request an id, sends it back as `X-Request-ID`, and logs how it was answered.

    Addresses are logged without their parameters: these name clients.

    Args:
        application: What answers.
        written: Whether a line is logged; the id is given in any case.
    """

    def __init__(self, application: WSGIApplication, *, written: bool) -> None:
        self._application = application
        self._written = written

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        started = time.perf_counter()
        sent: dict[str, Any] = {}

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            if self._written:
                sent.update(status=int(status[:3]), **_members(headers))
            return start_response(status, [*headers, (REQUEST_ID_HEADER, request_id)], exc_info)

        token = begin_ids(**{REQUEST_ID: request_id})
        try:
            body = self._application(environ, start)
            if self._written and _LOG.isEnabledFor(logging.INFO):
                # Until the answer begins: one that is streamed goes on for as long as its reader listens.
                spent = round(1000 * (time.perf_counter() - started), 1)
                line = f"{environ['REQUEST_METHOD']} {ascii(environ['PATH_INFO'])[1:-1]}"
                _write(line, fields(**sent, ms=spent))
        finally:
            end_ids(token)
        return body


def _write(line: str, members: dict[str, dict[str, object]]) -> None:
    """Log a line. The logger would look for the place in the code that logs it: no format names that."""
    record = logging.LogRecord(_LOG.name, logging.INFO, "", 0, line, None, None)
    record.__dict__.update(members)
    _LOG.handle(record)


def _members(headers: list[tuple[str, str]]) -> dict[str, Any]:
    """What the headers of an answer tell about it."""
    found = ((_TOLD[name], value) for name, value in headers if name in _TOLD)
    return {name: int(value) if value.isdigit() else value for name, value in found}
