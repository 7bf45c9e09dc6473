"""Every block gives a variant the same answer in a slice of many as alone."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from kpi_pipeline.compute.blocks import portfolio
from kpi_pipeline.compute.blocks.charts import charts
from kpi_pipeline.compute.blocks.month_charts import KPIS_READ
from kpi_pipeline.compute.blocks.tables import tables
from kpi_pipeline.compute.cube.selection import select
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.tables import TABLES


def every_chart(slice_: Slice) -> list[Any]:
    """The charts of each variant."""
    return charts(tuple(CHARTS), slice_, kpi_values(slice_, [kpi for kpi in KPIS if kpi.name in KPIS_READ]))


def every_table(slice_: Slice) -> list[Any]:
    """The tables of each variant."""
    return tables(sorted({table.held_in for table in TABLES.values()}), slice_)


@pytest.mark.parametrize(
    "block",
    [
        every_chart,
        portfolio.ageing,
        portfolio.stages,
        every_table,
    ],
    ids=lambda block: block.__name__,
)
def test_a_variant_is_itself_among_others(many: Slice, block: Callable[[Slice], list[Any]]) -> None:
    together = block(many)
    assert together == [
        block(select(many.frame, [requested], many.everything))[0] for requested in many.filters
    ]
    assert orjson.loads(orjson.dumps(together)) == together
