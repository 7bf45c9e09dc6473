"""How one certificate stands on a day, by the terms of the domain."""

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
UNSENT, AWAITING, ACCEPTED, RETURNED, PAID, CANCELLED = (
    "unsent",
    "awaiting",
    "accepted",
    "returned",
    "paid",
    "cancelled",
)
_STATES = {
    UNSENT: "revision",
    ACCEPTED: "validado",
    RETURNED: "rechazado",
    PAID: "pagado",
    CANCELLED: "anulado",
}


@dataclass(frozen=True)
class Limits:
    """The thresholds of the definitions.

    Attributes:
        critical_days: Days after sending beyond which a receivable certificate is critical.
        payment_term_days: Days from acceptance or sending to the assumed due date.
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


class CertificateState:
    """One certificate on a day.

    Attributes:
        row: The certificate.
        day: The day.
        limits: The thresholds.
        events: Its dated events by the day, where it has a history.
        sent: When it was first sent, if by the day.
        conformity: When it was accepted, if by the day.
        paid_on: When it was paid, in whole or in part, if by the day.
        standing: Where it stands.
        claimed: The accepted amount once accepted, else the claimed one.
        withheld: What of it the client retains.
        collected: What of it has been paid.
        outstanding: What of it is open; 0 once paid or cancelled.
    """

    def __init__(self, row: dict[str, Any], day: date, limits: Limits) -> None:
        self.row, self.day, self.limits = row, day, limits
        self.events = [event for event in row["history"] or () if event["day"] <= day]
        self.sent, self.conformity, self.paid_on = (
            row[name] if row[name] is not None and row[name] <= day else None
            for name in ("sent_on", "conformity_on", "paid_on")
        )
        self._stand()

    def _stand(self) -> None:
        row, word, has_history = self.row, self.row["state"], self.row["history"] is not None
        last = self.events[-1]["event"] if self.events else None
        was_sent = word not in {"revision", "anulado"} if row["sent_on"] is None else self.sent is not None
        if has_history:
            accepted, returned = last in {"accepted", "paid"}, last in {"rejected", "rework"}
        else:
            if row["conformity_on"] is None:
                accepted = word in {"validado", "pagado"} and was_sent
            else:
                accepted = self.conformity is not None
            returned = word == "rechazado" and was_sent and not accepted and self.conformity is None
        undated = row["paid_on"] is None
        has_payment = word == "pagado" and accepted if undated else self.paid_on is not None
        dated_cancellation = any(event["event"] == "cancelled" for event in row["history"] or ())
        cancelled = last == "cancelled" if has_history else False
        cancelled = cancelled or (word == "anulado" and not dated_cancellation)

        agreed = accepted or has_payment
        self.claimed: int = row["amount_approved"] if agreed else row["amount_proposed"]
        self.withheld: int = (row["amount_retained"] or 0) if agreed else 0
        part = 0
        if row["amount_paid"] is not None and (
            self.paid_on is not None or (row["paid_on"] is None and accepted)
        ):
            part = row["amount_paid"]
        left = self.claimed - part - self.withheld
        left = max(left, 0) if self.claimed >= 0 else min(left, 0)

        if cancelled:
            self.standing = CANCELLED
        elif has_payment and (row["amount_paid"] is None or left == 0):
            self.standing = PAID
        elif has_payment:
            self.standing = ACCEPTED
        elif returned:
            self.standing = RETURNED
        elif accepted:
            self.standing = ACCEPTED
        elif last == "sent" if last is not None else was_sent:
            self.standing = AWAITING
        else:
            self.standing = UNSENT
        self.outstanding: int = 0 if self.standing in {PAID, CANCELLED} else left
        if self.standing == CANCELLED:
            self.collected = 0
        elif row["amount_paid"] is not None:
            self.collected = part
        else:
            self.collected = row["amount_approved"] - self.withheld if self.standing == PAID else 0

    @property
    def state(self) -> str:
        """The name of the standing among states."""
        if self.standing == AWAITING:
            return "pendiente" if self.row["state"] == "pendiente" else "enviado"
        return _STATES[self.standing]

    @property
    def values(self) -> dict[str, str]:
        """Its value of each dimension; state and age are those of the day."""
        names = ("month", "client", "project", "project_manager", "administrator", "project_type")
        band = sum(self.proposed >= cut for cut in amount_cuts(self.currency))
        return {
            **{name: self.row[name] for name in names},
            "state": self.state,
            "amount_band": AMOUNT_BANDS[band],
            "issued_age": range_of(self.age, ISSUED_AGES),
        }

    @property
    def currency(self) -> str:
        """Code of its currency."""
        return str(self.row["currency"])

    @property
    def proposed(self) -> int:
        """Amount claimed."""
        return int(self.row["amount_proposed"])

    @property
    def accepted_amount(self) -> int:
        """Amount accepted, whether it has been by the day or not."""
        return int(self.row["amount_approved"])

    @property
    def issued(self) -> date:
        """Day of issue."""
        issued: date = self.row["issued_on"]
        return issued

    @property
    def is_issued(self) -> bool:
        """It has been issued: an advance may be paid before."""
        return self.issued <= self.day

    @property
    def age(self) -> int:
        """Days since issue."""
        return (self.day - self.issued).days

    @property
    def is_counted(self) -> bool:
        """It is a certificate in counts: neither cancelled nor a credit note."""
        return self.standing != CANCELLED and self.proposed >= 0

    @property
    def is_accepted(self) -> bool:
        """The client has accepted, and may have paid."""
        return self.standing in {ACCEPTED, PAID}

    @property
    def is_decided(self) -> bool:
        """The client has answered."""
        return self.is_accepted or self.standing == RETURNED

    @property
    def is_paid(self) -> bool:
        """It is paid whole."""
        return self.standing == PAID

    @property
    def is_open(self) -> bool:
        """It is neither paid nor cancelled."""
        return self.standing not in {PAID, CANCELLED}

    @property
    def is_receivable(self) -> bool:
        """The client owes it."""
        return self.standing in {AWAITING, ACCEPTED}

    @property
    def due(self) -> date | None:
        """When it is to be paid, where that is known or can be assumed."""
        if self.row["expected_payment_on"] is not None:
            given: date = self.row["expected_payment_on"]
            return given
        start = self.conformity if self.is_accepted and self.conformity is not None else self.sent
        return None if start is None else start + timedelta(self.limits.payment_term_days)

    @property
    def is_due_assumed(self) -> bool:
        """The due date is not given."""
        return self.row["expected_payment_on"] is None and self.due is not None

    @property
    def overdue_days(self) -> int | None:
        """Days past the due date."""
        return None if self.due is None else (self.day - self.due).days

    @property
    def is_overdue(self) -> bool:
        """The client should have paid it."""
        return self.is_receivable and self.is_counted and (self.overdue_days or 0) > 0

    @property
    def is_critical(self) -> bool:
        """The client has had it for too long."""
        waited = self.sent is not None and (self.day - self.sent).days > self.limits.critical_days
        return self.is_receivable and self.is_counted and waited

    @property
    def critical_age(self) -> int | None:
        """Days since it was first sent, of a critical one."""
        return (self.day - self.sent).days if self.is_critical and self.sent is not None else None

    @property
    def bucket(self) -> str | None:
        """Ageing bucket by issue; None of what is not receivable."""
        return range_of(self.age, BUCKETS) if self.is_receivable else None

    @property
    def due_bucket(self) -> str | None:
        """Ageing bucket by due date; None of what is not receivable."""
        if not self.is_receivable:
            return None
        if self.overdue_days is None:
            return "undated"
        return "not_due" if self.overdue_days < 1 else range_of(self.overdue_days, BUCKETS)

    @property
    def is_high(self) -> bool:
        """The claimed amount reaches the highest cut."""
        return self.proposed >= amount_cuts(self.currency)[-1]

    @property
    def is_reworked(self) -> bool | None:
        """The client has asked for rework; None where nobody can say."""
        return self._happened("rework_count", "rework")

    @property
    def was_rejected(self) -> bool | None:
        """The client has refused it at some time; None where nobody can say."""
        return self._happened("rejection_count", "rejected")

    @property
    def is_first_pass(self) -> bool | None:
        """It has neither been reworked nor refused; None where nobody can say."""
        if self.is_reworked is None or self.was_rejected is None:
            return None
        return not self.is_reworked and not self.was_rejected

    def _happened(self, count: str, event: str) -> bool | None:
        if self.row[count] is None:
            return None
        return self.row[count] > 0 or any(one["event"] == event for one in self.events)

    @property
    def returned_on(self) -> date | None:
        """When it was last returned, where that is dated."""
        return self._last("rejected", "rework")

    @property
    def accepted_on(self) -> date | None:
        """When it was accepted, else sent, else issued; None where it is not accepted."""
        return (self.conformity or self.sent or self.issued) if self.is_accepted else None

    @property
    def answered_on(self) -> date | None:
        """When the client answered; None where it has not."""
        if self.standing == RETURNED:
            return self.returned_on or self.sent or self.issued
        return self.accepted_on

    @property
    def settled_on(self) -> date | None:
        """When it was paid, else accepted."""
        return self.paid_on or self.accepted_on

    @property
    def late_on(self) -> date | None:
        """The day itself where it is overdue, else that of payment."""
        return self.day if self.is_overdue else self.paid_on

    @property
    def is_advance(self) -> bool:
        """It was paid before it was issued."""
        return self.paid_on is not None and self.paid_on < self.issued

    @property
    def sending_days(self) -> int | None:
        """Days from issue to sending."""
        return self._between(self.issued, self.sent)

    @property
    def acceptance_days(self) -> int | None:
        """Days from sending to conformity."""
        if not self.is_counted or not self.is_accepted or self.sent is None or self.conformity is None:
            return None
        return (self.conformity - self.sent).days

    @property
    def settling_days(self) -> int | None:
        """Days from conformity to payment."""
        return self._between(self.conformity, self.paid_on) if self.is_paid else None

    @property
    def payment_days(self) -> int | None:
        """Days from issue to payment; 0 of an advance."""
        if not self.is_counted or not self.is_paid or self.paid_on is None:
            return None
        return max((self.paid_on - self.issued).days, 0)

    @property
    def is_fast(self) -> bool:
        """It was paid soon after issue."""
        return self.payment_days is not None and self.payment_days <= self.limits.fast_days

    @property
    def late_days(self) -> int | None:
        """Days after the due date on which it was paid, or on which it still is not."""
        if self.is_overdue:
            return self.overdue_days
        if not self.is_counted or not self.is_paid or self.paid_on is None or self.due is None:
            return None
        return (self.paid_on - self.due).days if self.paid_on > self.due else None

    @property
    def waiting_days(self) -> int | None:
        """Days since it was last sent, while the client owes an answer."""
        if not self.is_counted or self.standing != AWAITING:
            return None
        sendings = [day for day in (self.sent, self._last("sent")) if day is not None]
        return (self.day - max(sendings)).days if sendings else None

    @property
    def returned_days(self) -> int | None:
        """Days since the last return."""
        known = self.is_counted and self.standing == RETURNED and self.returned_on is not None
        return (self.day - self.returned_on).days if known and self.returned_on else None

    @property
    def unsent_days(self) -> int | None:
        """Days since issue, of what has not been sent."""
        return self.age if self.is_counted and self.standing == UNSENT else None

    @property
    def idle_days(self) -> int | None:
        """Days since the last milestone, of what is unsent or receivable."""
        if not self.is_counted or self.standing not in {UNSENT, AWAITING, ACCEPTED}:
            return None
        milestones = [self.issued, self.sent, self.conformity, *(event["day"] for event in self.events)]
        return (self.day - max(day for day in milestones if day is not None)).days

    def _last(self, *names: str) -> date | None:
        return max((event["day"] for event in self.events if event["event"] in names), default=None)

    def _between(self, first: date | None, last: date | None) -> int | None:
        if not self.is_counted or first is None or last is None or last < first:
            return None
        return (last - first).days


def certificate_states(
    rows: Iterable[dict[str, Any]], day: date, limits: Limits | None = None
) -> list[CertificateState]:
    """Every certificate that exists on a day: issued by then."""
    limits = limits or Limits()
    return [CertificateState(row, day, limits) for row in rows if row["issued_on"] <= day]


def range_of(days: int, ranges: Mapping[str, tuple[int, int | None]]) -> str:
    """The range in which a number of days lies."""
    return next(label for label, (_, last) in ranges.items() if last is None or days <= last)
