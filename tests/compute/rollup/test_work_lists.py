"""The work lists: who is in them and how urgent it is, by cases worked by hand."""

from datetime import timedelta
from typing import Any

import pyarrow.compute as pc
import pytest

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.model.work_lists import WATCHED_MOST
from tests.compute.rows import AS_OF, certificate, history, rolled, values

Row = dict[str, Any]


def paid_after(days: int, client: str = "A", **given: Any) -> Row:
    """A certificate that was paid so many days after issue, long ago."""
    issued = AS_OF - timedelta(500)
    return certificate(issued, "pagado", client=client) | {"paid_on": issued + timedelta(days)} | given


def owed(age: int, amount: int, name: str, client: str = "A", **given: Any) -> Row:
    """A certificate that was sent on the day of its issue and is still owed."""
    issued = AS_OF - timedelta(age)
    row = certificate(issued, client=client, amount_proposed=amount, certificate_id=name)
    return row | {"sent_on": issued} | given


def listed(work_list: str, rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    """Columns of a work list on the business date, in its order."""
    found = rolled(rows).work_lists
    found = found.filter(pc.and_(pc.equal(found["place"], NOW), pc.equal(found["work_list"], work_list)))
    return values(found, *columns)


def test_urgency_is_the_amount_times_the_expected_further_days() -> None:
    rows = [
        # Of the payments of A, 100 to 140 days are more than 70: 30 + 40 + 50 + 60 + 70 further days.
        *(paid_after(days) for days in (10, 70, 100, 110, 120, 130, 140)),
        # B has two such: those of A count with them, 250 + 5 + 10 days of 7 payments.
        *(paid_after(days, "B") for days in (75, 80)),
        # No payments: a credit note's, one of an unknown day, one that is yet to come.
        paid_after(300, amount_proposed=-9, amount_approved=-9),
        paid_after(300, paid_on=None),
        paid_after(501, amount_proposed=1),
        owed(70, 100, "a"),
        owed(70, 1000, "b", "B"),
        # Nobody ever took longer.
        owed(200, 700, "c", "C"),
        # The same urgency: the larger amount first, then by name.
        owed(139, 50, "e"),
        owed(139, 50, "d"),
    ]
    assert listed("collect_today", rows, "certificate_id", "amount", "expected_days", "urgency", "why") == [
        # No payment took as long: as many days again.
        ("c", 700, 200.0, 140_000, "overdue_and_critical_longest"),
        ("b", 1000, 265 / 7, 1000 * 265 // 7, "overdue_and_critical_all"),
        ("a", 100, 50.0, 5000, "overdue_and_critical_client"),
        ("d", 50, 1.0, 50, "overdue_and_critical_all"),
        ("e", 50, 1.0, 50, "overdue_and_critical_all"),
    ]


def test_urgency_has_no_cap() -> None:
    """Certificates beyond any former limit of amount, age and delay are still told apart."""
    rows = [
        *(paid_after(days) for days in (490, 492, 494, 496, 498)),
        *(owed(400 + age, 10**9 + age, str(age)) for age in range(4)),
    ]
    found = listed("collect_today", rows, "certificate_id", "urgency")
    assert found == [(str(age), (10**9 + age) * (94 - age)) for age in range(4)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Due yesterday.
        ({"expected_payment_on": "2024-03-14", "sent_on": "2024-03-01"}, ("overdue", 14, 1)),
        # Due today.
        ({"expected_payment_on": "2024-03-15", "sent_on": "2024-03-01"}, None),
        # Sent 61 days ago, and not due yet.
        ({"expected_payment_on": "2024-04-30", "sent_on": "2024-01-14"}, ("critical", 61, None)),
        ({"expected_payment_on": "2024-04-30", "sent_on": "2024-01-15"}, None),
        ({"sent_on": "2024-01-02"}, ("overdue_and_critical", 73, 43)),
        # Nobody knows when it was sent.
        ({"expected_payment_on": "2024-03-14"}, ("overdue", None, 1)),
        ({"amount_proposed": -5, "sent_on": "2024-01-02"}, None),
        ({"state": "pagado", "sent_on": "2024-01-02"}, None),
        ({"state": "revision", "expected_payment_on": "2024-03-14"}, None),
        ({"state": "rechazado", "sent_on": "2024-01-02"}, None),
        ({"state": "anulado", "sent_on": "2024-01-02"}, None),
    ],
)
def test_who_is_to_be_asked_for_payment_and_why(given: Row, expected: tuple[Any, ...] | None) -> None:
    rows = [certificate("2024-01-01", **given)]
    found = listed("collect_today", rows, "arrears", "days", "overdue_days")
    assert found == ([expected] if expected else [])


def test_what_lies_with_the_firm_is_urgent_by_its_amount_and_days() -> None:
    back = {"sent_on": "2024-01-10", "rejection_reason": "otros"}
    returned = history(("2024-01-10", "sent"), ("2024-02-01", "rejected"), ("2024-03-05", "rework"))
    today = history(("2024-01-10", "sent"), ("2024-03-15", "rejected"))
    sent_again = history(("2024-01-10", "sent"), ("2024-02-01", "rejected"), ("2024-02-05", "sent"))
    rows = [
        # Ten days since it last came back.
        certificate("2024-01-05", certificate_id="a", history=returned, **back),
        # Nobody knows when: 70 days since issue.
        certificate("2024-01-05", "rechazado", certificate_id="b", **back),
        certificate("2024-02-14", "revision", certificate_id="c", rejection_reason="otros"),
        # Today: a day, so that the amount ranks.
        certificate("2024-01-05", certificate_id="d", history=today, amount_proposed=5000, **back),
        certificate("2024-03-15", "revision", certificate_id="e"),
        certificate("2024-01-05", certificate_id="sent again", history=sent_again, **back),
        certificate("2024-01-05", "revision", certificate_id="credit note", amount_proposed=-100),
        certificate("2024-01-05", "anulado", certificate_id="cancelled"),
        certificate("2024-01-05", "enviado", certificate_id="sent"),
        certificate("2024-03-16", "revision", certificate_id="tomorrow's"),
    ]
    columns = ("certificate_id", "rejection_reason", "returned_days", "age_days", "urgency")
    assert listed("correct_and_resend", rows, *columns) == [
        ("b", "otros", None, 70, 7000),
        ("d", "otros", 0, 70, 5000),
        ("c", None, None, 30, 3000),
        ("a", "otros", 10, 70, 1000),
        ("e", None, None, 0, 100),
    ]


def test_each_currency_has_its_own_ranking() -> None:
    rows = [
        owed(70, 10, "dollars", currency="USD"),
        owed(70, 5, "few pesos"),
        owed(70, 900, "pesos"),
    ]
    assert listed("collect_today", rows, "currency", "certificate_id") == [
        ("CLP", "pesos"),
        ("CLP", "few pesos"),
        ("USD", "dollars"),
    ]


def test_only_what_is_still_open_counts() -> None:
    part = {
        "state": "validado",
        "amount_approved": 90,
        "amount_paid": 60,
        "paid_on": AS_OF,
        "conformity_on": AS_OF,
    }
    rows = [owed(70, 100, "a", **part, expected_payment_on=AS_OF - timedelta(1))]
    assert listed("collect_today", rows, "amount", "urgency") == [(30, 30 * 70)]


def test_an_urgency_that_does_not_fit_is_an_error_and_not_a_number() -> None:
    rows = [*(paid_after(days) for days in range(480, 490)), owed(70, 2**60, "a")]
    with pytest.raises(SumTooLarge):
        rolled(rows)


@pytest.mark.parametrize(("days", "is_watched"), [(6, False), (7, True), (59, True), (60, False)])
def test_a_certificate_without_movement_is_watched(days: int, is_watched: bool) -> None:
    found = listed("watched", [owed(days, 100, "a")], "certificate_id", "amount", "idle_days")
    # Overdue by more than a week from 38 days on: that alone is not watched.
    assert found == ([("a", 100, days)] if is_watched else [])


@pytest.mark.parametrize(("overdue", "is_watched"), [(0, False), (1, True), (7, True), (8, False)])
def test_a_certificate_newly_overdue_is_watched(overdue: int, is_watched: bool) -> None:
    moved = AS_OF - timedelta(1)
    row = owed(90, 100, "a", expected_payment_on=AS_OF - timedelta(overdue)) | {"sent_on": moved}
    assert listed("watched", [row], "certificate_id", "overdue_days", "idle_days") == (
        [("a", overdue, 1)] if is_watched else []
    )


def test_the_largest_are_watched_and_what_is_paid_is_not() -> None:
    rows = [owed(10, amount, f"{amount:04}") for amount in range(1, WATCHED_MOST + 3)]
    rows += [paid_after(10), owed(10, 9999, "usd", currency="USD")]
    found = listed("watched", rows, "certificate_id", "currency")
    of_pesos = [name for name, currency in found if currency == "CLP"]
    assert of_pesos == [f"{amount:04}" for amount in range(WATCHED_MOST + 2, 2, -1)]
    assert ("usd", "USD") in found
