"""How one certificate stands on a business date, by the words of the domain."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

CRITICAL_DAYS = 60
PAYMENT_TERM_DAYS = 30

_LAST_DAY_OF_BUCKET = {"0-30": 30, "31-60": 60, "61-90": 90, "91-120": 120}


@dataclass(frozen=True)
class Standing:
    """One certificate on a business date.

    Attributes:
        values: Its value of each dimension; the state is that of the date.
        currency: Code of its currency.
        proposed: Amount claimed.
        approved: Amount accepted, 0 while the client has not accepted.
        outstanding: Amount not yet paid: the accepted one once accepted, else the claimed one.
        is_accepted: The client has accepted.
        is_decided: The client has accepted or rejected.
        is_paid: It is paid.
        is_receivable: It is claimed or accepted, and not paid.
        is_overdue: It is not paid and its due date has gone by.
        is_due_assumed: It is not paid, and its due date is an assumption.
        is_critical: It is not paid and was sent too long ago.
        bucket: Ageing bucket; None once paid.
        acceptance_days: Days from sending to conformity.
        waiting_days: Days since sending, while the client owes an answer.
        paid_month: Month of payment, where it is known.
    """

    values: dict[str, str]
    currency: str
    proposed: int
    approved: int
    outstanding: int
    is_accepted: bool
    is_decided: bool
    is_paid: bool
    is_receivable: bool
    is_overdue: bool
    is_due_assumed: bool
    is_critical: bool
    bucket: str | None
    acceptance_days: int | None
    waiting_days: int | None
    paid_month: str | None


def standings(rows: Iterable[dict[str, Any]], as_of: date) -> list[Standing]:
    """Every certificate that exists on a date."""
    return [_standing(row, as_of) for row in rows if row["issued_on"] <= as_of]


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


def _standing(row: dict[str, Any], as_of: date) -> Standing:
    state = _state(row, as_of)
    accepted, paid = state in {"validado", "pagado"}, state == "pagado"
    sent, conformity = (
        day if day is not None and day <= as_of else None for day in (row["sent_on"], row["conformity_on"])
    )
    assumed = row["expected_payment_on"] is None and sent is not None
    due = sent + timedelta(PAYMENT_TERM_DAYS) if assumed else row["expected_payment_on"]
    age = (as_of - row["issued_on"]).days
    bucket = next((name for name, last in _LAST_DAY_OF_BUCKET.items() if age <= last), "120+")
    return Standing(
        values={
            **{
                name: row[name]
                for name in (
                    "month",
                    "client",
                    "project",
                    "project_manager",
                    "administrator",
                    "project_type",
                )
            },
            "state": state,
        },
        currency=row["currency"],
        proposed=row["amount_proposed"],
        approved=row["amount_approved"] if accepted else 0,
        outstanding=row["amount_approved"] if accepted else row["amount_proposed"],
        is_accepted=accepted,
        is_decided=accepted or state == "rechazado",
        is_paid=paid,
        is_receivable=state in {"enviado", "pendiente", "validado"},
        is_overdue=not paid and due is not None and as_of > due,
        is_due_assumed=not paid and assumed,
        is_critical=not paid and sent is not None and (as_of - sent).days > CRITICAL_DAYS,
        bucket=None if paid else bucket,
        acceptance_days=(conformity - sent).days if sent and conformity else None,
        waiting_days=(as_of - sent).days
        if sent and not conformity and state in {"enviado", "pendiente"}
        else None,
        paid_month=f"{row['paid_on']:%Y-%m}" if paid and row["paid_on"] else None,
    )
