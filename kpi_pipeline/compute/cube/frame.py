"""What all slices of a cube share: a roll-up's encoded tables and the axes that number them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from operator import itemgetter
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.axes import BREAKDOWN, BREAKDOWN_KEY, Axes
from kpi_pipeline.compute.cube.encoding import (
    NO_VALUE,
    Bools,
    EncodedTable,
    Ints,
    encode_column,
    place_of,
)
from kpi_pipeline.compute.cube.parts import PartedTable, Values
from kpi_pipeline.compute.evaluation_days import AS_OF, DAYS, EvaluationDays
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.months import day_numbers, month_of
from kpi_pipeline.compute.rollup.cells import FIRST_INVOICED, FIRST_ISSUED, NEVER
from kpi_pipeline.compute.rollup.tables import Part, RollupParts
from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    LOSS_COMPONENTS,
    MOVEMENT_COMPONENTS,
    OCCURRENCE_COMPONENTS,
)
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.model.work_lists import WorkListName

_STORED_AS: Final = {
    "cells": "rollup",
    "monthly": "monthly_flows",
    "payment_times": "payment_times",
    "breakdowns": "breakdowns",
}
"""Tables of which parts are taken from an earlier frame, and their names in `ROLLUP_TABLES`."""


@dataclass(frozen=True)
class CubeFrame:
    """The encoded tables of one roll-up.

    Rows lie on one axis: first the places of the evaluation days, then the months. Months are numbers that
    grow by one a month.

    Attributes:
        axes: What the tables are encoded by.
        thresholds: Days and amounts of the definitions.
        forecast_bases: By currency, on what its forecast rests.
        losses: Sums of the roll rates by day, currency and component of `LOSS_COMPONENTS`, [days, C, n].
        parted: The tables, by name.
        part_values: By table and part of the roll-up, the values of its columns.
        work_lists: The certificates to act upon, in the order of the roll-up.
        list_names: The names of the lists.
        work_list: Which list each of those certificates is in, as its place.
    """

    axes: Axes
    thresholds: Thresholds
    forecast_bases: Mapping[str, ForecastBasis]
    losses: Ints
    parted: dict[str, PartedTable]
    part_values: dict[str, dict[str, Values]]
    work_lists: pa.Table
    list_names: tuple[str, ...]
    work_list: Ints

    @classmethod
    def of(
        cls,
        rollup: RollupParts,
        days: EvaluationDays,
        thresholds: Thresholds,
        before: "CubeFrame | None" = None,
    ) -> "CubeFrame":
        """Encode the tables of a roll-up.

        Args:
            rollup: The tables.
            days: The evaluation days.
            thresholds: Days and amounts of the definitions.
            before: An earlier frame: parts that it held are not read again.
        """
        axes, part_values = Axes.of(rollup, days, {} if before is None else before.part_values)
        held = {} if before is None or before.axes != axes else before.parted
        work_lists = rollup.table("work_lists")
        # What alerts watch is in no variant.
        work_lists = work_lists.filter(pc.not_equal(work_lists["work_list"], WorkListName.WATCHED))
        parts = {name: rollup.of(stored) for name, stored in _STORED_AS.items()}
        parts["work_lists"] = [Part.of(work_lists)]
        lists = tuple(sorted(work_lists["work_list"].unique().to_pylist()))
        return cls(
            axes=axes,
            thresholds=thresholds,
            forecast_bases=rollup.forecast_bases,
            losses=_losses(rollup.table("losses"), axes.currencies),
            parted={
                name: PartedTable.of(of_table, partial(axes.encoded, name), axes.places, held.get(name))
                for name, of_table in parts.items()
            },
            part_values=part_values,
            work_lists=work_lists,
            list_names=lists,
            work_list=encode_column(work_lists["work_list"], place_of(lists)),
        )

    @cached_property
    def tables(self) -> dict[str, EncodedTable]:
        """The tables, by name."""
        return {name: parted.table for name, parted in self.parted.items()}

    @property
    def days(self) -> EvaluationDays:
        """The evaluation days."""
        return self.axes.days

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of the currencies, sorted."""
        return self.axes.currencies

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """By dimension, its values: states, bands and ages all in their declared order, the others sorted
        without regard to case and accents; every month from the first with an event to the last or that of
        as_of.
        """
        return self.axes.values

    @property
    def encoded_values(self) -> dict[str, tuple[str, ...]]:
        """By dimension but the month, its values and after them those that only past days had."""
        return self.axes.encoded_values

    @property
    def first_month(self) -> int:
        """The first of the months."""
        return self.axes.first_month

    @property
    def month_count(self) -> int:
        """How many months there are."""
        return self.axes.month_count

    @property
    def first_days(self) -> dict[str, Ints]:
        """By column of `FIRST_DAYS`, that of each row of the table `cells`."""
        return self.tables["cells"].others

    @property
    def as_of(self) -> date:
        """The business date."""
        return self.days.as_of

    @property
    def places(self) -> int:
        """Length of the axis."""
        return self.axes.places

    def rows_with(self, table: str, dimension: str, code: int) -> Ints:
        """The rows of a table that have a value, ascending; kept until `forget_rows`."""
        key = table, dimension, code
        if key not in self._rows_with:
            found = np.flatnonzero(self.tables[table].codes[dimension] == code)
            self._rows_with[key] = found.astype(np.int32)
        return self._rows_with[key]

    def forget_rows(self) -> None:
        """Forget the rows of values."""
        self._rows_with.clear()

    @cached_property
    def _rows_with(self) -> dict[tuple[str, str, int], Ints]:
        return {}

    @cached_property
    def first_day(self) -> int:
        """The first day of issue of all, in days since 1970; `NEVER` without certificates."""
        return int(self.first_days[FIRST_ISSUED].min(initial=NEVER))

    @property
    def current_month(self) -> int:
        """The month of as_of."""
        return month_of(self.as_of)

    @cached_property
    def first_invoices(self) -> Ints:
        """The first day of an invoice in each currency, in days since 1970; `NEVER` without costs, [C]."""
        first = np.full(len(self.currencies), NEVER)
        np.minimum.at(first, self.tables["cells"].currency, self.first_days[FIRST_INVOICED])
        return first

    @cached_property
    def currencies_of_costs(self) -> Bools:
        """In which currencies there is any cost by each day, [days, C]."""
        known: Bools = self.first_invoices <= day_numbers(self.days.days)[:, None]
        return known

    @cached_property
    def occurs(self) -> Bools:
        """Which cells count as an occurrence of their dimensions' values: those of cohorts with an event."""
        return self._cohorts_with(OCCURRENCE_COMPONENTS)

    @cached_property
    def moves(self) -> Bools:
        """Which of them count as an occurrence of their currency."""
        return self._cohorts_with(MOVEMENT_COMPONENTS)

    def _cohorts_with(self, components: Sequence[str]) -> Bools:
        cells = self.tables["cells"]
        found = np.zeros(len(cells), np.bool_)
        for name in components:
            found |= cells.sums.column(COMPONENT_INDEX[name]) != 0
        return found & (cells.place >= DAYS)

    def breakdown_keys(self, breakdown: str) -> tuple[str, ...]:
        """The keys of a breakdown, sorted."""
        return tuple(self.axes.keys[place] for place in self._keys_of(breakdown).tolist())

    def rows_of_breakdown(self, breakdown: str, rows: Ints) -> tuple[Bools, Ints]:
        """Which rows belong to a breakdown, and the place of the key of each of these among its keys."""
        table, keys = self.tables["breakdowns"].others, self._keys_of(breakdown)
        belongs = table[BREAKDOWN][rows] == _place(self.axes.breakdowns, breakdown)
        return belongs, np.searchsorted(keys, table[BREAKDOWN_KEY][rows[belongs]])

    def _keys_of(self, breakdown: str) -> Ints:
        """The places of a breakdown's keys among all, ascending."""
        if breakdown not in self._known_keys:
            table = self.tables["breakdowns"].others
            belongs = table[BREAKDOWN] == _place(self.axes.breakdowns, breakdown)
            self._known_keys[breakdown] = np.unique(table[BREAKDOWN_KEY][belongs])
        return self._known_keys[breakdown]

    @cached_property
    def _known_keys(self) -> dict[str, Ints]:
        return {}

    def in_work_list(self, name: str, rows: Ints) -> Bools:
        """Which rows of the roll-up's work lists are in one of them."""
        found: Bools = self.work_list[rows] == _place(self.list_names, name)
        return found

    def reconciled_parts(self, rollup: RollupParts) -> list[Part]:
        """The cells of the roll-up, but for parts that have those of earlier days alone.

        Args:
            rollup: That which the frame encodes.
        """
        cells = self.parted["cells"]
        days, months = cells.has_rows(slice(0, AS_OF + 1)), cells.has_rows(slice(DAYS, self.places))
        parts = zip(rollup.of("rollup"), days, months, strict=True)
        return [part for part, *has_rows in parts if any(has_rows)]

    def comparable(self) -> tuple[Any, ...]:
        """What two frames must have in common for their rows to be compared."""
        return (
            self.days,
            self.thresholds,
            sorted(self.forecast_bases.items(), key=itemgetter(0)),
            self.currencies,
            self.values,
            self.encoded_values,
            self.first_month,
            # Whether anything is compared, and which currencies have costs, rests on all rows.
            self.first_day,
            self.first_invoices.tolist(),
        )


def _losses(table: pa.Table, currencies: Sequence[str]) -> Ints:
    """The sums of the roll rates, [days, C, components]."""
    losses = np.zeros((DAYS, len(currencies), len(LOSS_COMPONENTS)), np.int64)
    place, currency = table["place"].to_numpy(), encode_column(table["currency"], place_of(currencies))
    for at, component in enumerate(LOSS_COMPONENTS):
        losses[place, currency, at] = table[component.name].to_numpy()
    return losses


def _place(names: Sequence[str], name: str) -> int:
    """The place of a name; `NO_VALUE` where it is not among them."""
    return names.index(name) if name in names else NO_VALUE
