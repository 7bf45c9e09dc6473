"""Quantiles of the days from issue to payment."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute import payment_quantiles
from tests.compute.rows import AS_OF
from tests.examples import examples

QUANTILES = (("payment_days_median", 50), ("payment_days_p90", 90))


def paid(after: int, issued: date = date(2024, 1, 1), **columns) -> dict:
    return {"state": "pagado", "issued_on": issued, "paid_on": issued + timedelta(after), **columns}


def unpaid(age: int, **columns) -> dict:
    return {"issued_on": AS_OF - timedelta(age), **columns}


def product_limit(sample: Sequence[tuple[int, bool]], percent: int) -> int | None:
    """The estimate of Kaplan and Meier in so many words: days, and whether it was paid then."""
    left = Fraction(1)
    for day in sorted({after for after, is_paid in sample if is_paid}):
        at_risk = sum(after >= day for after, _ in sample)
        left *= 1 - Fraction(sum((after, is_paid) == (day, True) for after, is_paid in sample), at_risk)
        if left <= Fraction(100 - percent, 100):
            return day
    return None


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
def test_of_what_is_all_paid_a_quantile_is_by_the_nearest_rank(cube_of, read, days, median, p90) -> None:
    cube = cube_of([{}, *(paid(after) for after in days)])
    for name, expected in (("payment_days_median", median), ("payment_days_p90", p90)):
        (kpi,) = read(cube, name)
        assert (kpi["value"], type(kpi["value"])) == (expected, type(expected))
        assert "currency" not in kpi
        assert "numerator" not in kpi


@pytest.mark.parametrize(
    ("rows", "median", "p90"),
    [
        # Two of three are not paid at 10 days; the one of 5 days could not have been.
        ([paid(10), unpaid(100)], 10, None),
        ([paid(10), unpaid(100), unpaid(5)], 10, None),
        ([paid(10), unpaid(100), unpaid(50)], None, None),
        # At equal days payments come before what is not known any longer.
        ([paid(10), unpaid(10), unpaid(10)], None, None),
        ([paid(10), paid(20), unpaid(10)], 20, 20),
        ([paid(20), unpaid(19)], 20, 20),
    ],
)
def test_what_is_not_paid_yet_counts_up_to_its_age(cube_of, read, rows, median, p90) -> None:
    cube = cube_of(rows)
    assert read(cube, "payment_days_median")[0]["value"] == median
    assert read(cube, "payment_days_p90")[0]["value"] == p90


@pytest.mark.parametrize(
    "row",
    [
        paid(-5),
        unpaid(100, state="pagado"),
        unpaid(100, state="anulado"),
        unpaid(100, amount_proposed=-10),
        paid(40, amount_proposed=-10),
        unpaid(366),
        paid(300, date(2023, 3, 15)),
    ],
    ids=["advance", "undated", "cancelled", "credit note", "paid credit note", "old", "old and paid"],
)
def test_what_says_nothing_of_the_days_of_payment_is_left_out(cube_of, read, row) -> None:
    cube = cube_of([paid(10), row])
    assert [read(cube, name)[0]["value"] for name, _ in QUANTILES] == [10, 10]


@pytest.mark.parametrize(
    "row",
    [
        *(
            unpaid(100, state=state)
            for state in ("revision", "enviado", "pendiente", "validado", "rechazado")
        ),
        unpaid(100, state="validado", amount_approved=10, amount_paid=4, paid_on=AS_OF - timedelta(60)),
        # Paid in part before its issue.
        unpaid(100, state="validado", amount_approved=10, amount_paid=4, paid_on=AS_OF - timedelta(120)),
    ],
)
def test_all_that_is_open_is_not_paid_yet(cube_of, read, row) -> None:
    cube = cube_of([paid(10), row])
    assert [read(cube, name)[0]["value"] for name, _ in QUANTILES] == [10, None]


def test_a_quantile_says_of_how_many_payments_it_is(cube_of, read) -> None:
    rows = [
        *(paid(after, client=client) for after, client in ((10, "A"), (20, "A"), (30, "B"))),
        paid(10, date(2024, 2, 1), client="A", currency="USD"),
        # Of none of these the days are known.
        *(unpaid(100), paid(-5), paid(40, amount_proposed=-10), unpaid(100, state="anulado")),
        paid(9, date(2022, 6, 1)),
    ]
    cube = cube_of(rows)
    for name, _ in QUANTILES:
        assert [one["payments"] for one in read(cube, name)] == [4]
        assert read(cube, name, client="A")[0]["payments"] == 3
        assert read(cube, name, month="2024-02")[0]["payments"] == 1
        assert read(cube_of([unpaid(10)]), name)[0]["payments"] == 0


def test_quantiles_are_over_all_currencies_and_those_issued_in_the_window(cube_of, read) -> None:
    rows = [
        paid(10, date(2023, 12, 1)),
        paid(20, date(2023, 12, 1), currency="USD"),
        paid(30, date(2023, 12, 1)),
        paid(50),
        paid(9, date(2022, 6, 1)),
    ]
    (kpi,) = read(cube_of(rows, window=2), "payment_days_median")
    # From 16 January on none was issued. On 15 January that of the first was 14 days old: of the two left
    # after that one was paid at 20.
    assert (kpi["value"], kpi["previous"]) == (None, 20)
    # At the end of January that was 30 days old: half of four are paid at 20.
    assert kpi["spark"] == [*[None] * 8, 20, 20, 50, None]
    (month,) = read(cube_of(rows), "payment_days_median", month="2024-01")
    assert (month["value"], month["previous"]) == (50, None)
    assert read(cube_of(rows), "payment_days_median", month="2023-12")[0]["value"] == 20


def test_a_cohort_takes_payments_whenever_they_were(cube_of, read) -> None:
    cube = cube_of([paid(700, date(2022, 1, 5)), paid(10, date(2022, 1, 9))])
    assert [read(cube, name, month="2022-01")[0]["value"] for name, _ in QUANTILES] == [10, 700]


samples = st.lists(st.tuples(st.integers(0, 365) | st.integers(0, 6), st.booleans()), min_size=1, max_size=25)


@pytest.mark.slow
@settings(max_examples=examples(15), deadline=None)
@given(samples)
def test_a_quantile_is_what_the_product_limit_gives(cube_of, read, sample) -> None:
    cube = cube_of(
        [paid(after, AS_OF - timedelta(365)) if is_paid else unpaid(after) for after, is_paid in sample]
    )
    for name, percent in QUANTILES:
        (kpi,) = read(cube, name)
        assert kpi["value"] == product_limit(sample, percent), name


@pytest.mark.parametrize("spread", [0, 2**40])
def test_counts_are_added_up_alike_in_a_table_and_in_order(
    monkeypatch: pytest.MonkeyPatch, spread: int
) -> None:
    monkeypatch.setattr(payment_quantiles, "_SPREAD", spread)
    random = np.random.default_rng(1)
    owner, days, paid = (random.integers(0, most, 500) for most in (9, 30, 3))
    left = paid + random.integers(1, 4, 500)
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    for one, day, *counts in zip(*(of.tolist() for of in (owner, days, paid, left)), strict=True):
        before = expected.get((one, day), (0, 0))
        expected[one, day] = before[0] + counts[0], before[1] + counts[1]
    owners, ages, *sums = (of.tolist() for of in payment_quantiles._by_days(owner, days, paid, left))
    assert dict(zip(zip(owners, ages, strict=True), zip(*sums, strict=True), strict=True)) == expected
    assert list(zip(owners, ages, strict=True)) == sorted(expected)


def test_it_does_not_matter_how_many_rows_are_looked_up_at_a_time(
    cube_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = cube_of([{}, paid(10, client="A"), paid(20, client="B"), paid(5, client="B"), unpaid(30)])
    (whole,) = cube.slices(attributes=1)
    expected = payment_quantiles.payment_quantiles(whole, 50)
    monkeypatch.setattr(payment_quantiles, "_ROWS", 1)
    (apart,) = cube.slices(attributes=1)
    for one, other in zip(payment_quantiles.payment_quantiles(apart, 50), expected, strict=True):
        assert one.tolist() == other.tolist()
