"""The oracle's own reading of one certificate, against cases worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from .both_ways import BothWays, certificate
from .certificate_states import CertificateState, certificate_states

AS_OF = date(2024, 3, 15)
BEFORE, AFTER = date(2024, 3, 15), date(2024, 3, 16)


def certificate_state(state: str, age: int = 10, **others: Any) -> CertificateState:
    """A certificate of 100 claimed and 90 accepted, as it stands on `AS_OF`."""
    row = certificate(state, AS_OF - timedelta(age), 100, 90, **others)
    (found,) = certificate_states(BothWays.of_certificates([row]).rows, AS_OF)
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
    assert certificate_state(state, **dates).values["state"] == expected


def test_a_certificate_issued_later_does_not_exist() -> None:
    rows = BothWays.of_certificates([certificate("enviado", AFTER, 100)]).rows
    assert certificate_states(rows, AS_OF) == []
    assert len(certificate_states(rows, AFTER)) == 1


@pytest.mark.parametrize(
    ("state", "outstanding", "kinds", "bucket"),
    [
        ("revision", 100, {"portfolio", "pending"}, "0-30"),
        ("enviado", 100, {"portfolio", "pending", "receivable"}, "0-30"),
        ("pendiente", 100, {"portfolio", "pending", "receivable"}, "0-30"),
        ("validado", 90, {"portfolio", "receivable", "accepted", "decided"}, "0-30"),
        ("pagado", 90, {"accepted", "decided", "paid"}, None),
        ("rechazado", 100, {"rejected", "decided"}, "0-30"),
    ],
)
def test_what_each_state_means_for_the_money(
    state: str, outstanding: int, kinds: set[str], bucket: str | None
) -> None:
    found = certificate_state(state)
    assert (found.proposed, found.accepted_amount, found.outstanding) == (100, 90, outstanding)
    named = ("portfolio", "pending", "receivable", "accepted", "rejected", "decided", "paid")
    assert {name for name in named if getattr(found, f"is_{name}")} == kinds
    assert found.bucket == bucket


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
    assert certificate_state("enviado", age).bucket == bucket


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
    found = certificate_state("validado", age=61, sent_on=sent, expected_payment_on=expected_payment_on)
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (overdue, assumed, critical)


def test_what_is_paid_is_neither_overdue_nor_critical() -> None:
    found = certificate_state("pagado", age=200, sent_on=AS_OF - timedelta(200))
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (False, False, False)


def test_acceptance_and_waiting_are_told_apart() -> None:
    sent = AS_OF - timedelta(9)
    waiting = certificate_state("enviado", sent_on=sent)
    assert (waiting.acceptance_days, waiting.waiting_days) == (None, 9)
    accepted = certificate_state("validado", sent_on=sent, conformity_on=sent + timedelta(4))
    assert (accepted.acceptance_days, accepted.waiting_days) == (4, None)


@pytest.mark.parametrize(
    ("due_days_ago", "bucket"),
    [
        (None, "undated"),
        (-1, "not_due"),
        (0, "not_due"),
        (1, "0-30"),
        (30, "0-30"),
        (31, "31-60"),
        (121, "120+"),
    ],
)
def test_buckets_by_due_date_begin_on_the_day_after(due_days_ago: int | None, bucket: str) -> None:
    due = None if due_days_ago is None else AS_OF - timedelta(due_days_ago)
    assert certificate_state("enviado", expected_payment_on=due).due_bucket == bucket
    assert certificate_state("pagado", expected_payment_on=due).due_bucket is None


@pytest.mark.parametrize(
    ("age", "label"),
    [(0, "0-6"), (6, "0-6"), (7, "7-13"), (29, "14-29"), (30, "30-59"), (364, "180-364"), (730, "730+")],
)
def test_ages_end_on_their_last_day(age: int, label: str) -> None:
    assert certificate_state("enviado", age).values["issued_age"] == label


@pytest.mark.parametrize(
    ("proposed", "currency", "band", "high"),
    [
        (999_999, "CLP", "bajo", False),
        (1_000_000, "CLP", "medio", True),
        (5_000_000, "CLP", "alto", True),
        (10_000_000, "CLP", "muy alto", True),
        (99_999, "USD", "bajo", False),
        (100_000, "USD", "medio", True),
        (1_000_000, "USD", "muy alto", True),
    ],
)
def test_bands_begin_with_a_whole_amount(proposed: int, currency: str, band: str, high: bool) -> None:
    found = certificate_state("enviado", amount_proposed=proposed, currency=currency)
    assert (found.values["amount_band"], found.is_high) == (band, high)


def test_stages_of_a_paid_certificate() -> None:
    days = {"sent_on": 38, "conformity_on": 30, "paid_on": 5, "expected_payment_on": 9}
    found = certificate_state("pagado", 40, **{name: AS_OF - timedelta(ago) for name, ago in days.items()})
    assert (found.sending_days, found.acceptance_days, found.settling_days) == (2, 8, 25)
    assert (found.payment_days, found.cycle_days, found.late_days) == (35, 35, 4)
    assert (found.paid_month, found.idle_days) == ("2024-03", None)


def test_a_stage_that_runs_backwards_is_none() -> None:
    sent, paid = AS_OF - timedelta(11), AS_OF - timedelta(5)
    found = certificate_state("pagado", 10, sent_on=sent, conformity_on=sent, paid_on=paid)
    assert (found.sending_days, found.payment_days, found.cycle_days) == (None, 5, None)


@pytest.mark.parametrize(
    ("state", "milestones", "idle"),
    [
        ("revision", {}, 40),
        ("enviado", {"sent_on": 30}, 30),
        ("validado", {"sent_on": 30, "conformity_on": 12}, 12),
        ("rechazado", {"sent_on": 30}, None),
    ],
)
def test_idle_is_since_the_last_milestone(state: str, milestones: dict[str, int], idle: int | None) -> None:
    dates = {name: AS_OF - timedelta(ago) for name, ago in milestones.items()}
    assert certificate_state(state, 40, **dates).idle_days == idle


def test_first_passes_and_reworks() -> None:
    assert certificate_state("validado").is_first_pass
    assert not certificate_state("enviado").is_first_pass
    assert not certificate_state("validado", rejection_count=1).is_first_pass
    reworked = certificate_state("validado", rework_count=2)
    assert (reworked.is_first_pass, reworked.is_reworked) == (False, True)


def test_urgency_is_of_days_amount_and_delay() -> None:
    # Sent 90 of 180 days ago, half of the topmost cut, due 60 of 120 days ago.
    found = certificate_state(
        "enviado",
        100,
        amount_proposed=5_000_000,
        sent_on=AS_OF - timedelta(90),
        expected_payment_on=AS_OF - timedelta(60),
    )
    assert (found.critical_age, found.overdue_days, found.urgency) == (90, 60, 20 + 20 + 10)
