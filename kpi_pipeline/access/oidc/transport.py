"""Requests to the provider: bounded in time, in size and in number, so that no other reader waits for it."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from kpi_pipeline.access.oidc.refusals import ProviderUnavailable

CONNECT_S: Final = 3.0
SILENT_S: Final = 4.0
"""Seconds without a byte."""

TOTAL_S: Final = 6.0
"""Seconds from a request to the end of its answer."""

LARGEST: Final = 512 * 1024
"""Bytes of an answer."""

PAUSE_S: Final = 5.0
"""Seconds after a failure in which nothing is requested: the answer is known."""

_AT_A_TIME: Final = 2
"""Requests to the provider at a time: a web server's process has four threads, and readers need some."""

_WAIT_S: Final = 0.5


class Transport:
    """Sends requests to a provider. Threads may share it.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._adapter = _Bounded(pool_maxsize=_AT_A_TIME)
        self._slots = BoundedSemaphore(_AT_A_TIME)
        self._silent_until = -1.0

    def read(self, url: str) -> dict[str, Any]:
        """A JSON object of an address.

        Raises:
            ProviderUnavailable: If it cannot be read.
        """
        with self.session(requests.Session()) as session:
            response = session.get(url, headers={"Accept": "application/json"})
            response.raise_for_status()
            document = response.json()
        if not isinstance(document, dict):
            raise ProviderUnavailable("an answer is no JSON object")
        return document

    @contextmanager
    def session(self, session: Any) -> Iterator[Any]:
        """Send requests by a session of its own.

        Raises:
            ProviderUnavailable: If one fails, or one has just now, or too many are under way.
        """
        if self._clock() < self._silent_until:
            raise ProviderUnavailable("it has just failed to answer")
        if not self._slots.acquire(timeout=_WAIT_S):
            raise ProviderUnavailable("too many requests to it are under way")
        try:
            # Nothing of an answer leads elsewhere: a secret is sent to where it belongs.
            session.max_redirects = 0
            for scheme in ("https://", "http://"):
                session.mount(scheme, self._adapter)
            yield session
        except (requests.RequestException, OSError, ValueError) as error:
            self._silent_until = self._clock() + PAUSE_S
            # The message of an error may hold addresses with their query.
            raise ProviderUnavailable(f"a request failed: {type(error).__name__}") from error
        finally:
            self._slots.release()


class _Bounded(HTTPAdapter):
    """Reads each answer whole, within bounds."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the signature is that of all
        timeout: object = None,  # noqa: ARG002 - likewise
        verify: bool | str = True,
        cert: Any = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        end = time.monotonic() + TOTAL_S
        response = super().send(request, True, (CONNECT_S, SILENT_S), verify, cert, proxies)
        try:
            body = _read(response, end)
        except BaseException:
            response.close()
            raise
        response.raw = io.BytesIO(body)
        return response


def _read(response: requests.Response, end: float) -> bytes:
    """The body of an answer; raises a `RequestException` where it is too long, or not there by `end`."""
    body = bytearray()
    # What comes in drops must come in time too.
    while chunk := response.raw.read1(16_384, decode_content=True):
        body += chunk
        if len(body) > LARGEST:
            raise requests.exceptions.ContentDecodingError("too long")
        if time.monotonic() > end:
            raise requests.exceptions.ReadTimeout("too slow")
    return bytes(body)
