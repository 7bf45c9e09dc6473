"""What is summed: of a certificate on a date, of a cost, and by which month."""

from collections.abc import Callable
from datetime import date
from typing import Any

from .certificate_states import BUCKETS, DUE_BUCKETS, CertificateState, Limits

STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
IDLE = {"notice": (7, 13), "warning": (14, 20), "urgent": (21, 29), "critical": (30, None)}

Measure = Callable[[CertificateState], int]


def _when(holds: Callable[[CertificateState], bool], what: Measure) -> Measure:
    return lambda one: what(one) if holds(one) else 0


def _amount_and_count(
    stem: str, holds: Callable[[CertificateState], bool], what: Measure
) -> dict[str, Measure]:
    return {f"{stem}_amount": _when(holds, what), f"{stem}_count": _when(holds, lambda _: 1)}


def _days(name: str) -> dict[str, Measure]:
    return {
        name: lambda one: getattr(one, name) or 0,
        f"{name}_count": lambda one: getattr(one, name) is not None,
    }


def _proposed(one: CertificateState) -> int:
    return one.proposed


def _accepted(one: CertificateState) -> int:
    return one.accepted_amount


def _open(one: CertificateState) -> int:
    return one.outstanding


def _idle(first: int, last: int | None) -> Measure:
    return lambda one: (
        one.idle_days is not None and one.idle_days >= first and (last is None or one.idle_days <= last)
    )


def rolls(limits: Limits) -> dict[str, Measure]:
    """What was unpaid when it reached each ageing bucket, and what of it was when it left.

    Only what is old enough to count as lost tells: it has gone through all of them.
    """

    def reached(first: int) -> Measure:
        def measure(one: CertificateState) -> int:
            claimed = one.is_receivable or one.payment_days is not None
            unpaid_then = one.payment_days is None or one.payment_days >= first
            return one.outstanding if claimed and one.age >= limits.loss_days and unpaid_then else 0

        return measure

    def rolled(first: int, end: int) -> Measure:
        get = reached(first)
        return lambda one: get(one) if one.payment_days is None or one.payment_days >= end else 0

    found: dict[str, Measure] = {}
    for label, (first, last) in BUCKETS.items():
        end = limits.loss_days if last is None else last + 1
        found[f"reached_{label}"] = reached(first)
        found[f"rolled_{label}"] = rolled(first, end)
    return found


FLOWS: dict[str, Measure] = {
    **_amount_and_count("proposed", lambda _: True, _proposed),
    **_amount_and_count("approved", lambda one: one.is_accepted, _accepted),
    **_amount_and_count("paid", lambda one: one.is_paid, _accepted),
    "decided_proposed_amount": _when(lambda one: one.is_decided, _proposed),
    "decided_count": lambda one: one.is_decided,
    **_amount_and_count("rejected", lambda one: one.is_rejected, _proposed),
    "reworked_count": lambda one: one.is_reworked,
    "first_pass_count": lambda one: one.is_first_pass,
    "fast_count": lambda one: one.is_fast,
    "high_count": lambda one: one.is_high,
    **_days("sending_days"),
    **_days("acceptance_days"),
    **_days("settling_days"),
    **_days("payment_days"),
    **_days("cycle_days"),
    **_days("late_days"),
}
"""Of certificates by billing month, as they stand now."""

STOCKS: dict[str, Measure] = {
    **_amount_and_count("receivable", lambda one: one.is_receivable, _open),
    **_amount_and_count("portfolio", lambda one: one.is_portfolio, _open),
    **_amount_and_count("pending", lambda one: one.is_pending, _open),
    **_amount_and_count("open", lambda one: one.is_open, _open),
    **_amount_and_count("overdue", lambda one: one.is_overdue, _open),
    **_amount_and_count("critical", lambda one: one.is_critical, _open),
    "current_amount": _when(lambda one: one.is_receivable and not one.is_overdue, _open),
    "open_age_amount": _when(lambda one: one.is_open, lambda one: one.outstanding * one.age),
    "critical_age": _when(lambda one: one.is_critical, lambda one: one.critical_age),
    "due_assumed_count": lambda one: one.is_due_assumed,
    "waiting_amount": _when(lambda one: one.waiting_days is not None, _open),
    **_days("waiting_days"),
    **_days("idle_days"),
    **{f"idle_{level}_count": _idle(*ends) for level, ends in IDLE.items()},
    **{
        f"receivable_{label}": _when(
            lambda one, label=label: one.is_receivable and one.bucket == label, _open
        )
        for label in BUCKETS
    },
}
"""The same; and, at each month end, as they stood then."""

SNAPSHOTS: dict[str, Measure] = {
    name: measure
    for stem, labels, of in (
        ("ageing", tuple(BUCKETS), lambda one: one.bucket),
        ("due", DUE_BUCKETS, lambda one: one.due_bucket),
    )
    for label in labels
    for name, measure in _amount_and_count(
        f"{stem}_{label}", lambda one, label=label, of=of: of(one) == label, _open
    ).items()
} | {
    name: measure
    for state in STATES
    for name, measure in _amount_and_count(
        f"state_{state}", lambda one, state=state: one.state == state, _proposed
    ).items()
}
"""Of certificates by billing month, only summed over a filter."""

CASH = ("collected_amount", "collected_count")
"""Payments by month of payment."""

COSTS = ("cost_opex_amount", "cost_capex_amount", "cost_paid_amount", "cost_open_amount", "cost_count")
"""Costs by month of invoice."""

COST_CASH = ("paid_out_amount",)
"""Payments to suppliers by month of payment."""

Cost = dict[str, Any]


def cost_amounts(cost: Cost, as_of: date) -> dict[str, int]:
    """What a cost adds to the sums by month of invoice."""
    amount = cost["amount"]
    return {
        f"cost_{cost['kind']}_amount": amount,
        f"cost_{'paid' if is_paid(cost, as_of) else 'open'}_amount": amount,
        "cost_count": 1,
    }


def is_paid(cost: Cost, as_of: date) -> bool:
    """The supplier has been paid."""
    return cost["paid_on"] is not None and cost["paid_on"] <= as_of
