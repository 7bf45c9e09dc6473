"""Arrays as plain JSON values, one list a variant."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.exact_division import quotient

Data = dict[str, Any]
"""A plain JSON object."""

Item = TypeVar("Item")


def quotients(above: Ints, below: Ints, times: Ints | None = None) -> list[float | None]:
    """Each quotient, correctly rounded once; None where the divisor is 0.

    Args:
        above: The numerators.
        below: The denominators.
        times: What `above` is multiplied by first.
    """
    return values_or_none(*quotient(above, below, times))


def parts(above: Ints, below: Ints) -> list[float | None]:
    """Each part of a whole; None where credit notes put it outside 0 to 1, or the divisor is 0."""
    values, there = quotient(above, below)
    return values_or_none(values, there & (values >= 0) & (values <= 1))


def values_or_none(values: npt.NDArray[Any], known: Bools) -> list[Any]:
    """The values, None where they are not known."""
    if not known.all():
        values = values.astype(object)
        values[~known] = None
    return list(values.tolist())


def names_at(names: Sequence[str], places: Ints) -> list[str]:
    """The name at each place; that of no place, -1, is empty."""
    return list(np.array([*names, ""], object)[places].tolist())


def rows_of(columns: dict[str, list[Any]]) -> list[Data]:
    """One object a row, of columns by name."""
    names = tuple(columns)
    return [dict(zip(names, row, strict=False)) for row in zip(*columns.values(), strict=True)]


def by_variant(variants: int, variant: Ints, items: list[Item]) -> list[list[Item]]:
    """Rows sorted by variant as one list a variant."""
    return [items[start:end] for start, end in bounds(variants, variant)]


def bounds(variants: int, variant: Ints) -> list[tuple[int, int]]:
    """The first row and the end of those of each variant, of rows sorted by it."""
    return list(pairwise(np.searchsorted(variant, np.arange(variants + 1)).tolist()))
