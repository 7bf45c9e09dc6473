"""How one certificate stands on a business date, by the terms of the domain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

BUCKETS = {"0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90), "91-120": (91, 120), "120+": (121, None)}
DUE_BUCKETS = ("not_due", *BUCKETS, "undated")
ISSUED_AGES = {
    "0-6": (0, 6),
    "7-13": (7, 13),
    "14-29": (14, 29),
    "30-59": (30, 59),
    "60-89": (60, 89),
    "90-179": (90, 179),
    "180-364": (180, 364),
    "365-729": (365, 729),
    "730+": (730, None),
}
AMOUNT_BANDS = ("bajo", "medio", "alto", "muy alto")
DECIMALS = {"CLP": 0, "EUR": 2, "USD": 2}


@dataclass(frozen=True)
class Limits:
    """The thresholds of the definitions.

    Attributes:
        critical_days: Days after sending beyond which an open certificate is critical.
        payment_term_days: Days from sending to the assumed due date.
        fast_days: Days from issue within which a payment is fast.
        loss_days: Days from issue after which what is unpaid counts as lost.
        target_days: The DSO aimed at.
        benchmark_days: The DSO of the industry.
        stable_share: A smaller change than this part of the previous value is none.
        monthly_targets: Approved billing aimed at, by currency, in minor units.
    """

    critical_days: int = 60
    payment_term_days: int = 30
    fast_days: int = 25
    loss_days: int = 365
    target_days: int = 35
    benchmark_days: int = 45
    stable_share: float = 0.05
    monthly_targets: Mapping[str, int] = field(default_factory=dict)


def amount_cuts(currency: str) -> tuple[int, ...]:
    """Where the bands of an amount change, in minor units."""
    whole = (1_000_000, 5_000_000, 10_000_000) if currency == "CLP" else (1_000, 5_000, 10_000)
    return tuple(cut * 10 ** DECIMALS[currency] for cut in whole)


@dataclass(frozen=True)
class CertificateState:
    """One certificate on a business date.

    Attributes:
        row: The certificate.
        values: Its value of each dimension; state and age are those of the date.
        currency: Code of its currency.
        proposed: Amount claimed.
        accepted_amount: Amount accepted, whether it has been by the date or not.
        outstanding: The accepted amount once accepted, else the claimed one.
        state: Its state on the date.
        age: Days since issue.
        sent: When it was sent, if it has been.
        due: When it is to be paid, where that is known or can be assumed.
        is_due_assumed: The due date is sending and the payment term.
        is_high: The claimed amount reaches the first cut.
        is_fast: It was paid soon after issue, or is accepted.
        is_first_pass: It is accepted, was never reworked and never rejected.
        is_reworked: The client asked for rework.
        is_critical: It is not paid and was sent too long ago.
        overdue_days: Days past the due date.
        sending_days: Days from issue to sending.
        acceptance_days: Days from sending to conformity.
        settling_days: Days from conformity to payment.
        payment_days: Days from issue to payment.
        cycle_days: The same, where every milestone is known.
        late_days: Days after the due date on which it was paid, or on which it still is not.
        waiting_days: Days since sending, while the client owes an answer.
        idle_days: Days since the last milestone, of what is neither paid nor rejected.
        paid_month: Month of payment, where it is known.
    """

    row: dict[str, Any]
    values: dict[str, str]
    currency: str
    proposed: int
    accepted_amount: int
    outstanding: int
    state: str
    age: int
    sent: date | None
    due: date | None
    is_due_assumed: bool
    is_high: bool
    is_fast: bool
    is_first_pass: bool
    is_reworked: bool
    is_critical: bool
    overdue_days: int | None
    sending_days: int | None
    acceptance_days: int | None
    settling_days: int | None
    payment_days: int | None
    cycle_days: int | None
    late_days: int | None
    waiting_days: int | None
    idle_days: int | None
    paid_month: str | None

    @property
    def is_accepted(self) -> bool:
        """The client has accepted."""
        return self.state in {"validado", "pagado"}

    @property
    def is_rejected(self) -> bool:
        """The client has rejected."""
        return self.state == "rechazado"

    @property
    def is_decided(self) -> bool:
        """The client has accepted or rejected."""
        return self.is_accepted or self.is_rejected

    @property
    def is_paid(self) -> bool:
        """It is paid."""
        return self.state == "pagado"

    @property
    def is_open(self) -> bool:
        """It is not paid."""
        return not self.is_paid

    @property
    def is_receivable(self) -> bool:
        """It is claimed or accepted, and not paid."""
        return self.state in {"enviado", "pendiente", "validado"}

    @property
    def is_portfolio(self) -> bool:
        """It is neither paid nor rejected."""
        return self.is_open and not self.is_rejected

    @property
    def is_pending(self) -> bool:
        """It waits for being sent or for an answer."""
        return self.state in {"revision", "enviado", "pendiente"}

    @property
    def is_overdue(self) -> bool:
        """It is not paid and its due date has gone by."""
        return self.is_open and self.overdue_days is not None and self.overdue_days > 0

    @property
    def bucket(self) -> str | None:
        """Ageing bucket by issue; None once paid."""
        return _range_of(self.age, BUCKETS) if self.is_open else None

    @property
    def due_bucket(self) -> str | None:
        """Ageing bucket by due date; None once paid."""
        if self.is_paid:
            return None
        if self.overdue_days is None:
            return "undated"
        return "not_due" if self.overdue_days < 1 else _range_of(self.overdue_days, BUCKETS)

    @property
    def urgency(self) -> int:
        """How urgent a critical certificate is, of 100."""
        top = amount_cuts(self.currency)[2]
        amount = min(max(self.outstanding, 0), top)
        late = min(max(self.overdue_days or 0, 0), 120)
        return 40 * min(self.critical_age, 180) // 180 + 40 * amount // top + 20 * late // 120

    @property
    def critical_age(self) -> int:
        """Days since sending of a critical certificate."""
        assert self.sent is not None
        issued: date = self.row["issued_on"]
        return self.age - (self.sent - issued).days


def certificate_state(row: dict[str, Any], as_of: date, limits: Limits) -> CertificateState:
    """How a certificate stands on a date; it must have been issued by then."""

    def happened(milestone: str) -> date | None:
        day: date | None = row[milestone]
        return day if day is not None and day <= as_of else None

    state = _state(row, as_of)
    accepted, paid = state in {"validado", "pagado"}, state == "pagado"
    issued: date = row["issued_on"]
    age = (as_of - issued).days
    sent, conformity = happened("sent_on"), happened("conformity_on")
    paid_on = happened("paid_on") if paid else None
    assumed = row["expected_payment_on"] is None and sent is not None
    due = row["expected_payment_on"]
    if due is None and sent is not None:
        due = sent + timedelta(limits.payment_term_days)
    overdue = _days(due, as_of)
    sending, acceptance = _ordered(issued, sent), _days(sent, conformity)
    settling, payment = _ordered(conformity, paid_on), _days(issued, paid_on)
    late = _days(due, as_of if not paid else paid_on)
    cuts = amount_cuts(row["currency"])
    return CertificateState(
        row=row,
        values={
            "month": row["month"],
            **{name: row[name] for name in ("client", "project", "project_manager", "administrator")},
            "state": state,
            "project_type": row["project_type"],
            "amount_band": AMOUNT_BANDS[sum(row["amount_proposed"] >= cut for cut in cuts)],
            "issued_age": _range_of(age, ISSUED_AGES),
        },
        currency=row["currency"],
        proposed=row["amount_proposed"],
        accepted_amount=row["amount_approved"],
        outstanding=row["amount_approved"] if accepted else row["amount_proposed"],
        state=state,
        age=age,
        sent=sent,
        due=due,
        is_due_assumed=not paid and assumed,
        is_high=row["amount_proposed"] >= cuts[0],
        is_fast=accepted or (payment is not None and payment < limits.fast_days),
        is_first_pass=accepted and row["rework_count"] == 0 and row["rejection_count"] == 0,
        is_reworked=row["rework_count"] > 0,
        is_critical=not paid and sent is not None and (as_of - sent).days > limits.critical_days,
        overdue_days=overdue,
        sending_days=sending,
        acceptance_days=acceptance,
        settling_days=settling,
        payment_days=payment,
        cycle_days=payment if None not in (sending, acceptance, settling) else None,
        late_days=late if late is not None and late > 0 else None,
        waiting_days=_days(sent, as_of) if not conformity and state in {"enviado", "pendiente"} else None,
        idle_days=(as_of - max(day for day in (issued, sent, conformity) if day is not None)).days
        if not paid and state != "rechazado"
        else None,
        paid_month=f"{paid_on:%Y-%m}" if paid_on else None,
    )


def certificate_states(
    rows: Iterable[dict[str, Any]], as_of: date, limits: Limits | None = None
) -> list[CertificateState]:
    """Every certificate that exists on a date."""
    limits = limits or Limits()
    return [certificate_state(row, as_of, limits) for row in rows if row["issued_on"] <= as_of]


def _state(row: dict[str, Any], as_of: date) -> str:
    """The state on the date: what is dated later has not happened; undated, as the milestone before it."""

    def happened(*milestones: str) -> bool:
        dated = [row[milestone] for milestone in milestones if row[milestone] is not None]
        return not dated or dated[0] <= as_of

    state = row["state"]
    if state == "pagado" and not happened("paid_on", "conformity_on", "sent_on"):
        state = "validado"
    if state == "validado" and not happened("conformity_on", "sent_on"):
        state = "enviado"
    if state in {"enviado", "pendiente", "rechazado"} and not happened("sent_on"):
        state = "revision"
    return str(state)


def _days(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first is not None and last is not None else None


def _ordered(first: date | None, last: date | None) -> int | None:
    days = _days(first, last)
    return days if days is not None and days >= 0 else None


def _range_of(days: int, ranges: Mapping[str, tuple[int, int | None]]) -> str:
    return next(label for label, (_, last) in ranges.items() if last is None or days <= last)
