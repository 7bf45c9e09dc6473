"""The days on which figures are evaluated, and the stretches of days that end on or before each."""

from dataclasses import dataclass
from datetime import date, timedelta

from kpi_pipeline.audit.recomputation import months as month

TREND_MONTHS = 12


def months_before(day: date, months: int) -> date:
    """The day so many months earlier: month ends to month ends."""
    last = month.last_day(month.of(day) - months)
    if (day + timedelta(1)).day == 1:
        return last
    return last.replace(day=min(day.day, last.day))


def evaluation_days(as_of: date, window_months: int) -> list[date]:
    """The business date, the day it is compared with, and the month ends before it, the earliest first."""
    ends = [month.last_day(month.of(as_of) - back) for back in range(TREND_MONTHS - 1, 0, -1)]
    return [as_of, months_before(as_of, window_months), *ends]


@dataclass(frozen=True)
class Window:
    """What flows are summed over.

    Attributes:
        first: Its first day; None where it has no beginning.
        day: Its last day.
    """

    first: date | None
    day: date

    @classmethod
    def ending(cls, day: date, months: int) -> "Window":
        """So many months that end on a day."""
        return cls(months_before(day, months) + timedelta(1), day)

    def __contains__(self, day: date | None) -> bool:
        """An event of a day lies in it."""
        return day is not None and day <= self.day and (self.first is None or day >= self.first)

    def last_month(self, day: date | None, back: int = 0, length: int = 1) -> bool:
        """An event lies in so many months, up to that `back` months before the last one over; never of a
        window without beginning.
        """
        if day is None or self.first is None:
            return False
        over = month.of(self.day + timedelta(1)) - 1 - back
        return over - length < month.of(day) <= over

    def this_month(self, day: date | None) -> bool:
        """An event lies in the month of its last day."""
        return self.this_year(day) and day is not None and day.month == self.day.month

    def this_year(self, day: date | None) -> bool:
        """An event lies in the year of its last day."""
        return self.first is not None and day is not None and day <= self.day and day.year == self.day.year
