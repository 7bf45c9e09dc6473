"""The geometry of columns by month: what is drawn stays in its box and is to scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.charts.column_chart import (
    HEIGHT,
    WIDTH,
    column_chart,
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


def test_ranges_stand_over_the_middle_of_their_month() -> None:
    chart = column_chart({"a": [0, 60]}, 2, ranges={"90": [None, (40, 100)]})
    (band,) = chart.bands
    (column,) = chart.columns
    assert band.x == pytest.approx(column.x + column.width / 2, abs=0.02)
    assert band.top < column.y < band.foot < chart.baseline
    assert chart.grid[-1].amount >= 100


@given(YEARS, YEARS)
def test_stacked_columns_stand_on_one_another(first, second) -> None:
    chart = column_chart({"a": first, "b": second}, 12, stacked=True)
    held = {(one.series, one.month): one for one in chart.columns}
    for month in range(12):
        lower, upper = held.get(("a", month)), held.get(("b", month))
        if lower is None or upper is None:
            continue
        assert lower.x == upper.x
        if lower.amount > 0 and upper.amount > 0:
            assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
        elif lower.amount < 0 and upper.amount < 0:
            assert upper.y == pytest.approx(lower.y + lower.height, abs=0.02)
        else:
            feet = [one.y if one.amount < 0 else one.y + one.height for one in (lower, upper)]
            assert feet == pytest.approx([chart.baseline] * 2, abs=0.02)
    assert all(0 <= one.y <= one.y + one.height <= HEIGHT for one in chart.columns)
