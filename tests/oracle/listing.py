"""The list of certificates, one row after the other, straight from the oracle's rows."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .certificate_states import CertificateState
from .oracle import Oracle
from .ranges import AMOUNT_BANDS, ISSUED_AGES
from .standing import ACCEPTED, AWAITING, CANCELLED, PAID, RETURNED, UNSENT

STANDINGS: dict[str, Callable[[CertificateState], bool]] = {
    "receivable": lambda one: one.standing in {AWAITING, ACCEPTED},
    "overdue": lambda one: one.is_overdue,
    "critical": lambda one: one.is_critical,
    "awaiting": lambda one: one.standing == AWAITING,
    "accepted": lambda one: one.standing == ACCEPTED,
    "pending": lambda one: one.standing in {UNSENT, AWAITING},
    "portfolio": lambda one: one.standing in {UNSENT, AWAITING, ACCEPTED},
    "unsent": lambda one: one.standing == UNSENT,
    "returned": lambda one: one.standing == RETURNED,
    "paid": lambda one: one.standing == PAID,
    "cancelled": lambda one: one.standing == CANCELLED,
    "conformity_pending": lambda one: one.waiting_days is not None,
    "idle_notice": lambda one: 7 <= (one.idle_days or 0) <= 13,
    "idle_warning": lambda one: 14 <= (one.idle_days or 0) <= 20,
    "idle_urgent": lambda one: 21 <= (one.idle_days or 0) <= 29,
    "idle_critical": lambda one: (one.idle_days or 0) >= 30,
    "due_assumed": lambda one: one.is_due_assumed,
}
AMOUNTS = ("proposed", "approved", "collected", "open")
_STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado")
_PLACES = {
    "state": _STATES,
    "amount_band": AMOUNT_BANDS,
    "issued_age": tuple(ISSUED_AGES),
}


@dataclass(frozen=True)
class Listed:
    """One row.

    Attributes:
        one: The certificate.
        values: By column.
    """

    one: CertificateState
    values: dict[str, Any]


def listed(oracle: Oracle) -> list[Listed]:
    """Every certificate that has been issued."""
    return [Listed(one, _values(one)) for one in oracle.certificate_states if one.is_issued]


def selected(
    rows: Iterable[Listed], terms: dict[str, list[str]], standings: Iterable[str] = (), search: str = ""
) -> list[Listed]:
    """Those that a filter, standings and the words of a search select."""
    words = _bare(search).split()
    return [
        row
        for row in rows
        if all(row.one.values[name] in values for name, values in terms.items())
        and (not standings or any(STANDINGS[name](row.one) for name in standings))
        and all(
            any(word in _bare(row.values[name]) for name in ("client", "project", "number")) for word in words
        )
    ]


def in_order(rows: Iterable[Listed], order: str) -> list[Listed]:
    """Rows by a column, the greatest first behind a minus; those without a value at the end."""
    name = order.removeprefix("-")
    standing = sorted(rows, key=_place)
    known = [row for row in standing if row.values[name] is not None]
    known.sort(key=lambda row: _key(name, row))
    if order.startswith("-"):
        known.reverse()
    return known + [row for row in standing if row.values[name] is None]


def sums(rows: Iterable[Listed]) -> dict[str, dict[str, int]]:
    """By currency, the amounts of what is not cancelled."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.one.standing != CANCELLED:
            of_currency = found.setdefault(row.values["currency"], dict.fromkeys(AMOUNTS, 0))
            for name in AMOUNTS:
                of_currency[name] += row.values[name]
    return found


def _values(one: CertificateState) -> dict[str, Any]:
    row, agreed = one.row, one.standing in {ACCEPTED, PAID}
    project, name = row["project"], row["certificate_id"]
    names = ("client", "project", "project_manager", "administrator", "project_type", "month", "state")
    return {
        "number": name[len(project) + 1 :] if name.startswith(f"{project}/") else name,
        **{name: one.values[name] for name in names},
        "days_late": one.late_days,
        "issued_on": one.issued,
        "sent_on": one.sent,
        "accepted_on": one.conformity,
        "due_on": one.due,
        "paid_on": one.paid_on,
        "age_days": None if one.standing in {PAID, CANCELLED} else one.age,
        "rejection_reason": row["rejection_reason"] if one.standing == RETURNED else None,
        "currency": one.currency,
        "proposed": one.proposed,
        "approved": row["amount_approved"] if agreed else 0,
        "collected": one.collected,
        "open": one.outstanding,
    }


def _place(row: Listed) -> tuple[Any, ...]:
    """Where a row stands among equals."""
    issued = row.one.issued
    return (issued.year, issued.month, issued, _key("project", row), _key("number", row))


def _key(name: str, row: Listed) -> Any:
    value = row.values[name]
    if name in _PLACES:
        return _PLACES[name].index(value)
    if name in AMOUNTS:
        return row.values["currency"], value
    if isinstance(value, str):
        numbered = re.split(r"(\d+)", _bare(value))
        return "".join(part.rjust(30, "0") if part.isdigit() else part for part in numbered), value
    return value


def _bare(text: str) -> str:
    """A text without accents and case."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
