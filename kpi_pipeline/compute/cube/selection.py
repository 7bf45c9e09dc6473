"""From filters to slices: which rows of a cube's tables each filter admits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.groups import Groups
from kpi_pipeline.compute.cube.membership import ByFilter, Membership
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.cube.variants import Selection
from kpi_pipeline.compute.months import month_number
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.filters import Filter


@dataclass(frozen=True, slots=True)
class Grouping:
    """Filters and the groups of rows that they sum.

    Attributes:
        members: The groups.
        filters: The filters.
        group: The group of each.
        months: Numbers of the months that each names.
        part: Of all rows, those that belong to a group, about.
    """

    members: Membership
    filters: list[Filter]
    group: list[int]
    months: list[tuple[int, ...]]
    part: float = 0.0


def slice_of(frame: CubeFrame, groupings: Sequence[Grouping], everything: Slice | None) -> Slice:
    """The slice of several groupings: few variants cost as much to evaluate as many.

    Args:
        frame: The cube's frame.
        groupings: At least one.
        everything: The slice of all certificates; None where it is this one.
    """
    members = tuple(grouping.members for grouping in groupings)
    offsets = np.cumsum([0, *(one.groups for one in members)]).tolist()
    group = [
        np.array(grouping.group, np.int64) + offset
        for grouping, offset in zip(groupings, offsets[:-1], strict=True)
    ]
    selection = Selection(
        tuple(requested for grouping in groupings for requested in grouping.filters),
        np.concatenate(group),
        tuple(months for grouping in groupings for months in grouping.months),
    )
    return Slice(Groups(frame, members), selection, everything)


def select(frame: CubeFrame, filters: Sequence[Filter], everything: Slice | None) -> Slice:
    """The sums of any filters, several values of a dimension included.

    A value that the data do not hold contributes nothing.

    Args:
        frame: The cube's frame.
        filters: At least one.
        everything: The slice of all certificates; None where it is this one.
    """
    # Filters that differ in their months alone share a group.
    groups: dict[Filter, int] = {}
    group = [groups.setdefault(requested.without(MONTH.name), len(groups)) for requested in filters]
    months = [tuple(month_number(text) for text in requested.values(MONTH.name)) for requested in filters]
    selection = Selection(tuple(filters), np.array(group, np.int64), tuple(months))
    return Slice(Groups(frame, tuple(ByFilter(one) for one in groups)), selection, everything)
