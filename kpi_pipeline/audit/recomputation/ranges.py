"""Ranges of days and of amounts, and what they are called."""

from collections.abc import Mapping

BUCKETS = {"0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90), "91-120": (91, 120), "120+": (121, None)}
DUE_BUCKETS = ("not_due", *BUCKETS, "undated")
ISSUED_AGES = {
    "0-6": (0, 6),
    "7-13": (7, 13),
    "14-29": (14, 29),
    "30-59": (30, 59),
    "60-89": (60, 89),
    "90-179": (90, 179),
    "180-364": (180, 364),
    "365-729": (365, 729),
    "730+": (730, None),
}
AMOUNT_BANDS = ("bajo", "medio", "alto", "muy alto")
DECIMALS = {"CLP": 0, "EUR": 2, "USD": 2}


def amount_cuts(currency: str) -> tuple[int, ...]:
    """Where the bands of an amount change, in minor units."""
    whole = (1_000_000, 5_000_000, 10_000_000) if currency == "CLP" else (1_000, 5_000, 10_000)
    return tuple(cut * 10 ** DECIMALS.get(currency, 2) for cut in whole)


def range_of(days: int, ranges: Mapping[str, tuple[int, int | None]]) -> str:
    """The range in which a number of days lies; one before the first day is in the first."""
    return next(label for label, (_, last) in ranges.items() if last is None or days <= last)
