"""Moments as text for programs and engineers: one form everywhere."""

from datetime import UTC, datetime


def as_iso(moment: float) -> str:
    """A moment, in seconds since the epoch, as ISO 8601 in UTC with `Z`, to the second."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
