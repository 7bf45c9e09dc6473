"""Product-limit curves of many groups at once."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.forecasting.survival import SurvivalCurves
from kpi_pipeline.model.forecast import FEWEST_PAYMENTS, SURVIVAL_SCALE

debts = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.booleans()), max_size=60)


def curves(seen: list[tuple[int, int, bool]]) -> SurvivalCurves:
    group, days, paid = (np.array([one[at] for one in seen], np.int64) for at in range(3))
    return SurvivalCurves(group, days, paid, 1 - paid)


def share(of: SurvivalCurves, group: int, days: int) -> int:
    return int(of.share(np.array([group]), np.array([days]))[0])


@given(debts)
def test_without_open_debts_the_share_is_that_of_the_unpaid(seen: list[tuple[int, int, bool]]) -> None:
    settled = [(group, days, True) for group, days, _ in seen]
    found = curves(settled)
    for group in range(4):
        waited = [days for one, days, _ in settled if one == group]
        for day in range(0, 31, 5):
            left = sum(days > day for days in waited)
            exact = Fraction(left, len(waited)) if waited else 1
            # Each fall may have lost a part of the scale.
            assert 0 <= exact * SURVIVAL_SCALE - share(found, group, day) <= len(set(waited))


@given(debts)
def test_shares_never_rise_and_stay_within_nothing_and_all(seen: list[tuple[int, int, bool]]) -> None:
    found = curves(seen)
    for group in range(4):
        shares = [share(found, group, day) for day in range(32)]
        assert all(SURVIVAL_SCALE >= one >= other >= 0 for one, other in pairwise(shares))


@given(debts)
def test_groups_know_nothing_of_each_other(seen: list[tuple[int, int, bool]]) -> None:
    found = curves(seen)
    for group in range(4):
        alone = curves([one for one in seen if one[0] == group])
        assert [share(found, group, day) for day in range(32)] == [
            share(alone, group, day) for day in range(32)
        ]


def test_an_open_debt_counts_for_as_long_as_it_has_waited() -> None:
    """Two are paid on day 10; one is open since 10 days, one since 9: it is not at risk any more."""
    found = curves([(0, 10, True), (0, 10, True), (0, 10, False), (0, 9, False)])
    assert share(found, 0, 9) == SURVIVAL_SCALE
    assert share(found, 0, 10) == SURVIVAL_SCALE // 3


def test_nothing_seen_leaves_everything_unpaid_and_no_curve_applies() -> None:
    found = curves([])
    assert share(found, 0, 100) == SURVIVAL_SCALE
    group, now = found.applying(np.array([0]), np.array([1]), np.array([5]))
    assert (group.tolist(), now.tolist()) == ([1], [0])


def test_more_debts_than_64_bits_can_multiply() -> None:
    count = np.array([10**9, 10**9])
    found = SurvivalCurves(np.array([0, 0]), np.array([1, 2]), count, np.array([0, 0]))
    assert [share(found, 0, day) for day in (0, 1, 2)] == [SURVIVAL_SCALE, SURVIVAL_SCALE // 2, 0]


def test_a_group_is_judged_by_its_own_curve_from_enough_payments_on() -> None:
    for payments, applying in ((FEWEST_PAYMENTS - 1, 9), (FEWEST_PAYMENTS, 0)):
        found = curves([*([(0, 10, True)] * payments), (0, 40, False), (9, 40, True)])
        group, now = found.applying(np.array([0]), np.array([9]), np.array([5]))
        assert (group.tolist(), now.tolist()) == ([applying], [SURVIVAL_SCALE])


def test_a_debt_older_than_its_group_ever_left_one_is_judged_by_all() -> None:
    found = curves([*([(0, 10, True)] * FEWEST_PAYMENTS), (9, 50, True)])
    group, now = found.applying(np.array([0, 0, 0]), np.array([9, 9, 9]), np.array([9, 10, 50]))
    assert (group.tolist(), now.tolist()) == ([0, 9, 9], [SURVIVAL_SCALE, SURVIVAL_SCALE, 0])
