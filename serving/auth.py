"""Who may ask the pipeline for work: this machine's own tools, our own pages, and whoever has the token.

A browser sends along whatever another site's page tells it to. What it cannot do is lie about that:
`Sec-Fetch-Site` and `Origin` are the browser's own words, and no page can change them.
"""

import hmac
from ipaddress import ip_address

from flask import Request
from pydantic import SecretStr

from serving.hosts import LOOPBACK_NAMES, is_answered
from serving.problem_types import CROSS_SITE, TOKEN_NEEDED
from serving.problems import Problem

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kpi"'}


def refuse_other_sites(request: Request) -> None:
    """Refuse what a page of another site has told a browser to send.

    Args:
        request: What was sent; clients that are no browsers say nothing of sites.

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
    # A browser too old to name the site names at least the origin of what is posted.
    origin = request.headers.get("Origin")
    if origin is not None and origin.casefold() != f"{request.scheme}://{request.host}".casefold():
        raise Problem(CROSS_SITE)


def require_admin(request: Request, token: SecretStr | None) -> None:
    """Refuse whoever has not the admin token; without one set, whoever is not on this machine.

    Args:
        request: What was sent.
        token: The token that is set, if one is.

    Raises:
        Problem: If it is refused.
    """
    refuse_other_sites(request)
    if token is None:
        if not _from_this_machine(request):
            raise Problem(TOKEN_NEEDED, headers=_CHALLENGE)
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    known = hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
    if scheme.casefold() != "bearer" or not known:
        raise Problem(TOKEN_NEEDED, headers=_CHALLENGE)


def _from_this_machine(request: Request) -> bool:
    """Whether a client on this machine sent it, not a proxy here for a client elsewhere."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        near = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return near and is_answered(request.headers.get("Host", ""), LOOPBACK_NAMES)
