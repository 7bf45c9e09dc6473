"""Quantiles of the days from issue to payment: product-limit estimates.

Source: E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958).
"""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints, sum_by_keys
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS

_DAYS, _PAID, _OPEN = range(3)
_SLACK: Final = 1e-9
"""More than what rounding adds to a logarithm, and far less than estimates differ by."""


def payment_quantiles(slice_: Slice, percent: int) -> tuple[Ints, Bools]:
    """The least days from issue by which the estimated share that is not paid falls to a percentage.

    The estimate is over the certificates issued in the window, those that are open included up to their age.

    Args:
        slice_: The variants.
        percent: Paid, from 1 to 99.

    Returns:
        Days and where the estimate reaches the percentage, [V, days, 1].
    """
    table = slice_.frame.tables["payment_times"]
    owner, row = slice_.rows_on_days("payment_times")
    days = table.sums[row, _DAYS]
    owners = len(slice_) * DAYS
    (owner, days), counts = sum_by_keys(
        table.sums[:, [_PAID, _OPEN]], row, (owner, days), (owners, int(days.max(initial=0)) + 1)
    )
    value, there = np.zeros(owners, np.int64), np.zeros(owners, np.bool_)
    paid, left = counts[:, 0], counts.sum(axis=1)
    # At risk: all that were paid, or are open, at that age or later.
    after = np.cumsum(left[::-1])[::-1]
    ends = np.searchsorted(owner, owner, side="right")
    at_risk = after - np.append(after, 0)[ends]
    ended = at_risk == paid
    logs = np.log(np.where(ended, 1, at_risk - paid) / np.where(ended, 1, at_risk))
    begins = np.searchsorted(owner, owner)
    running = np.cumsum(logs)
    survival = running - np.append(0, running)[begins]
    reached = (paid > 0) & (ended | (survival <= np.log((100 - percent) / 100) + _SLACK))
    first_owner, at = np.unique(owner[reached], return_index=True)
    value[first_owner], there[first_owner] = days[reached][at], True
    shape = (len(slice_), DAYS, 1)
    return value.reshape(shape), there.reshape(shape)
