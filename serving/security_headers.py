"""Headers of every answer: nothing from elsewhere is loaded, and nobody elsewhere may embed it."""

from collections.abc import Iterable
from typing import Final

_CONNECT: Final = "connect-src 'self'"
_POLICY: Final = "Content-Security-Policy"

SECURITY_HEADERS: Final = {
    _POLICY: "default-src 'none'; style-src 'self'; script-src 'self'; "
    f"img-src 'self' data:; {_CONNECT}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of an answer whose scripts may connect to nothing but this server."""


def security_headers(names: Iterable[str], events_port: int) -> dict[str, str]:
    """Headers of the answers of a web server.

    Args:
        names: The host names that it is known by.
        events_port: Where its pages hear of new figures; 0 where only a proxy in front knows.
    """
    # A policy cannot name an IPv6 address.
    hosts = sorted(name for name in names if events_port and not name.startswith("["))
    allowed = "".join(f" http://{host}:{events_port}" for host in hosts)
    return {**SECURITY_HEADERS, _POLICY: SECURITY_HEADERS[_POLICY].replace(_CONNECT, _CONNECT + allowed)}
