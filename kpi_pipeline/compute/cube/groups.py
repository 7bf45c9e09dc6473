"""Groups of rows and their sums, which variants of the same values in several months share."""

from functools import cached_property

import numpy as np

from kpi_pipeline.compute.cube.encoding import GroupIndex, Ints
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.membership import Membership
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENTS, MONTHLY_COMPONENTS
from kpi_pipeline.model.kpis import TREND_MONTHS


class Groups:
    """Groups of rows of a cube's tables; rows are looked up and summed once a figure needs them, and kept.

    Args:
        frame: The encoded tables.
        members: The groups, one kind after the other.

    Attributes:
        frame: The encoded tables.
        members: The groups, one kind after the other.
        count: How many there are.
    """

    def __init__(self, frame: CubeFrame, members: tuple[Membership, ...]) -> None:
        self.frame, self.members = frame, members
        self.count = sum(one.groups for one in members)
        self._indexes: dict[str, GroupIndex] = {}

    def fresh(self) -> "Groups":
        """The same groups, nothing computed yet."""
        return Groups(self.frame, self.members)

    def only(self, used: Ints) -> "Groups":
        """Some of the groups, numbered anew in their order; nothing computed yet."""
        members, begin = [], 0
        for one in self.members:
            first, end = np.searchsorted(used, [begin, begin + one.groups])
            if first < end:
                members.append(one.only(used[first:end] - begin))
            begin += one.groups
        return Groups(self.frame, tuple(members))

    def index(self, table: str) -> GroupIndex:
        """The rows of each group."""
        if table not in self._indexes:
            rows, groups, begin = [], [], 0
            for one in self.members:
                row, group = one.rows(self.frame, table)
                # Of large tables there are many: numbers take half the room.
                rows.append(row.astype(np.int32))
                groups.append((group + begin).astype(np.int32))
                begin += one.groups
            row, group = np.concatenate(rows), np.concatenate(groups)
            place = self.frame.tables[table].place[row]
            self._indexes[table] = GroupIndex(row, group, place, self.frame.places)
        return self._indexes[table]

    @cached_property
    def on_days(self) -> Ints:
        """Every component of each group on each day, [components, days, C, groups]."""
        return self.cells(0, DAYS)

    def cells(self, first: int, end: int, used: Ints | None = None) -> Ints:
        """Every component of groups in each place of a stretch, [components, places, C, groups].

        Args:
            first: The first place.
            end: The place after the last.
            used: The groups, ascending; None for all.
        """
        cells, currencies, index = self.frame.tables["cells"], len(self.frame.currencies), self.index("cells")
        wanted = np.arange(self.count) if used is None else used
        places = end - first
        sums = np.zeros((len(COMPONENTS), places, currencies, len(wanted)), np.int64)
        begin = 0
        for one in self.members:
            # A row belongs to one group of a kind at most.
            kind = slice(*np.searchsorted(wanted, [begin, begin + one.groups]))
            begin += one.groups
            groups = wanted[kind]
            group, row = index.within(groups, np.full_like(groups, first), np.full_like(groups, end - 1))
            owner = ((cells.place[row] - first) * currencies + cells.currency[row]) * len(groups) + group
            found = cells.sums.by_owner(row, owner, places * currencies * len(groups))
            sums[..., kind] = found.reshape(len(COMPONENTS), places, currencies, len(groups))
        return sums

    @cached_property
    def certificates_by_month(self) -> Ints:
        """Certificates of each group by month, [months, C, groups]."""
        cells = self.frame.tables["cells"]
        return self._by_month(cells.sums.column(COMPONENT_INDEX["proposed_count"]))

    @cached_property
    def moves_by_month(self) -> Ints:
        """How many cells of each group and month count as an occurrence of their currency."""
        return self._by_month(self.frame.moves.astype(np.int64))

    def _by_month(self, of_row: Ints) -> Ints:
        """What cells of cohorts have by month, [months, C, groups].

        Args:
            of_row: A number of each cell.
        """
        cells, currencies, places = self.frame.tables["cells"], len(self.frame.currencies), self.frame.places
        groups = np.arange(self.count)
        group, row = self.index("cells").within(
            groups, np.full_like(groups, DAYS), np.full_like(groups, places - 1)
        )
        at = ((cells.place[row] - DAYS) * currencies + cells.currency[row]) * self.count + group
        total = np.zeros(self.frame.month_count * currencies * self.count, np.int64)
        np.add.at(total, at, of_row[row])
        return total.reshape(self.frame.month_count, currencies, self.count)

    @property
    def trend_places(self) -> tuple[int, int]:
        """The first and the last month of the trend on the axis."""
        last = DAYS + self.frame.current_month - self.frame.first_month
        return last - TREND_MONTHS + 1, last

    @cached_property
    def monthly(self) -> Ints:
        """Flows by month of the trend of each group, [groups, months, C, components]."""
        monthly, currencies = self.frame.tables["monthly"], len(self.frame.currencies)
        first, last = self.trend_places
        groups = np.arange(self.count)
        group, row = self.index("monthly").within(
            groups, np.full(self.count, max(first, DAYS)), np.full(self.count, last)
        )
        owner = (group * TREND_MONTHS + monthly.place[row] - first) * currencies + monthly.currency[row]
        sums = monthly.sums.by_owner(row, owner, self.count * TREND_MONTHS * currencies)
        return sums.T.reshape(self.count, TREND_MONTHS, currencies, len(MONTHLY_COMPONENTS))
