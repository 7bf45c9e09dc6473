"""Small lines: inside their box, with a gap where there is no value."""

import re

from hypothesis import given
from hypothesis import strategies as st

from serving.pages.charts.geometry import SPARK_HEIGHT, SPARK_WIDTH, spark_line

VALUES = st.none() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9)


@given(st.lists(VALUES, min_size=2, max_size=24))
def test_it_stays_in_its_box_and_shows_every_value(values) -> None:
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


def test_a_gap_parts_the_line() -> None:
    line = spark_line([1, 2, None, 3, None, 2])
    assert line.path.count("M") == 3
    assert line.path.count("L") == 1
    assert line.path.count("h0") == 3  # so that a value between two gaps is a dot


def test_a_level_line_stands_in_the_middle() -> None:
    line = spark_line([5, 5, 5])
    assert {y for _, y in re.findall(r"[ML]([\d.]+),([\d.]+)", line.path)} == {f"{SPARK_HEIGHT / 2:g}"}


def test_one_value_is_no_line() -> None:
    assert spark_line([None, 3, None]) is None
    assert spark_line([]) is None
