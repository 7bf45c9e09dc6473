"""Quotients of integers, each correctly rounded once."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.cube.encoding import Bools, Ints

Floats = npt.NDArray[np.float64]

_EXACT: Final = 2**53
"""Up to here every integer is a double, so that one division rounds correctly."""

_SAFE: Final = 10**9
"""Up to here a double times a power of ten is off by much less than a millionth."""


def quotient(above: Ints, below: Ints, times: Ints | None = None) -> tuple[Floats, Bools]:
    """Divide element by element.

    Args:
        above: Numerators.
        below: Denominators; where zero there is no value.
        times: What numerators are multiplied by first.

    Returns:
        The correctly rounded quotients, never -0.0, and where there is one.
    """
    there = below != 0
    if times is not None:
        reach = _reach(above) * max(_reach(times), 1)
        above = above.astype(object) * times if reach >= _EXACT else above * times
    if above.dtype != object and max(_reach(above), _reach(below)) < _EXACT:
        return np.divide(above, below, out=np.zeros(above.shape), where=there) + 0.0, there
    # Python divides integers of any size with one correct rounding.
    pairs = zip(above.ravel().tolist(), below.ravel().tolist(), strict=True)
    values = [up / down + 0.0 if down else 0.0 for up, down in pairs]
    return np.array(values, np.float64).reshape(above.shape), there


def rounded(values: Floats, digits: int) -> Floats:
    """What Python's `round` gives for each value."""
    scale = 10.0**digits
    scaled = values * scale
    result = np.rint(scaled) / scale
    # Near a tie, and of large numbers, the product's own rounding shows: there Python looks at the digits.
    close = (np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < 1e-6) | (np.abs(scaled) > _SAFE)
    for at in zip(*np.nonzero(close), strict=True):
        result[at] = round(float(values[at]), digits)
    return result + 0.0


def _reach(values: Ints) -> int:
    return int(np.abs(values).max()) if values.size else 0
