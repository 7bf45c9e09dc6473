"""The tables of a roll-up: additive components on all dimensions."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa

from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.rollup.cells import CELL_FIELDS, ENCODED_FIELDS, FIRST_DAYS
from kpi_pipeline.model.components import COMPONENT_NAMES, LOSS_COMPONENTS, MONTHLY_COMPONENTS

CELLS_SCHEMA: Final = pa.schema(
    [*CELL_FIELDS, *(pa.field(name, pa.int64()) for name in (*COMPONENT_NAMES, *FIRST_DAYS))]
)
"""Cells: one row each, on each day and of each cohort.

Those of costs have '' for the dimensions of `NOT_OF_COSTS`. In this order: those of costs by month; of
cohorts; of certificates on the business date and then on the other days, each by month of issue. So what does
not change stays together, whichever rows do.
"""

_VALUES: Final = tuple(field for field in CELL_FIELDS if field.name != "place")

MONTHLY_SCHEMA: Final = pa.schema([*_VALUES, *(pa.field(name, pa.int64()) for name in MONTHLY_COMPONENTS)])
"""Flows by the month of their event, as known on as_of; `month` is that month.

Several rows may add to one sum.
"""

LOSSES_SCHEMA: Final = pa.schema(
    [
        pa.field("place", pa.int64()),
        pa.field("currency", pa.string()),
        *(pa.field(component.name, pa.int64()) for component in LOSS_COMPONENTS),
    ]
)
"""The roll rates' sums of all certificates of a currency, on each day."""

PAYMENT_TIMES_SCHEMA: Final = pa.schema(
    [*ENCODED_FIELDS, *(pa.field(name, pa.int64()) for name in ("days", "paid", "open"))]
)
"""Certificates issued in the window by days from issue: paid after so many, or not paid yet at that age.

Several rows may add to one count of a cohort.
"""

BREAKDOWNS_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("breakdown", pa.string()),
        pa.field("key", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("count", pa.int64()),
    ]
)
"""Amounts and counts of each cell by a key that is no dimension; `breakdown` names which. On as_of alone.

Several rows may add to one amount of a cohort.
"""

WORK_LISTS_SCHEMA: Final = pa.schema(
    [
        *CELL_FIELDS,
        pa.field("work_list", pa.string()),
        pa.field("certificate_id", pa.string()),
        pa.field("arrears", pa.string()),
        pa.field("why", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("sent_on", pa.date32()),
        pa.field("days", pa.int64()),
        pa.field("overdue_days", pa.int64()),
        pa.field("expected_days", pa.float64()),
        pa.field("further_days", pa.int64()),
        pa.field("longer_payments", pa.int64()),
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
expected to take: the quotient of `further_days` and `longer_payments`; `why` names the sentence of
`labels.LABELS` that says all of it. `idle_days` are those since the last milestone of what is watched, which
is listed on as_of alone, the largest amounts first.
"""

STAGE_MEDIANS_SCHEMA: Final = pa.schema(
    [
        pa.field("client", pa.string()),
        pa.field("stage", pa.string()),
        pa.field("days", pa.float64()),
        pa.field("count", pa.int64()),
    ]
)
"""The median days of each stage that was over in the window, and of how many certificates, on as_of.

Of each client in the order of names; '' stands for all clients together, and comes first.
"""

ROLLUP_TABLES: Final = (
    *("rollup", "monthly_flows", "losses", "payment_times"),
    *("breakdowns", "work_lists", "outlooks", "stage_medians"),
)
"""Names under which the tables of a roll-up are kept, in order."""

_LOSSES: Final = ROLLUP_TABLES.index("losses")
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
        outlooks: What is expected of receivable certificates by client, stage and age, each once; rows in
            `forecast.OUTLOOK_SCHEMA`.
        stage_medians: What is usual of each stage; rows in `STAGE_MEDIANS_SCHEMA`.
        forecast_bases: By currency, on what its forecast rests.
    """

    cells: pa.Table
    monthly: pa.Table
    losses: pa.Table
    payment_times: pa.Table
    breakdowns: pa.Table
    work_lists: pa.Table
    outlooks: pa.Table
    stage_medians: pa.Table
    forecast_bases: Mapping[str, ForecastBasis]

    @classmethod
    def of_tables(cls, tables: Sequence[pa.Table]) -> Self:
        """Put the tables together again, in the order of `ROLLUP_TABLES`."""
        return cls(*tables, _bases_of(tables[_LOSSES]))  # type: ignore[call-arg]

    def tables(self) -> tuple[pa.Table, ...]:
        """The tables to be kept, in the order of `ROLLUP_TABLES`."""
        return (
            *(self.cells, self.monthly, with_bases(self.losses, self.forecast_bases), self.payment_times),
            *(self.breakdowns, self.work_lists, self.outlooks, self.stage_medians),
        )

    def parts(self) -> "RollupParts":
        """The same, each table as one part."""
        return RollupParts(tuple([Part.of(table)] for table in self.tables()))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table.

    Attributes:
        name: Parts of one name are the same; '' where it is not known whether another one is.
        rows: Loads it.
    """

    name: str
    rows: Callable[[], pa.Table] = field(repr=False)

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """A whole table, of which no part is known."""
        return cls("", lambda: table)


@dataclass(frozen=True, slots=True)
class RollupParts:
    """A roll-up of which only those parts are read that are not known.

    Attributes:
        tables: The parts of each table, at least one, in the order of `ROLLUP_TABLES`.
    """

    tables: tuple[Sequence[Part], ...]

    def of(self, name: str) -> Sequence[Part]:
        """The parts of a table, by its name in `ROLLUP_TABLES`."""
        return self.tables[ROLLUP_TABLES.index(name)]

    def table(self, name: str) -> pa.Table:
        """A whole table."""
        return pa.concat_tables([part.rows() for part in self.of(name)])

    @property
    def forecast_bases(self) -> dict[str, ForecastBasis]:
        """By currency, on what its forecast rests."""
        return _bases_of(self.table("losses"))

    def whole(self) -> Rollup:
        """All of it."""
        return Rollup.of_tables([self.table(name) for name in ROLLUP_TABLES])


def with_bases(losses: pa.Table, bases: Mapping[str, ForecastBasis]) -> pa.Table:
    """The table of losses to be kept, which carries on what forecasts rest."""
    kept = {_FORECAST_BASES: json.dumps({name: basis.as_data() for name, basis in bases.items()}).encode()}
    return losses.replace_schema_metadata({**(losses.schema.metadata or {}), **kept})


def _bases_of(losses: pa.Table) -> dict[str, ForecastBasis]:
    kept: dict[str, Any] = json.loads((losses.schema.metadata or {})[_FORECAST_BASES])
    return {currency: ForecastBasis.of_data(basis) for currency, basis in kept.items()}
