"""From filters to slices: which rows of a cube's tables each filter admits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, EncodedTable, GroupIndex, Ints
from kpi_pipeline.compute.cube.frame import ATTRIBUTES, CubeFrame
from kpi_pipeline.compute.cube.slices import Selection, Slice
from kpi_pipeline.compute.months import month_number
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.filters import Filter, fold


@dataclass(frozen=True, slots=True)
class Grouping:
    """Filters and the groups of rows that they sum.

    Attributes:
        groups: Number of groups.
        rows_of: By table, its rows and the group of each.
        filters: The filters.
        group: The group of each.
        months: Numbers of the months that each names.
    """

    groups: int
    rows_of: dict[str, tuple[Ints, Ints]]
    filters: list[Filter]
    group: list[int]
    months: list[tuple[int, ...]]


def slice_of(frame: CubeFrame, groupings: Sequence[Grouping], everything: Slice | None) -> Slice:
    """The slice of several groupings: few variants cost as much to evaluate as many.

    Args:
        frame: The cube's frame.
        groupings: At least one.
        everything: The slice of all certificates; None where it is this one.
    """
    offsets = np.cumsum([0, *(grouping.groups for grouping in groupings)]).tolist()
    shifted = list(zip(groupings, offsets[:-1], strict=True))
    group_index = {}
    for name, table in frame.tables.items():
        rows = np.concatenate([grouping.rows_of[name][0] for grouping in groupings])
        of_row = np.concatenate([grouping.rows_of[name][1] + offset for grouping, offset in shifted])
        group_index[name] = GroupIndex(rows, of_row, table.place[rows], frame.places)
    selection = Selection(
        tuple(requested for grouping in groupings for requested in grouping.filters),
        np.concatenate([np.array(grouping.group, np.int64) + offset for grouping, offset in shifted]),
        tuple(months for grouping in groupings for months in grouping.months),
    )
    return Slice(frame, offsets[-1], group_index, selection, everything)


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
    rows_of = {}
    for name, table in frame.tables.items():
        rows = [np.flatnonzero(_admitted(frame, table, attributes)) for attributes in groups]
        of_row = np.repeat(np.arange(len(groups)), [len(admitted) for admitted in rows])
        rows_of[name] = (np.concatenate(rows), of_row)
    months = [tuple(month_number(text) for text in requested.values(MONTH.name)) for requested in filters]
    return slice_of(frame, [Grouping(len(groups), rows_of, list(filters), group, months)], everything)


def _admitted(frame: CubeFrame, table: EncodedTable, requested: Filter) -> Bools:
    """Which rows a filter admits, whatever their months."""
    mask = np.ones(len(table), np.bool_)
    for name in ATTRIBUTES:
        if wanted := {fold(value) for value in requested.values(name)}:
            codes = [code for code, value in enumerate(frame.encoded_values[name]) if fold(value) in wanted]
            mask &= np.isin(table.codes[name], codes)
    return mask
