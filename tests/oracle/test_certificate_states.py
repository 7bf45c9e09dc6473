"""The oracle's own reading of one certificate, against cases worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState, Limits, certificate_states
from kpi_pipeline.audit.recomputation.rows import Row

from .both_ways import BothWays, certificate
from .standing_rows import ISSUED, made

AS_OF = date(2024, 3, 15)
AFTER = AS_OF + timedelta(1)


def certificate_state(state: str, age: int = 10, **others: Any) -> CertificateState:
    """A certificate of 100 claimed and 90 accepted, as it stands on `AS_OF`."""
    row = certificate(state, AS_OF - timedelta(age), 100, 90, **others)
    (found,) = certificate_states(BothWays.of_certificates([row]).rows, AS_OF)
    return found


def test_a_certificate_issued_later_does_not_exist() -> None:
    rows = BothWays.of_certificates([certificate("enviado", AFTER, 100)]).rows
    assert certificate_states(rows, AS_OF) == []
    assert len(certificate_states(rows, AFTER)) == 1


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
    found = certificate_state("enviado", age=61, sent_on=sent, expected_payment_on=expected_payment_on)
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (overdue, assumed, critical)


@pytest.mark.parametrize("state", ["pagado", "rechazado", "anulado"])
def test_what_is_not_owed_is_neither_overdue_nor_critical(state: str) -> None:
    found = certificate_state(state, age=200, sent_on=AS_OF - timedelta(200))
    assert (found.is_overdue, found.is_due_assumed, found.is_critical) == (False, False, False)
    assert (found.bucket, found.due_bucket) == (None, None)
    unsent = certificate_state("revision", age=200, expected_payment_on=AS_OF - timedelta(100))
    assert (unsent.is_overdue, unsent.bucket, unsent.unsent_days) == (False, None, 200)


def test_a_credit_note_is_in_buckets_and_no_certificate() -> None:
    found = certificate_state("enviado", age=100, amount_proposed=-5, sent_on=AS_OF - timedelta(90))
    assert (found.is_receivable, found.is_counted, found.outstanding) == (True, False, -5)
    assert (found.bucket, found.due_bucket) == ("91-120", "31-60")
    assert not (found.is_overdue or found.is_critical or found.is_due_assumed)
    durations = ("sending_days", "waiting_days", "idle_days", "late_days")
    assert [getattr(found, name) for name in durations] == [None] * 4


def test_the_term_runs_from_acceptance_where_its_day_is_known() -> None:
    sent, accepted = AS_OF - timedelta(50), AS_OF - timedelta(20)
    assert certificate_state("validado", 60, sent_on=sent).due == sent + timedelta(30)
    found = certificate_state("validado", 60, sent_on=sent, conformity_on=accepted)
    assert (found.due, found.is_due_assumed) == (accepted + timedelta(30), True)
    given = certificate_state("validado", 60, sent_on=sent, conformity_on=accepted, expected_payment_on=AS_OF)
    assert (given.due, given.is_due_assumed) == (AS_OF, False)


def test_acceptance_and_waiting_are_told_apart() -> None:
    sent = AS_OF - timedelta(9)
    waiting = certificate_state("enviado", sent_on=sent)
    assert (waiting.acceptance_days, waiting.waiting_days) == (None, 9)
    accepted = certificate_state("validado", sent_on=sent, conformity_on=sent + timedelta(4))
    assert (accepted.acceptance_days, accepted.waiting_days) == (4, None)


def on_day(row: Row, day: int) -> CertificateState:
    """A certificate so many days after its issue."""
    return CertificateState(row, ISSUED + timedelta(day), Limits())


def test_waiting_is_since_the_last_sending_and_critical_since_the_first() -> None:
    row = made("enviado", (20, "rejected"), (33, "sent"), sent_on=5)
    found = on_day(row, 70)
    assert (found.sending_days, found.waiting_days, found.is_critical, found.critical_age) == (
        5,
        37,
        True,
        65,
    )
    assert found.due == ISSUED + timedelta(35)
    returned = on_day(row, 25)
    assert (returned.returned_days, returned.waiting_days, returned.idle_days) == (5, None, None)
    assert (on_day(row, 3).unsent_days, returned.unsent_days) == (3, None)


def test_an_acceptance_counts_while_it_stands() -> None:
    row = made("validado", (8, "accepted"), (20, "rejected"), (30, "sent"), (45, "accepted"), sent_on=5)
    assert [on_day(row, day).acceptance_days for day in (7, 8, 19, 20, 44, 45)] == [
        *(None, 3, 3, None, None, 40)
    ]
    assert [on_day(row, day).due for day in (19, 45)] == [
        ISSUED + timedelta(8 + 30),
        ISSUED + timedelta(45 + 30),
    ]


def test_a_return_without_a_day_has_no_days() -> None:
    found = certificate_state("rechazado", 40, sent_on=AS_OF - timedelta(30))
    assert (found.standing, found.returned_days) == ("returned", None)


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
        (1_000_000, "CLP", "medio", False),
        (5_000_000, "CLP", "alto", False),
        (9_999_999, "CLP", "alto", False),
        (10_000_000, "CLP", "muy alto", True),
        (99_999, "USD", "bajo", False),
        (100_000, "USD", "medio", False),
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
    assert (found.payment_days, found.late_days, found.idle_days) == (35, 4, None)
    assert not found.is_fast


def test_a_stage_that_runs_backwards_is_none() -> None:
    sent, paid = AS_OF - timedelta(11), AS_OF - timedelta(5)
    found = certificate_state("pagado", 10, sent_on=sent, conformity_on=sent, paid_on=paid)
    assert (found.sending_days, found.payment_days) == (None, 5)


@pytest.mark.parametrize(("days", "fast"), [(-3, True), (0, True), (25, True), (26, False)])
def test_what_is_paid_soon_is_fast(days: int, fast: bool) -> None:
    found = certificate_state("pagado", 40, paid_on=AS_OF - timedelta(40 - days))
    assert (found.is_fast, found.payment_days, found.is_advance) == (fast, max(days, 0), days < 0)
    assert not certificate_state("pagado", 40).is_fast, "nobody knows when"


def test_what_is_paid_in_part_has_no_payment_time() -> None:
    found = certificate_state("pagado", 40, paid_on=AS_OF, amount_paid=10)
    assert (found.payment_days, found.settling_days, found.is_fast) == (None, None, False)


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


@pytest.mark.parametrize(
    ("row", "reworked", "rejected", "first_pass"),
    [
        (made("validado"), False, False, True),
        (made("enviado"), False, False, False),
        (made("validado", rejection_count=1), False, True, False),
        (made("validado", rework_count=2), True, False, False),
        (made("validado", rework_count=None), None, False, None),
        (made("validado", rejection_count=None), False, None, None),
        (made("validado", (30, "rework"), (40, "accepted")), True, False, False),
        (made("validado", (30, "rejected"), (40, "accepted")), False, True, False),
        (made("validado", (8, "accepted"), (80, "rejected"), (90, "accepted")), False, False, True),
    ],
)
def test_what_came_back_by_the_day(
    row: Row, reworked: bool | None, rejected: bool | None, first_pass: bool | None
) -> None:
    found = on_day(row, 60)
    assert (found.is_reworked, found.was_rejected, found.is_first_pass) == (reworked, rejected, first_pass)
