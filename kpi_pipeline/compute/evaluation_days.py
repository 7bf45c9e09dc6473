"""The days on which every KPI is evaluated: as_of, the day it is compared with, and the ends of months.

A figure of an earlier day is the figure as it stood then, so that a trend compares like with like.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import pyarrow as pa

from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.kpis import TREND_MONTHS

AS_OF: Final = 0
"""Place of the business date among the days."""

PREVIOUS: Final = 1
"""Place of the day with which it is compared."""

_MONTH_ENDS: Final = TREND_MONTHS - 1

TREND: Final = (*range(PREVIOUS + 1, PREVIOUS + 1 + _MONTH_ENDS), AS_OF)
"""Places of a trend's points, the earliest first: ends of months, then the business date."""

DAYS: Final = PREVIOUS + 1 + _MONTH_ENDS
"""How many days there are."""

COHORT: Final = -1
"""Place of the figures of billing months: of all their certificates as of the business date, whenever their
events were."""

_EVER: Final = date(1, 1, 1)

_KEPT_DATES: Final = 64
"""Of so many business dates the days are kept: figures need them again and again."""

DAYS_SCHEMA: Final = pa.schema(
    [
        pa.field("place", pa.int64()),
        *(
            pa.field(name, pa.date32())
            for name in (
                *("day", "reach_first", "window_first", "month_first", "year_first"),
                *("last_month_first", "last_month_last", "month_before_first", "month_before_last"),
                *("month_year_before_first", "month_year_before_last", "quarter_first"),
            )
        ),
    ]
)
"""A day and the first and last days of the stretches that end on or before it; `last_month` is over.

`reach_first` is the earliest of them: what was settled before it takes no part in any figure of the day.
"""


@dataclass(frozen=True, slots=True)
class EvaluationDays:
    """The days of one business date.

    Attributes:
        as_of: The business date.
        window_months: Months of the window over which flows are summed.
    """

    as_of: date
    window_months: int

    @property
    def days(self) -> tuple[date, ...]:
        """Every day, by its place."""
        return _days(self.as_of, self.window_months)

    def window_first(self, day: date) -> date:
        """The first day of the window that ends on a day."""
        return window_first(day, self.window_months)

    def table(self) -> pa.Table:
        """The days and that of the cohorts; rows in `DAYS_SCHEMA`."""
        rows = [{"place": place, **self._stretches(day)} for place, day in enumerate(self.days)]
        rows.append({"place": COHORT, "day": self.as_of, "window_first": _EVER})
        full = [{name: row.get(name) for name in DAYS_SCHEMA.names} for row in rows]
        return pa.Table.from_pylist(full, schema=DAYS_SCHEMA)

    def _stretches(self, day: date) -> dict[str, date]:
        complete = month_of(day + timedelta(1)) - 1
        last, before, year_before = (_month(number) for number in (complete, complete - 1, complete - 12))
        return {
            "day": day,
            "reach_first": min(self.window_first(day), year_before[0]),
            "window_first": self.window_first(day),
            "month_first": day.replace(day=1),
            "year_first": day.replace(month=1, day=1),
            "last_month_first": last[0],
            "last_month_last": last[1],
            "month_before_first": before[0],
            "month_before_last": before[1],
            "month_year_before_first": year_before[0],
            "month_year_before_last": year_before[1],
            "quarter_first": _month(complete - 2)[0],
        }


@lru_cache(_KEPT_DATES)
def _days(as_of: date, window_months: int) -> tuple[date, ...]:
    present = month_of(as_of)
    ends = (month_end(number) for number in range(present - _MONTH_ENDS, present))
    return as_of, months_before(as_of, window_months), *ends


def window_first(day: date, window_months: int) -> date:
    """The first day of the window over which flows are summed, which ends on a day."""
    return months_before(day, window_months) + timedelta(1)


def months_before(day: date, months: int) -> date:
    """The day so many months before a day; the last one of a month for the last one of a month."""
    year, month = divmod(month_of(day) - months, 12)
    length = monthrange(year, month + 1)[1]
    is_last = day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, length if is_last else min(day.day, length))


def _month(number: int) -> tuple[date, date]:
    last = month_end(number)
    return last.replace(day=1), last
