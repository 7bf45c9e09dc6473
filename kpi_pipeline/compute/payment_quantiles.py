"""Quantiles of the days from issue to payment."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.windows import (
    PREVIOUS,
    RECENT,
    TREND,
    VALUE,
    WINDOWS,
    Windows,
    at_months,
    each_month,
)

_COUNT: Final = 1
"""Place of the count among the sums of a breakdown."""


def payment_quantiles(slice_: Slice, windows: Windows, percent: int) -> tuple[Ints, Bools]:
    """The least days by which a percentage of the payments was made, by the nearest rank.

    Args:
        slice_: The variants.
        windows: Their windows.
        percent: From 1 to 100.

    Returns:
        Days and where there are any, [V, windows, 1].
    """
    value = np.full((len(slice_), WINDOWS, 1), NO_VALUE)
    value[:, VALUE, 0] = _quantiles(slice_, *slice_.rows("breakdowns"), len(slice_), percent)
    for window in (RECENT, PREVIOUS):
        rows = slice_.stretch("breakdowns", slice_.group, windows.first[:, window], windows.last[:, window])
        value[:, window, 0] = _quantiles(slice_, *rows, len(slice_), percent)
    every = slice_.groups * slice_.frame.month_count
    by_month = _quantiles(slice_, *each_month(slice_, "breakdowns"), every, percent)
    value[:, TREND, 0] = at_months(slice_, windows.first[:, TREND], by_month, NO_VALUE)
    return value, value != NO_VALUE


def _quantiles(slice_: Slice, owner: Ints, row: Ints, owners: int, percent: int) -> Ints:
    """The quantile of each owner's payments; `NO_VALUE` where it has none."""
    frame = slice_.frame
    paid = frame.breakdown[row] == "payment_days"
    owner, row = owner[paid], row[paid]
    quantiles = np.full(owners, NO_VALUE)
    if not len(row):
        return quantiles
    days = frame.payment_days[row]
    order = np.lexsort((days, owner))
    owner, days, count = owner[order], days[order], frame.tables["breakdowns"].sums[row[order], _COUNT]
    upto = np.cumsum(count)
    first = np.searchsorted(owner, owner)
    before = np.where(first > 0, upto[first - 1], 0)
    whole = np.bincount(owner, count, owners).astype(np.int64)[owner]
    reached = 100 * (upto - before) >= percent * whole
    with_payments, at = np.unique(owner[reached], return_index=True)
    quantiles[with_payments] = days[reached][at]
    return quantiles
