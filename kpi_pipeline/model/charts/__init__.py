"""The charts: each a declaration, a Vega-Lite specification made once, and columns for every variant."""

from kpi_pipeline.model.charts.declarations import CHARTS, Chart, Column
from kpi_pipeline.model.charts.specifications import specification, specification_digest

__all__ = ["CHARTS", "Chart", "Column", "specification", "specification_digest"]
