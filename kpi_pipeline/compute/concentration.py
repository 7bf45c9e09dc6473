"""Figures that are no sums: quantiles of payments, and how a sum spreads over a dimension's values."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, Ints, sum_by_keys, sum_by_place
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.windows import PREVIOUS, RECENT, TREND, VALUE, WINDOWS, Windows
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENT_NAMES, STOCK_COMPONENTS

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
    by_month = _quantiles(slice_, *_each_month(slice_, "breakdowns"), every, percent)
    value[:, TREND, 0] = _at_months(slice_, windows.first[:, TREND], by_month, NO_VALUE)
    return value, value != NO_VALUE


def concentrations(
    slice_: Slice, windows: Windows, dimension: str, component: str, squared: bool
) -> tuple[Ints, Ints]:
    """The largest value's part of a component, or the sum of the squares of all, and the whole.

    Args:
        slice_: The variants.
        windows: Theirs.
        dimension: Over whose values the component spreads.
        component: A flow component.
        squared: Squares instead of the largest; then the whole is squared too.

    Returns:
        What is above and below the line, [V, windows, C]: Python integers where squared.
    """
    currencies = len(slice_.currencies)
    shape = (len(slice_), WINDOWS, currencies)
    kind = object if squared else np.int64
    above, below = np.zeros(shape, kind), np.zeros(shape, kind)

    def spread(owner: Ints, row: Ints, owners: int) -> tuple[Ints, Ints]:
        return _spread(slice_, owner, row, owners, dimension, component, squared)

    above[:, VALUE], below[:, VALUE] = spread(*slice_.rows("cells"), len(slice_))
    for window in (RECENT, PREVIOUS):
        rows = slice_.stretch("cells", slice_.group, windows.first[:, window], windows.last[:, window])
        above[:, window], below[:, window] = spread(*rows, len(slice_))
    by_month = spread(*_each_month(slice_, "cells"), slice_.groups * slice_.frame.month_count)
    for target, values in zip((above, below), by_month, strict=True):
        target[:, TREND] = _at_months(slice_, windows.first[:, TREND], values, 0)
    return above, below


def values_with(slice_: Slice, windows: Windows, dimension: str, component: str, some: bool) -> Ints:
    """How many values of a dimension have something open, and some or none of a stock component.

    Args:
        slice_: The variants.
        windows: Theirs; of a window or a month, what stood at its end.
        dimension: Whose values are counted.
        component: A stock component.
        some: Those that have some of it; else those that have none.

    Returns:
        [V, windows, 1].
    """
    value = np.zeros((len(slice_), WINDOWS, 1), np.int64)

    def counted(table: str, columns: tuple[str, ...], owner: Ints, row: Ints, owners: int) -> Ints:
        source, values = slice_.frame.tables[table], len(slice_.frame.encoded_values[dimension])
        code = source.codes[dimension][row]
        kept = code != NO_VALUE
        pairs, at = np.unique(owner[kept] * max(values, 1) + code[kept], return_inverse=True)
        places = [columns.index("open_count"), columns.index(component)]
        sums = sum_by_place(source.sums[:, places], row[kept], at, len(pairs))
        chosen = (sums[:, 0] > 0) & ((sums[:, 1] > 0) == some)
        return np.bincount(pairs[chosen] // max(values, 1), minlength=owners).astype(np.int64)

    value[:, VALUE, 0] = counted("cells", COMPONENT_NAMES, *slice_.rows("cells"), len(slice_))
    every = slice_.groups * slice_.frame.month_count
    by_month = counted("positions", STOCK_COMPONENTS, *_each_month(slice_, "positions"), every)
    present = slice_.frame.current_month
    for window in range(VALUE + 1, WINDOWS):
        ends = np.minimum(windows.last[:, window : window + 1], present)
        value[:, window] = _at_months(slice_, ends, by_month, 0)
    return value


def _each_month(slice_: Slice, table: str) -> tuple[Ints, Ints]:
    """The rows of every group and month; which of these each is in, and the row."""
    months = slice_.frame.month_count
    group, month = np.divmod(np.arange(slice_.groups * months), months)
    number = month + slice_.frame.first_month
    return slice_.stretch(table, group, number, number)


def _at_months(slice_: Slice, numbers: Ints, by_month: Ints, outside: int) -> Ints:
    """Values by group and month, taken at some months of each variant, [V, months]."""
    months = slice_.frame.month_count
    place = numbers - slice_.frame.first_month
    inside = (place >= 0) & (place < months)
    values = by_month[slice_.group[:, None] * months + np.clip(place, 0, months - 1)]
    values[~inside] = outside
    return values


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


def _spread(
    slice_: Slice, owner: Ints, row: Ints, owners: int, dimension: str, component: str, squared: bool
) -> tuple[Ints, Ints]:
    """Largest or squares, and the whole, of each owner and currency, [owners, C]."""
    cells, currencies = slice_.frame.tables["cells"], len(slice_.currencies)
    kind = object if squared else np.int64
    above, below = np.zeros((owners, currencies), kind), np.zeros((owners, currencies), kind)
    code = cells.codes[dimension][row]
    amount = cells.sums[row, COMPONENT_INDEX[component]]
    kept = (code != NO_VALUE) & (amount != 0)
    owner, row, code, amount = owner[kept], row[kept], code[kept], amount[kept]
    if not len(row):
        return above, below
    (owner, currency, _), sums = sum_by_keys(
        amount[:, None],
        np.arange(len(amount)),
        (owner, cells.currency[row], code),
        (owners, currencies, len(slice_.values(dimension))),
    )
    of_value = sums[:, 0]
    first = np.flatnonzero(np.diff(owner * currencies + currency, prepend=-1))
    where = owner[first], currency[first]
    whole = np.add.reduceat(of_value, first)
    if squared:
        big = of_value.astype(object)
        # A total that is not positive has no shares.
        squares = np.where(whole > 0, whole, 0).astype(object) ** 2
        above[where], below[where] = np.add.reduceat(big * big, first), squares
    else:
        above[where], below[where] = np.maximum.reduceat(of_value, first), whole
    return above, below
