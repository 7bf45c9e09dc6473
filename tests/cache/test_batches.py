"""Batches hold every item once, in order, and none is too large."""

import pytest

from kpi_pipeline.cache.batches import BATCH, batches


@pytest.mark.parametrize(
    ("items", "expected"),
    [([], []), ([1], [[1]]), ([1, 2], [[1, 2]]), ([1, 2, 3, 4, 5], [[1, 2], [3, 4], [5]])],
)
def test_items_come_in_order_and_in_parts(items: list[int], expected: list[list[int]]) -> None:
    assert list(batches(items, 2)) == expected
    assert list(batches(iter(items), 2)) == expected


def test_only_what_is_used_is_taken() -> None:
    rest = iter(range(10))
    assert next(batches(rest, 3)) == [0, 1, 2]
    assert next(rest) == 3


def test_a_batch_has_a_usual_size() -> None:
    assert [len(batch) for batch in batches(range(BATCH + 1))] == [BATCH, 1]
