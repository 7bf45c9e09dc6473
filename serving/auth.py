"""Who may request work: sites of origin, the admin token, signatures.

A browser sends whatever another site's page makes it send. What no page can change are the headers that
the browser writes itself, `Sec-Fetch-Site` and `Origin`.
"""

import hmac
import re
from ipaddress import ip_address
from typing import Final

from flask import Request
from pydantic import SecretStr

from kpi_pipeline.model.signatures import sign
from serving.access.identity import current_identity
from serving.host_names import LOOPBACK_NAMES, is_answered
from serving.problem_types.requests import CROSS_SITE, TOKEN_NEEDED
from serving.problems import Problem

REPLAY_WINDOW_S: Final = 300
"""How far from the present the time of sending may be: a message that was overheard is worthless later."""

_TIMESTAMP: Final = re.compile(r"\d{1,12}", re.ASCII)
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="kpi"'}


def refuse_other_sites(request: Request) -> None:
    """Refuse what a page of another site made a browser send; other clients name no site.

    Raises:
        Problem: If it comes from elsewhere, or an address was only followed that needs a form of ours.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # "none" is an address typed or followed from outside a browser: no form of ours was there.
        allowed = ("same-origin",) if request.method == "GET" else ("same-origin", "none")
        if site.casefold() not in allowed:
            raise Problem(CROSS_SITE)
        return
    # A browser too old to name the site names at least the origin of what is posted. Behind a proxy that
    # encrypts, the scheme of the request is not the one that the browser sees.
    origin = request.headers.get("Origin")
    if origin is not None and origin.casefold() not in _origins(request.host):
        raise Problem(CROSS_SITE)


def require_admin(request: Request, token: SecretStr | None) -> None:
    """Refuse requests without the admin token; where none is set, those from other machines.

    Where access is controlled, what the address demands has been checked instead.

    Raises:
        Problem: If it is refused.
    """
    refuse_other_sites(request)
    if current_identity().role is not None:
        return
    if token is None:
        if not _from_this_machine(request):
            raise Problem(TOKEN_NEEDED, headers=_CHALLENGE)
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
    if scheme.casefold() != "bearer" or not is_right:
        raise Problem(TOKEN_NEEDED, headers=_CHALLENGE)


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether a message is signed with the secret and was sent within `REPLAY_WINDOW_S` of now.

    Args:
        secret: Shared by both sides.
        timestamp: The header of that name, as received.
        signature: Likewise.
        body: The body as received.
        now: Seconds since the epoch.
    """
    expected = sign(secret, timestamp, body)
    is_right = hmac.compare_digest(signature.strip().casefold().encode(), expected.encode())
    if not is_right or not _TIMESTAMP.fullmatch(timestamp):
        return False
    return abs(now - int(timestamp)) <= REPLAY_WINDOW_S


def _origins(host: str) -> tuple[str, str]:
    """The origins of a page that a host has sent."""
    return f"http://{host}".casefold(), f"https://{host}".casefold()


def is_forwarded(request: Request) -> bool:
    """Whether a proxy sent it for a client elsewhere."""
    return any(name in request.headers for name in _FORWARDED)


def _from_this_machine(request: Request) -> bool:
    """Whether a client on this machine sent it, not a proxy here for a client elsewhere."""
    if is_forwarded(request):
        return False
    try:
        is_near = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return is_near and is_answered(request.headers.get("Host", ""), LOOPBACK_NAMES)
