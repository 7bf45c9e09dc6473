"""Quantiles of the days from issue to payment: product-limit estimates.

Source: E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958).
"""

from collections.abc import Collection
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, EncodedTable, Ints, stable_order
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import PaymentQuantile

_DAYS, _PAID, _OPEN = range(3)
_SLACK: Final = 1e-9
"""More than what rounding adds to a logarithm, and far less than estimates differ by."""

_PERCENTS: Final = frozenset(kpi.formula.percent for kpi in KPIS if isinstance(kpi.formula, PaymentQuantile))
"""Percentages that KPIs show."""

_NONE: Final = -1
"""In place of days where there are none."""

_VARIANTS: Final = 32
"""Variants estimated at a time: it bounds the memory that an estimate takes."""

_ROWS: Final = 1 << 20
"""Rows looked up at a time, for the same end."""

_SPREAD: Final = 4
"""Counts are added up in a table of all owners and days where it has at most so many places a row."""


def payment_quantiles(slice_: Slice, percent: int) -> tuple[Ints, Bools]:
    """The least days from issue by which the estimated share that is not paid falls to a percentage.

    The estimate is over the certificates issued in the window, those that are open included up to their age.

    Args:
        slice_: The variants.
        percent: Paid, from 1 to 99.

    Returns:
        Days and where the estimate reaches the percentage, [V, days, 1].
    """
    # The survival of many rows gives few numbers for each of the percentages, which several products show.
    known = slice_.remembered.setdefault(payment_quantiles, {})
    if percent not in known:
        known.update(_quantiles(slice_, {percent, *_PERCENTS}))
    value, there = known[percent]
    return value, there


def found_quantiles(slice_: Slice) -> Ints | None:
    """The quantiles that KPIs show, where they were estimated of a slice.

    Returns:
        Days, -1 where the estimate does not reach the percentage, [V, percentages, days]; None where they
        were not estimated.
    """
    known = slice_.remembered.get(payment_quantiles, {})
    if not all(percent in known for percent in _PERCENTS):
        return None
    found = [np.where(there, value, _NONE)[:, :, 0] for value, there in map(known.get, sorted(_PERCENTS))]
    return np.stack(found, axis=1).astype(np.int32)


def give_quantiles(slice_: Slice, found: Ints) -> None:
    """Let a slice know its quantiles.

    Args:
        slice_: The variants.
        found: As of `found_quantiles`.
    """
    known = slice_.remembered.setdefault(payment_quantiles, {})
    for percent, days in zip(sorted(_PERCENTS), np.moveaxis(found, 1, 0).astype(np.int64), strict=True):
        there = days != _NONE
        known[percent] = np.where(there, days, 0)[:, :, None], there[:, :, None]


def _quantiles(slice_: Slice, percents: Collection[int]) -> dict[int, tuple[Ints, Bools]]:
    """Days and where there are any, by percentage."""
    owners, shape = len(slice_) * DAYS, (len(slice_), DAYS, 1)
    found = {
        percent: (np.zeros(owners, np.int64), np.zeros(owners, np.bool_)) for percent in sorted(percents)
    }
    table, begin = slice_.frame.tables["payment_times"], 0
    for part in slice_.parts_of_rows("payment_times", _VARIANTS, _ROWS):
        owner, row = part.rows_on_days("payment_times")
        of_part = slice(begin, begin + len(part) * DAYS)
        _estimate(
            table,
            owner,
            row,
            {name: (value[of_part], there[of_part]) for name, (value, there) in found.items()},
        )
        begin = of_part.stop
    return {
        percent: (value.reshape(shape), there.reshape(shape)) for percent, (value, there) in found.items()
    }


def _estimate(table: EncodedTable, owner: Ints, row: Ints, found: dict[int, tuple[Ints, Bools]]) -> None:
    """Estimate the quantiles of owners into `found`."""
    days, paid, left = (table.sums.column(place)[row] for place in (_DAYS, _PAID, _OPEN))
    owner, days, paid, left = _by_days(owner, days, paid, left + paid)
    # At risk: all that were paid, or are open, at that age or later.
    after = np.cumsum(left[::-1])[::-1]
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    lengths = np.diff(begins, append=len(owner))
    at_risk = after - np.repeat(np.append(after, 0)[begins + lengths], lengths)
    # Survival falls with payments alone.
    some = np.flatnonzero(paid)
    owner, days, paid, at_risk = owner[some], days[some], paid[some], at_risk[some]
    ended = at_risk == paid
    logs = np.log(np.where(ended, 1, at_risk - paid) / np.where(ended, 1, at_risk))
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    lengths = np.diff(begins, append=len(owner))
    running = np.cumsum(logs)
    survival = running - np.repeat(np.append(0, running)[begins], lengths)
    for percent, (value, there) in found.items():
        reached = ended | (survival <= np.log((100 - percent) / 100) + _SLACK)
        at = np.flatnonzero(reached)
        first = at[np.flatnonzero(np.diff(owner[at], prepend=-1))]
        value[owner[first]], there[owner[first]] = days[first], True


def _by_days(owner: Ints, days: Ints, *counts: Ints) -> tuple[Ints, ...]:
    """The counts of each owner and day, in their order."""
    span = int(days.max(initial=0)) + 1
    key = owner * span + days
    possible = (int(owner.max(initial=0)) + 1) * span
    if possible <= _SPREAD * len(key):
        # Counts are far below 2**53: doubles add them exactly.
        sums = [np.bincount(key, count, possible).astype(np.int64) for count in counts]
        key = np.flatnonzero(np.logical_or.reduce([total != 0 for total in sums]))
        return *np.divmod(key, span), *(total[key] for total in sums)
    if (key[1:] < key[:-1]).any():
        # Two orders by small numbers take less time than one by the key.
        by_day = stable_order(days)
        by_day = np.arange(len(days)) if by_day is None else by_day
        by_owner = stable_order(owner[by_day])
        order = by_day if by_owner is None else by_day[by_owner]
        key, counts = key[order], tuple(count[order] for count in counts)
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    if len(begins) < len(key):
        key = key[begins]
        counts = tuple(np.add.reduceat(count, begins) for count in counts)
    return *np.divmod(key, span), *counts
