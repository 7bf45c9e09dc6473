"""Slices: the sums of some variants of a cube: on each day, by month, and by the values of a dimension."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kpi_pipeline.compute.cube.encoding import NO_VALUE, Bools, GroupIndex, Ints, sum_by_keys, sum_by_place
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.group_sums import BreakdownSums, GroupSums, MonthlyGroupSums
from kpi_pipeline.compute.evaluation_days import AS_OF, DAYS
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    COMPONENTS,
    MONTHLY_COMPONENTS,
)
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import TREND_MONTHS


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

    A variant that names no months is summed on each evaluation day: stocks as they stood, flows over the
    window that ended on it. One that names months is a cohort: its certificates as of the business date,
    whenever their events were; it has no other day.

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
        self._cohorts = _cohort_stretches(frame, selection)

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
    def is_cohort(self) -> Bools:
        """Which variants name months, [V]."""
        return np.array([bool(months) for months in self.months], np.bool_)

    @cached_property
    def has_costs_on_days(self) -> Bools:
        """Where costs are known on each day, [V, days, C].

        That is under filters that name no dimension that costs do not have, and in currencies in which there
        is any cost at all by then.
        """
        named = [not any(requested.values(name) for name in NOT_OF_COSTS) for requested in self.filters]
        return np.array(named, np.bool_)[:, None, None] & self.frame.currencies_of_costs

    @property
    def has_costs(self) -> Bools:
        """Where costs are known on the business date, [V, C]."""
        known: Bools = self.has_costs_on_days[:, AS_OF]
        return known

    @cached_property
    def trend_months(self) -> list[str]:
        """The months of every trend."""
        present = self.frame.current_month
        return [month_text(number) for number in range(present - TREND_MONTHS + 1, present + 1)]

    @cached_property
    def on_days(self) -> Ints:
        """Every component on each day, [components, V, days, C]; of a cohort on the business date alone."""
        cells, currencies = self.frame.tables["cells"], len(self.currencies)
        groups = np.arange(self.groups)
        group, row = self._group_index["cells"].within(
            groups, np.zeros_like(groups), np.full(self.groups, DAYS - 1)
        )
        at = (group * DAYS + cells.place[row]) * currencies + cells.currency[row]
        by_group = sum_by_place(cells.sums, row, at, self.groups * DAYS * currencies)
        shape = (len(COMPONENTS), self.groups, DAYS, currencies)
        # Formulas read one component of all variants at a time: that must lie together.
        sums: Ints = np.take(np.ascontiguousarray(by_group.T).reshape(shape), self.group, axis=1)
        cohort = np.flatnonzero(self.is_cohort)
        if len(cohort):
            variant, row = self.rows("cells")
            kept = self.is_cohort[variant]
            variant, row = variant[kept], row[kept]
            sums[:, cohort] = 0
            own = sum_by_place(
                cells.sums, row, variant * currencies + cells.currency[row], len(self) * currencies
            )
            sums[:, cohort, AS_OF] = own.T.reshape(len(COMPONENTS), len(self), currencies)[:, cohort]
        return sums

    @property
    def totals(self) -> Ints:
        """Every component on the business date, [components, V, C]."""
        on_as_of: Ints = self.on_days[:, :, AS_OF]
        return on_as_of

    def total(self, component: str) -> Ints:
        """A component on the business date, [V, C]."""
        of_component: Ints = self.totals[COMPONENT_INDEX[component]]
        return of_component

    def on_each_day(self, component: str) -> Ints:
        """A component on each day, [V, days, C]."""
        of_component: Ints = self.on_days[COMPONENT_INDEX[component]]
        return of_component

    def certificates(self) -> dict[Filter, int]:
        """The number of certificates of each filter, whenever they were issued."""
        variant, row = self.cohort_rows("cells")
        counts = self.frame.tables["cells"].sums[row, COMPONENT_INDEX["proposed_count"]]
        by_variant = np.bincount(variant, counts, len(self)).astype(np.int64)
        return dict(zip(self.filters, by_variant.tolist(), strict=True))

    def monthly(self, component: str) -> Ints:
        """A flow by the month of its event, in each month of the trend, [V, months, C].

        The months that a filter names do not matter.
        """
        return self._monthly[self.group, :, :, MONTHLY_COMPONENTS.index(component)]

    def by_billing_month(self, component: str) -> Ints:
        """A component by billing month, whatever months a filter names, [V, months, C]."""
        cells, currencies = self.frame.tables["cells"], len(self.currencies)
        months = self.frame.month_count
        variant, row = self._group_index["cells"].within(
            self.group, np.full(len(self), DAYS), np.full(len(self), self.frame.places - 1)
        )
        at = (variant * months + cells.month[row]) * currencies + cells.currency[row]
        column = cells.sums[:, [COMPONENT_INDEX[component]]]
        return sum_by_place(column, row, at, len(self) * months * currencies).reshape(
            len(self), months, currencies
        )

    @cached_property
    def present(self) -> Bools:
        """Which currencies each variant shows, [V, C]: those in which anything ever happened."""
        variant, row = self.cohort_rows("cells")
        cells, currencies = self.frame.tables["cells"], len(self.currencies)
        moves = self.frame.moves[row]
        present = np.zeros((len(self), currencies), np.bool_)
        present[variant[moves], cells.currency[row[moves]]] = True
        return present

    def options(self, dimension: str) -> Ints:
        """Certificates of each value of a dimension under each filter, [V, values]."""
        cells = self.frame.tables["cells"]
        variant, row = self.cohort_rows("cells")
        values = len(self.values(dimension))
        code = cells.month[row] if dimension == MONTH.name else cells.codes[dimension][row]
        known = (code != NO_VALUE) & (code < values)
        counts = cells.sums[row, COMPONENT_INDEX["proposed_count"]]
        certificates = np.zeros(len(self) * values, np.int64)
        np.add.at(certificates, (variant * values + code)[known], counts[known])
        return certificates.reshape(len(self), values)

    def group_sums(self, dimension: str, components: Sequence[str]) -> GroupSums:
        """Components on the business date by the values of a dimension other than the month.

        They are of the currencies that each variant shows.
        """
        cells = self.frame.tables["cells"]
        variant, row = self.rows("cells")
        code = cells.codes[dimension][row]
        kept = code != NO_VALUE
        variant, row, code = variant[kept], row[kept], code[kept]
        (variant, value, currency), sums = sum_by_keys(
            cells.sums[:, [COMPONENT_INDEX[name] for name in components]],
            row,
            (variant, code, cells.currency[row]),
            (len(self), len(self.frame.encoded_values[dimension]), len(self.currencies)),
        )
        some = (sums != 0).any(axis=1) & self.present[variant, currency]
        return GroupSums(variant[some], value[some], currency[some], sums[some])

    def trend_group_sums(self, dimension: str, component: str) -> MonthlyGroupSums:
        """A flow by the values of a dimension and the months of the trend.

        The months that a filter names do not matter; it is of the currencies that each variant shows.
        """
        monthly = self.frame.tables["monthly"]
        first, last = self._trend_places
        variant, row = self._group_index["monthly"].within(
            self.group, np.full(len(self), first), np.full(len(self), last)
        )
        amount = monthly.sums[row, MONTHLY_COMPONENTS.index(component)]
        code = monthly.codes[dimension][row]
        shown = self.present[variant, monthly.currency[row]]
        kept = (amount != 0) & (code != NO_VALUE) & shown
        variant, row, code, amount = variant[kept], row[kept], code[kept], amount[kept]
        (variant, value, currency, month), sums = sum_by_keys(
            amount[:, None],
            np.arange(len(amount)),
            (variant, code, monthly.currency[row], monthly.place[row] - first),
            (len(self), len(self.frame.encoded_values[dimension]), len(self.currencies), TREND_MONTHS),
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

    def work_list(self, name: str, most: int) -> tuple[Ints, Ints]:
        """The most urgent certificates of a work list, of each filter.

        Args:
            name: The list.
            most: How many at most of each filter and currency.

        Returns:
            The variant of each, ascending, and its row in the roll-up's work lists, by currency and urgency.
        """
        variant, row = self.rows("work_lists")
        kept = self.frame.work_list[row] == name
        variant, row = variant[kept], row[kept]
        order = np.lexsort((row, variant))
        variant, row = variant[order], row[order]
        owner = variant * len(self.currencies) + self.frame.tables["work_lists"].currency[row]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
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

    def rows(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table on the business date, or of a cohort: which variant each is in, ascending."""
        days = np.flatnonzero(~self.is_cohort)
        stretch, row = self._group_index[table].within(
            self.group[days], np.zeros_like(days), np.zeros_like(days)
        )
        variant, of_cohort = self.cohort_rows(table)
        kept = self.is_cohort[variant]
        return _by_owner(
            np.concatenate([days[stretch], variant[kept]]), np.concatenate([row, of_cohort[kept]])
        )

    def cohort_rows(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table that are of cohorts: of the months that a variant names, or of all."""
        variant, first, last = self._cohorts
        stretch, row = self._group_index[table].within(self.group[variant], first, last)
        return variant[stretch], row

    def rows_on_days(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table on each day: which variant x days + day each is in, ascending, and the row.

        A cohort has those of the business date alone.
        """
        days = np.flatnonzero(~self.is_cohort)
        stretch, row = self._group_index[table].within(
            self.group[days], np.zeros_like(days), np.full_like(days, DAYS - 1)
        )
        variant, of_cohort = self.cohort_rows(table)
        kept = self.is_cohort[variant]
        owner = days[stretch] * DAYS + self.frame.tables[table].place[row]
        return _by_owner(
            np.concatenate([owner, variant[kept] * DAYS]), np.concatenate([row, of_cohort[kept]])
        )

    @property
    def _trend_places(self) -> tuple[int, int]:
        last = DAYS + self.frame.current_month - self.frame.first_month
        return last - TREND_MONTHS + 1, last

    @cached_property
    def _monthly(self) -> Ints:
        """Flows by month of the trend of each group, [groups, months, C, components]."""
        monthly, currencies = self.frame.tables["monthly"], len(self.currencies)
        first, last = self._trend_places
        groups = np.arange(self.groups)
        group, row = self._group_index["monthly"].within(
            groups, np.full(self.groups, max(first, DAYS)), np.full(self.groups, last)
        )
        at = (group * TREND_MONTHS + monthly.place[row] - first) * currencies + monthly.currency[row]
        sums = sum_by_place(monthly.sums, row, at, self.groups * TREND_MONTHS * currencies)
        return sums.reshape(self.groups, TREND_MONTHS, currencies, len(MONTHLY_COMPONENTS))


def _by_owner(owner: Ints, row: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(owner, kind="stable")
    return owner[order], row[order]


def _cohort_stretches(frame: CubeFrame, selection: Selection) -> tuple[Ints, Ints, Ints]:
    """The variant, first and last place of every stretch of consecutive billing months; all without any."""
    stretches = []
    for variant, months in enumerate(selection.months):
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
