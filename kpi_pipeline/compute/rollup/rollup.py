"""The roll-up: one pass over certificates and costs to additive components on all dimensions."""
# ruff: noqa: S608 - the statements are built from the model's own names

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from kpi_pipeline.compute.database import summation
from kpi_pipeline.compute.forecasting.basis import ForecastBasis, forecast_bases
from kpi_pipeline.compute.forecasting.expected_payments import (
    FORECAST_COMPONENTS,
    HISTORY,
    OPEN_ITEMS,
    expected_payments,
    forecast_columns,
)
from kpi_pipeline.compute.forecasting.forecast import outlook
from kpi_pipeline.compute.forecasting.landmarks import (
    REACH,
    LandmarkCounts,
    LandmarkDays,
    standing_at_landmarks,
)
from kpi_pipeline.compute.months import month_of
from kpi_pipeline.compute.rollup.as_of_view import amount_cuts, as_of_view, view_settings
from kpi_pipeline.compute.rollup.cells import CELL_COLUMNS, CELL_FIELDS, number_cells
from kpi_pipeline.model.components import COMPONENT_NAMES, COMPONENTS, STOCK_COMPONENTS, ComponentKind
from kpi_pipeline.model.dimensions import NOT_OF_COSTS
from kpi_pipeline.model.thresholds import Thresholds

ROLLUP_SCHEMA: Final = pa.schema([*CELL_FIELDS, *(pa.field(name, pa.int64()) for name in COMPONENT_NAMES)])
"""Cells: one row each. Those of costs have '' for the dimensions of `NOT_OF_COSTS`."""

POSITIONS_SCHEMA: Final = pa.schema(
    [*CELL_FIELDS, *(pa.field(name, pa.int64()) for name in STOCK_COMPONENTS)]
)
"""Stocks as they stood at month ends; `month` is that of the month end, not of billing."""

BREAKDOWNS_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("breakdown", pa.string()),
        pa.field("key", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("count", pa.int64()),
    ]
)
"""Amounts and counts of each cell by a key that is no dimension; `breakdown` names which."""

CRITICAL_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("certificate_id", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("sent_on", pa.date32()),
        pa.field("due_on", pa.date32()),
        pa.field("days", pa.int64()),
        pa.field("overdue_days", pa.int64()),
        pa.field("idle_days", pa.int64()),
        pa.field("urgency", pa.int64()),
    ]
)
"""Each critical certificate, the most urgent first."""


ROLLUP_TABLES: Final = ("rollup", "positions", "breakdowns", "critical_certificates")
"""Names under which the tables of a roll-up are kept, in order."""

_FORECAST_BASES: Final = b"kpi_forecast_bases"


@dataclass(frozen=True, slots=True)
class Rollup:
    """What certificates and costs sum to, as of a date; amounts in minor units of the currency.

    Attributes:
        cells: Every component on all dimensions; rows in `ROLLUP_SCHEMA`.
        positions: Stocks at each month end up to that date; rows in `POSITIONS_SCHEMA`.
        breakdowns: Days of payment, reasons and suppliers; rows in `BREAKDOWNS_SCHEMA`.
        critical: The critical certificates; rows in `CRITICAL_SCHEMA`.
        forecast_bases: By currency, on what its forecast rests.
    """

    cells: pa.Table
    positions: pa.Table
    breakdowns: pa.Table
    critical: pa.Table
    forecast_bases: Mapping[str, ForecastBasis]

    @classmethod
    def of_tables(cls, tables: Sequence[pa.Table]) -> Self:
        """Put the tables together again, in the order of `ROLLUP_TABLES`."""
        cells, positions, breakdowns, critical = tables
        kept = json.loads((cells.schema.metadata or {})[_FORECAST_BASES])
        bases = {currency: ForecastBasis.of_data(basis) for currency, basis in kept.items()}
        return cls(cells, positions, breakdowns, critical, bases)

    def tables(self) -> tuple[pa.Table, ...]:
        """The tables to be kept, in the order of `ROLLUP_TABLES`."""
        bases = {currency: basis.as_data() for currency, basis in self.forecast_bases.items()}
        kept = {_FORECAST_BASES: json.dumps(bases).encode()}
        cells = self.cells.replace_schema_metadata({**(self.cells.schema.metadata or {}), **kept})
        return cells, self.positions, self.breakdowns, self.critical


def roll_up(certificates: pa.Table, costs: pa.Table, as_of: date, thresholds: Thresholds) -> Rollup:
    """Sum every component over each cell of all dimensions, as of a date.

    Certificates issued, and costs invoiced, after `as_of` do not exist yet. `as_of_view` defines the
    state of a certificate on a day, be it `as_of` or an earlier month end.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        costs: Rows in `COST_SCHEMA`.
        as_of: The business date.
        thresholds: Days and amounts of the definitions.

    Returns:
        The tables; cells in their order, positions and breakdowns in none.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    day, settings = {"as_of": as_of}, view_settings(thresholds)
    with summation() as connection:
        connection.register("certificates", certificates)
        connection.register("costs", costs)
        connection.register("cuts", amount_cuts(certificates["currency"].unique().to_pylist(), thresholds))
        connection.execute(f"CREATE TEMP TABLE standing AS {as_of_view(_ON_AS_OF)}", {**day, **settings})
        this_month = month_of(as_of)
        landmarks = standing_at_landmarks(
            connection, LandmarkDays.like(as_of), this_month - REACH, this_month - 1
        ).cells
        cells = _cells(connection, landmarks, as_of, thresholds.loss_days)
        positions = connection.sql(_POSITIONS, params={**day, **settings}).to_arrow_table()
        breakdowns = connection.sql(_BREAKDOWNS, params=day).to_arrow_table()
        critical = connection.sql(_CRITICAL).to_arrow_table()
    return Rollup(
        cells,
        positions.cast(POSITIONS_SCHEMA),
        breakdowns.cast(BREAKDOWNS_SCHEMA),
        critical.cast(CRITICAL_SCHEMA),
        forecast_bases(certificates, landmarks, as_of),
    )


def _cells(connection: DuckDBPyConnection, landmarks: pa.Table, as_of: date, loss_days: int) -> pa.Table:
    """The sums of certificates, payments, costs and expectations, brought together by their cell."""
    day = {"as_of": as_of}
    history, open_items = (connection.sql(query).to_arrow_table() for query in (HISTORY, OPEN_ITEMS))
    connection.register("outlook", outlook(history, open_items, LandmarkCounts(landmarks), as_of))
    expected = connection.sql(_EXPECTED).to_arrow_table()
    parts = [
        connection.sql(_CERTIFICATES, params={"loss_days": loss_days}).to_arrow_table(),
        connection.sql(_PAYMENTS).to_arrow_table(),
        connection.sql(_COSTS, params=day).to_arrow_table(),
        connection.sql(_COSTS_PAID, params=day).to_arrow_table(),
    ]
    cells, (expecting, *numbers) = number_cells([expected, *parts])
    columns = {name: np.zeros(cells.num_rows, np.int64) for name in COMPONENT_NAMES}
    for part, at in zip(parts, numbers, strict=True):
        for name in part.column_names[len(CELL_COLUMNS) :]:
            columns[name][at] = part[name].to_numpy()
    columns |= forecast_columns(expected, expecting, columns["receivable_amount"])
    return pa.Table.from_arrays([*cells.columns, *map(pa.array, columns.values())], schema=ROLLUP_SCHEMA)


def _sums(*kinds: ComponentKind) -> str:
    """SQL: the components of some kinds, but for those of the forecast."""
    # FILTER would be equal, and takes DuckDB three times as long.
    return ", ".join(
        f'sum(CASE WHEN {part.when} THEN {part.value} ELSE 0 END)::BIGINT AS "{part.name}"'
        for part in COMPONENTS
        if part.kind in kinds and part.name not in FORECAST_COMPONENTS
    )


def _cell(**given: str) -> str:
    """SQL: the columns of a cell; those given are not of the same name in the rows."""
    return ", ".join(f"{given[name]} AS {name}" if name in given else name for name in CELL_COLUMNS)


def _certificate_cell(month: str) -> str:
    return _cell(month=_text(month), state="state_as_of")


def _cost_cell(month: str) -> str:
    return _cell(month=_text(month), **dict.fromkeys(NOT_OF_COSTS, "''"))


def _text(month: str) -> str:
    """SQL: the text of a date's month."""
    return f"strftime({month}, '%Y-%m')"


_EXISTING: Final = "(SELECT * FROM certificates JOIN cuts USING (currency) WHERE issued_on <= $as_of)"
_ON_AS_OF: Final = f"(SELECT *, $as_of::DATE AS day FROM {_EXISTING})"
"""Certificates as of as_of."""

_AT_MONTH_ENDS: Final = f"""(
    SELECT *, least(last_day(make_date(number // 12, number % 12 + 1, 1)), $as_of::DATE) AS day
    FROM (
        SELECT *, unnest(range(
            year(issued_on) * 12 + month(issued_on) - 1, year(last_on) * 12 + month(last_on)
        )) AS number
        FROM (
            SELECT *, least($as_of::DATE, CASE WHEN state = 'pagado'
                THEN coalesce(paid_on, conformity_on, sent_on, issued_on) END) AS last_on
            FROM {_EXISTING}
        )
    )
)"""
"""Certificates as of the end of each month from that of issue to that of payment or as_of."""

_EXISTING_COSTS: Final = (
    "(SELECT *, coalesce(paid_on <= $as_of, false) AS is_paid FROM costs WHERE invoiced_on <= $as_of)"
)

_BILLED: Final = _certificate_cell("month")
_INVOICED: Final = _cost_cell("month")

_EXPECTED: Final = expected_payments(_BILLED)
_CERTIFICATES: Final = f"""
    SELECT {_BILLED}, {_sums(ComponentKind.FLOW, ComponentKind.STOCK, ComponentKind.SNAPSHOT)}
    FROM standing GROUP BY ALL
"""
_PAYMENTS: Final = f"""
    SELECT {_certificate_cell("paid_on")}, {_sums(ComponentKind.CASH)}
    FROM standing WHERE payment_days IS NOT NULL GROUP BY ALL
"""
_COSTS: Final = f"SELECT {_INVOICED}, {_sums(ComponentKind.COST)} FROM {_EXISTING_COSTS} GROUP BY ALL"
_COSTS_PAID: Final = f"""
    SELECT {_cost_cell("paid_on")}, {_sums(ComponentKind.COST_CASH)}
    FROM {_EXISTING_COSTS} WHERE is_paid GROUP BY ALL
"""

_POSITIONS: Final = f"""
    SELECT {_certificate_cell("day")}, {_sums(ComponentKind.STOCK)}
    FROM ({as_of_view(_AT_MONTH_ENDS)}) WHERE is_open GROUP BY ALL
"""

_BREAKDOWNS: Final = f"""
    SELECT {_BILLED}, 'payment_days' AS breakdown, lpad(payment_days::VARCHAR, 5, '0') AS key,
        0::BIGINT AS amount, count(*) AS count
    FROM standing WHERE payment_days IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_BILLED}, 'rejection_reason', rejection_reason, sum(amount_proposed)::BIGINT, count(*)
    FROM standing WHERE is_rejected AND rejection_reason IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_BILLED}, 'failure_kind', failure_kind, sum(amount_proposed)::BIGINT, count(*)
    FROM standing WHERE (is_rejected OR rework_count > 0) AND failure_kind IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_INVOICED}, 'supplier', supplier, sum(amount)::BIGINT, count(*)
    FROM {_EXISTING_COSTS} GROUP BY ALL
    UNION ALL
    SELECT {_INVOICED}, 'cost_category', category, sum(amount)::BIGINT, count(*)
    FROM {_EXISTING_COSTS} GROUP BY ALL
"""

_CRITICAL: Final = f"""
    SELECT {_BILLED}, certificate_id, amount_open AS amount, sent_on, due_on,
        critical_age AS days, overdue_days, idle_days,
        40 * least(critical_age, 180) // 180
            + 40 * greatest(least(amount_open, cut_3), 0)::HUGEINT // cut_3
            + 20 * greatest(least(coalesce(overdue_days, 0), 120), 0) // 120 AS urgency
    FROM standing WHERE is_critical ORDER BY urgency DESC, amount DESC, certificate_id
"""
