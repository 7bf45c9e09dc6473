"""The canonical cost: what a project spent, one row a supplier's invoice and category."""

from enum import StrEnum
from typing import Final

import pyarrow as pa

from kpi_pipeline.model.dimensions import COST_COLUMN_DIMENSIONS

COST_SCHEMA: Final = pa.schema(
    [
        pa.field("cost_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in COST_COLUMN_DIMENSIONS),
        pa.field("month", pa.date32(), nullable=False),  # the first day of the invoice's month
        pa.field("invoiced_on", pa.date32(), nullable=False),
        pa.field("due_on", pa.date32()),
        pa.field("paid_on", pa.date32()),
        pa.field("currency", pa.string(), nullable=False),  # ISO 4217
        pa.field("amount", pa.int64(), nullable=False),  # net, minor units of the currency
        pa.field("kind", pa.string(), nullable=False),
        pa.field("supplier", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
    ]
)
"""One row a cost and category: `cost_id` and `category` are unique together, and a cost's rows add up to
its net amount."""

COST_QUARANTINE_SCHEMA: Final = pa.schema(
    [
        pa.field("row_number", pa.int64(), nullable=False),  # from 1, in extraction order
        pa.field("file", pa.string()),  # below the source's folder; null of a database
        pa.field("line", pa.int64()),  # of the file, from 1; where the row begins
        pa.field("cost_id", pa.string()),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),  # "code" or "code:column"
        pa.field("raw", pa.string(), nullable=False),  # the source row as JSON
    ]
)
"""One row a refused cost."""

NO_DETAIL: Final = "sin detalle"
"""The category of an amount that no line gives a category."""


class CostKind(StrEnum):
    """What a cost is to the accounts. A source's spellings are mapped to these."""

    OPEX = "opex"
    CAPEX = "capex"
