"""Where charts stand: in their order, in two columns of about the same height, wide ones alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.charts.panels import chart_panels, estimated_height
from serving.pages.charts.shapes import Axis, Bar, BarRow, Bars, Mark, Plot
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.writing import Cell

PLOT = Plot([], Axis([], 50), None, 0.0, [], None, [])


def bars(rows: int, values: int = 1, details: str = "") -> Bars:
    """A drawing of so many rows, each with so many bars."""
    row = BarRow("A client", Mark("", ""), [Bar("approved", 0, 50, 50, Cell("1"))] * values, details)
    return Bars([row] * rows, [])


def chart(name: str, drawing=PLOT, *, is_wide: bool = False, parts: int = 1) -> ChartView:
    return ChartView(
        name, name, "", "Nothing here.", [ChartPart("CLP", ["One."], drawing, None)] * parts, is_wide
    )


def names(charts: list[ChartView]) -> list[list[list[str]]]:
    return [[[one.name for one in column] for column in panels.columns] for panels in chart_panels(charts)]


def test_two_charts_stand_side_by_side() -> None:
    assert names([chart("a"), chart("b")]) == [[["a"], ["b"]]]


def test_a_chart_alone_has_the_whole_width() -> None:
    assert names([chart("a")]) == [[["a"]]]
    assert names([]) == []


def test_a_wide_chart_parts_those_before_from_those_after() -> None:
    charts = [chart("a"), chart("b"), chart("wide", is_wide=True), chart("c"), chart("d"), chart("e")]
    assert names(charts) == [[["a"], ["b"]], [["wide"]], [["c", "d"], ["e"]]]


def test_a_high_chart_stands_beside_several_low_ones() -> None:
    assert names([chart("high", bars(30, 3, "Days")), chart("a"), chart("b"), chart("c")]) == [
        [["high"], ["a", "b", "c"]]
    ]


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (chart("rows", bars(5)), chart("rows", bars(6))),
        (chart("bars", bars(5)), chart("bars", bars(5, 3))),
        (chart("details", bars(5)), chart("details", bars(5, 1, "Average days to payment: 35"))),
        (chart("parts", bars(5)), chart("parts", bars(5), parts=2)),
        (chart("nothing", parts=0), chart("something", bars(1))),
    ],
)
def test_what_is_drawn_decides_the_height(lower, higher) -> None:
    assert estimated_height(lower) < estimated_height(higher)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 3)), min_size=2, max_size=12))
def test_no_other_cut_would_be_lower(sizes) -> None:
    charts = [chart(str(place), bars(*size)) for place, size in enumerate(sizes)]
    (panels,) = chart_panels(charts)
    left, right = panels.columns
    assert left + right == charts
    heights = list(map(estimated_height, charts))
    highest = max(sum(map(estimated_height, column)) for column in panels.columns)
    assert highest == min(max(sum(heights[:cut]), sum(heights[cut:])) for cut in range(1, len(charts)))
