"""Drawings: each names columns of its chart."""

import pytest

from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.drawings import Drawing, Shape
from kpi_pipeline.model.labels import Kind, Text


@pytest.mark.parametrize("chart", CHARTS.values(), ids=lambda chart: chart.name)
def test_a_drawing_shows_every_column_in_its_place(chart: Chart) -> None:
    drawing = chart.drawing
    assert drawing.columns <= set(chart.columns)
    left = set(chart.columns) - drawing.columns - {"currency"}
    assert left == set()


def test_a_drawing_of_columns_that_a_chart_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"draws columns that it does not have: \['days', 'name'\]"):
        Chart(
            "own",
            Text("a", "b"),
            Text("a", "b"),
            (Column("amount", Text("a", "b"), Kind.MONEY),),
            Drawing(Shape.BARS, "name", ("amount",), details=("days",)),
            Text("a", "b"),
        )
