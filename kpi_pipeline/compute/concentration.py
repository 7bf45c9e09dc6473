"""Concentration: how a sum spreads over the values of a dimension."""

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Ints, sum_by_keys
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.model.components import COMPONENT_INDEX


def concentrations(slice_: Slice, dimension: str, component: str, *, squared: bool) -> tuple[Ints, Ints]:
    """The largest value's part of a component, or the sum of the squares of all, and the whole.

    Args:
        slice_: The variants.
        dimension: Over whose values the component spreads.
        component: A flow component.
        squared: Squares instead of the largest; then the whole is squared too.

    Returns:
        What is above and below the line, [V, days, C]: Python integers where squared.
    """
    currencies = len(slice_.currencies)
    shape = (len(slice_) * DAYS, currencies)
    kind = object if squared else np.int64
    above, below = np.zeros(shape, kind), np.zeros(shape, kind)
    (owner, currency, _), sums = _by_value(slice_, dimension, (component,))
    of_value = sums[:, 0]
    some = of_value != 0
    owner, currency, of_value = owner[some], currency[some], of_value[some]
    if len(of_value):
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
    by_day = (len(slice_), DAYS, currencies)
    return above.reshape(by_day), below.reshape(by_day)


def values_with(slice_: Slice, dimension: str, component: str, *, some: bool) -> Ints:
    """How many values of a dimension have receivables, and some or none of a stock component.

    Args:
        slice_: The variants.
        dimension: Whose values are counted.
        component: A stock component.
        some: Those that have some of it; else those that have none.

    Returns:
        [V, days, 1].
    """
    (owner, _, value), sums = _by_value(slice_, dimension, ("receivable_count", component))
    values = max(len(slice_.frame.encoded_values[dimension]), 1)
    pairs, at = np.unique(owner * values + value, return_inverse=True)
    of_pair = np.zeros((len(pairs), 2), np.int64)
    np.add.at(of_pair, at, sums)
    chosen = (of_pair[:, 0] > 0) & ((of_pair[:, 1] > 0) == some)
    counts = np.bincount(pairs[chosen] // values, minlength=len(slice_) * DAYS).astype(np.int64)
    return counts.reshape(len(slice_), DAYS, 1)


def _by_value(
    slice_: Slice, dimension: str, components: tuple[str, ...]
) -> tuple[tuple[Ints, Ints, Ints], Ints]:
    """Components by owner (variant x days + day), currency and value of a dimension, in that order."""
    cells = slice_.frame.tables["cells"]
    owner, row = slice_.rows_on_days("cells")
    code = cells.codes[dimension][row]
    kept = code != NO_VALUE
    owner, row, code = owner[kept], row[kept], code[kept]
    columns = [COMPONENT_INDEX[name] for name in components]
    values = len(slice_.frame.encoded_values[dimension])
    (owner, currency, value), sums = sum_by_keys(
        cells.sums.columns(columns, row),
        np.arange(len(row)),
        (owner, cells.currency[row], code),
        (len(slice_) * DAYS, len(slice_.currencies), values),
    )
    return (owner, currency, value), sums
