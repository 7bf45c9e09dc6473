"""The list of certificates, one row after the other, straight from the oracle's rows."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from statistics import median
from typing import Any

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.ranges import AMOUNT_BANDS, ISSUED_AGES
from kpi_pipeline.audit.recomputation.standing import ACCEPTED, AWAITING, CANCELLED, PAID, RETURNED, UNSENT

from .both_ways import WINDOW_MONTHS

_OF_ISSUED: dict[str, Callable[[CertificateState], bool]] = {
    "receivable": lambda one: one.standing in {AWAITING, ACCEPTED},
    "overdue": lambda one: one.is_overdue,
    "critical": lambda one: one.is_critical,
    "awaiting": lambda one: one.standing == AWAITING,
    "accepted": lambda one: one.standing == ACCEPTED,
    "pending": lambda one: one.standing in {UNSENT, AWAITING},
    "portfolio": lambda one: one.standing in {UNSENT, AWAITING, ACCEPTED},
    "unsent": lambda one: one.standing == UNSENT,
    "returned": lambda one: one.standing == RETURNED,
    "went_wrong": lambda one: _went_wrong(one, Window(None, one.day)),
    "went_wrong_lately": lambda one: _went_wrong(one, Window.ending(one.day, WINDOW_MONTHS)),
    "conformity_pending": lambda one: one.waiting_days is not None,
    "idle_notice": lambda one: 7 <= (one.idle_days or 0) <= 13,
    "idle_warning": lambda one: 14 <= (one.idle_days or 0) <= 20,
    "idle_urgent": lambda one: 21 <= (one.idle_days or 0) <= 29,
    "idle_critical": lambda one: (one.idle_days or 0) >= 30,
    "due_assumed": lambda one: one.is_due_assumed,
    "not_cancelled": lambda one: one.standing != CANCELLED,
    "retained": lambda one: one.standing != CANCELLED and one.withheld != 0,
    "high_amount": lambda one: one.standing != CANCELLED and one.is_high,
}
_OF_ALL: dict[str, Callable[[CertificateState], bool]] = {
    "cancelled": lambda one: one.standing == CANCELLED,
    "paid": lambda one: one.standing == PAID,
    "approved": lambda one: one.is_accepted,
    "collected": lambda one: one.collected != 0,
    "approved_assumed": lambda one: one.is_accepted and one.row["approved_assumed"],
}
EVENTS: dict[str, Callable[[CertificateState], date | None]] = {
    "issued": lambda one: one.issued,
    "sent": lambda one: one.sent,
    "accepted": lambda one: one.accepted_on,
    "paid": lambda one: one.settled_on if one.is_paid or one.collected else None,
    "due": lambda one: one.due,
}
_REASONS = {"reason": "rejection_reason", "failure": "failure_kind"}
AMOUNTS = ("proposed", "approved", "collected", "open", "retained")
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


def _went_wrong(one: CertificateState, window: Window) -> bool:
    """Whether it is returned, or reworked and issued in a window."""
    reworked = one.standing != CANCELLED and bool(one.is_reworked)
    return one.standing == RETURNED or (reworked and one.issued in window)


def stands(one: CertificateState, standing: str) -> bool:
    """Whether a certificate stands in a way; what is paid in advance and not issued has flows alone."""
    return _OF_ALL[standing](one) if standing in _OF_ALL else one.is_issued and _OF_ISSUED[standing](one)


def listed(oracle: Oracle) -> list[Listed]:
    """Every certificate that has been issued or paid."""
    states = (CertificateState(row, oracle.as_of, oracle.limits) for row in oracle.rows)
    return [Listed(one, _values(one)) for one in states if one.is_issued or one.paid_on is not None]


def selected(
    rows: Iterable[Listed],
    terms: dict[str, list[str]],
    standings: Iterable[str] = (),
    search: str = "",
    days: Iterable[tuple[str, date | None, date | None]] = (),
    currency: str = "",
    reasons: Iterable[tuple[str, str]] = (),
) -> list[Listed]:
    """Those that a filter, standings, words of a search, days of events, a currency and reasons select."""
    words = _bare(search).split()
    return [
        row
        for row in rows
        if all(row.one.values[name] in values for name, values in terms.items())
        and (not standings or any(stands(row.one, name) for name in standings))
        and currency in ("", row.one.currency)
        and all(row.values[_REASONS[name]] == text for name, text in reasons)
        and all(_lies_in(EVENTS[event](row.one), first, last) for event, first, last in days)
        and all(
            any(word in _bare(row.values[name]) for name in ("client", "project", "number")) for word in words
        )
    ]


def _lies_in(day: date | None, first: date | None, last: date | None) -> bool:
    return day is not None and (first is None or day >= first) and (last is None or day <= last)


def in_order(rows: Iterable[Listed], order: str) -> list[Listed]:
    """Rows by a column, the greatest first behind a minus; those without a value at the end."""
    name = order.removeprefix("-")
    standing = sorted(rows, key=_place)
    known = [row for row in standing if name in AMOUNTS or row.values[name] is not None]
    known.sort(key=lambda row: _key(name, row))
    if order.startswith("-"):
        known.reverse()
    return known + [row for row in standing if name not in AMOUNTS and row.values[name] is None]


def sums(rows: Iterable[Listed]) -> dict[str, dict[str, int]]:
    """By currency, the amounts of what is not cancelled."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.one.standing != CANCELLED:
            of_currency = found.setdefault(row.values["currency"], dict.fromkeys(AMOUNTS, 0))
            for name in AMOUNTS:
                of_currency[name] += row.values[name] or 0
    return found


def milestones(one: CertificateState) -> list[tuple[str, date, int]]:
    """The dated milestones, each with the days since the one before; of the first, since issue."""
    if one.row["history"] is None:
        dated = [("sent", one.sent), ("accepted", one.conformity), ("paid", one.paid_on)]
    else:
        dated = [(event["event"], event["day"]) for event in one.events]
    known = [("issued", one.issued)] if one.is_issued else []
    known += [(name, day) for name, day in dated if day is not None]
    found: list[tuple[str, date, int]] = []
    before = one.issued
    for name, day in sorted(known, key=lambda pair: pair[1]):
        is_repeated = found and found[-1][0] == name
        if is_repeated and (name in ("accepted", "paid") or found[-1][1] == day):
            continue
        found.append((name, day, (day - before).days))
        before = day
    return found


def stages(one: CertificateState) -> dict[str, tuple[int, bool]]:
    """Days of each stage, and whether they are so far."""
    waiting = settling = refused = None
    if not one.is_issued:
        return {}
    if one.is_counted and one.standing == ACCEPTED and one.conformity is not None:
        settling = (one.day - one.conformity).days
    if one.is_counted and one.standing == AWAITING and one.sent is not None:
        waiting = (one.day - one.sent).days
    if one.is_counted and one.standing == RETURNED and None not in (one.sent, one.returned_on):
        refused = days if (days := (one.returned_on - one.sent).days) >= 0 else None
    both = {
        "issue_to_sent": (one.sending_days, one.unsent_days),
        "sent_to_conformity": (one.acceptance_days, waiting),
        "conformity_to_payment": (one.settling_days, settling),
        "sent_to_return": (refused, None),
        "correction": (None, one.returned_days),
    }
    done = {name: (days, False) for name, (days, _) in both.items() if days is not None}
    running = {name: (days, True) for name, (over, days) in both.items() if over is None and days is not None}
    return done | running


def usual(oracle: Oracle, client: str, stage: str) -> tuple[float, int, bool] | None:
    """Median and count of a stage in the window: of a client with five at least, else of all clients."""
    found = [
        (one.values["client"], days)
        for one in oracle.certificate_states
        for name, (days, until) in {
            "issue_to_sent": (one.sending_days, one.sent),
            "sent_to_conformity": (one.acceptance_days, one.conformity),
            "conformity_to_payment": (one.settling_days, one.paid_on),
        }.items()
        if name == stage and days is not None and until in oracle.windows[0]
    ]
    own = [days for name, days in found if name == client]
    if len(own) >= 5:
        return median(own), len(own), True
    return (median(days for _, days in found), len(found), False) if found else None


def chances(oracle: Oracle, one: CertificateState) -> tuple[str, str, tuple[int, ...], int | None]:
    """The forecast that is shown of a receivable certificate, and parts of 10**9 paid by each month's end and
    in the next days."""
    basis = oracle.forecaster.basis(one.currency)
    unpaid = oracle.forecaster.unpaid_shares(one)
    shares: list[int] = []
    if basis.rule == "naive" and unpaid[0]:
        *by_month, soon = [share or 0 for share in basis.shares]
        shares = [*accumulate(by_month), soon]
    elif basis.rule == "model" and unpaid[0]:
        shares = [10**9 - share for share in unpaid[1:]]
    return basis.rule, basis.reason, tuple(shares[:-1]), shares[-1] if shares else None


def with_expected(oracle: Oracle, rows: Iterable[Listed], stretch: str) -> list[Listed]:
    """The receivable ones, each with what is expected of it in a forecast month or in the next days; None
    without an estimate."""
    forecaster, found = oracle.forecaster, list[Listed]()
    place = [*forecaster.months, "next_30_days"].index(stretch)
    for row in rows:
        if stands(row.one, "receivable"):
            is_known = (
                forecaster.basis(row.one.currency).rule != "none" and forecaster.unpaid_shares(row.one)[0]
            )
            amount = forecaster.of([row.one]).expected[place] if is_known else None
            found.append(Listed(row.one, {**row.values, "expected": amount}))
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
        "age_days": None if one.standing in {PAID, CANCELLED} or not one.is_issued else one.age,
        "rejection_reason": row["rejection_reason"] if one.standing == RETURNED else None,
        "failure_kind": row["failure_kind"] if _went_wrong(one, Window(None, date.max)) else None,
        "currency": one.currency,
        "proposed": one.proposed,
        "approved": row["amount_approved"] if agreed else None,
        "collected": one.collected,
        "open": one.outstanding,
        "retained": 0 if one.standing == CANCELLED else one.withheld,
    }


def _place(row: Listed) -> tuple[Any, ...]:
    """Where a row stands among equals."""
    issued = row.one.issued
    return (issued.year, issued.month, issued, _key("project", row), _key("number", row))


def _key(name: str, row: Listed) -> Any:
    value = row.values[name]
    if name in _PLACES:
        return _PLACES[name].index(value)
    if name in (*AMOUNTS, "expected"):
        return row.values["currency"], value or 0
    if isinstance(value, str):
        numbered = re.split(r"(\d+)", _bare(value))
        return "".join(part.rjust(30, "0") if part.isdigit() else part for part in numbered), value
    return value


def _bare(text: str) -> str:
    """A text without accents and case."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
