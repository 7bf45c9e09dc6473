"""Quantiles of the days from issue to payment."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compute.rows import AS_OF


def paid(after: int, issued: date = date(2024, 1, 1), **columns) -> dict:
    return {"state": "pagado", "issued_on": issued, "paid_on": issued + timedelta(after), **columns}


@pytest.mark.parametrize(
    ("days", "median", "p90"),
    [
        ([], None, None),
        ([7], 7, 7),
        ([10, 20], 10, 20),
        ([30, 10, 20], 20, 30),
        ([0, 0, 0, 60], 0, 60),
        (list(range(1, 11)), 5, 9),
        (list(range(1, 12)), 6, 10),
    ],
)
def test_quantiles_are_by_the_nearest_rank(cube_of, read, days, median, p90) -> None:
    cube = cube_of([{}, *(paid(after) for after in days)])
    for name, expected in (("payment_days_median", median), ("payment_days_p90", p90)):
        (kpi,) = read(cube, name)
        assert (kpi["value"], type(kpi["value"])) == (expected, type(expected))
        assert "currency" not in kpi
        assert "numerator" not in kpi


def test_quantiles_are_over_all_currencies_and_by_billing_month(cube_of, read) -> None:
    rows = [
        paid(10, date(2023, 12, 1)),
        paid(20, date(2023, 12, 1), currency="USD"),
        paid(30, date(2023, 12, 1)),
        paid(50),
        paid(9, date(2022, 6, 1)),
    ]
    (kpi,) = read(cube_of(rows, window=2), "payment_days_median")
    assert kpi["value"] == 20
    assert (kpi["recent"], kpi["previous"]) == (50, 20)
    assert kpi["spark"] == [*[None] * 8, 20, 50, None, None]
    (month,) = read(cube_of(rows), "payment_days_median", month="2024-01")
    assert (month["value"], month["recent"], month["previous"]) == (50, 50, 20)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=25))
def test_a_quantile_is_the_least_day_that_reaches_the_percentage(cube_of, read, days) -> None:
    cube = cube_of([paid(after, AS_OF - timedelta(400)) for after in days])
    for name, percent in (("payment_days_median", 50), ("payment_days_p90", 90)):
        (kpi,) = read(cube, name)
        reaching = [after for after in days if 100 * sum(day <= after for day in days) >= percent * len(days)]
        assert kpi["value"] == min(reaching)
