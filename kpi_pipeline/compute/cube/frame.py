"""What all slices of a cube share: a roll-up's encoded tables and the axes that number them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.cube.encoding import Bools, EncodedTable, Ints
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.months import month_number, month_of, month_text
from kpi_pipeline.compute.rollup.rollup import Rollup
from kpi_pipeline.model.components import COMPONENT_NAMES, OCCURRENCE_COMPONENTS, STOCK_COMPONENTS
from kpi_pipeline.model.dimensions import (
    AMOUNT_BAND,
    AMOUNT_BANDS,
    DIMENSION_NAMES,
    ISSUED_AGE,
    ISSUED_AGES,
    MONTH,
)
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.thresholds import Thresholds

ATTRIBUTES: Final = tuple(name for name in DIMENSION_NAMES if name != MONTH.name)
"""The dimensions but the month."""

_DECLARED_ORDER: Final[dict[str, tuple[str, ...]]] = {
    AMOUNT_BAND.name: AMOUNT_BANDS,
    ISSUED_AGE.name: tuple(label for label, _, _ in ISSUED_AGES),
}


@dataclass(frozen=True)
class CubeFrame:
    """The encoded tables of one roll-up. Months are numbers that grow by one a month.

    Attributes:
        as_of: The business date.
        window_months: Months of the trailing DSO window.
        thresholds: Days and amounts of the definitions.
        forecast_bases: By currency, on what its forecast rests.
        currencies: Codes of the currencies, sorted.
        values: By dimension, its values: bands and ages in their declared order, the others sorted without
            regard to case and accents; every month from the first with an event to the last or that of as_of.
        encoded_values: By dimension but the month, its values and after them those that only past month ends
            had, such as a state that no certificate has any more.
        first_active_month: The first month with an event.
        first_month: The first month of the axis. A claim is open from its issue on, which may be before the
            month for which it is billed.
        month_count: Months of the axis.
        tables: The tables, by name.
        breakdown: Which breakdown each row of the table `breakdowns` belongs to.
        breakdown_key: The key of each.
        critical_rows: The critical certificates, the most urgent first.
    """

    as_of: date
    window_months: int
    thresholds: Thresholds
    forecast_bases: Mapping[str, ForecastBasis]
    currencies: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    encoded_values: dict[str, tuple[str, ...]]
    first_active_month: int
    first_month: int
    month_count: int
    tables: dict[str, EncodedTable]
    breakdown: npt.NDArray[np.object_]
    breakdown_key: npt.NDArray[np.object_]
    critical_rows: list[dict[str, Any]]

    @classmethod
    def of(cls, rollup: Rollup, as_of: date, window_months: int, thresholds: Thresholds) -> "CubeFrame":
        """Encode the tables of a roll-up."""
        cells, positions = rollup.cells, rollup.positions
        active = [*_month_numbers(cells), month_of(as_of)]
        first_active, last = min(active), max(active)
        first = min([first_active, *_month_numbers(positions)])
        axis = {month_text(number): number - first for number in range(first, last + 1)}
        currencies = tuple(sorted(cells["currency"].unique().to_pylist()))
        values = {name: _ordered(name, cells[name].unique().to_pylist()) for name in ATTRIBUTES}
        encoded_values = {
            name: (*known, *sorted(set(positions[name].unique().to_pylist()).difference(known)))
            for name, known in values.items()
        }
        columns = {
            "cells": COMPONENT_NAMES,
            "positions": STOCK_COMPONENTS,
            "breakdowns": ("amount", "count"),
            "critical": (),
        }
        return cls(
            as_of=as_of,
            window_months=window_months,
            thresholds=thresholds,
            forecast_bases=rollup.forecast_bases,
            currencies=currencies,
            values={MONTH.name: tuple(axis)[first_active - first :], **values},
            encoded_values=encoded_values,
            first_active_month=first_active,
            first_month=first,
            month_count=len(axis),
            tables={
                name: EncodedTable.of(getattr(rollup, name), encoded_values, axis, currencies, summed)
                for name, summed in columns.items()
            },
            breakdown=rollup.breakdowns["breakdown"].to_numpy(zero_copy_only=False),
            breakdown_key=rollup.breakdowns["key"].to_numpy(zero_copy_only=False),
            critical_rows=rollup.critical.to_pylist(),
        )

    @property
    def current_month(self) -> int:
        """The month of as_of."""
        return month_of(self.as_of)

    @property
    def last_complete(self) -> int:
        """The last month that is over at the end of as_of."""
        return month_of(self.as_of + timedelta(1)) - 1

    @cached_property
    def payment_days(self) -> Ints:
        """The days of each row of the breakdown `payment_days`; 0 in rows of the others."""
        paid = self.breakdown == "payment_days"
        days = [int(key) if is_paid else 0 for key, is_paid in zip(self.breakdown_key, paid, strict=True)]
        return np.array(days, np.int64)

    @cached_property
    def occurs(self) -> Bools:
        """Which cells count as an occurrence of their dimensions' values."""
        columns = [COMPONENT_NAMES.index(name) for name in OCCURRENCE_COMPONENTS]
        occurs: Bools = (self.tables["cells"].sums[:, columns] != 0).any(axis=1)
        return occurs

    def comparable(self) -> tuple[Any, ...]:
        """What two frames must have in common for their rows to be compared."""
        return (
            self.as_of,
            self.window_months,
            self.thresholds,
            sorted(self.forecast_bases.items(), key=itemgetter(0)),
            self.currencies,
            self.values,
            self.encoded_values,
            self.first_month,
        )

    def row_digests(self, table: str) -> npt.NDArray[np.uint64]:
        """A number for each row of a table: equal for equal rows of comparable frames."""
        return self.tables[table].digests(self._text_codes(table))

    def _text_codes(self, table: str) -> Ints:
        """A number for the columns of each row that are not encoded: equal for equal columns."""
        if table == "breakdowns":
            return _numbered(zip(self.breakdown.tolist(), self.breakdown_key.tolist(), strict=True))
        if table == "critical":
            return _numbered(tuple(row.values()) for row in self.critical_rows)
        return np.zeros(len(self.tables[table]), np.int64)


def _month_numbers(table: pa.Table) -> list[int]:
    """The distinct months of a table."""
    return [month_number(text) for text in table["month"].unique().to_pylist()]


def _ordered(dimension: str, values: Sequence[str]) -> tuple[str, ...]:
    """The values of a dimension in their order; all declared ones where it declares any."""
    if dimension in _DECLARED_ORDER:
        return _DECLARED_ORDER[dimension]
    return tuple(sorted(filter(None, values), key=lambda value: (fold(value), value)))


def _numbered(rows: Iterable[tuple[Any, ...]]) -> Ints:
    """A number for each row: equal for equal rows, in every process."""

    @cache  # few rows are distinct
    def number(row: tuple[Any, ...]) -> int:
        digest = blake2b(repr(row).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little", signed=True)

    return np.array([number(row) for row in rows], np.int64)
