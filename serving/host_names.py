"""The host names that are answered."""

import re
from collections.abc import Iterable
from typing import Final

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names by which this machine calls itself; always answered."""

_AUTHORITY: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII)


def answered_names(extra: Iterable[str]) -> frozenset[str]:
    """Every host name that is answered: a page of a foreign name rebound to loopback reads no figures.

    Args:
        extra: Names beside the loopback ones, without ports, in any case.
    """
    return LOOPBACK_NAMES | {name.casefold() for name in extra}


def host_name(header: str) -> str:
    """The name in a Host header, without its port and in lower case; empty where it is no host.

    Args:
        header: The header's value; empty when the client sent none.
    """
    match = _AUTHORITY.fullmatch(header.casefold())
    return match["name"] if match is not None else ""


def is_answered(header: str, names: frozenset[str]) -> bool:
    """Whether a request with this Host header is answered; the port plays no part.

    Args:
        header: The header's value; empty when the client sent none.
        names: The result of `answered_names`.
    """
    return host_name(header) in names
