"""Time zones: the default one of calendar days, and the check of a name."""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_TIMEZONE: Final = "America/Santiago"
"""Zone of calendar days where KPI_TIMEZONE does not say otherwise."""


def known_timezone(name: str) -> str:
    """The name of a time zone, if there is one.

    Raises:
        ValueError: If the zone database has no such zone.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as America/Santiago") from error
    return name
