"""Concentration: how a sum spreads over the values of a dimension."""

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Ints, sum_by_keys, sum_by_place
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
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENT_NAMES, STOCK_COMPONENTS


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
    by_month = spread(*each_month(slice_, "cells"), slice_.groups * slice_.frame.month_count)
    for target, values in zip((above, below), by_month, strict=True):
        target[:, TREND] = at_months(slice_, windows.first[:, TREND], values, 0)
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
    by_month = counted("positions", STOCK_COMPONENTS, *each_month(slice_, "positions"), every)
    present = slice_.frame.current_month
    for window in range(VALUE + 1, WINDOWS):
        ends = np.minimum(windows.last[:, window : window + 1], present)
        value[:, window] = at_months(slice_, ends, by_month, 0)
    return value


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
