"""The roll-up: one pass over certificates and costs to additive components on all dimensions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from kpi_pipeline.compute.database import arrow_table, summation
from kpi_pipeline.compute.evaluation_days import EvaluationDays
from kpi_pipeline.compute.forecasting.basis import ForecastBasis, forecast_bases
from kpi_pipeline.compute.forecasting.expected_payments import HISTORY, OPEN_ITEMS, forecast_columns
from kpi_pipeline.compute.forecasting.forecast import outlook
from kpi_pipeline.compute.forecasting.landmarks import (
    REACH,
    LandmarkCounts,
    LandmarkDays,
    standing_at_landmarks,
)
from kpi_pipeline.compute.months import month_of
from kpi_pipeline.compute.rollup import statements
from kpi_pipeline.compute.rollup.as_of_view import amount_cuts, view_settings
from kpi_pipeline.compute.rollup.cells import CELL_COLUMNS, CELL_FIELDS, FIRST_DAYS, NEVER, number_cells
from kpi_pipeline.model.components import COMPONENT_NAMES, LOSS_COMPONENTS, MONTHLY_COMPONENTS
from kpi_pipeline.model.thresholds import Thresholds

CELLS_SCHEMA: Final = pa.schema(
    [*CELL_FIELDS, *(pa.field(name, pa.int64()) for name in (*COMPONENT_NAMES, *FIRST_DAYS))]
)
"""Cells: one row each, on each day and of each cohort.

Those of costs have '' for the dimensions of `NOT_OF_COSTS`.
"""

_VALUES: Final = tuple(field for field in CELL_FIELDS if field.name != "place")

MONTHLY_SCHEMA: Final = pa.schema([*_VALUES, *(pa.field(name, pa.int64()) for name in MONTHLY_COMPONENTS)])
"""Flows by the month of their event, as known on as_of; `month` is that month."""

LOSSES_SCHEMA: Final = pa.schema(
    [
        pa.field("place", pa.int64()),
        pa.field("currency", pa.string()),
        *(pa.field(component.name, pa.int64()) for component in LOSS_COMPONENTS),
    ]
)
"""The roll rates' sums of all certificates of a currency, on each day."""

PAYMENT_TIMES_SCHEMA: Final = pa.schema(
    [*CELL_FIELDS, *(pa.field(name, pa.int64()) for name in ("days", "paid", "open"))]
)
"""Certificates issued in the window by days from issue: paid after so many, or not paid yet at that age."""

BREAKDOWNS_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("breakdown", pa.string()),
        pa.field("key", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("count", pa.int64()),
    ]
)
"""Amounts and counts of each cell by a key that is no dimension; `breakdown` names which. On as_of alone."""

WORK_LISTS_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("work_list", pa.string()),
        pa.field("certificate_id", pa.string()),
        pa.field("arrears", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("sent_on", pa.date32()),
        pa.field("days", pa.int64()),
        pa.field("overdue_days", pa.int64()),
        pa.field("expected_days", pa.float64()),
        pa.field("rejection_reason", pa.string()),
        pa.field("returned_days", pa.int64()),
        pa.field("age_days", pa.int64()),
        pa.field("urgency", pa.int64()),
        pa.field("idle_days", pa.int64()),
    ]
)
"""Each certificate of each work list, a currency's most urgent first, on as_of and of its cohort.

`amount` is what is open of it, `days` are those since it was first sent, and `age_days` those since issue.
`arrears` and `overdue_days` say why it is to be collected, `expected_days` how much longer its client is
expected to take. `idle_days` are those since the last milestone of what is watched, which is listed on as_of
alone, the largest amounts first.
"""

ROLLUP_TABLES: Final = (
    *("rollup", "monthly_flows", "losses", "payment_times"),
    *("breakdowns", "work_lists"),
)
"""Names under which the tables of a roll-up are kept, in order."""

_FORECAST_BASES: Final = b"kpi_forecast_bases"


@dataclass(frozen=True, slots=True)
class Rollup:
    """What certificates and costs sum to, as of a date; amounts in minor units of the currency.

    Attributes:
        cells: Every component on all dimensions, on every evaluation day; rows in `CELLS_SCHEMA`.
        monthly: Flows by the month of their event; rows in `MONTHLY_SCHEMA`.
        losses: Sums of the roll rates; rows in `LOSSES_SCHEMA`.
        payment_times: Days of payment; rows in `PAYMENT_TIMES_SCHEMA`.
        breakdowns: Reasons, failures and suppliers; rows in `BREAKDOWNS_SCHEMA`.
        work_lists: Certificates to act upon; rows in `WORK_LISTS_SCHEMA`.
        forecast_bases: By currency, on what its forecast rests.
    """

    cells: pa.Table
    monthly: pa.Table
    losses: pa.Table
    payment_times: pa.Table
    breakdowns: pa.Table
    work_lists: pa.Table
    forecast_bases: Mapping[str, ForecastBasis]

    @classmethod
    def of_tables(cls, tables: Sequence[pa.Table]) -> Self:
        """Put the tables together again, in the order of `ROLLUP_TABLES`."""
        cells, monthly, losses, payment_times, breakdowns, work_lists = tables
        kept = json.loads((cells.schema.metadata or {})[_FORECAST_BASES])
        bases = {currency: ForecastBasis.of_data(basis) for currency, basis in kept.items()}
        return cls(cells, monthly, losses, payment_times, breakdowns, work_lists, bases)

    def tables(self) -> tuple[pa.Table, ...]:
        """The tables to be kept, in the order of `ROLLUP_TABLES`."""
        bases = {currency: basis.as_data() for currency, basis in self.forecast_bases.items()}
        kept = {_FORECAST_BASES: json.dumps(bases).encode()}
        cells = self.cells.replace_schema_metadata({**(self.cells.schema.metadata or {}), **kept})
        return cells, self.monthly, self.losses, self.payment_times, self.breakdowns, self.work_lists


def roll_up(
    certificates: pa.Table, costs: pa.Table, as_of: date, thresholds: Thresholds, window_months: int
) -> Rollup:
    """Sum every component over each cell of all dimensions, on every evaluation day of a date.

    Certificates issued, and costs invoiced, after a day do not exist on it; an advance is collected on its
    day all the same. `as_of_view` defines how a certificate stands on a day.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        costs: Rows in `COST_SCHEMA`.
        as_of: The business date.
        thresholds: Days and amounts of the definitions.
        window_months: Months of the window over which flows are summed.

    Returns:
        The tables; cells in their order, the others in none.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    with summation() as connection:
        connection.register("certificates", certificates)
        connection.register("costs", costs)
        connection.register("days", EvaluationDays(as_of, window_months).table())
        connection.register("cuts", amount_cuts(certificates["currency"].unique().to_pylist(), thresholds))
        connection.execute(statements.EVALUATED, view_settings(thresholds))
        connection.execute(statements.EVALUATED_COSTS)
        # Of all certificates as of the business date, by billing month.
        connection.execute(statements.STANDING)
        this_month = month_of(as_of)
        landmarks = standing_at_landmarks(
            connection, LandmarkDays.like(as_of), this_month - REACH, this_month - 1
        ).cells
        cells = _cells(connection, landmarks, as_of)
        found = {
            name: arrow_table(connection, statement)
            for name, statement in (
                ("monthly", statements.MONTHLY),
                ("payment_times", statements.PAYMENT_TIMES),
                ("breakdowns", statements.BREAKDOWNS),
                ("work_lists", statements.WORK_LISTS),
            )
        }
        old_enough = {**view_settings(thresholds), "loss_days": thresholds.loss_days}
        losses = arrow_table(connection, statements.LOSSES, old_enough)
    return Rollup(
        cells,
        found["monthly"].cast(MONTHLY_SCHEMA),
        losses.cast(LOSSES_SCHEMA),
        found["payment_times"].cast(PAYMENT_TIMES_SCHEMA),
        found["breakdowns"].cast(BREAKDOWNS_SCHEMA),
        found["work_lists"].cast(WORK_LISTS_SCHEMA),
        forecast_bases(certificates, landmarks, as_of),
    )


def _cells(connection: DuckDBPyConnection, landmarks: pa.Table, as_of: date) -> pa.Table:
    """The sums of certificates, costs and expectations, brought together by their cell."""
    history, open_items = (arrow_table(connection, query) for query in (HISTORY, OPEN_ITEMS))
    connection.register("outlook", outlook(history, open_items, LandmarkCounts(landmarks), as_of))
    expected = arrow_table(connection, statements.EXPECTED)
    parts = [arrow_table(connection, statement) for statement in (statements.CERTIFICATES, statements.COSTS)]
    cells, (expecting, *numbers) = number_cells([expected, *parts])
    columns = {name: np.zeros(cells.num_rows, np.int64) for name in COMPONENT_NAMES}
    columns |= {name: np.full(cells.num_rows, NEVER, np.int64) for name in FIRST_DAYS}
    for part, at in zip(parts, numbers, strict=True):
        for name in part.column_names[len(CELL_COLUMNS) :]:
            columns[name][at] = part[name].to_numpy()
    on_as_of = cells["place"].to_numpy() <= 0
    columns |= forecast_columns(expected, expecting, columns["receivable_amount"] * on_as_of)
    return pa.Table.from_arrays([*cells.columns, *map(pa.array, columns.values())], schema=CELLS_SCHEMA)
