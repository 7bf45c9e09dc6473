"""The geometry of drawings: what is drawn stays in its box and is to scale."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.charts.geometry import (
    FULL,
    PLOT_HEIGHT,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    TREND_HEIGHT,
    columns,
    line,
    scale,
    second_scale,
    slots,
    spans,
    spark_line,
    tick_width,
    trend,
    whiskers,
)

VALUES = st.none() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9)
AMOUNTS = st.integers(-(10**13), 10**13)
YEARS = st.lists(AMOUNTS, min_size=12, max_size=12)


def laid_out(series, *, stacked=False):
    ends = [pair for pairs in spans(series, stacked=stacked).values() for pair in pairs]
    own = scale(value for pair in ends for value in pair)
    places = slots(len(next(iter(series.values()))))
    return own, columns(series, places, own, stacked=stacked)


@given(YEARS, YEARS, st.booleans())
def test_columns_and_lines_stay_in_the_box(first, second, stacked) -> None:
    own, rects = laid_out({"a": first, "b": second}, stacked=stacked)
    for rect in rects:
        assert 0 <= rect.x <= rect.x + rect.width <= FULL
        assert 0 <= rect.y <= rect.y + rect.height + 0.02 <= PLOT_HEIGHT
    heights = [own.y(tick) for tick in own.ticks]
    assert heights == sorted(heights, reverse=True)
    assert 0 in own.ticks
    assert 2 <= len(own.ticks) <= 7
    assert len(rects) == sum(1 for amount in (*first, *second) if amount)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=24))
def test_columns_are_to_scale_and_stand_on_zero(amounts) -> None:
    own, rects = laid_out({"a": amounts})
    top = own.ticks[-1]
    for rect in rects:
        expected = (own.y(0) - own.y(top)) * rect.amount / top
        assert rect.height == pytest.approx(expected, abs=0.02)
        assert rect.y + rect.height == pytest.approx(own.y(0), abs=0.02)


def test_negative_amounts_hang_from_zero() -> None:
    own, (up, down) = laid_out({"a": [100, -50]})
    assert up.y + up.height == pytest.approx(own.y(0))
    assert down.y == own.y(0)
    assert down.height == pytest.approx(up.height / 2, abs=0.02)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (7_300, [0, 2000, 4000, 6000, 8000]),
        (0, [0, 1]),
        (3, [0, 1, 2, 3]),
        (52.4, [0, 20, 40, 60]),
        (10**13, [0, 5 * 10**12, 10**13]),
    ],
)
def test_lines_are_at_round_values(most, ticks) -> None:
    assert scale([most]).ticks == ticks
    assert scale([]).ticks == [0, 1]


@given(YEARS, st.lists(st.floats(0, 1e4), min_size=1))
def test_a_second_scale_shares_the_lines_and_the_zero(amounts, values) -> None:
    first = scale(amounts)
    second = second_scale(first, values)
    assert [second.y(tick) for tick in second.ticks] == [first.y(tick) for tick in first.ticks]
    assert second.y(0) == first.y(0)
    assert max(values) <= second.ticks[-1] * (1 + 1e-9)


def test_a_few_categories_are_no_wider_and_stand_in_the_middle() -> None:
    (alone,) = slots(1)
    assert (alone.middle, alone.width) == (50, slots(6)[0].width)
    first, second = slots(2)
    assert first.middle + second.middle == pytest.approx(FULL, abs=0.01)
    assert slots(18)[-1].x + slots(18)[-1].width == pytest.approx(FULL, abs=0.02)
    assert slots(0) == ()


@given(YEARS, YEARS)
def test_stacked_columns_stand_on_one_another(first, second) -> None:
    own, rects = laid_out({"a": first, "b": second}, stacked=True)
    held = {(one.series, one.place): one for one in rects}
    for place in range(12):
        lower, upper = held.get(("a", place)), held.get(("b", place))
        if lower is None or upper is None:
            continue
        assert lower.x == upper.x
        if lower.amount > 0 and upper.amount > 0:
            assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
        elif lower.amount < 0 and upper.amount < 0:
            assert upper.y == pytest.approx(lower.y + lower.height, abs=0.02)
        else:
            feet = [one.y if one.amount < 0 else one.y + one.height for one in (lower, upper)]
            assert feet == pytest.approx([own.y(0)] * 2, abs=0.02)


def corners(outline: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in outline.split()]


def test_a_whisker_stands_in_the_middle_of_the_column_of_its_category() -> None:
    own, places = scale([100]), slots(4)
    first, second = whiskers([None, (40, 100), None, (20, 60)], places, own)
    assert first == (places[1].middle, own.y(100), own.y(40))
    assert second == (places[3].middle, own.y(60), own.y(20))
    assert whiskers([None] * 4, places, own) == []


def test_a_gap_parts_a_line() -> None:
    own, places = scale([100]), slots(6)
    parts = line([None, 10, 20, None, 100, None], places, own)
    assert [len(part) for part in parts] == [2, 1]
    assert parts[1] == [(places[4].middle, own.y(100))]


VALUES = st.none() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9)


@given(st.lists(VALUES, min_size=1, max_size=24))
def test_a_trend_reaches_from_its_least_to_its_largest_value(values) -> None:
    points = [point for part in trend(values, slots(len(values))) for point in part]
    known = [value for value in values if value is not None]
    assert len(points) == len(known)
    assert all(0 <= x <= FULL and 0 < y < TREND_HEIGHT for x, y in points)
    for (_, first), (_, second) in pairwise(zip(known, points, strict=True)):
        assert second[0] > first[0]
    if known:
        heights = [y for _, y in points]
        assert heights[known.index(max(known))] == min(heights)


def test_an_axis_has_room_for_its_longest_label() -> None:
    assert tick_width(["0", "1.000 M"]) > tick_width(["0", "10"]) > tick_width([]) > 0


@given(st.lists(VALUES, min_size=2, max_size=24))
def test_a_spark_line_stays_in_its_box_and_shows_every_value(values) -> None:
    line = spark_line(values)
    known = [value for value in values if value is not None]
    if len(known) < 2:
        assert line is None
        return
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.]+),([\d.]+)", line.path)]
    assert len(points) == len(known)
    assert all(0 <= x <= SPARK_WIDTH and 0 <= y <= SPARK_HEIGHT for x, y in points)
    assert points[-1] == line.end
    highest = min(range(len(points)), key=lambda place: points[place][1])
    assert points[known.index(max(known))][1] == points[highest][1]


def test_a_gap_parts_a_spark_line() -> None:
    line = spark_line([1, 2, None, 3, None, 2])
    assert line.path.count("M") == 3
    assert line.path.count("L") == 1
    assert line.path.count("h0") == 3  # so that a value between two gaps is a dot


def test_a_level_spark_line_stands_in_the_middle() -> None:
    line = spark_line([5, 5, 5])
    assert {y for _, y in re.findall(r"[ML]([\d.]+),([\d.]+)", line.path)} == {f"{SPARK_HEIGHT / 2:g}"}


def test_one_value_is_no_spark_line() -> None:
    assert spark_line([None, 3, None]) is None
    assert spark_line([]) is None
