"""The buckets of receivables by age and by days past the due date."""

from typing import Final

AGEING_BUCKETS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("0-30", 0, 30),
    ("31-60", 31, 60),
    ("61-90", 61, 90),
    ("91-120", 91, 120),
    ("120+", 121, None),
)
"""Ageing buckets of receivables: label, first and last day of age (inclusive; None is no end)."""

NOT_DUE: Final = "not_due"
UNDATED: Final = "undated"
DUE_BUCKETS: Final = (NOT_DUE, *(label for label, _, _ in AGEING_BUCKETS), UNDATED)
"""Buckets of receivables by days past their due date; an item is past it from the day after."""
