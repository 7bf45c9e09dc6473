"""Moments and days as text for programs and engineers: one form everywhere."""

import re
from datetime import UTC, date, datetime
from typing import Final

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def as_iso(moment: float) -> str:
    """A moment, in seconds since the epoch, as ISO 8601 in UTC with `Z`, to the second."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def written_day(text: str) -> date | None:
    """The day that a text is, written as YYYY-MM-DD and in no other way; None of any other text."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
