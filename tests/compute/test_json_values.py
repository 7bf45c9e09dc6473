"""Arrays as plain values: unknown ones are None, and rows fall to their variants."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.json_values import bounds, by_variant, names_at, quotients, values_or_none

WHOLE = st.integers(-(2**62), 2**62)


@given(st.lists(st.tuples(WHOLE, WHOLE)))
def test_a_quotient_is_rounded_once(pairs: list[tuple[int, int]]) -> None:
    above, below = (np.array([pair[place] for pair in pairs], np.int64) for place in (0, 1))
    found = quotients(above, below)
    assert found == [up / down if down else None for up, down in pairs]
    assert not any(str(value) == "-0.0" for value in found)


def test_what_is_not_known_is_none() -> None:
    assert values_or_none(np.array([1, 2, 3]), np.array([True, False, True])) == [1, None, 3]
    assert values_or_none(np.array([0.5]), np.array([True])) == [0.5]


def test_the_name_of_no_place_is_empty() -> None:
    assert names_at(("a", "b"), np.array([1, -1, 0])) == ["b", "", "a"]
    assert names_at((), np.zeros(0, np.int64)) == []


@given(st.lists(st.integers(0, 6)))
def test_rows_fall_to_their_variants(places: list[int]) -> None:
    variant = np.array(sorted(places), np.int64)
    found = by_variant(7, variant, sorted(places))
    assert found == [[place] * places.count(place) for place in range(7)]
    assert [end - start for start, end in bounds(7, variant)] == [len(one) for one in found]
