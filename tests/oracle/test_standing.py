"""The oracle's own reading of one certificate, against cases worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from .both_ways import BothWays, certificate
from .standing import Standing, standings

AS_OF = date(2024, 3, 15)
BEFORE, AFTER = date(2024, 3, 15), date(2024, 3, 16)


def standing(state: str, age: int = 10, **others: Any) -> Standing:
    """A certificate of 100 claimed and 90 accepted, as it stands on `AS_OF`."""
    row = certificate(state, AS_OF - timedelta(age), 100, 90, **others)
    (found,) = standings(BothWays.of_certificates([row]).rows, AS_OF)
    return found


@pytest.mark.parametrize(
    ("state", "dates", "expected"),
    [
        ("pagado", {}, "pagado"),
        ("pagado", {"paid_on": BEFORE}, "pagado"),
        ("pagado", {"paid_on": AFTER}, "validado"),
        ("pagado", {"paid_on": BEFORE, "conformity_on": AFTER}, "pagado"),
        ("pagado", {"paid_on": AFTER, "conformity_on": AFTER}, "enviado"),
        ("pagado", {"paid_on": AFTER, "conformity_on": AFTER, "sent_on": AFTER}, "revision"),
        ("validado", {}, "validado"),
        ("validado", {"conformity_on": BEFORE}, "validado"),
        ("validado", {"conformity_on": AFTER}, "enviado"),
        ("enviado", {"sent_on": AFTER}, "revision"),
        ("pendiente", {"sent_on": BEFORE}, "pendiente"),
        ("pendiente", {"sent_on": AFTER}, "revision"),
        ("rechazado", {"sent_on": BEFORE}, "rechazado"),
        ("rechazado", {"sent_on": AFTER}, "revision"),
        ("revision", {"sent_on": BEFORE}, "revision"),
    ],
)
def test_a_state_is_walked_back_past_what_has_not_happened(
    state: str, dates: dict[str, date], expected: str
) -> None:
    assert standing(state, **dates).values["state"] == expected


def test_a_certificate_issued_later_does_not_exist() -> None:
    rows = BothWays.of_certificates([certificate("enviado", AFTER, 100)]).rows
    assert standings(rows, AS_OF) == []
    assert len(standings(rows, AFTER)) == 1


@pytest.mark.parametrize(
    ("state", "approved", "outstanding", "receivable", "bucket"),
    [
        ("revision", 0, 100, False, "0-30"),
        ("enviado", 0, 100, True, "0-30"),
        ("pendiente", 0, 100, True, "0-30"),
        ("validado", 90, 90, True, "0-30"),
        ("pagado", 90, 90, False, None),
        ("rechazado", 0, 100, False, "0-30"),
    ],
)
def test_what_each_state_means_for_the_money(
    state: str, approved: int, outstanding: int, receivable: bool, bucket: str | None
) -> None:
    found = standing(state)
    assert (found.approved, found.outstanding) == (approved, outstanding)
    assert (found.is_receivable, found.bucket) == (receivable, bucket)


@pytest.mark.parametrize(
    ("age", "bucket"),
    [
        (0, "0-30"),
        (30, "0-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "91-120"),
        (120, "91-120"),
        (121, "120+"),
    ],
)
def test_buckets_end_on_their_last_day(age: int, bucket: str) -> None:
    assert standing("enviado", age).bucket == bucket


@pytest.mark.parametrize(
    ("sent_days_ago", "expected_payment_on", "overdue", "assumed", "critical"),
    [
        (None, None, False, False, False),
        (30, None, False, True, False),
        (31, None, True, True, False),
        (60, AS_OF, False, False, False),
        (61, AS_OF - timedelta(1), True, False, True),
        (-1, None, False, False, False),
    ],
)
def test_when_something_is_overdue_and_when_critical(
    sent_days_ago: int | None,
    expected_payment_on: date | None,
    overdue: bool,
    assumed: bool,
    critical: bool,
) -> None:
    sent = None if sent_days_ago is None else AS_OF - timedelta(sent_days_ago)
    found = standing("validado", age=61, sent_on=sent, expected_payment_on=expected_payment_on)
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (overdue, assumed, critical)


def test_what_is_paid_is_neither_overdue_nor_critical() -> None:
    found = standing("pagado", age=200, sent_on=AS_OF - timedelta(200))
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (False, False, False)


def test_acceptance_and_waiting_are_told_apart() -> None:
    sent = AS_OF - timedelta(9)
    waiting = standing("enviado", sent_on=sent)
    assert (waiting.acceptance_days, waiting.waiting_days) == (None, 9)
    accepted = standing("validado", sent_on=sent, conformity_on=sent + timedelta(4))
    assert (accepted.acceptance_days, accepted.waiting_days) == (4, None)
