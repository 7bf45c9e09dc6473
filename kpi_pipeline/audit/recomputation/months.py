"""Months by number, and their days."""

from calendar import monthrange
from datetime import date
from functools import cache


def number(month: str) -> int:
    """The number of a month 'YYYY-MM'; the next month has the next one."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def text(month: int) -> str:
    """A month's number as 'YYYY-MM'."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def of(day: date) -> int:
    """The number of the month of a day."""
    return day.year * 12 + day.month - 1


def last_day(month: int) -> date:
    """The last day of a month."""
    year, place = divmod(month, 12)
    return date(year, place + 1, monthrange(year, place + 1)[1])


@cache
def days_passed(month: int, as_of: date) -> int:
    """Days of a month that have begun by a date."""
    return sum(last_day(month).replace(day=day) <= as_of for day in range(1, last_day(month).day + 1))
