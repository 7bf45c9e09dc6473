"""Encoded tables: rows are found by group and month, summed into places, and known by their digests."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.encoding import (
    CHUNK_ROWS,
    NO_VALUE,
    EncodedTable,
    GroupIndex,
    encode_column,
    place_of,
    sum_by_keys,
    sum_by_place,
)

GROUPS, MONTHS = 4, 6

group_index = st.lists(st.tuples(st.integers(0, GROUPS - 1), st.integers(0, MONTHS - 1)), max_size=30)
stretch = st.tuples(st.integers(0, GROUPS - 1), st.integers(-3, MONTHS + 3), st.integers(-3, MONTHS + 3))


def ints(values) -> np.ndarray:
    return np.array(list(values), np.int64)


@given(group_index, st.lists(stretch, max_size=8))
def test_members_within_stretches_are_those_of_the_group_and_the_months(rows, stretches) -> None:
    group, month = (ints(column) for column in (zip(*rows, strict=True) if rows else ((), ())))
    # A row may belong to several groups: each stands for every second row of the table.
    row = ints(range(len(rows))) // 2
    found = GroupIndex(row, group, month, MONTHS).within(
        *(ints(one[place] for one in stretches) for place in range(3))
    )
    at, held = (one.tolist() for one in found)
    assert at == sorted(at)
    for number, (wanted, first, last) in enumerate(stretches):
        expected = [
            which // 2
            for which, (owner, when) in enumerate(rows)
            if owner == wanted and first <= when <= last
        ]
        assert sorted(one for place, one in zip(at, held, strict=True) if place == number) == expected


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-(2**60), 2**60), st.integers(-9, 9)), max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 4)), max_size=40),
)
def test_a_sum_by_place_is_what_a_dict_sums(rows, taken) -> None:
    taken = [(row, place) for row, place in taken if row < len(rows)]
    sums = ints(value for _, *values in rows for value in values).reshape(-1, 2)
    expected: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row, place in taken:
        held = expected[place]
        # Sums wrap around as 64 bits do.
        for column, value in enumerate(rows[row][1:]):
            held[column] = (held[column] + value + 2**63) % 2**64 - 2**63
    found = sum_by_place(sums, ints(row for row, _ in taken), ints(place for _, place in taken), 5)
    assert found.tolist() == [expected[place] for place in range(5)]


def test_sums_of_more_rows_than_are_summed_at_a_time() -> None:
    rng = np.random.default_rng(1)
    count = 2 * CHUNK_ROWS + 7
    sums, rows, at = rng.integers(-9, 9, (count, 2)), rng.permutation(count), rng.integers(0, 4, count)
    expected = np.zeros((4, 2), np.int64)
    np.add.at(expected, at, sums[rows])
    assert sum_by_place(sums, rows, at, 4).tolist() == expected.tolist()


def test_sums_by_keys_name_each_combination_that_occurs_in_order() -> None:
    keys = ints([1, 0, 1, 1]), ints([2, 0, 0, 2])
    (first, second), total = sum_by_keys(ints([[1], [2], [4], [8]]), ints([0, 1, 2, 3]), keys, (2, 3))
    assert (first.tolist(), second.tolist(), total.tolist()) == ([0, 1, 1], [0, 0, 2], [[2], [4], [9]])
    _, nothing = sum_by_keys(np.zeros((0, 1), np.int64), ints([]), (ints([]), ints([])), (0, 3))
    assert nothing.shape == (0, 1)


def test_what_has_no_place_has_no_value() -> None:
    column = pa.chunked_array([["a", "c"], ["b", "a"]])
    assert encode_column(column, place_of(["a", "b"])).tolist() == [0, NO_VALUE, 1, 0]
    assert encode_column(pa.chunked_array([[]], pa.string()), {}).tolist() == []


def digests(labels: Sequence[int], **changed) -> list[int]:
    columns = {
        "client": ["A", "B", "A"],
        "month": ["2024-01", "2024-01", "2024-02"],
        "currency": ["CLP", "CLP", "USD"],
        "amount": [1, 2, -3],
        "count": [0, 2**62, -1],
        **changed,
    }
    months = {"2024-01": 0, "2024-02": 1}
    return EncodedTable.of(
        pa.table(columns),
        {"client": ["A", "B"]},
        months,
        ["CLP", "USD"],
        ["amount", "count"],
        labels=ints(labels),
    ).digests.tolist()


def test_a_row_is_known_by_its_digest_and_every_column_counts() -> None:
    labels = [7, 7, 8]
    plain = digests(labels)
    assert len(set(plain)) == 3
    assert digests(labels) == plain
    others = [
        digests(labels, client=["B", "B", "A"]),
        digests(labels, month=["2024-02", "2024-01", "2024-02"]),
        digests(labels, currency=["USD", "CLP", "USD"]),
        digests(labels, amount=[-1, 2, -3]),
        digests(labels, count=[2**62, 2**62, -1]),
        digests([6, 7, 8]),
    ]
    for other in others:
        # Rows are in order of month and currency, whatever their order was.
        assert len(set(other) - set(plain)) == 1


@given(st.lists(st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 2), min_size=2, max_size=2))
def test_rows_that_differ_have_different_digests(rows) -> None:
    amount, count = zip(*rows, strict=True)
    found = digests(
        [0, 0], client=["A"] * 2, month=["2024-01"] * 2, currency=["CLP"] * 2, amount=amount, count=count
    )
    assert (found[0] == found[1]) == (rows[0] == rows[1])
