"""The data of every chart, by its name."""

from collections.abc import Callable, Sequence
from typing import Final

from kpi_pipeline.compute.blocks.chart_data import KpiValues
from kpi_pipeline.compute.blocks.month_charts import cash_flow, kpi_trend, monthly_trend, opex_capex
from kpi_pipeline.compute.blocks.portfolio import ageing_chart, stages_chart, states_chart
from kpi_pipeline.compute.blocks.ranking_charts import (
    client_performance,
    concentration,
    manager_performance,
    margin_by_project,
    payment_heatmap,
)
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, rows_of

_OF_SUMS: Final[dict[str, Callable[[Slice], list[Data]]]] = {
    "ageing": ageing_chart,
    "states": states_chart,
    "client_performance": client_performance,
    "manager_performance": manager_performance,
    "concentration": concentration,
    "cash_flow": cash_flow,
    "opex_capex": opex_capex,
    "margin_by_project": margin_by_project,
    "stages": stages_chart,
    "payment_heatmap": payment_heatmap,
}
_OF_KPI_VALUES: Final[dict[str, Callable[[Slice, Sequence[KpiValues]], list[Data]]]] = {
    "monthly_trend": monthly_trend,
    "kpi_trend": kpi_trend,
}


def charts(names: Sequence[str], slice_: Slice, kpi_values: Sequence[KpiValues]) -> list[Data]:
    """The data of some charts by name, of each variant: columns, whether empty, and sentences.

    Args:
        names: Names of `model.charts.CHARTS`.
        slice_: The variants.
        kpi_values: Those of each variant, of `month_charts.KPIS_READ` at least.

    Raises:
        KeyError: If there is no such chart.
    """
    drawn = [
        _OF_KPI_VALUES[name](slice_, kpi_values) if name in _OF_KPI_VALUES else _OF_SUMS[name](slice_)
        for name in names
    ]
    return rows_of(dict(zip(names, drawn, strict=True)))
