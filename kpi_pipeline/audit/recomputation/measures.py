"""What is summed: of a certificate on a day, and of a cost."""

from collections.abc import Callable
from datetime import date
from typing import Any

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState, Limits
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.ranges import BUCKETS, DUE_BUCKETS
from kpi_pipeline.audit.recomputation.standing import ACCEPTED, AWAITING, CANCELLED, RETURNED, UNSENT

STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
IDLE = {"notice": (7, 13), "warning": (14, 20), "urgent": (21, 29), "critical": (30, None)}

Holds = Callable[[CertificateState], bool]
Value = Callable[[CertificateState], int]
EventDay = Callable[[CertificateState], date | None]
Measure = Callable[[CertificateState, Window], int]


def _one(_: CertificateState) -> int:
    return 1


def _flow(on: EventDay, holds: Holds, what: Value) -> Measure:
    return lambda one, window: what(one) if on(one) in window and holds(one) else 0


def _flow_pair(stem: str, on: EventDay, holds: Holds, what: Value) -> dict[str, Measure]:
    return {
        f"{stem}_amount": _flow(on, holds, what),
        f"{stem}_count": _flow(on, lambda one: one.is_counted and holds(one), _one),
    }


def _flow_days(name: str, on: EventDay) -> dict[str, Measure]:
    def known(one: CertificateState) -> bool:
        return getattr(one, name) is not None

    return {
        name: _flow(on, known, lambda one: getattr(one, name)),
        f"{name}_count": _flow(on, known, _one),
    }


def _stock(holds: Holds, what: Value) -> Measure:
    return lambda one, _: what(one) if one.is_issued and holds(one) else 0


def _stock_pair(stem: str, holds: Holds, what: Value) -> dict[str, Measure]:
    return {
        f"{stem}_amount": _stock(holds, what),
        f"{stem}_count": _stock(lambda one: one.is_counted and holds(one), _one),
    }


def _stock_days(name: str) -> dict[str, Measure]:
    def known(one: CertificateState) -> bool:
        return getattr(one, name) is not None

    return {name: _stock(known, lambda one: getattr(one, name)), f"{name}_count": _stock(known, _one)}


def issued(one: CertificateState) -> date | None:
    """Day of issue."""
    return one.issued


def answered(one: CertificateState) -> date | None:
    """Day of the client's answer."""
    return one.answered_on


def _proposed(one: CertificateState) -> int:
    return one.proposed


def _accepted(one: CertificateState) -> int:
    return one.accepted_amount


def _open(one: CertificateState) -> int:
    return one.outstanding


def _counts(one: CertificateState) -> bool:
    return one.standing != CANCELLED


def is_billed(one: CertificateState) -> bool:
    """It is billing: the client owes it or has paid it."""
    return one.is_receivable or one.is_paid


def _in_months(back: int) -> Measure:
    return lambda one, window: (
        one.proposed if _counts(one) and one.is_issued and window.last_month(one.issued, back) else 0
    )


def _idle(first: int, last: int | None) -> Holds:
    return lambda one: (
        one.idle_days is not None and one.idle_days >= first and (last is None or one.idle_days <= last)
    )


def _labelled(of: Callable[[CertificateState], str | None], label: str) -> Holds:
    return lambda one: of(one) == label


FLOWS: dict[str, Measure] = {
    **_flow_pair("proposed", issued, _counts, _proposed),
    "cancelled_count": _flow(issued, lambda one: not _counts(one), _one),
    **_flow_pair("approved", answered, lambda one: one.is_accepted, _accepted),
    **_flow_pair(
        "paid", lambda one: one.settled_on, lambda one: one.collected != 0, lambda one: one.collected
    ),
    "billed_amount": _flow(issued, is_billed, lambda one: one.claimed),
    "billed_quarter": lambda one, window: (
        one.claimed if is_billed(one) and one.is_issued and window.last_month(one.issued, 0, 3) else 0
    ),
    "proposed_last_month": _in_months(0),
    "proposed_month_before": _in_months(1),
    "proposed_month_year_before": _in_months(12),
    "approved_month": lambda one, window: (
        one.accepted_amount if one.is_accepted and window.this_month(one.accepted_on) else 0
    ),
    "approved_year": lambda one, window: (
        one.accepted_amount if one.is_accepted and window.this_year(one.accepted_on) else 0
    ),
    "decided_proposed_amount": _flow(answered, lambda one: one.is_decided, _proposed),
    "decided_count": _flow(answered, lambda one: one.is_counted and one.is_decided, _one),
    "reworked_count": _flow(issued, lambda one: one.is_counted and bool(one.is_reworked), _one),
    "rework_known_count": _flow(issued, lambda one: one.is_counted and one.is_reworked is not None, _one),
    "rejection_known_count": _flow(
        answered, lambda one: one.is_counted and one.is_decided and one.was_rejected is not None, _one
    ),
    "rejected_count": _flow(
        answered,
        lambda one: one.is_counted and one.standing == RETURNED and one.was_rejected is not None,
        _one,
    ),
    "first_pass_count": _flow(
        answered, lambda one: one.is_counted and one.is_accepted and bool(one.is_first_pass), _one
    ),
    "first_pass_known_count": _flow(
        answered, lambda one: one.is_counted and one.is_decided and one.is_first_pass is not None, _one
    ),
    "high_count": _flow(issued, lambda one: one.is_counted and one.is_high, _one),
    "approved_assumed_count": _flow(
        answered,
        lambda one: one.is_counted and one.is_accepted and one.row["approved_assumed"],
        _one,
    ),
    **_flow_days("sending_days", lambda one: one.sent),
    **_flow_days("acceptance_days", lambda one: one.conformity),
    **_flow_days("settling_days", lambda one: one.paid_on),
    **_flow_days("payment_days", lambda one: one.paid_on),
    **_flow_days("late_days", lambda one: one.late_on),
    "fast_count": _flow(lambda one: one.paid_on, lambda one: one.is_fast, _one),
    **_flow_pair("state_pagado", lambda one: one.settled_on, lambda one: one.is_paid, _proposed),
}
"""Of events in the window."""

STOCKS: dict[str, Measure] = {
    **_stock_pair("receivable", lambda one: one.is_receivable, _open),
    **_stock_pair("portfolio", lambda one: one.standing in {UNSENT, AWAITING, ACCEPTED}, _open),
    **_stock_pair("pending", lambda one: one.standing in {UNSENT, AWAITING}, _open),
    **_stock_pair("returned", lambda one: one.standing == RETURNED, _open),
    **_stock_days("returned_days"),
    **_stock_pair("unsent", lambda one: one.standing == UNSENT, _open),
    **_stock_days("unsent_days"),
    **_stock_pair("overdue", lambda one: one.is_overdue, _open),
    **_stock_pair("critical", lambda one: one.is_critical, _open),
    "current_amount": _stock(lambda one: one.is_receivable and not one.is_overdue, _open),
    "receivable_age_amount": _stock(lambda one: one.is_receivable, lambda one: one.outstanding * one.age),
    "critical_age": _stock(lambda one: one.is_critical, lambda one: one.critical_age or 0),
    "due_assumed_count": _stock(
        lambda one: one.is_counted and one.is_receivable and one.is_due_assumed, _one
    ),
    "waiting_amount": _stock(lambda one: one.waiting_days is not None, _open),
    **_stock_days("waiting_days"),
    **_stock_days("idle_days"),
    **{f"idle_{level}_count": _stock(_idle(*ends), _one) for level, ends in IDLE.items()},
    **{
        name: measure
        for stem, labels, of in (
            ("ageing", tuple(BUCKETS), lambda one: one.bucket),
            ("due", DUE_BUCKETS, lambda one: one.due_bucket),
        )
        for label in labels
        for name, measure in _stock_pair(f"{stem}_{label}", _labelled(of, label), _open).items()
    },
    **{
        name: measure
        for state in STATES
        if state != "pagado"
        for name, measure in _stock_pair(
            f"state_{state}", _labelled(lambda one: one.state, state), _proposed
        ).items()
    },
    "retained_amount": _stock(_counts, lambda one: one.withheld),
}
"""As they stand on the day."""


def rolls(limits: Limits) -> dict[str, Value]:
    """What was unpaid when it reached each ageing bucket, and what of it was when it left.

    Only what is old enough to count as lost tells: it has gone through all of them.
    """

    def reached(first: int) -> Value:
        def value(one: CertificateState) -> int:
            claimed = one.is_receivable or one.payment_days is not None
            unpaid_then = one.payment_days is None or one.payment_days >= first
            return one.claimed if claimed and one.age >= limits.loss_days and unpaid_then else 0

        return value

    def rolled(first: int, end: int) -> Value:
        get = reached(first)
        return lambda one: get(one) if one.payment_days is None or one.payment_days >= end else 0

    found: dict[str, Value] = {}
    for label, (first, last) in BUCKETS.items():
        end = limits.loss_days if last is None else last + 1
        found[f"reached_{label}"] = reached(first)
        found[f"rolled_{label}"] = rolled(first, end)
    return found


COSTS = ("cost_opex_amount", "cost_capex_amount", "cost_count", "paid_out_amount", "cost_open_amount")
"""What is summed of costs."""

Cost = dict[str, Any]


def cost_amounts(cost: Cost, window: Window) -> dict[str, int]:
    """What a cost adds to the sums of a window."""
    paid = cost["paid_on"] is not None and cost["paid_on"] <= window.day
    invoiced = cost["invoiced_on"] in window
    return {
        f"cost_{cost['kind']}_amount": cost["amount"] if invoiced else 0,
        "cost_count": int(invoiced),
        "paid_out_amount": cost["amount"] if paid and cost["paid_on"] in window else 0,
        "cost_open_amount": 0 if paid else cost["amount"],
    }
