"""The bridge between two days, certificate by certificate and filter by filter."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.standing import ACCEPTED, AWAITING, CANCELLED, PAID, RETURNED, UNSENT

WINDOW_MONTHS = 12
OWED = {AWAITING, ACCEPTED}
FIGURES: dict[str, Callable[[CertificateState], int | None]] = {
    "receivable": lambda one: one.outstanding if one.is_issued and one.standing in OWED else None,
    "overdue": lambda one: one.outstanding if one.is_issued and one.is_overdue else None,
    "approved": lambda one: one.row["amount_approved"] if one.standing in {ACCEPTED, PAID} else None,
    "collected": lambda one: one.collected or None,
    "billed": lambda one: (
        one.claimed if one.standing in {*OWED, PAID} and one.issued in window_of(one.day) else None
    ),
}
"""What a certificate adds to a figure on a day; None where it is not in it."""

DIMENSIONS = ("client", "project", "project_manager", "administrator", "project_type")


def window_of(day: date) -> Window:
    """That of billing which ends on a day."""
    return Window.ending(day, WINDOW_MONTHS)


Day = dict[str, CertificateState]
"""The certificates that are issued or paid by a day, by their ids."""


def filters_of(*days: Day) -> list[tuple[str, str]]:
    """Everything, and each single value that a certificate has."""
    found = {(name, one.values[name]) for day in days for one in day.values() for name in DIMENSIONS}
    return [("", ""), *sorted(found)]


def bridge(
    opening: Day, closing: Day, asked: tuple[str, str], currency: str, figure: str, closes_on: date
) -> dict[str, Any]:
    """A figure of a filter and currency on both days; its parts: amount, change in count, certificates."""

    def admitted(day: Day) -> Day:
        name, value = asked
        return {
            key: one
            for key, one in day.items()
            if one.currency == currency and (not name or one.values[name] == value)
        }

    before, after = admitted(opening), admitted(closing)
    parts: dict[str, Counter[str]] = {}
    for key in {*before, *after}:
        first, last = before.get(key), after.get(key)
        # What is known on both days, but not both times under this filter, has moved.
        is_moved = (first is None) != (last is None) and key in opening and key in closing
        change = sums([last], figure)[0] - sums([first], figure)[0]
        count = sums([last], figure)[1] - sums([first], figure)[1]
        if change or count:
            name = "corrected" if is_moved else part(first, last, figure, closes_on)
            held = parts.setdefault(name, Counter())
            held.update({"amount": change, "count": count, "certificates": 1})
    return {
        "opening": sums(before.values(), figure),
        "parts": {
            name: (held["amount"], held["count"], held["certificates"]) for name, held in parts.items()
        },
        "closing": sums(after.values(), figure),
    }


def dso(day: Day, asked: tuple[str, str], currency: str, on: date) -> tuple[int, int, int]:
    """What DSO of a filter and currency is made of on a day: receivable, billed, and days."""
    name, value = asked
    inside = [one for one in day.values() if not name or one.values[name] == value]
    window = window_of(on)
    own = [one for one in inside if one.currency == currency]
    first = min((one.issued for one in inside if one.standing != CANCELLED), default=None)
    assert window.first is not None
    days = 0 if first is None else max((on - max(first, window.first)).days + 1, 0)
    return sums(own, "receivable")[0], sums(own, "billed")[0], days


def dso_parts(
    opening: tuple[int, int, int], closing: tuple[int, int, int], receivable: dict[str, int]
) -> tuple[int | None, dict[str, int], int | None]:
    """DSO of both days and its parts, in tenths of a day.

    Args:
        opening: Receivable, billed and days of the first day.
        closing: Of the last.
        receivable: By part, by how much it changed the receivable.
    """
    ends = [
        Fraction(10 * owed * days, billed) if billed and days else None
        for owed, billed, days in (opening, closing)
    ]
    first, last = (None if end is None else round(end) for end in ends)
    if ends[0] is None or ends[1] is None or first is None or last is None:
        return first, {}, last
    daily = Fraction(opening[1], opening[2])
    exact = {name: 10 * amount / daily for name, amount in receivable.items()}
    exact["billing"] = ends[1] - ends[0] - sum(exact.values())
    tenths = {name: number.numerator // number.denominator for name, number in exact.items()}
    # The largest remainder gains first, or loses last.
    order = sorted(exact, key=lambda name: exact[name] - tenths[name], reverse=True)
    missing = last - first - sum(tenths.values())
    for name in order[:missing] if missing >= 0 else order[missing:]:
        tenths[name] += 1 if missing > 0 else -1
    if not exact["billing"] and not tenths["billing"]:
        del tenths["billing"]
    return first, tenths, last


def sums(certificates: Any, figure: str) -> tuple[int, int]:
    """What certificates add to a figure, and how many of them are no credit notes."""
    held = [(one, FIGURES[figure](one)) for one in certificates if one is not None]
    inside = [(one, amount) for one, amount in held if amount is not None]
    return sum(amount for _, amount in inside), sum(one.proposed >= 0 for one, _ in inside)


def part(first: CertificateState | None, last: CertificateState | None, figure: str, closes_on: date) -> str:
    """Why a certificate changed a figure."""
    if last is None or last.standing == CANCELLED:
        return "cancelled"
    if first is None:
        return {"approved": "accepted", "collected": "paid"}.get(figure, "new")
    if first.standing == CANCELLED:
        return "corrected"
    was_in, is_in = (FIGURES[figure](one) is not None for one in (first, last))
    paid_more = abs(last.collected) > abs(first.collected)
    if figure == "collected":
        return "paid" if not was_in or (is_in and first.standing != PAID and paid_more) else "corrected"
    if figure == "approved":
        if not was_in:
            return "accepted"
        return "returned" if not is_in and last.standing == RETURNED else "corrected"
    if figure == "billed":
        return _of_billing(first, last, was_in, is_in)
    if figure == "overdue" and (first.proposed < 0) != (last.proposed < 0):
        return "corrected"
    has_accepted = (first.standing, last.standing) == (AWAITING, ACCEPTED)
    if was_in and is_in:
        return "paid" if paid_more else "accepted" if has_accepted else "corrected"
    if was_in and last.standing in {PAID, RETURNED}:
        return {PAID: "paid", RETURNED: "returned"}[last.standing]
    if is_in and (first.standing in {UNSENT, RETURNED} or is_issued_since(first, last)):
        return "new"
    if figure == "receivable" or not {first.standing, last.standing} <= OWED:
        return "corrected"
    return _of_dates(first, last, has_accepted, closes_on, is_in)


def _of_billing(first: CertificateState, last: CertificateState, was_in: bool, is_in: bool) -> str:
    """Why what is billed of one that was there on both days changed."""
    as_issued = first.issued == last.issued
    begins = window_of(last.day).first
    assert begins is not None
    if was_in and is_in:
        was_accepted = first.standing == AWAITING and last.standing in {ACCEPTED, PAID}
        return "accepted" if was_accepted else "corrected"
    if was_in and as_issued and last.issued < begins:
        return "aged_out"
    if was_in:
        return "returned" if last.standing == RETURNED else "corrected"
    is_new = first.standing in {UNSENT, RETURNED} or is_issued_since(first, last)
    return "new" if is_new else "corrected"


def is_issued_since(first: CertificateState, last: CertificateState) -> bool:
    """It was paid in advance, and has been issued between the days."""
    return first.issued == last.issued and first.issued > first.day


def _of_dates(
    first: CertificateState, last: CertificateState, has_accepted: bool, closes_on: date, is_in: bool
) -> str:
    """Why a receivable one became overdue, or is no longer."""
    if is_in and first.due is not None and first.due < closes_on:
        return "time"
    longer = last.limits.payment_term_days - first.limits.payment_term_days
    are_assumed = first.is_due_assumed and last.is_due_assumed
    moved_by = (last.due - first.due).days if first.due and last.due else 0
    if longer and moved_by == longer and are_assumed and first.standing == last.standing:
        return "definition"
    if first.due == last.due:
        return "corrected"
    return "accepted" if not is_in and has_accepted and last.is_due_assumed else "redated"
