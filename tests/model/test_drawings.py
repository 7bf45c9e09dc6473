"""Drawings: each names columns of its chart, and what its categories lead to exists."""

import pytest

from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, ISSUED_AGES
from kpi_pipeline.model.drawings import Drawing, Shape
from kpi_pipeline.model.labels import Kind, Text


@pytest.mark.parametrize("chart", CHARTS.values(), ids=lambda chart: chart.name)
def test_a_drawing_shows_every_column_in_its_place(chart: Chart) -> None:
    drawing = chart.drawing
    assert drawing.columns <= set(chart.columns)
    left = set(chart.columns) - drawing.columns - {"currency"}
    assert left == set()
    assert not drawing.dimension or drawing.dimension in DIMENSION_NAMES


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


def test_buckets_lead_to_the_ages_that_come_nearest() -> None:
    leads = dict(CHARTS["ageing"].drawing.leads)
    assert list(leads) == [label for label, _, _ in AGEING_BUCKETS] == list(CHARTS["ageing"].drawing.ages)
    assert leads == {
        "0-30": ("0-6", "7-13", "14-29"),
        "31-60": ("30-59",),
        "61-90": ("60-89",),
        "91-120": ("90-179",),
        "120+": ("90-179", "180-364", "365-729", "730+"),
    }
    assert {age for ages in leads.values() for age in ages} == {label for label, _, _ in ISSUED_AGES}
