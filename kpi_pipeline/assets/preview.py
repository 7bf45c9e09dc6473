"""A picture of a chart for the engineers' UI."""

import base64

from dagster import MarkdownMetadataValue, MetadataValue

from kpi_pipeline.compute.charts.rendering import render_png
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.filters import EVERYTHING


def chart_preview(cube: Cube, name: str) -> MarkdownMetadataValue:
    """One chart of everything, as an inline PNG; its empty state where there is nothing to draw."""
    _, payload = next(iter(payloads("charts", [cube.select([EVERYTHING])])))
    chart = payload["charts"][name]
    if chart["empty"]:
        return MetadataValue.md(CHARTS[name].nothing.es)
    picture = base64.b64encode(render_png(name, chart["columns"], "es", "light")).decode()
    return MetadataValue.md(f"![{CHARTS[name].title.es}](data:image/png;base64,{picture})")
