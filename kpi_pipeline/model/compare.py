"""What can be set side by side: values of a dimension, or periods of billing months."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from kpi_pipeline.model.dimensions import DIMENSION_NAMES, MONTH

COMPARED_WITH: Final = ("kpis", "charts")
"""Products whose answers are set side by side: the first that a reader may read.

One has every KPI, those of costs too; the other one is for everybody.
"""

COMPARED_DIMENSIONS: Final = (*(name for name in DIMENSION_NAMES if name != MONTH.name), MONTH.name)
"""Dimensions of which values are; those of months may be quarters and years too."""

FEWEST_COMPARED: Final = 2
MOST_COMPARED: Final = 4

DRAWN_SIDE_BY_SIDE: Final = ("receivable", "overdue", "dso", "payment_days_median")
"""KPIs whose points at month ends are drawn for each value."""

_QUARTER: Final = re.compile(r"(\d{4})-q([1-4])", re.ASCII | re.IGNORECASE)
_MONTH: Final = re.compile(r"\d{4}-\d{2}", re.ASCII)
_YEAR: Final = re.compile(r"\d{4}", re.ASCII)
_QUARTER_MONTHS: Final = 3


def months_of(period: str, held: Collection[str]) -> tuple[str, ...]:
    """The months of a period, of those that there are.

    Args:
        period: A month `YYYY-MM`, a quarter `YYYY-Qn` or a year `YYYY`.
        held: The months that there are.

    Returns:
        In order; none where it is no period, or there is no month of it.
    """
    if period in held:
        return (period,)
    if (quarter := _QUARTER.fullmatch(period)) is not None:
        last = int(quarter[2]) * _QUARTER_MONTHS
        wanted = {f"{quarter[1]}-{month:02d}" for month in range(last - _QUARTER_MONTHS + 1, last + 1)}
        return tuple(month for month in sorted(held) if month in wanted)
    if _YEAR.fullmatch(period):
        return tuple(month for month in sorted(held) if month.startswith(f"{period}-"))
    return ()


def is_month(period: str) -> bool:
    """Whether a period is a single month, and no quarter or year."""
    return _MONTH.fullmatch(period) is not None


def periods_in(months: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The years, quarters and months that there are, the latest first."""
    latest = sorted(months, reverse=True)
    years = list(dict.fromkeys(month[:4] for month in latest))
    quarters = list(dict.fromkeys(quarter_of(month) for month in latest))
    return years, quarters, latest


def quarters_compared(months: Collection[str], held: Collection[str]) -> tuple[str, ...]:
    """The quarter that some months are, the one before it and that of the year before.

    Args:
        months: All months of a quarter of which there are certificates.
        held: The months that there are.

    Returns:
        Those that hold months; none where the months are no quarter.
    """
    quarter = quarter_of(min(months)) if months else ""
    if not months or set(months_of(quarter, held)) != set(months):
        return ()
    year, number = int(quarter[:4]), int(quarter[-1])
    before = f"{year - (number == 1):04d}-Q{(number - 2) % 4 + 1}"
    candidates = (quarter, before, f"{year - 1:04d}-Q{number}")
    return tuple(one for one in candidates if months_of(one, held))


def quarter_of(month: str) -> str:
    """The quarter of a month, as `YYYY-Qn`."""
    return f"{month[:4]}-Q{(int(month[5:]) - 1) // _QUARTER_MONTHS + 1}"
