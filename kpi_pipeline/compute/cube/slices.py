"""Slices: the sums of some variants of a cube: whole, by month, and by the values of a dimension."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, GroupIndex, Ints, sum_by_keys, sum_by_place
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.group_sums import BreakdownSums, GroupSums, MonthlyGroupSums
from kpi_pipeline.compute.months import days_between, month_text
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    COMPONENTS,
    MONTHLY_COMPONENTS,
    OCCURRENCE_COMPONENTS,
    STOCK_COMPONENTS,
    ComponentKind,
)
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import TREND_MONTHS

_MONTHLY_AT: Final = {name: at for at, name in enumerate(MONTHLY_COMPONENTS)}
_FLOWS: Final = [
    component.name
    for component in COMPONENTS
    if component.kind not in (ComponentKind.STOCK, ComponentKind.SNAPSHOT)
]
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
        frame: The encoded tables.
        groups: Number of groups of rows.
        group_index: The rows of each group, by table.
        selection: The variants.
        everything: The slice of all certificates; None where it is this one.

    Attributes:
        frame: The encoded tables.
        filters: The V filters.
        group: Which group of rows each takes, [V].
        months: Numbers of the months that each names, ascending; empty where it names none.
        groups: Number of groups of rows.
    """

    def __init__(
        self,
        frame: CubeFrame,
        groups: int,
        group_index: dict[str, GroupIndex],
        selection: Selection,
        everything: "Slice | None",
    ) -> None:
        self.frame = frame
        self.groups = groups
        self.filters, self.group, self.months = selection.filters, selection.group, selection.months
        self._group_index = group_index
        self._everything = everything
        self._stretches = _stretches(frame, selection)

    def __len__(self) -> int:
        """Number of variants."""
        return len(self.filters)

    @property
    def everything(self) -> "Slice":
        """The slice of all certificates."""
        return self if self._everything is None else self._everything

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of the currencies."""
        return self.frame.currencies

    def values(self, dimension: str) -> tuple[str, ...]:
        """The values of a dimension, in the catalogue's order."""
        return self.frame.values[dimension]

    @cached_property
    def named(self) -> Bools:
        """Which variants name months, [V]."""
        return np.array([bool(months) for months in self.months], np.bool_)

    @cached_property
    def has_costs(self) -> Bools:
        """Which variants name no dimension that costs do not have, [V]."""
        return np.array(
            [not any(requested.values(name) for name in NOT_OF_COSTS) for requested in self.filters], np.bool_
        )

    @cached_property
    def trend_end(self) -> Ints:
        """Number of the last month of each trend: the last that the filter names, else that of as_of, [V]."""
        present = self.frame.current_month
        return np.array([months[-1] if months else present for months in self.months], np.int64)

    def trend_months(self, variant: int) -> list[str]:
        """The months of a variant's trend."""
        end = int(self.trend_end[variant])
        return [month_text(number) for number in range(end - TREND_MONTHS + 1, end + 1)]

    @cached_property
    def totals(self) -> Ints:
        """Every component over each filter, [V, C, components]."""
        cells = self.frame.tables["cells"]
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
        """The number of certificates of each filter."""
        variant, row = self.rows("cells")
        counts = self.frame.tables["cells"].sums[row, COMPONENT_INDEX["proposed_count"]]
        by_variant = np.bincount(variant, counts, len(self)).astype(np.int64)
        return dict(zip(self.filters, by_variant.tolist(), strict=True))

    def monthly(self, component: str, months: int = TREND_MONTHS) -> Ints:
        """A component of each month up to the trend's last, [V, months, C].

        The months that a filter names do not matter. A stock component is what was open at the month's end.
        """
        numbers = self.trend_end[:, None] + np.arange(-months + 1, 1)
        return self.over(component, numbers, numbers)

    def over(self, component: str, first: Ints, last: Ints, group: Ints | None = None) -> Ints:
        """A component summed over stretches of months, whatever months a filter names.

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
            present = self.frame.current_month
            first, last = np.minimum(first, present), np.minimum(last, present)
        limit = self.frame.month_count
        begin = np.clip(first - self.frame.first_month, 0, limit)
        end = np.clip(last + 1 - self.frame.first_month, begin, limit)
        own = self.group if group is None else group
        group = own.reshape(-1, *(1,) * (first.ndim - 1))
        sums = self._prefix[..., at]
        difference: Ints = sums[group, end] - sums[group, begin]
        return difference

    @cached_property
    def window_first(self) -> Ints:
        """Number of the DSO window's first month, [V]."""
        trailing = self.frame.current_month - self.frame.window_months + 1
        return np.array([months[0] if months else trailing for months in self.months], np.int64)

    @cached_property
    def window_days(self) -> Ints:
        """Days of each DSO window that have passed, [V]."""
        as_of = self.frame.as_of
        days = days_between(self.window_first, self.trend_end, as_of)
        for at, months in enumerate(self.months):
            if months and len(months) != months[-1] - months[0] + 1:
                numbers = np.array(months, np.int64)
                days[at] = days_between(numbers, numbers, as_of).sum()
        return days

    def window(self, component: str) -> Ints:
        """A flow component over the DSO window: the months that the filter names, else the trailing ones."""
        trailing = self.over(component, self.window_first, self.trend_end)
        return np.where(self.named[:, None], self.total(component), trailing)

    @cached_property
    def present(self) -> Bools:
        """Which currencies each variant shows, [V, C]."""
        occurrences = [COMPONENT_INDEX[name] for name in OCCURRENCE_COMPONENTS]
        first = self.trend_end - TREND_MONTHS + 1 - self.frame.first_month
        end = np.clip(self.trend_end + 1 - self.frame.first_month, 0, self.frame.month_count)
        active = self._active[self.group, end] - self._active[self.group, np.clip(first, 0, end)]
        present: Bools = (self.totals[..., occurrences] != 0).any(axis=2) | (active > 0)
        return present

    def options(self, dimension: str) -> Ints:
        """Certificates of each value of a dimension under each filter, [V, values]."""
        cells = self.frame.tables["cells"]
        variant, row = self.rows("cells")
        values = len(self.values(dimension))
        if dimension == MONTH.name:
            code = cells.month[row] - (self.frame.first_active_month - self.frame.first_month)
        else:
            code = cells.codes[dimension][row]
        known = code != NO_VALUE
        counts = cells.sums[row, COMPONENT_INDEX["proposed_count"]]
        certificates = np.zeros(len(self) * values, np.int64)
        np.add.at(certificates, (variant * values + code)[known], counts[known])
        return certificates.reshape(len(self), values)

    def group_sums(self, dimension: str, components: Sequence[str]) -> GroupSums:
        """Components over each filter by the values of a dimension other than the month."""
        return self._group_sums(dimension, components, *self.rows("cells"))

    def window_group_sums(self, dimension: str, components: Sequence[str]) -> GroupSums:
        """The same over each DSO window; of flow components only."""
        place = np.flatnonzero(~self.named)
        first = (
            np.full(len(place), self.frame.current_month - self.frame.window_months + 1)
            - self.frame.first_month
        )
        last = np.full(len(place), self.frame.current_month) - self.frame.first_month
        stretch, row = self._group_index["cells"].within(self.group[place], first, last)
        variant, own = self.rows("cells")
        kept = self.named[variant]
        both = np.concatenate([variant[kept], place[stretch]])
        return self._group_sums(dimension, components, both, np.concatenate([own[kept], row]))

    def trend_group_sums(self, dimension: str, component: str) -> MonthlyGroupSums:
        """A flow component by the values of a dimension and the months of the trend.

        The months that a filter names do not matter.
        """
        cells = self.frame.tables["cells"]
        last = self.trend_end - self.frame.first_month
        variant, row = self._group_index["cells"].within(self.group, last - TREND_MONTHS + 1, last)
        amount = cells.sums[row, COMPONENT_INDEX[component]]
        code = cells.codes[dimension][row]
        kept = (amount != 0) & (code != NO_VALUE)
        variant, row, code, amount = variant[kept], row[kept], code[kept], amount[kept]
        month = cells.month[row] - (last[variant] - TREND_MONTHS + 1)
        (variant, value, currency, month), sums = sum_by_keys(
            amount[:, None],
            np.arange(len(amount)),
            (variant, code, cells.currency[row], month),
            (len(self), len(self.values(dimension)), len(self.currencies), TREND_MONTHS),
        )
        return MonthlyGroupSums(variant, value, currency, month, sums[:, 0])

    def keys(self, breakdown: str) -> tuple[str, ...]:
        """The keys of a breakdown, sorted."""
        return tuple(sorted(set(self.frame.breakdown_key[self.frame.breakdown == breakdown].tolist())))

    def breakdown_sums(self, breakdown: str) -> BreakdownSums:
        """A breakdown over each filter."""
        table = self.frame.tables["breakdowns"]
        variant, row = self.rows("breakdowns")
        kept = self.frame.breakdown[row] == breakdown
        variant, row = variant[kept], row[kept]
        keys = self.keys(breakdown)
        code = np.searchsorted(np.array(keys, dtype=object), self.frame.breakdown_key[row])
        (variant, key, currency), sums = sum_by_keys(
            table.sums,
            row,
            (variant, code.astype(np.int64), table.currency[row]),
            (len(self), len(keys), len(self.currencies)),
        )
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

    def only(self, wanted: Collection[Filter]) -> "Slice":
        """The same sums of the filters that are wanted; a wanted filter that is not in it adds nothing."""
        at = [place for place, requested in enumerate(self.filters) if requested in wanted]
        filters = tuple(self.filters[place] for place in at)
        return self._with(Selection(filters, self.group[at], tuple(self.months[place] for place in at)))

    def fresh(self) -> "Slice":
        """The same variants, nothing computed yet."""
        return self._with(Selection(self.filters, self.group, self.months))

    def _with(self, selection: Selection) -> "Slice":
        return Slice(self.frame, self.groups, self._group_index, selection, self._everything)

    def stretch(self, table: str, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """The rows of some groups in stretches of months, given by their numbers.

        Returns:
            Which stretch each row of the table is in, ascending, and the row.
        """
        begin, end = first - self.frame.first_month, last - self.frame.first_month
        return self._group_index[table].within(group, begin, end)

    def rows(self, table: str) -> tuple[Ints, Ints]:
        """Which variant each row of a table is in, ascending, and the row."""
        variant, first, last = self._stretches
        stretch, row = self._group_index[table].within(self.group[variant], first, last)
        return variant[stretch], row

    def _group_sums(self, dimension: str, components: Sequence[str], variant: Ints, row: Ints) -> GroupSums:
        cells = self.frame.tables["cells"]
        code = cells.codes[dimension][row]
        kept = code != NO_VALUE
        variant, row, code = variant[kept], row[kept], code[kept]
        (variant, value, currency), sums = sum_by_keys(
            cells.sums[:, [COMPONENT_INDEX[name] for name in components]],
            row,
            (variant, code, cells.currency[row]),
            (len(self), len(self.values(dimension)), len(self.currencies)),
        )
        some = (sums != 0).any(axis=1)
        return GroupSums(variant[some], value[some], currency[some], sums[some])

    @cached_property
    def _dense(self) -> Ints:
        """Monthly components of each group, [groups, months, C, components]."""
        months, currencies = self.frame.month_count, len(self.currencies)
        sums = np.zeros((self.groups * months * currencies, len(MONTHLY_COMPONENTS)), np.int64)
        every = np.arange(self.groups)
        for name, columns, to in (
            ("cells", _FLOWS_FROM, _FLOWS_TO),
            ("positions", slice(None), _STOCKS_TO),
        ):
            table = self.frame.tables[name]
            group, row = self._group_index[name].within(
                every, np.zeros(self.groups, np.int64), np.full(self.groups, months)
            )
            at = (group * months + table.month[row]) * currencies + table.currency[row]
            sums[:, to] = sum_by_place(table.sums[:, columns], row, at, len(sums))
        return sums.reshape(self.groups, months, currencies, len(MONTHLY_COMPONENTS))

    @cached_property
    def _prefix(self) -> Ints:
        """The same summed up to before each month, [groups, months + 1, C, components]."""
        return _summed_before(self._dense)

    @cached_property
    def _active(self) -> Ints:
        """In how many months before each any monthly component is not zero, [groups, months + 1, C]."""
        return _summed_before((self._dense != 0).any(axis=3))


def _summed_before(by_month: Ints | Bools) -> Ints:
    """Sums up to before each month, of [groups, months, ...]."""
    shape = by_month.shape
    sums = np.zeros((shape[0], shape[1] + 1, *shape[2:]), np.int64)
    np.cumsum(by_month, axis=1, out=sums[:, 1:])
    return sums


def _stretches(frame: CubeFrame, selection: Selection) -> tuple[Ints, Ints, Ints]:
    """The variant, first and last month (as places on the axis) of every stretch of consecutive months."""
    stretches = []
    for variant, months in enumerate(selection.months):
        if not months:
            stretches.append((variant, 0, frame.month_count - 1))
            continue
        begin = months[0]
        for number, following in zip(months, (*months[1:], None), strict=True):
            if following != number + 1:
                stretches.append((variant, begin - frame.first_month, number - frame.first_month))
                if following is not None:
                    begin = following
    variant_of, first, last = np.array(stretches, np.int64).reshape(-1, 3).T
    return variant_of, first, last
