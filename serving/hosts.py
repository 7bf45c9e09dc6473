"""Which Host headers are answered: a page of a foreign name rebound to loopback must not read the figures."""

import re
from collections.abc import Iterable
from typing import Final

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names by which this machine calls itself; always answered."""

_AUTHORITY: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII)


def answered_names(extra: Iterable[str]) -> frozenset[str]:
    """Every host name that is answered.

    Args:
        extra: Names beside the loopback ones, without ports, in any case.
    """
    return LOOPBACK_NAMES | {name.casefold() for name in extra}


def is_answered(header: str, names: frozenset[str]) -> bool:
    """Whether a request with this Host header is answered; the port plays no part.

    Args:
        header: The header's value; empty when the client sent none.
        names: What `answered_names` gave.
    """
    match = _AUTHORITY.fullmatch(header.casefold())
    return match is not None and match["name"] in names
