"""Months and days as consecutive numbers, and the days of a month that have passed on a date."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt


def month_number(text: str) -> int:
    """A month 'YYYY-MM' as a number that grows by one a month."""
    year, month = text.split("-")
    return int(year) * 12 + int(month) - 1


def month_text(number: int) -> str:
    """The month 'YYYY-MM' of a number."""
    year, month = divmod(number, 12)
    return f"{year:04d}-{month + 1:02d}"


def month_of(day: date) -> int:
    """The number of a date's month."""
    return day.year * 12 + day.month - 1


def month_end(number: int) -> date:
    """The last day of a month."""
    year, month = divmod(number, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def last_month_over(as_of: date) -> int:
    """The number of the last month that is over at the end of a day."""
    return month_of(as_of + timedelta(1)) - 1


def last_month_ended(as_of: date, calendar_day: date) -> int:
    """The number of the last month that is over on a business date and has ended by the calendar.

    On the last day of a month more may happen: its end is kept from the next day on.
    """
    return min(last_month_over(as_of), month_of(calendar_day) - 1)


def day_numbers(days: Sequence[date]) -> npt.NDArray[np.int64]:
    """Days as numbers: in days since 1970."""
    return np.array(days, "datetime64[D]").astype(np.int64)


def days_between(
    first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], as_of: date
) -> npt.NDArray[np.int64]:
    """Calendar days of stretches of months up to and including a date; 0 where they begin after it.

    Args:
        first: Number of each stretch's first month.
        last: Number of its last month.
        as_of: The date.
    """
    begin, end = _first_day(first), _first_day(last + 1)
    return np.maximum(np.minimum(end, np.datetime64(as_of, "D") + 1) - begin, 0).astype(np.int64)


def _first_day(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    return (numbers - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]")
