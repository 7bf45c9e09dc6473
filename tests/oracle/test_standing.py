"""The oracle's own reading of where a certificate stands and what of it is open, worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.rows import Row
from kpi_pipeline.audit.recomputation.standing import Standing

from .both_ways import BothWays, certificate
from .standing_rows import ISSUED, made

AS_OF = date(2024, 3, 15)
BEFORE, AFTER = AS_OF, AS_OF + timedelta(1)


def stood(row: Row, *days: int) -> list[str]:
    """Where a certificate stood so many days after its issue."""
    return [Standing(row, row["issued_on"] + timedelta(day)).standing for day in days]


def amounts(row: Row, day: int) -> tuple[int, int, int, int]:
    """What was claimed, collected, withheld and open so many days after issue."""
    one = Standing(row, row["issued_on"] + timedelta(day))
    return one.claimed, one.collected, one.withheld, one.outstanding


@pytest.mark.parametrize(
    ("state", "dates", "expected"),
    [
        ("pagado", {}, "pagado"),
        ("pagado", {"paid_on": BEFORE}, "pagado"),
        ("pagado", {"paid_on": AFTER}, "validado"),
        ("pagado", {"paid_on": BEFORE, "conformity_on": AFTER}, "pagado"),
        ("pagado", {"paid_on": AFTER, "conformity_on": AFTER}, "enviado"),
        ("pagado", {"paid_on": AFTER, "conformity_on": AFTER, "sent_on": AFTER}, "revision"),
        ("pagado", {"conformity_on": AFTER}, "enviado"),
        ("pagado", {"sent_on": AFTER}, "revision"),
        ("validado", {}, "validado"),
        ("validado", {"conformity_on": BEFORE}, "validado"),
        ("validado", {"conformity_on": AFTER}, "enviado"),
        ("validado", {"paid_on": BEFORE}, "pagado"),
        ("enviado", {"sent_on": AFTER}, "revision"),
        ("enviado", {"conformity_on": BEFORE}, "validado"),
        ("enviado", {"paid_on": BEFORE}, "pagado"),
        ("pendiente", {"sent_on": BEFORE}, "pendiente"),
        ("pendiente", {"sent_on": AFTER}, "revision"),
        ("rechazado", {}, "rechazado"),
        ("rechazado", {"sent_on": BEFORE}, "rechazado"),
        ("rechazado", {"sent_on": AFTER}, "revision"),
        ("rechazado", {"sent_on": BEFORE, "conformity_on": BEFORE}, "validado"),
        ("rechazado", {"sent_on": BEFORE, "conformity_on": AFTER}, "rechazado"),
        ("revision", {}, "revision"),
        ("revision", {"sent_on": BEFORE}, "enviado"),
        ("revision", {"sent_on": AFTER}, "revision"),
        ("anulado", {}, "anulado"),
        ("anulado", {"sent_on": BEFORE, "conformity_on": BEFORE, "paid_on": BEFORE}, "anulado"),
    ],
)
def test_dates_come_before_words(state: str, dates: dict[str, date], expected: str) -> None:
    row = certificate(state, ISSUED, 100, 90, **dates)
    (row,) = BothWays.of_certificates([row]).rows
    assert Standing(row, AS_OF).state == expected


def test_a_return_stands_until_it_is_sent_again() -> None:
    row = made("enviado", (20, "rejected"), (33, "sent"), sent_on=5)
    assert stood(row, 4, 5, 19, 20, 32, 33) == [
        *("unsent", "awaiting", "awaiting", "returned", "returned", "awaiting")
    ]
    assert stood(made("enviado", (20, "rework"), sent_on=5), 19, 20, 400) == [
        *("awaiting", "returned", "returned")
    ]


def test_on_one_day_the_last_entry_counts() -> None:
    assert stood(made("enviado", (20, "rejected"), (20, "sent"), sent_on=5), 20) == ["awaiting"]
    assert stood(made("rechazado", (20, "sent"), (20, "rejected"), sent_on=5), 20) == ["returned"]
    # The row's own day goes before the log's.
    assert stood(made("validado", (8, "rejected"), sent_on=5, conformity_on=8), 7, 8) == [
        *("awaiting", "returned")
    ]


def test_an_acceptance_can_be_undone_and_come_again() -> None:
    log = (8, "accepted"), (20, "rejected"), (30, "sent"), (45, "accepted"), (60, "paid")
    expected = ["awaiting", "accepted", "accepted", "returned", "awaiting", "accepted", "paid"]
    assert stood(made("pagado", *log, sent_on=5), 5, 8, 19, 20, 30, 45, 60) == expected


def test_what_is_cancelled_on_a_day_was_none_before() -> None:
    row = made("anulado", (8, "accepted"), (40, "cancelled"), sent_on=5)
    assert stood(row, 0, 8, 39, 40) == ["unsent", "accepted", "accepted", "cancelled"]
    assert stood(made("anulado", (15, "rejected"), sent_on=5), 0, 5, 15) == ["cancelled"] * 3
    assert stood(made("enviado", (20, "cancelled"), (40, "sent"), sent_on=5), 20, 40) == [
        *("cancelled", "awaiting")
    ]


def test_without_its_day_an_acceptance_after_a_return_is_none() -> None:
    row = made("pagado", (20, "rejected"), (30, "sent"))
    assert stood(row, 0, 20, 30) == ["awaiting", "returned", "awaiting"]


def test_a_payment_that_is_undone_is_none() -> None:
    row = made("validado", (25, "paid"), (40, "accepted"), sent_on=5, conformity_on=8)
    assert row["paid_on"] is None
    assert stood(row, 24, 25, 40) == ["accepted"] * 3
    again = made("pagado", (15, "rework"), (20, "accepted"), (25, "paid"), (40, "accepted"), (50, "paid"))
    assert stood(again, 15, 20, 25, 49, 50) == ["returned", "accepted", "accepted", "accepted", "paid"]
    closed = made("pagado", (25, "paid"), (40, "paid"), sent_on=5, conformity_on=8)
    assert closed["paid_on"] == ISSUED + timedelta(25), "one payment on the first day"


@pytest.mark.parametrize(
    ("row", "standing", "expected"),
    [
        (made("enviado", sent_on=5), "awaiting", (100, 0, 0, 100)),
        (made("validado", sent_on=5), "accepted", (90, 0, 0, 90)),
        (made("validado", approved=None), "accepted", (100, 0, 0, 100)),
        (made("pagado", paid_on=30), "paid", (90, 90, 0, 0)),
        (made("rechazado", sent_on=5), "returned", (100, 0, 0, 100)),
        (made("anulado", paid_on=30), "cancelled", (100, 0, 0, 0)),
        (made("pagado", paid_on=30, amount_paid=40), "accepted", (90, 40, 0, 50)),
        (made("pagado", paid_on=30, amount_paid=90), "paid", (90, 90, 0, 0)),
        (made("pagado", paid_on=30, amount_paid=95), "paid", (90, 95, 0, 0)),
        (made("pagado", paid_on=30, amount_paid=81, amount_retained=9), "paid", (90, 81, 9, 0)),
        (made("pagado", paid_on=30, amount_paid=80, amount_retained=9), "accepted", (90, 80, 9, 1)),
        (made("pagado", paid_on=30, amount_retained=9), "paid", (90, 81, 9, 0)),
        (made("validado", amount_retained=9), "accepted", (90, 0, 9, 81)),
        (made("enviado", sent_on=5, amount_retained=9), "awaiting", (100, 0, 0, 100)),
        (made("validado", amount_paid=40), "accepted", (90, 40, 0, 50)),
        (made("validado", amount_paid=200), "accepted", (90, 200, 0, 0)),
        (made("enviado", sent_on=5, paid_on=30, amount_paid=40), "awaiting", (100, 40, 0, 60)),
        (made("enviado", sent_on=5, amount_paid=40), "awaiting", (100, 0, 0, 100)),
        (made("validado", proposed=-50, approved=-40), "accepted", (-40, 0, 0, -40)),
        (
            made("pagado", proposed=-50, approved=-40, paid_on=30, amount_paid=-10),
            "accepted",
            (-40, -10, 0, -30),
        ),
        (made("pagado", proposed=-50, approved=-40, paid_on=30, amount_paid=-40), "paid", (-40, -40, 0, 0)),
    ],
)
def test_what_is_open_of_it(row: Row, standing: str, expected: tuple[int, ...]) -> None:
    assert stood(row, 40) == [standing]
    assert amounts(row, 40) == expected


def test_a_payment_in_part_counts_from_its_day() -> None:
    row = made("validado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=40, amount_retained=9)
    found = [amounts(row, day) for day in (7, 8, 29, 30)]
    assert found == [(100, 0, 0, 100), (90, 0, 9, 81), (90, 0, 9, 81), (90, 40, 9, 41)]


def test_what_is_paid_in_advance_is_paid_when_it_is_issued() -> None:
    row = made("pagado", sent_on=5, conformity_on=8, paid_on=-20)
    assert stood(row, 0, 5) == ["paid", "paid"]
    assert [Standing(row, ISSUED - timedelta(day)).collected for day in (21, 20)] == [0, 90]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (made("validado"), {"portfolio", "receivable", "accepted", "decided", "counted"}),
        (made("enviado"), {"portfolio", "pending", "receivable", "counted"}),
        (made("pendiente"), {"portfolio", "pending", "receivable", "counted"}),
        (made("revision"), {"portfolio", "pending", "counted"}),
        (made("pagado"), {"accepted", "decided", "paid", "counted"}),
        (made("rechazado"), {"decided", "counted"}),
        (made("anulado"), set()),
        (made("enviado", proposed=-100), {"portfolio", "pending", "receivable"}),
        (made("enviado", proposed=0), {"portfolio", "pending", "receivable", "counted"}),
    ],
)
def test_what_each_standing_means_for_the_money(row: Row, expected: set[str]) -> None:
    one: Any = Standing(row, AS_OF)
    named = ("portfolio", "pending", "receivable", "accepted", "decided", "paid", "counted")
    assert {name for name in named if getattr(one, f"is_{name}")} == expected
