"""Expected losses: rates by the ageing buckets of the past, times what is owed now."""

from datetime import date, timedelta

import pytest

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.expected_credit_loss import RATE_UNIT, loss_rates
from tests.compute.rows import AS_OF

LONG_AGO = AS_OF - timedelta(400)


def owed(age: int, amount: int, **given) -> dict:
    issued = AS_OF - timedelta(age)
    return {"issued_on": issued, "sent_on": issued, "amount_proposed": amount, **given}


def settled(after: int, amount: int, **given) -> dict:
    """A certificate of long ago that was paid so many days after its issue."""
    return {
        "state": "pagado",
        "issued_on": LONG_AGO,
        "sent_on": LONG_AGO,
        "conformity_on": LONG_AGO,
        "paid_on": LONG_AGO + timedelta(after),
        "amount_proposed": amount,
        "amount_approved": amount,
        **given,
    }


def rates(cube) -> list[dict[str, int | None]]:
    return loss_rates(cube.frame, NOW)


def test_a_rate_is_the_part_that_rolled_through_every_later_bucket(cube_of) -> None:
    rows = [settled(10, 500), settled(45, 100), settled(100, 250), owed(400, 150)]
    # Of 1000, 500 rolled out of 0-30, 400 out of 31-60 and 61-90, 150 out of the rest.
    assert rates(cube_of(rows)) == [
        {
            "120+": RATE_UNIT,
            "91-120": 150 * RATE_UNIT // 400,
            "61-90": 375_000,
            "31-60": 400 * 375_000 // 500,
            "0-30": 500 * 300_000 // 1000,
        }
    ]


def test_a_rate_is_rounded_down_at_each_bucket(cube_of) -> None:
    found = rates(cube_of([settled(100, 2), owed(400, 1)]))[0]
    assert found["91-120"] == 333_333
    assert found["0-30"] == 333_333


def test_buckets_that_no_debt_has_gone_through_have_no_rate(cube_of, read) -> None:
    cube = cube_of([owed(10, 100), owed(10, 5, currency="USD", state="revision", sent_on=None)])
    assert set(rates(cube)[0].values()) == {None}
    clp, usd = read(cube, "expected_loss")
    assert clp["value"] is None
    assert usd["value"] == 0  # nothing of it is owed


def test_a_bucket_without_a_rate_matters_only_where_something_is_owed(cube_of, read) -> None:
    # All that was ever owed was paid within the first bucket.
    cube = cube_of([settled(5, 100), owed(10, 70), owed(50, 30, client="y")])
    assert rates(cube)[0] == {"0-30": None, "31-60": None, "61-90": None, "91-120": None, "120+": None}
    assert read(cube, "expected_loss", client="y")[0]["value"] is None
    partly = cube_of([settled(130, 60), owed(400, 40), owed(50, 30, client="y")])
    assert read(partly, "expected_loss", client="y")[0]["value"] == 30 * 400_000 // RATE_UNIT


@pytest.mark.parametrize(("amount", "loss"), [(50, 20), (-1, -1), (2, 0), (10**12 + 1, 4 * 10**11)])
def test_the_loss_is_each_buckets_debt_at_its_rate_rounded_down(
    cube_of, read, amount: int, loss: int
) -> None:
    rows = [settled(100, 60), owed(400, 40), owed(10, amount, client="y")]
    cube = cube_of(rows)
    assert read(cube, "expected_loss", client="y")[0]["value"] == loss
    assert read(cube, "expected_loss")[0]["value"] == loss + 40


def test_on_an_earlier_day_it_is_of_what_stood_then(cube_of, read) -> None:
    before = AS_OF - timedelta(900)
    old = {"issued_on": before, "sent_on": before, "conformity_on": before}
    rows = [
        settled(100, 60, **old, paid_on=before + timedelta(100)),
        owed(900, 40),
        {
            "state": "pagado",
            "client": "y",
            "issued_on": date(2024, 1, 20),
            "sent_on": date(2024, 1, 20),
            "conformity_on": date(2024, 1, 20),
            "paid_on": date(2024, 2, 20),
            "amount_proposed": 100,
            "amount_approved": 100,
        },
    ]
    # Of 100 that reached 91 days, 40 were lost. On 15 February the 100 of January were owed.
    (found,) = read(cube_of(rows, window=1), "expected_loss", client="y")
    assert (found["value"], found["previous"]) == (0, 40)
    assert found["spark"] == [*[0] * 9, 40, 0, 0]
    assert found["trend"] == "improving"


def test_rates_of_an_earlier_day_are_those_known_on_it(cube_of, read) -> None:
    # Issued on 9 February 2023: after a year, from 9 February 2024 on, it counts as lost.
    rows = [owed(400, 40), owed(55, 100, client="y")]
    (found,) = read(cube_of(rows), "expected_loss", client="y")
    assert found["spark"] == [*[0] * 9, None, 100, 100]
    # A payment to come does not make good what was owed then.
    paid = cube_of([settled(395, 40), owed(55, 100, client="y")])
    assert read(paid, "expected_loss", client="y")[0]["spark"] == [*[0] * 9, None, 100, 100]
