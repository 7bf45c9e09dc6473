"""Count-back DSO: the days of the latest billing that receivables amount to."""

from datetime import timedelta

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.compute.exact_division import Floats
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.components import COMPONENT_INDEX


def counted_back(slice_: Slice, receivable: Ints) -> tuple[Floats, Ints, Bools]:
    """Use receivables up by the billing of the latest month of issue, then of the one before, and so on.

    Args:
        slice_: The variants.
        receivable: What is used up on each day, [V, days, C].

    Returns:
        The days of the months used up whole and the part of the last one; the billing of that last one; and
        where the billing of the window reaches the receivables. All [V, days, C].
    """
    billed, passed = _billed(slice_), _month_days(slice_)
    remaining, days = receivable.copy(), np.zeros(receivable.shape, np.int64)
    used, used_days = np.zeros(receivable.shape, np.int64), np.zeros(receivable.shape, np.int64)
    counting = remaining > 0
    for back in range(billed.shape[-1]):
        of_month = billed[..., back]
        of_days = np.broadcast_to(passed[None, :, None, back], days.shape)
        ends = counting & (of_month >= remaining) & (of_month > 0)
        used, used_days = np.where(ends, of_month, used), np.where(ends, of_days, used_days)
        counting &= ~ends
        remaining = np.where(counting, remaining - np.maximum(of_month, 0), remaining)
        days = np.where(counting, days + of_days, days)
    ended = used > 0
    value = np.zeros(remaining.shape)
    columns = (of[ended].tolist() for of in (days, remaining, used, used_days))
    # Python's integers: days times amounts may leave 64 bits, and its division rounds once.
    value[ended] = [
        (whole_days * whole + left * last_days) / whole
        for whole_days, left, whole, last_days in zip(*columns, strict=True)
    ]
    return value, used, ended


def _billed(slice_: Slice) -> Ints:
    """Billing by months back from each day, [V, days, C, months]."""
    frame, currencies = slice_.frame, len(slice_.currencies)
    cells, months = frame.tables["cells"], frame.days.window_months + 1
    owner, row = slice_.rows_on_days("cells")
    of_day = np.array([month_of(day) for day in frame.days.days], np.int64)
    back = of_day[owner % DAYS] - (cells.month[row] + frame.first_month)
    kept = (back >= 0) & (back < months)
    owner, row, back = owner[kept], row[kept], back[kept]
    at = (owner * currencies + cells.currency[row]) * months + back
    sums = np.zeros(len(slice_) * DAYS * currencies * months, np.int64)
    np.add.at(sums, at, cells.sums.column(COMPONENT_INDEX["billed_amount"])[row])
    return sums.reshape(len(slice_), DAYS, currencies, months)


def _month_days(slice_: Slice) -> Ints:
    """Days of each month back from each day that lie in its window, [days, months]."""
    days, passed = slice_.frame.days, []
    for day in days.days:
        first = days.window_first(day)
        ends = [month_end(month_of(day) - back) for back in range(days.window_months + 1)]
        passed.append(
            [max((min(end, day) - max(end.replace(day=1), first) + timedelta(1)).days, 0) for end in ends]
        )
    return np.array(passed, np.int64)
