"""The variants of a slice: their filters, and the months that they name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.model.filters import Filter


@dataclass(frozen=True, slots=True)
class Selection:
    """The variants of a slice.

    Attributes:
        filters: The V filters.
        group: Which group of rows each takes, [V].
        months: Numbers of the months that each names, ascending; empty where it names none.
    """

    filters: tuple[Filter, ...]
    group: Ints
    months: tuple[tuple[int, ...], ...]


def cohort_stretches(frame: CubeFrame, months_named: Sequence[tuple[int, ...]]) -> tuple[Ints, Ints, Ints]:
    """The stretches of consecutive billing months that variants name; all months where one names none.

    Args:
        frame: The encoded tables.
        months_named: Numbers of the months of each variant, ascending.

    Returns:
        The variant of each stretch, and its first and last place on the axis.
    """
    stretches = []
    for variant, months in enumerate(months_named):
        if not months:
            stretches.append((variant, DAYS, frame.places - 1))
            continue
        begin = months[0]
        for number, following in zip(months, (*months[1:], None), strict=True):
            if following != number + 1:
                # Months outside the axis have no rows, and must not be taken for days.
                begins, ends = (DAYS + of - frame.first_month for of in (begin, number))
                stretches.append((variant, max(begins, DAYS), max(ends, DAYS - 1)))
                if following is not None:
                    begin = following
    variant_of, first, last = np.array(stretches, np.int64).reshape(-1, 3).T
    return variant_of, first, last
