"""Windows: the stretches of months at which KPIs are evaluated, for every variant of a slice.

In this order: the filter itself, the recent window and the one before it, then each month of the trend.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.months import days_between, month_text
from kpi_pipeline.model.dimensions import ISSUED_AGE
from kpi_pipeline.model.kpis import TREND_MONTHS
from kpi_pipeline.model.kpis.formulas import Span

VALUE: Final = 0
RECENT: Final = 1
PREVIOUS: Final = 2
TREND: Final = slice(3, 3 + TREND_MONTHS)
WINDOWS: Final = 3 + TREND_MONTHS


@dataclass(frozen=True, slots=True)
class Windows:
    """Months of each window of each variant, by their numbers; all [V, windows].

    Attributes:
        first: First month of the window itself.
        last: Its last month.
        window_first: First month of its DSO window.
        window_last: Last month of that.
        days: Days of that window that have passed.
        there: False where there is no such window: no like windows to compare.
        last_complete: Number of the last month that is over on as_of.
    """

    first: Ints
    last: Ints
    window_first: Ints
    window_last: Ints
    days: Ints
    there: Bools
    last_complete: int

    @classmethod
    def of(cls, slice_: Slice) -> "Windows":
        """The windows of a slice."""
        frame = slice_.frame
        end = slice_.trend_end
        recent_first, recent_last = _recent(slice_)
        length = recent_last - recent_first + 1
        months = end[:, None] + np.arange(-TREND_MONTHS + 1, 1)
        first = np.column_stack([slice_.window_first, recent_first, recent_first - length, months])
        last = np.column_stack([end, recent_last, recent_first - 1, months])
        window_first = first.copy()
        window_first[:, TREND] = months - frame.window_months + 1
        days = days_between(window_first, last, frame.as_of)
        days[:, VALUE] = slice_.window_days
        there = np.ones(first.shape, np.bool_)
        there[:, [RECENT, PREVIOUS]] = (length > 0)[:, None]
        return cls(first, last, window_first, last, days, there, frame.last_complete)

    def span(self, span: Span) -> tuple[Ints, Ints]:
        """First and last month of a span in each window."""
        complete = np.minimum(self.window_last, self.last_complete)
        january = self.window_last - self.window_last % 12
        ranges = {
            Span.SELF: (self.first, self.last),
            Span.WINDOW: (self.window_first, self.window_last),
            Span.END: (self.window_last, self.window_last),
            Span.START: (self.window_first - 1, self.window_first - 1),
            Span.LAST: (complete, complete),
            Span.BEFORE: (complete - 1, complete - 1),
            Span.YEAR_BEFORE: (complete - 12, complete - 12),
            Span.QUARTER: (complete - 2, complete),
            Span.YEAR: (january, self.window_last),
        }
        return ranges[span]


def comparisons(slice_: Slice) -> list[dict[str, str] | None]:
    """The windows that each variant compares: first and last months; None where there are none."""
    compared: list[dict[str, str] | None] = []
    for first, last in zip(*(months.tolist() for months in _recent(slice_)), strict=True):
        length = last - first + 1
        if length <= 0:
            compared.append(None)
            continue
        ends = {"from": first, "to": last, "previous_from": first - length, "previous_to": first - 1}
        compared.append({name: month_text(number) for name, number in ends.items()})
    return compared


def _recent(slice_: Slice) -> tuple[Ints, Ints]:
    """First and last month of each recent window; the last before the first where there is none."""
    frame = slice_.frame
    complete = frame.last_complete
    ends = []
    for requested, months in zip(slice_.filters, slice_.months, strict=True):
        over = [number for number in months if number <= complete]
        if requested.values(ISSUED_AGE.name) or (months and not over):
            ends.append((0, -1))
        elif not months:
            ends.append((complete - frame.window_months + 1, complete))
        elif len(over) == over[-1] - over[0] + 1:
            ends.append((over[0], over[-1]))
        else:
            ends.append((0, -1))
    first, last = np.array(ends, np.int64).reshape(-1, 2).T
    return first, last


def each_month(slice_: Slice, table: str) -> tuple[Ints, Ints]:
    """The place, group by group and month by month, of each row of a table, and the row."""
    months = slice_.frame.month_count
    group, month = np.divmod(np.arange(slice_.groups * months), months)
    number = month + slice_.frame.first_month
    return slice_.stretch(table, group, number, number)


def at_months(slice_: Slice, numbers: Ints, by_month: Ints, outside: int) -> Ints:
    """Values in the places of `each_month`, taken at some months of each variant, [V, months].

    Months outside the axis have the value `outside`.
    """
    months = slice_.frame.month_count
    place = numbers - slice_.frame.first_month
    inside = (place >= 0) & (place < months)
    values = by_month[slice_.group[:, None] * months + np.clip(place, 0, months - 1)]
    values[~inside] = outside
    return values
