"""The charts: each one declaration."""

from kpi_pipeline.model.charts.declarations import CHARTS, Chart

__all__ = ["CHARTS", "Chart"]
