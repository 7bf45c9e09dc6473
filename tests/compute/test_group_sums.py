"""Sums by group are exact, and an error where they do not fit."""

import numpy as np
import pytest

from kpi_pipeline.compute.group_sums import Groups
from kpi_pipeline.compute.overflow import SumTooLarge

LARGEST = 2**63 - 1
GROUPS = Groups.of(np.array([2, 0, 2]), 4)


def test_each_group_has_its_sum_and_its_least() -> None:
    column = np.array([1, -5, 7])
    assert GROUPS.sum(column).tolist() == [-5, 0, 8, 0]
    assert GROUPS.least(column, 99).tolist() == [-5, 99, 1, 99]


def test_no_rows_sum_to_nothing() -> None:
    none = np.zeros(0, np.int64)
    assert Groups.of(none, 2).sum(none).tolist() == [0, 0]
    assert Groups.of(none, 2).least(none, 9).tolist() == [9, 9]


@pytest.mark.parametrize(
    ("one", "other"), [(LARGEST, 0), (LARGEST - 1, 1), (LARGEST, -LARGEST), (-LARGEST, 0)]
)
def test_what_fits_is_exact_to_the_last_unit(one: int, other: int) -> None:
    assert GROUPS.sum(np.array([one, 3, other])).tolist() == [3, 0, one + other, 0]


@pytest.mark.parametrize("sign", [1, -1])
def test_what_does_not_fit_is_an_error(sign: int) -> None:
    with pytest.raises(SumTooLarge):
        GROUPS.sum(np.array([sign * LARGEST, 0, sign]) + np.array([0, 0, sign]))


def test_numbers_of_any_size_may_sum_to_one_that_fits() -> None:
    assert GROUPS.sum(np.array([2**70, 1, 5 - 2**70], object)).tolist() == [1, 0, 5, 0]
