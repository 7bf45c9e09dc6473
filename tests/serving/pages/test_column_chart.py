"""The geometry of the trend's drawings: what is drawn stays in its box and is to scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.column_chart import (
    HEIGHT,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    WIDTH,
    column_chart,
    spark_line,
)

AMOUNTS = st.integers(-(10**13), 10**13)
YEARS = st.lists(AMOUNTS, min_size=12, max_size=12)


@given(YEARS, YEARS)
def test_columns_and_lines_stay_in_the_box(first, second) -> None:
    chart = column_chart({"a": first, "b": second}, 12)
    for column in chart.columns:
        assert 0 <= column.x <= column.x + column.width <= WIDTH
        assert 0 <= column.y <= column.y + column.height <= HEIGHT
    heights = [line.y for line in chart.grid]
    assert heights == sorted(heights, reverse=True)
    assert chart.baseline in heights
    assert 2 <= len(chart.grid) <= 7
    assert len(chart.columns) == sum(1 for amount in (*first, *second) if amount)


@given(st.lists(st.integers(1, 10**12), min_size=12, max_size=12))
def test_columns_are_to_scale_and_stand_on_the_baseline(amounts) -> None:
    chart = column_chart({"a": amounts}, 12)
    top = chart.grid[-1]
    for column in chart.columns:
        expected = (chart.baseline - top.y) * column.amount / top.amount
        assert column.height == pytest.approx(expected, abs=0.02)
        assert column.y + column.height == pytest.approx(chart.baseline, abs=0.02)


def test_negative_amounts_hang_from_the_baseline() -> None:
    chart = column_chart({"a": [100, -50]}, 2)
    up, down = chart.columns
    assert up.y + up.height == pytest.approx(chart.baseline)
    assert down.y == chart.baseline
    assert down.height == pytest.approx(up.height / 2, abs=0.02)


def test_grid_lines_are_round() -> None:
    assert [line.amount for line in column_chart({"a": [7_300]}, 1).grid] == [0, 2000, 4000, 6000, 8000]
    assert [line.amount for line in column_chart({"a": [0]}, 1).grid] == [0, 1]


@given(st.lists(AMOUNTS, min_size=1, max_size=24))
def test_the_small_line_stays_in_its_box(amounts) -> None:
    points = [tuple(map(float, point.split(","))) for point in spark_line(amounts).split()]
    assert len(points) == len(amounts)
    assert all(0 <= x <= SPARK_WIDTH and 0 <= y <= SPARK_HEIGHT for x, y in points)
    highest = min(range(len(points)), key=lambda place: points[place][1])
    assert points[amounts.index(max(amounts))][1] == points[highest][1]
