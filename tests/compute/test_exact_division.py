"""Quotients and roundings are those of Python's own numbers, whatever their size."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_pipeline.compute.exact_division import quotient, rounded

within = 2**62
amounts = (
    st.integers(-within, within) | st.integers(-1000, 1000) | st.sampled_from([2**53 - 1, 2**53, 2**53 + 1])
)
pairs = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=8)
doubles = st.floats(-1e300, 1e300) | st.floats(-1e6, 1e6)


def columns(rows: list[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.array(column, np.int64) for column in zip(*rows, strict=True)]


@given(pairs)
def test_a_quotient_is_the_nearest_double(rows: list[tuple[int, int]]) -> None:
    found, there = quotient(*columns(rows))
    assert there.tolist() == [below != 0 for _, below in rows]
    for (above, below), value in zip(rows, found.tolist(), strict=True):
        assert str(value) == str(above / below + 0.0 if below else 0.0)


@given(st.lists(st.tuples(amounts, amounts, st.integers(0, 4000)), min_size=1, max_size=8))
def test_a_product_is_not_rounded_before_it_is_divided(rows: list[tuple[int, int, int]]) -> None:
    above, below, times = columns(rows)
    found, there = quotient(above, below, times)
    for (up, down, days), value, known in zip(rows, found.tolist(), there.tolist(), strict=True):
        assert known == (down != 0)
        assert value == (float(Fraction(up * days, down)) if down else 0.0)


@given(st.lists(st.tuples(st.integers(0, 2**120), st.integers(1, 2**120)), min_size=1, max_size=4))
def test_integers_beyond_64_bits_divide_alike(rows: list[tuple[int, int]]) -> None:
    above, below = (np.array(column, object) for column in zip(*rows, strict=True))
    found, _ = quotient(above, below)
    assert found.tolist() == [float(Fraction(up, down)) for up, down in rows]


def test_a_quotient_keeps_its_shape_and_is_never_minus_zero() -> None:
    found, there = quotient(np.array([[0, 1], [-4, 7]]), np.array([[-3, 0], [2, 7]]))
    assert found.tolist() == [[0.0, 0.0], [-2.0, 1.0]]
    assert there.tolist() == [[True, False], [True, True]]
    assert not np.signbit(found[0]).any()


@given(st.lists(doubles, min_size=1, max_size=8), st.sampled_from([0, 1, 4]))
@example([0.5, 1.5, -2.5, 0.25, 0.35, 2.675, 0.00005, 1.00015], 1)
@example([0.00005, 0.00015, 0.12345, -0.00025], 4)
@example([1234567890123.4567, 4503599627370497.5, 9007199254740993.0], 4)
def test_rounding_is_that_of_python(values: list[float], digits: int) -> None:
    found = rounded(np.array(values), digits)
    assert found.tolist() == [round(one, digits) + 0.0 for one in values]
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize("digits", [1, 4])
@given(st.integers(-(10**12), 10**12))
def test_ties_are_rounded_as_python_rounds_them(digits: int, whole: int) -> None:
    tie = (whole + 0.5) / 10**digits
    assert rounded(np.array([tie]), digits).tolist() == [round(tie, digits) + 0.0]
