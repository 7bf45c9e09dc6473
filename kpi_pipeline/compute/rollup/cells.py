"""Cells of the roll-up: what identifies one, and several tables of sums brought together by it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.attributes import Attributes
from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.model.dimensions import DIMENSION_NAMES

CELL_COLUMNS: Final = ("place", *DIMENSION_NAMES, "currency")
"""What a cell is identified by: the place of its day (see `compute.evaluation_days`), values, currency.

`month` is 'YYYY-MM': of issue or invoice; of a cohort, the billing month.
"""

CELL_FIELDS: Final = tuple(
    pa.field(name, pa.int64() if name == "place" else pa.string()) for name in CELL_COLUMNS
)

ENCODED_FIELDS: Final = tuple(
    pa.field(name, pa.int64() if name == "place" else pa.dictionary(pa.int32(), pa.string()))
    for name in CELL_COLUMNS
)
"""The same, of tables with so many rows that their texts are kept once."""

FIRST_ISSUED: Final = "first_issued"
"""Column of cells: the first issue among their certificates that are not cancelled, in days since 1970.

Of a cohort it is that of those which were settled before the window of the business date.
"""

FIRST_STANDING: Final = "first_standing"
"""The same of those that stand open on the day or had their last event in its window."""

FIRST_INVOICED: Final = "first_invoiced"
"""Column of cells: the first day of an invoice among their costs, in days since 1970."""

FIRST_DAYS: Final = (FIRST_ISSUED, FIRST_STANDING, FIRST_INVOICED)

NEVER: Final = 2**31
"""What these hold where there is none."""


def number_cells(tables: Sequence[pa.Table]) -> tuple[pa.Table, list[Ints]]:
    """The distinct cells of several tables, in their order, and the number of each row's cell.

    Args:
        tables: Tables with the columns of a cell, and others.

    Returns:
        The cells; and for each table a row number in them for each of its rows.
    """
    stacked = pa.concat_tables([table.select(CELL_COLUMNS) for table in tables])
    cells = Attributes.of(stacked, CELL_COLUMNS)
    ends = np.cumsum([table.num_rows for table in tables])[:-1]
    return cells.combinations, np.split(cells.of_rows, ends)
