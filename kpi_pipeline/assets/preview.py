"""A picture of a chart for the engineers' UI."""

import base64

from dagster import MarkdownMetadataValue, MetadataValue

from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.pictures import render_png
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.filters import EVERYTHING


def chart_preview(cube: Cube, name: str) -> MarkdownMetadataValue:
    """One chart of everything, as an inline PNG."""
    _, payload = next(iter(payloads("charts", cube, [cube.select([EVERYTHING])])))
    picture = render_png(name, payload["charts"][name]["columns"])
    title = CHARTS[name].title_es
    return MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(picture).decode()})")
