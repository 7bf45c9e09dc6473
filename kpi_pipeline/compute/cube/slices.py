"""Slices: the sums of some variants of a cube: on each day, by month, and by the values of a dimension."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from kpi_pipeline.compute.cube.axes import ROW
from kpi_pipeline.compute.cube.encoding import (
    NO_VALUE,
    Bools,
    Ints,
    stable_order,
    sum_by_keys,
)
from kpi_pipeline.compute.cube.group_sums import BreakdownSums, GroupSums, MonthlyGroupSums
from kpi_pipeline.compute.cube.groups import Groups
from kpi_pipeline.compute.cube.variants import Selection, cohort_stretches
from kpi_pipeline.compute.evaluation_days import AS_OF, DAYS
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    MONTHLY_COMPONENTS,
)
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import TREND_MONTHS


class Slice:
    """The sums of V variants; C currencies.

    A variant that names no months is summed on each evaluation day: stocks as they stood, flows over the
    window that ended on it. One that names months is a cohort: its certificates as of the business date,
    whenever their events were; it has no other day.

    Rows are looked up and summed when a figure needs them, and kept with the slice.

    Args:
        groups: The groups of rows.
        selection: The variants.
        everything: The slice of all certificates; None where it is this one.

    Attributes:
        frame: The encoded tables.
        filters: The V filters.
        group: Which group of rows each takes, [V].
        months: Numbers of the months that each names, ascending; empty where it names none.
        remembered: Small results of formulas, by name, which copies share.
    """

    def __init__(self, groups: Groups, selection: Selection, everything: "Slice | None") -> None:
        self.frame = groups.frame
        self.filters, self.group, self.months = selection.filters, selection.group, selection.months
        self.remembered: dict[Any, Any] = {}
        self.groups = groups
        self._everything = everything
        self._rows: dict[tuple[str, int], tuple[Ints, Ints]] = {}

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
        named = [not requested.names_any(NOT_OF_COSTS) for requested in self.filters]
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
    def totals(self) -> Ints:
        """Every component on the business date, [components, V, C]."""
        sums: Ints = self.groups.on_days[:, AS_OF][:, :, self.group].swapaxes(1, 2).copy()
        cohort = np.flatnonzero(self.is_cohort)
        if len(cohort):
            sums[:, cohort] = self._of_cohorts.swapaxes(1, 2)
        return sums

    def total(self, component: str) -> Ints:
        """A component on the business date, [V, C]."""
        of_component: Ints = self.totals[COMPONENT_INDEX[component]]
        return of_component

    def on_each_day(self, component: str) -> Ints:
        """A component on each day, [V, days, C]; of a cohort on the business date alone."""
        place = COMPONENT_INDEX[component]
        sums: Ints = np.ascontiguousarray(np.moveaxis(self.groups.on_days[place][:, :, self.group], 2, 0))
        sums[self.is_cohort] = 0
        sums[:, AS_OF] = self.totals[place]
        return sums

    def certificates(self) -> dict[Filter, int]:
        """The number of certificates of each filter, whenever they were issued."""
        counts = self._over_cohorts(self.groups.certificates_by_month).sum(axis=0)
        return dict(zip(self.filters, counts.tolist(), strict=True))

    def monthly(self, component: str) -> Ints:
        """A flow by the month of its event, in each month of the trend, [V, months, C].

        The months that a filter names do not matter.
        """
        return self.groups.monthly[self.group, :, :, MONTHLY_COMPONENTS.index(component)]

    def by_billing_month(self, component: str) -> Ints:
        """A component by billing month, whatever months a filter names, [V, months, C]."""
        cells, currencies = self.frame.tables["cells"], len(self.currencies)
        months = self.frame.month_count
        variant, row = self.groups.index("cells").within(
            self.group, np.full(len(self), DAYS), np.full(len(self), self.frame.places - 1)
        )
        at = (variant * months + cells.month[row]) * currencies + cells.currency[row]
        sums = np.zeros(len(self) * months * currencies, np.int64)
        np.add.at(sums, at, cells.sums.column(COMPONENT_INDEX[component])[row])
        return sums.reshape(len(self), months, currencies)

    @cached_property
    def present(self) -> Bools:
        """Which currencies each variant shows, [V, C]: those in which anything ever happened."""
        moves: Bools = self._over_cohorts(self.groups.moves_by_month) > 0
        return np.ascontiguousarray(moves.T)

    def options(self, dimension: str) -> Ints:
        """Certificates of each value of a dimension under each filter, [V, values]."""
        cells = self.frame.tables["cells"]
        variant, row = self.cohort_rows("cells")
        values = len(self.values(dimension))
        code = cells.month[row] if dimension == MONTH.name else cells.codes[dimension][row]
        known = (code != NO_VALUE) & (code < values)
        counts = cells.sums.column(COMPONENT_INDEX["proposed_count"])[row]
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
            cells.sums.columns([COMPONENT_INDEX[name] for name in components], row),
            np.arange(len(row)),
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
        first, last = self.groups.trend_places
        variant, row = self.groups.index("monthly").within(
            self.group, np.full(len(self), first), np.full(len(self), last)
        )
        amount = monthly.sums.column(MONTHLY_COMPONENTS.index(component))[row]
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
        return self.frame.breakdown_keys(breakdown)

    def breakdown_sums(self, breakdown: str) -> BreakdownSums:
        """A breakdown over each filter."""
        table = self.frame.tables["breakdowns"]
        variant, row = self.rows("breakdowns")
        kept, code = self.frame.rows_of_breakdown(breakdown, row)
        variant, row = variant[kept], row[kept]
        (variant, key, currency), sums = sum_by_keys(
            table.sums.columns((0, 1), row),
            np.arange(len(row)),
            (variant, code, table.currency[row]),
            (len(self), len(self.keys(breakdown)), len(self.currencies)),
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
        table = self.frame.tables["work_lists"]
        variant, held = self.rows("work_lists")
        kept = self.frame.in_work_list(name, table.others[ROW][held])
        variant, held = variant[kept], held[kept]
        row, currency = table.others[ROW][held], table.currency[held]
        order = np.lexsort((row, variant))
        variant, row = variant[order], row[order]
        owner = variant * len(self.currencies) + currency[order]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return variant[rank < most], row[rank < most]

    def only(self, wanted: Collection[Filter]) -> "Slice":
        """The same sums of the filters that are wanted; a wanted filter that is not in it adds nothing."""
        at = [place for place, requested in enumerate(self.filters) if requested in wanted]
        if len(at) == len(self):
            return self
        used, group = np.unique(self.group[at], return_inverse=True)
        filters, months = (
            tuple(self.filters[place] for place in at),
            tuple(self.months[place] for place in at),
        )
        return Slice(self.groups.only(used), Selection(filters, group, months), self._everything)

    def fresh(self) -> "Slice":
        """The same variants, nothing computed yet but what is remembered."""
        selection = Selection(self.filters, self.group, self.months)
        copy = Slice(self.groups.fresh(), selection, self._everything)
        copy.remembered = self.remembered
        return copy

    def parts(self, most: int) -> Iterator["Slice"]:
        """The same variants in parts, which share the sums of groups.

        Args:
            most: How many variants a part has at most.
        """
        if len(self) <= most:
            yield self
            return
        for begin in range(0, len(self), most):
            end = begin + most
            selection = Selection(self.filters[begin:end], self.group[begin:end], self.months[begin:end])
            part = Slice(self.groups, selection, self._everything)
            part.remembered = self.remembered.setdefault(begin, {})
            yield part

    def parts_of_rows(self, table: str, most: int, rows: int) -> Iterator["Slice"]:
        """The same variants in parts, which share the sums of groups.

        Args:
            table: The table whose rows on each day are needed.
            most: How many variants a part has at most.
            rows: How many of these rows a part takes at most, unless it is one variant.
        """
        begin = 0
        ends = np.cumsum(self._rows_on_days_counted(table))
        while begin < len(self):
            before = int(ends[begin - 1]) if begin else 0
            fitting = int(np.searchsorted(ends, before + rows, side="right"))
            end = min(max(fitting, begin + 1), begin + most)
            selection = Selection(self.filters[begin:end], self.group[begin:end], self.months[begin:end])
            yield Slice(self.groups, selection, self._everything)
            begin = end

    def _rows_on_days_counted(self, table: str) -> Ints:
        """How many of the rows that `rows_on_days` gives each variant has."""
        index, counted = self.groups.index(table), np.zeros(len(self), np.int64)
        days = np.flatnonzero(~self.is_cohort)
        counted[days] = index.counts(self.group[days], np.zeros_like(days), np.full_like(days, DAYS - 1))
        variant, first, last = self._cohort_stretches
        named = np.flatnonzero(self.is_cohort[variant])
        np.add.at(
            counted, variant[named], index.counts(self.group[variant[named]], first[named], last[named])
        )
        return counted

    def rows(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table on the business date, or of a cohort: which variant each is in, ascending."""
        return self._with_cohorts(table, AS_OF)

    def cohort_rows(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table that are of cohorts: of the months that a variant names, or of all."""
        variant, first, last = self._cohort_stretches
        stretch, row = self.groups.index(table).within(self.group[variant], first, last)
        return variant[stretch], row

    def rows_on_days(self, table: str) -> tuple[Ints, Ints]:
        """The rows of a table on each day: which variant x days + day each is in, and the row.

        A cohort has those of the business date alone.
        """
        variant, row = self._dated(table, DAYS - 1)
        owner = variant * DAYS + self.frame.tables[table].place[row]
        of_cohort, cohort_row = self._of_named_months(table)
        if not len(of_cohort):
            return owner, row
        return np.concatenate([owner, of_cohort * DAYS + AS_OF]), np.concatenate([row, cohort_row])

    def _with_cohorts(self, table: str, last_day: int) -> tuple[Ints, Ints]:
        """The rows up to a day of each variant, or of its months: which variant each is in, ascending."""
        if (table, last_day) not in self._rows:
            self._rows[table, last_day] = self._find(table, last_day)
        return self._rows[table, last_day]

    def _find(self, table: str, last_day: int) -> tuple[Ints, Ints]:
        variant, row = self._dated(table, last_day)
        if not self.is_cohort.any():
            return variant, row
        of_cohort, cohort_row = self._of_named_months(table)
        owner, row = np.concatenate([variant, of_cohort]), np.concatenate([row, cohort_row])
        order = stable_order(owner)
        return (owner, row) if order is None else (owner[order], row[order])

    def _dated(self, table: str, last_day: int) -> tuple[Ints, Ints]:
        """The rows up to a day of each variant that is no cohort: which variant each is in, ascending."""
        days = np.flatnonzero(~self.is_cohort)
        stretch, row = self.groups.index(table).within(
            self.group[days], np.zeros_like(days), np.full_like(days, last_day)
        )
        return days[stretch], row

    def _of_named_months(self, table: str) -> tuple[Ints, Ints]:
        """The rows of the months of each cohort: which variant each is in, ascending."""
        variant, first, last = self._cohort_stretches
        named = np.flatnonzero(self.is_cohort[variant])
        stretch, row = self.groups.index(table).within(self.group[variant[named]], first[named], last[named])
        return variant[named][stretch], row

    @cached_property
    def _of_cohorts(self) -> Ints:
        """Every component of each variant that is a cohort, [components, C, cohorts]."""
        cohort = np.flatnonzero(self.is_cohort)
        used, at = np.unique(self.group[cohort], return_inverse=True)
        by_month = self.groups.cells(DAYS, self.frame.places, used)
        months = [self.months[variant] for variant in cohort.tolist()]
        return self._over_months(by_month, at, months)

    def _over_months(self, by_month: Ints, group: Ints, months: Sequence[tuple[int, ...]]) -> Ints:
        """What groups have in all months that a variant names, [..., C, n], of [..., months, C, groups]."""
        total = np.zeros((*by_month.shape[:-3], by_month.shape[-2], len(group)), np.int64)
        alike: dict[tuple[int, ...], list[int]] = {}
        for place, named in enumerate(months):
            alike.setdefault(named, []).append(place)
        for named, at in alike.items():
            places = np.array(named) - self.frame.first_month
            places = places[(places >= 0) & (places < self.frame.month_count)]
            total[..., at] = by_month[..., places, :, :].sum(axis=-3)[..., group[at]]
        return total

    def _over_cohorts(self, by_month: Ints) -> Ints:
        """What variants have in the months that they name, or in all, [C, V], of [months, C, groups]."""
        total: Ints = by_month.sum(axis=0)[:, self.group]
        cohort = np.flatnonzero(self.is_cohort)
        months = [self.months[variant] for variant in cohort.tolist()]
        total[:, cohort] = self._over_months(by_month, self.group[cohort], months)
        return total

    @cached_property
    def _cohort_stretches(self) -> tuple[Ints, Ints, Ints]:
        return cohort_stretches(self.frame, self.months)
