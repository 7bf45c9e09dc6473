"""What is told of one certificate on a day: its due date, its ages and durations, what befell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from kpi_pipeline.audit.recomputation.ranges import AMOUNT_BANDS, BUCKETS, ISSUED_AGES, amount_cuts, range_of
from kpi_pipeline.audit.recomputation.standing import AWAITING, RETURNED, RETURNS, UNSENT, Standing


@dataclass(frozen=True)
class Limits:
    """The thresholds of the definitions.

    Attributes:
        critical_days: Days after the first sending beyond which a receivable certificate is critical.
        payment_term_days: Days from acceptance, else from sending, to the assumed due date.
        fast_days: Days from issue within which a payment is fast.
        loss_days: Days from issue after which what is unpaid counts as lost.
        target_days: The DSO aimed at.
        benchmark_days: The DSO of the industry.
        stable_share: A smaller change than this part of the previous value is none.
        monthly_targets: Approved billing aimed at, by currency, in minor units.
        amount_cuts: Where the bands of an amount change, likewise; the usual ones where it names none.
    """

    critical_days: int = 60
    payment_term_days: int = 30
    fast_days: int = 25
    loss_days: int = 365
    target_days: int = 35
    benchmark_days: int = 45
    stable_share: float = 0.05
    monthly_targets: Mapping[str, int] = field(default_factory=dict)
    amount_cuts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def cuts(self, currency: str) -> tuple[int, ...]:
        """Where the bands of an amount change, in minor units."""
        return self.amount_cuts.get(currency) or amount_cuts(currency)


class CertificateState(Standing):
    """One certificate on a day.

    Attributes:
        limits: The thresholds.
        values: Its value of each dimension; state and age are those of the day.
    """

    def __init__(self, row: dict[str, Any], day: date, limits: Limits) -> None:
        super().__init__(row, day)
        self.limits = limits
        band = sum(self.proposed >= cut for cut in limits.cuts(self.currency))
        names = ("month", "client", "project", "project_manager", "administrator", "project_type")
        self.values: dict[str, str] = {
            **{name: row[name] for name in names},
            "state": self.state,
            "amount_band": AMOUNT_BANDS[band],
            "issued_age": range_of(self.age, ISSUED_AGES),
        }

    @cached_property
    def issued(self) -> date:
        """Day of issue."""
        issued: date = self.row["issued_on"]
        return issued

    @cached_property
    def is_issued(self) -> bool:
        """It has been issued: an advance may be paid before."""
        return self.issued <= self.day

    @cached_property
    def age(self) -> int:
        """Days since issue."""
        return (self.day - self.issued).days

    @cached_property
    def sendings(self) -> list[date]:
        """Every day on which it was sent, by the day."""
        found = [event["day"] for event in self.events if event["event"] == "sent"]
        return sorted(found + ([self.row["sent_on"]] if self._passed("sent_on") else []))

    @cached_property
    def sent(self) -> date | None:
        """When it was first sent."""
        return next(iter(self.sendings), None)

    @cached_property
    def conformity(self) -> date | None:
        """When the client accepted it, where that stands by the day."""
        if not self.is_accepted:
            return None
        own: date | None = self.row["conformity_on"] if self._passed("conformity_on") else None
        if self.row["history"] is None:
            return own
        acceptances: list[date] = []
        for event in self.events:
            if event["event"] == "accepted":
                acceptances.append(event["day"])
            elif event["event"] in {*RETURNS, "cancelled"}:
                acceptances = []
        return own if own in acceptances else next(iter(acceptances), None)

    @cached_property
    def paid_on(self) -> date | None:
        """When it was paid, in whole or in part."""
        return self.row["paid_on"] if self._passed("paid_on") else None

    @cached_property
    def returned_on(self) -> date | None:
        """When it was last returned."""
        return max((event["day"] for event in self.events if event["event"] in RETURNS), default=None)

    @cached_property
    def due(self) -> date | None:
        """When it is to be paid, where that is known or can be assumed."""
        given: date | None = self.row["expected_payment_on"]
        begin = self.conformity or self.sent
        if given is None and begin is not None:
            return begin + timedelta(self.limits.payment_term_days)
        return given

    @cached_property
    def is_due_assumed(self) -> bool:
        """It is owed, and its due date is assumed."""
        assumed = self.row["expected_payment_on"] is None and self.due is not None
        return self.is_receivable and self.is_counted and assumed

    @cached_property
    def overdue_days(self) -> int | None:
        """Days past the due date."""
        return _days(self.due, self.day)

    @cached_property
    def is_overdue(self) -> bool:
        """The client owes it, and its due date has gone by."""
        past = self.overdue_days is not None and self.overdue_days > 0
        return self.is_receivable and self.is_counted and past

    @cached_property
    def is_critical(self) -> bool:
        """The client owes it, and was sent it too long ago."""
        waited = _days(self.sent, self.day)
        late = waited is not None and waited > self.limits.critical_days
        return self.is_receivable and self.is_counted and late

    @cached_property
    def critical_age(self) -> int | None:
        """Days since the first sending of a critical certificate."""
        return _days(self.sent, self.day) if self.is_critical else None

    @cached_property
    def bucket(self) -> str | None:
        """Ageing bucket by issue, of what the client owes."""
        return range_of(self.age, BUCKETS) if self.is_receivable else None

    @cached_property
    def due_bucket(self) -> str | None:
        """Ageing bucket by due date, of what the client owes."""
        if not self.is_receivable:
            return None
        if self.overdue_days is None:
            return "undated"
        return "not_due" if self.overdue_days < 1 else range_of(self.overdue_days, BUCKETS)

    @cached_property
    def sending_days(self) -> int | None:
        """Days from issue to sending."""
        return self._of_counted(_ordered(self.issued, self.sent))

    @cached_property
    def acceptance_days(self) -> int | None:
        """Days from sending to acceptance."""
        return self._of_counted(_days(self.sent, self.conformity))

    @cached_property
    def settling_days(self) -> int | None:
        """Days from acceptance to payment."""
        return self._of_counted(_ordered(self.conformity, self.paid_on)) if self.is_paid else None

    @cached_property
    def payment_days(self) -> int | None:
        """Days from issue to payment; 0 of what was paid in advance."""
        days = _days(self.issued, self.paid_on) if self.is_paid else None
        return self._of_counted(None if days is None else max(days, 0))

    @cached_property
    def accepted_on(self) -> date | None:
        """When it was accepted, else sent, else issued; None where it is not accepted."""
        return (self.conformity or self.sent or self.issued) if self.is_accepted else None

    @cached_property
    def answered_on(self) -> date | None:
        """When the client answered; None where it has not."""
        if self.standing == RETURNED:
            return self.returned_on or self.sent or self.issued
        return self.accepted_on

    @cached_property
    def settled_on(self) -> date | None:
        """When it was paid, else accepted."""
        return self.paid_on or self.accepted_on

    @cached_property
    def late_on(self) -> date | None:
        """The day itself where it is overdue, else that of payment."""
        return self.day if self.is_overdue else self.paid_on

    @cached_property
    def is_high(self) -> bool:
        """The proposed amount reaches the highest cut."""
        return self.proposed >= self.limits.cuts(self.currency)[-1]

    @cached_property
    def is_advance(self) -> bool:
        """It was paid before it was issued."""
        return self.paid_on is not None and self.paid_on < self.issued

    @cached_property
    def is_fast(self) -> bool:
        """It was paid soon after issue."""
        return self.payment_days is not None and self.payment_days <= self.limits.fast_days

    @cached_property
    def late_days(self) -> int | None:
        """Days after the due date on which it was paid, or on which it still is not."""
        if self.is_overdue:
            return self.overdue_days
        days = _days(self.due, self.paid_on) if self.is_paid else None
        return self._of_counted(days) if days is not None and days > 0 else None

    @cached_property
    def waiting_days(self) -> int | None:
        """Days since the last sending, while the client owes an answer."""
        if self.standing != AWAITING or not self.sendings:
            return None
        return self._of_counted(_days(self.sendings[-1], self.day))

    @cached_property
    def returned_days(self) -> int | None:
        """Days since it was last returned, while it is."""
        return self._of_counted(_days(self.returned_on, self.day)) if self.standing == RETURNED else None

    @cached_property
    def unsent_days(self) -> int | None:
        """Days since issue, while it is not sent."""
        return self._of_counted(self.age) if self.standing == UNSENT else None

    @cached_property
    def idle_days(self) -> int | None:
        """Days since anything happened, of what is owed or not sent."""
        if not self.is_portfolio:
            return None
        dated = [self.issued, self.paid_on, self.conformity, *self.sendings]
        happened = [day for day in dated if day is not None] + [event["day"] for event in self.events]
        return self._of_counted((self.day - max(happened)).days)

    def _of_counted(self, days: int | None) -> int | None:
        return days if self.is_counted else None

    @cached_property
    def is_reworked(self) -> bool | None:
        """The client has asked for rework; None where nothing says."""
        return self._befell("rework_count", "rework")

    @cached_property
    def was_rejected(self) -> bool | None:
        """The client has refused it at any time; None where nothing says."""
        return self._befell("rejection_count", "rejected")

    @cached_property
    def is_first_pass(self) -> bool | None:
        """It is accepted and never came back; None where nothing says."""
        if self.is_reworked is None or self.was_rejected is None:
            return None
        return self.is_accepted and not self.is_reworked and not self.was_rejected

    def _befell(self, count: str, event: str) -> bool | None:
        undated: int | None = self.row[count]
        if undated is None:
            return None
        return undated > 0 or any(one["event"] == event for one in self.events)


def certificate_states(
    rows: Iterable[dict[str, Any]], day: date, limits: Limits | None = None
) -> list[CertificateState]:
    """Every certificate that exists on a day."""
    limits = limits or Limits()
    return [CertificateState(row, day, limits) for row in rows if row["issued_on"] <= day]


def _days(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first is not None and last is not None else None


def _ordered(first: date | None, last: date | None) -> int | None:
    days = _days(first, last)
    return days if days is not None and days >= 0 else None
