"""The charts: each one declaration."""

from kpi_pipeline.model.charts.declarations import CHARTS, Chart, Column

__all__ = ["CHARTS", "Chart", "Column"]
