"""Slices: the sums of some variants of a cube, whole, by month, and in parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, GroupIndex, Ints, sum_by_place
from kpi_pipeline.compute.cube.group_sums import BreakdownSums, GroupSums, MonthlyGroupSums
from kpi_pipeline.compute.months import days_between, month_of, month_text
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    COMPONENTS,
    MONTHLY_COMPONENTS,
    OCCURRENCE_COMPONENTS,
    STOCK_COMPONENTS,
    Kind,
)
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import TREND_MONTHS

if TYPE_CHECKING:
    from kpi_pipeline.compute.cube.cube import Cube

_MONTHLY_AT: Final = {name: at for at, name in enumerate(MONTHLY_COMPONENTS)}
_FLOWS: Final = [one.name for one in COMPONENTS if one.kind not in (Kind.STOCK, Kind.SNAPSHOT)]
_FLOWS_FROM: Final = [COMPONENT_INDEX[name] for name in _FLOWS]
_FLOWS_TO: Final = [_MONTHLY_AT[name] for name in _FLOWS]
_STOCKS: Final = frozenset(STOCK_COMPONENTS)
_STOCKS_TO: Final = [_MONTHLY_AT[name] for name in STOCK_COMPONENTS]


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


class Slice:
    """The sums of V variants; C currencies.

    Args:
        cube: Where they come from.
        groups: How many groups of rows there are.
        group_index: The rows of each group, by table.
        chosen: The variants.

    Attributes:
        cube: Where they come from.
        filters: The V filters.
        group: Which group of rows each takes, [V].
        months: Numbers of the months that each names, ascending; empty where it names none.
        groups: How many groups of rows there are.
    """

    def __init__(
        self, cube: Cube, groups: int, group_index: dict[str, GroupIndex], chosen: Selection
    ) -> None:
        self.cube = cube
        self.filters = chosen.filters
        self.group = chosen.group
        self.months = chosen.months
        self.groups = groups
        self._group_index = group_index
        self._stretches = _stretches(cube, chosen)

    def __len__(self) -> int:
        """How many variants it has."""
        return len(self.filters)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of the cube's currencies."""
        return self.cube.currencies

    def values(self, dimension: str) -> tuple[str, ...]:
        """The values of a dimension, in the catalogue's order."""
        return self.cube.values[dimension]

    @cached_property
    def named(self) -> Bools:
        """Which variants name months, [V]."""
        return np.array([bool(one) for one in self.months], np.bool_)

    @cached_property
    def has_costs(self) -> Bools:
        """Which variants name no dimension that costs do not have, [V]."""
        return np.array(
            [not any(one.values(name) for name in NOT_OF_COSTS) for one in self.filters], np.bool_
        )

    @cached_property
    def trend_end(self) -> Ints:
        """Number of the last month of each trend: the last that the filter names, else that of as_of, [V]."""
        present = month_of(self.cube.as_of)
        return np.array([months[-1] if months else present for months in self.months], np.int64)

    def trend_months(self, variant: int) -> list[str]:
        """The months of a variant's trend."""
        end = int(self.trend_end[variant])
        return [month_text(number) for number in range(end - TREND_MONTHS + 1, end + 1)]

    @cached_property
    def totals(self) -> Ints:
        """Every component over each filter, [V, C, components]."""
        cells = self.cube.tables["cells"]
        variant, row = self.rows("cells")
        currencies = len(self.currencies)
        places = sum_by_place(
            cells.sums, row, variant * currencies + cells.currency[row], len(self) * currencies
        )
        return places.reshape(len(self), currencies, len(COMPONENTS))

    def total(self, component: str) -> Ints:
        """A component over each filter, [V, C]."""
        return self.totals[..., COMPONENT_INDEX[component]]

    def certificates(self) -> dict[Filter, int]:
        """How many certificates each filter has."""
        variant, row = self.rows("cells")
        counts = self.cube.tables["cells"].sums[row, COMPONENT_INDEX["proposed_count"]]
        each = np.bincount(variant, counts, len(self)).astype(np.int64)
        return dict(zip(self.filters, each.tolist(), strict=True))

    def monthly(self, component: str, months: int = TREND_MONTHS) -> Ints:
        """A component of each month up to the trend's last, [V, months, C].

        What a filter says of months is left aside. A stock component is what stood at the month's end.
        """
        numbers = self.trend_end[:, None] + np.arange(-months + 1, 1)
        return self.over(component, numbers, numbers)

    def over(self, component: str, first: Ints, last: Ints, group: Ints | None = None) -> Ints:
        """A component summed over stretches of months, what a filter says of months left aside.

        Args:
            component: One of `MONTHLY_COMPONENTS`; a stock component of single months only, and of a month
                to come it is what stands on as_of.
            first: Number of each stretch's first month, [V, ...].
            last: Number of its last month; before the first it is empty.
            group: Whose rows to take, [V]; each variant's own without it.

        Returns:
            [V, ..., C].
        """
        at = _MONTHLY_AT[component]
        if component in _STOCKS:
            present = month_of(self.cube.as_of)
            first, last = np.minimum(first, present), np.minimum(last, present)
        limit = self.cube.months
        begin = np.clip(first - self.cube.first, 0, limit)
        end = np.clip(last + 1 - self.cube.first, begin, limit)
        own = self.group if group is None else group
        group = own.reshape(-1, *(1,) * (first.ndim - 1))
        sums = self._prefix[..., at]
        found: Ints = sums[group, end] - sums[group, begin]
        return found

    @cached_property
    def window_first(self) -> Ints:
        """Number of the DSO window's first month, [V]."""
        trailing = month_of(self.cube.as_of) - self.cube.window_months + 1
        return np.array([months[0] if months else trailing for months in self.months], np.int64)

    @cached_property
    def window_days(self) -> Ints:
        """Days of each DSO window that have passed, [V]."""
        as_of = self.cube.as_of
        found = days_between(self.window_first, self.trend_end, as_of)
        for at, months in enumerate(self.months):
            if months and len(months) != months[-1] - months[0] + 1:
                each = np.array(months, np.int64)
                found[at] = days_between(each, each, as_of).sum()
        return found

    def window(self, component: str) -> Ints:
        """A flow component over the DSO window: the months that the filter names, else the trailing ones."""
        trailing = self.over(component, self.window_first, self.trend_end)
        return np.where(self.named[:, None], self.total(component), trailing)

    @cached_property
    def present(self) -> Bools:
        """Which currencies each variant shows, [V, C]."""
        happened = [COMPONENT_INDEX[name] for name in OCCURRENCE_COMPONENTS]
        first = self.trend_end - TREND_MONTHS + 1 - self.cube.first
        end = np.clip(self.trend_end + 1 - self.cube.first, 0, self.cube.months)
        active = self._active[self.group, end] - self._active[self.group, np.clip(first, 0, end)]
        found: Bools = (self.totals[..., happened] != 0).any(axis=2) | (active > 0)
        return found

    def options(self, dimension: str) -> Ints:
        """Certificates of each value of a dimension under each filter, [V, values]."""
        cells = self.cube.tables["cells"]
        variant, row = self.rows("cells")
        held = len(self.values(dimension))
        if dimension == MONTH.name:
            code = cells.month[row] - (self.cube.first_happened - self.cube.first)
        else:
            code = cells.codes[dimension][row]
        known = code != NO_VALUE
        counts = cells.sums[row, COMPONENT_INDEX["proposed_count"]]
        found = np.zeros(len(self) * held, np.int64)
        np.add.at(found, (variant * held + code)[known], counts[known])
        return found.reshape(len(self), held)

    def group_sums(self, dimension: str, components: Sequence[str]) -> GroupSums:
        """Components over each filter by the values of a dimension other than the month."""
        return self._group_sums(dimension, components, *self.rows("cells"))

    def window_group_sums(self, dimension: str, components: Sequence[str]) -> GroupSums:
        """The same over each DSO window; of flow components only."""
        place = np.flatnonzero(~self.named)
        first = np.full(len(place), month_of(self.cube.as_of) - self.cube.window_months + 1) - self.cube.first
        last = np.full(len(place), month_of(self.cube.as_of)) - self.cube.first
        stretch, row = self._group_index["cells"].within(self.group[place], first, last)
        variant, own = self.rows("cells")
        kept = self.named[variant]
        both = np.concatenate([variant[kept], place[stretch]])
        return self._group_sums(dimension, components, both, np.concatenate([own[kept], row]))

    def trend_group_sums(self, dimension: str, component: str) -> MonthlyGroupSums:
        """A flow component by the values of a dimension and the months of the trend.

        What a filter says of months is left aside.
        """
        cells = self.cube.tables["cells"]
        last = self.trend_end - self.cube.first
        variant, row = self._group_index["cells"].within(self.group, last - TREND_MONTHS + 1, last)
        amount = cells.sums[row, COMPONENT_INDEX[component]]
        code = cells.codes[dimension][row]
        kept = (amount != 0) & (code != NO_VALUE)
        variant, row, code, amount = variant[kept], row[kept], code[kept], amount[kept]
        month = cells.month[row] - (last[variant] - TREND_MONTHS + 1)
        shape = (len(self), len(self.values(dimension)), len(self.currencies), TREND_MONTHS)
        flat = np.ravel_multi_index((variant, code, cells.currency[row], month), shape)
        held, at = np.unique(flat, return_inverse=True)
        sums = np.zeros(len(held), np.int64)
        np.add.at(sums, at, amount)
        variant, value, currency, month = (one.astype(np.int64) for one in np.unravel_index(held, shape))
        return MonthlyGroupSums(variant, value, currency, month, sums)

    def keys(self, breakdown: str) -> tuple[str, ...]:
        """The keys of a breakdown, sorted."""
        chosen = self.cube.breakdown_key[self.cube.breakdown == breakdown]
        return tuple(sorted(set(chosen.tolist())))

    def breakdown_sums(self, breakdown: str) -> BreakdownSums:
        """A breakdown over each filter."""
        table = self.cube.tables["breakdowns"]
        variant, row = self.rows("breakdowns")
        kept = self.cube.breakdown[row] == breakdown
        variant, row = variant[kept], row[kept]
        keys = self.keys(breakdown)
        code = np.searchsorted(np.array(keys, dtype=object), self.cube.breakdown_key[row])
        shape = (len(self), max(len(keys), 1), max(len(self.currencies), 1))
        flat = np.ravel_multi_index((variant, code.astype(np.int64), table.currency[row]), shape)
        held, at = np.unique(flat, return_inverse=True)
        sums = sum_by_place(table.sums, row, at, len(held))
        variant, key, currency = (one.astype(np.int64) for one in np.unravel_index(held, shape))
        return BreakdownSums(variant, key, currency, sums[:, 0], sums[:, 1])

    def critical(self, most: int) -> tuple[Ints, Ints]:
        """The most urgent critical certificates of each filter.

        Args:
            most: How many at most of each.

        Returns:
            The variant of each, ascending, and its row among `critical_rows`, by urgency.
        """
        variant, row = self.rows("critical")
        order = np.lexsort((row, variant))
        variant, row = variant[order], row[order]
        rank = np.arange(len(variant)) - np.searchsorted(variant, variant)
        return variant[rank < most], row[rank < most]

    @property
    def critical_rows(self) -> list[dict[str, Any]]:
        """Every critical certificate, by urgency."""
        return self.cube.critical_rows

    def only(self, wanted: Collection[Filter]) -> Slice:
        """The same sums of some of the filters; of those that are not in it, nothing."""
        at = [place for place, one in enumerate(self.filters) if one in wanted]
        chosen = Selection(
            tuple(self.filters[place] for place in at),
            self.group[at],
            tuple(self.months[place] for place in at),
        )
        return Slice(self.cube, self.groups, self._group_index, chosen)

    def fresh(self) -> Slice:
        """The same variants, nothing computed yet."""
        return Slice(
            self.cube, self.groups, self._group_index, Selection(self.filters, self.group, self.months)
        )

    def stretch(self, table: str, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """The rows of some groups in stretches of months, given by their numbers.

        Returns:
            Which stretch each row of the table is in, ascending, and the row.
        """
        begin, end = first - self.cube.first, last - self.cube.first
        return self._group_index[table].within(group, begin, end)

    def rows(self, table: str) -> tuple[Ints, Ints]:
        """Which variant each row of a table is in, ascending, and the row."""
        variant, first, last = self._stretches
        stretch, row = self._group_index[table].within(self.group[variant], first, last)
        return variant[stretch], row

    def _group_sums(self, dimension: str, components: Sequence[str], variant: Ints, row: Ints) -> GroupSums:
        cells = self.cube.tables["cells"]
        code = cells.codes[dimension][row]
        kept = code != NO_VALUE
        variant, row, code = variant[kept], row[kept], code[kept]
        shape = (len(self), max(len(self.values(dimension)), 1), max(len(self.currencies), 1))
        flat = np.ravel_multi_index((variant, code, cells.currency[row]), shape)
        held, at = np.unique(flat, return_inverse=True)
        columns = cells.sums[:, [COMPONENT_INDEX[name] for name in components]]
        sums = sum_by_place(columns, row, at, len(held))
        some = (sums != 0).any(axis=1)
        variant, value, currency = (one[some].astype(np.int64) for one in np.unravel_index(held, shape))
        return GroupSums(variant, value, currency, sums[some])

    @cached_property
    def _dense(self) -> Ints:
        """Monthly components of each group, [groups, months, C, components]."""
        months, currencies = self.cube.months, len(self.currencies)
        found = np.zeros((self.groups * months * currencies, len(MONTHLY_COMPONENTS)), np.int64)
        every = np.arange(self.groups)
        for name, columns, to in (
            ("cells", _FLOWS_FROM, _FLOWS_TO),
            ("positions", slice(None), _STOCKS_TO),
        ):
            table = self.cube.tables[name]
            group, row = self._group_index[name].within(
                every, np.zeros(self.groups, np.int64), np.full(self.groups, months)
            )
            at = (group * months + table.month[row]) * currencies + table.currency[row]
            found[:, to] = sum_by_place(table.sums[:, columns], row, at, len(found))
        return found.reshape(self.groups, months, currencies, len(MONTHLY_COMPONENTS))

    @cached_property
    def _prefix(self) -> Ints:
        """The same summed up to before each month, [groups, months + 1, C, components]."""
        dense = self._dense
        found = np.zeros((dense.shape[0], dense.shape[1] + 1, *dense.shape[2:]), np.int64)
        np.cumsum(dense, axis=1, out=found[:, 1:])
        return found

    @cached_property
    def _active(self) -> Ints:
        """In how many months before each any monthly component is not zero, [groups, months + 1, C]."""
        there = (self._dense != 0).any(axis=3)
        found = np.zeros((there.shape[0], there.shape[1] + 1, there.shape[2]), np.int64)
        np.cumsum(there, axis=1, out=found[:, 1:])
        return found


def _stretches(cube: Cube, chosen: Selection) -> tuple[Ints, Ints, Ints]:
    """The variant, first and last month (as places on the axis) of every stretch of consecutive months."""
    found = []
    for variant, months in enumerate(chosen.months):
        if not months:
            found.append((variant, 0, cube.months - 1))
            continue
        begin = months[0]
        for number, following in zip(months, (*months[1:], None), strict=True):
            if following != number + 1:
                found.append((variant, begin - cube.first, number - cube.first))
                if following is not None:
                    begin = following
    each = np.array(found, np.int64).reshape(-1, 3)
    return each[:, 0], each[:, 1], each[:, 2]
