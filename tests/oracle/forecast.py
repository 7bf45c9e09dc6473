"""The forecast of collections and its back-test, naively: one certificate and one day at a time."""

import math
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from .certificate_states import CertificateState, certificate_states
from .source_rows import Row

WHOLE = 10**12
FEW = 20
UNIT = 100
MONTHS = 12
Z = {50: 0.6744897501960817, 90: 1.6448536269514722}

Observation = tuple[int, bool]
"""Days, and whether payment came after them; otherwise the certificate is still unpaid after so many."""


@dataclass
class Outcome:
    """What is expected of certificates together, month by month.

    Attributes:
        known: Receivable amount that can be estimated.
        unknown: Receivable amount that cannot.
        expected: Expected by month.
        variance: Variance by month.
        realised: What came of it by month, as far as it is known.
    """

    known: int = 0
    unknown: int = 0
    expected: list[int] = field(default_factory=lambda: [0] * MONTHS)
    variance: list[int] = field(default_factory=lambda: [0] * MONTHS)
    realised: list[int] = field(default_factory=lambda: [0] * MONTHS)

    def add(self, other: "Outcome") -> None:
        """Take another one in."""
        self.known += other.known
        self.unknown += other.unknown
        for name in ("expected", "variance", "realised"):
            mine = getattr(self, name)
            for month, value in enumerate(getattr(other, name)):
                mine[month] += value


class Curve:
    """How many certificates are unpaid after so many days, by those that have been seen."""

    def __init__(self, seen: Iterable[Observation]) -> None:
        seen = list(seen)
        ends, payments = Counter(days for days, _ in seen), Counter(days for days, paid in seen if paid)
        self.payments = sum(payments.values())
        self._falls = []
        unpaid = WHOLE
        for day in sorted(payments):
            at_risk = sum(count for days, count in ends.items() if days >= day)
            unpaid = unpaid * (at_risk - payments[day]) // at_risk
            self._falls.append((day, unpaid))

    def unpaid(self, days: int) -> int:
        """The share unpaid at the end of a day."""
        return min((unpaid for day, unpaid in self._falls if day <= days), default=WHOLE)


class Curves:
    """The curves known on a day: of each client and of all."""

    def __init__(self, rows: Sequence[Row], as_of: date) -> None:
        seen: dict[str, list[Observation]] = defaultdict(list)
        for row in rows:
            observed = observation(row, as_of)
            if observed is not None:
                seen[row["client"]].append(observed)
        self._of = {client: Curve(observed) for client, observed in seen.items()}
        self._of_all = Curve(one for observed in seen.values() for one in observed)

    def fitting(self, client: str, age: int) -> Curve | None:
        """The curve to go by for a certificate; None where there is none."""
        own = self._of.get(client)
        if own is not None and own.payments >= FEW and own.unpaid(age) > 0:
            return own
        if self._of_all.payments > 0 and self._of_all.unpaid(age) > 0:
            return self._of_all
        return None


def stands(row: Row, as_of: date) -> CertificateState | None:
    """How a certificate stands on a date; None before it is issued."""
    return next(iter(certificate_states([row], as_of)), None)


def observation(row: Row, as_of: date) -> Observation | None:
    """What a certificate tells on a date about how long payment takes."""
    certificate_state = stands(row, as_of)
    if certificate_state is None:
        return None
    if certificate_state.is_paid and row["paid_on"] is not None:
        return (row["paid_on"] - row["issued_on"]).days, True
    return ((as_of - row["issued_on"]).days, False) if certificate_state.is_receivable else None


def month_ends(as_of: date) -> list[date]:
    """Ends of the months forecast, from that of tomorrow."""
    tomorrow = as_of + timedelta(1)
    ends = []
    year, month = tomorrow.year, tomorrow.month
    for _ in range(MONTHS):
        ends.append(date(year, month, monthrange(year, month)[1]))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return ends


def unpaid_shares(curves: Curves, client: str, age: int, as_of: date) -> list[int]:
    """The share of such certificates unpaid now and at the end of each month; all 0 if nothing is known."""
    curve = curves.fitting(client, age)
    if curve is None:
        return [0] * (MONTHS + 1)
    return [curve.unpaid(age), *(curve.unpaid(age + (end - as_of).days) for end in month_ends(as_of))]


def outcome(amount: int, squares: int, shares: Sequence[int]) -> Outcome:
    """What is expected of an amount, of which the squares are given apart."""
    now = shares[0]
    if now == 0:
        return Outcome(unknown=amount)
    sign = -1 if amount < 0 else 1
    by_then = [sign * (sign * amount * (now - share) // now) for share in shares]
    falls = [before - after for before, after in pairwise(shares)]
    return Outcome(
        known=amount,
        expected=[after - before for before, after in pairwise(by_then)],
        variance=[squares * fall * (now - fall) // now**2 for fall in falls],
    )


def forecast_as_of(rows: Sequence[Row], as_of: date) -> dict[tuple[str, str], Outcome]:
    """What would have been forecast at a month end, by currency and client, and what came."""
    dated = [row for row in rows if row["state"] != "pagado" or row["paid_on"] is not None]
    curves, ends = Curves(dated, as_of), month_ends(as_of)
    amounts: Counter[tuple[str, str, int]] = Counter()
    squares: Counter[tuple[str, str, int]] = Counter()
    came: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0] * MONTHS)
    for row in dated:
        certificate_state = stands(row, as_of)
        if certificate_state is None or not certificate_state.is_receivable:
            continue
        key = row["currency"], row["client"], (as_of - row["issued_on"]).days
        amounts[key] += certificate_state.outstanding
        squares[key] += (abs(certificate_state.outstanding) // UNIT) ** 2
        if row["state"] == "pagado" and row["paid_on"] <= ends[-1]:
            came[key][next(at for at, end in enumerate(ends) if row["paid_on"] <= end)] += row[
                "amount_approved"
            ]
    found: dict[tuple[str, str], Outcome] = {}
    for (currency, client, age), amount in amounts.items():
        key = currency, client, age
        one = outcome(amount, squares[key], unpaid_shares(curves, client, age, as_of))
        if one.unknown or (one.known == 0 and curves.fitting(client, age) is None):
            continue
        one.realised = came[key]
        found.setdefault((currency, client), Outcome()).add(one)
    return found


def whole(lines: Mapping[tuple[str, str], Outcome], currency: str) -> Outcome | None:
    """All clients together in a currency; None where there is no certificate."""
    chosen = [one for (code, _), one in lines.items() if code == currency]
    if not chosen:
        return None
    total = Outcome()
    for one in chosen:
        total.add(one)
    return total


def ends_before(month_end: date, count: int) -> list[date]:
    """A month end and those before it, latest first."""
    found = [month_end]
    while len(found) < count:
        found.append(found[-1].replace(day=1) - timedelta(1))
    return found


def last_end(as_of: date) -> date:
    """The last month end that is not after a date."""
    tomorrow = as_of + timedelta(1)
    return tomorrow.replace(day=1) - timedelta(1)


class Past:
    """Forecasts at month ends, each made once when it is first asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._made: dict[date, dict[tuple[str, str], Outcome]] = {}

    def lines(self, origin: date) -> dict[tuple[str, str], Outcome]:
        """The forecast at a month end."""
        if origin not in self._made:
            self._made[origin] = forecast_as_of(self._rows, origin)
        return self._made[origin]

    def whole(self, origin: date, currency: str) -> Outcome | None:
        """The forecast at a month end, of all clients."""
        return whole(self.lines(origin), currency)

    def dispersion(self, over: date, currency: str) -> list[float]:
        """By how much forecasts have missed, as known at a month end."""
        found = []
        for month in range(MONTHS):
            missed = predicted = 0
            for origin in ends_before(over, 12 + month + 1)[month + 1 :]:
                made = self.whole(origin, currency)
                if made is not None:
                    missed += (made.realised[month] - made.expected[month]) ** 2
                    predicted += made.variance[month]
            found.append(round(max(1.0, missed / (predicted * UNIT**2)), 2) if predicted else 1.0)
        return found


def band(per_cent: int, one: Outcome, month: int, dispersion: Sequence[float]) -> tuple[int, int]:
    """The lower and upper end of a band."""
    deviation = math.sqrt(dispersion[month] * one.variance[month]) * 1.0 * UNIT
    middle = one.expected[month]
    least, most = min(0, one.known, middle), max(0, one.known, middle)
    low, high = float(middle) - Z[per_cent] * deviation, float(middle) + Z[per_cent] * deviation
    return min(max(round(low), least), middle), max(min(round(high), most), middle)


def backtest(rows: Sequence[Row], as_of: date, months: int) -> dict[tuple[str, int | None], dict[str, Any]]:
    """Scores by currency and months ahead, None for all."""
    past, over = Past(rows), last_end(as_of)
    scores: dict[tuple[str, int | None], dict[str, Any]] = {}
    for currency in sorted({row["currency"] for row in rows}):
        points: dict[int | None, list[dict[str, Any]]] = {**{ahead: [] for ahead in range(1, 13)}, None: []}
        for ahead in range(1, 13):
            for target in ends_before(over, months):
                origin, *earlier = ends_before(target, ahead + 1 + ahead + 3)[ahead:]
                made = past.whole(origin, currency)
                naive = _run_off(past, made, earlier[ahead - 1 : ahead + 2], currency, ahead - 1)
                if made is None or naive is None or not _counts(made, ahead - 1):
                    continue
                point = {
                    "made": made,
                    "naive": naive,
                    "dispersion": past.dispersion(origin, currency),
                    "clients": [one for (code, _), one in past.lines(origin).items() if code == currency],
                    "month": ahead - 1,
                }
                points[ahead].append(point)
                points[None].append(point)
        if points[None]:
            scores |= {(currency, ahead): _score(found) for ahead, found in points.items()}
    return scores


def _run_off(
    past: Past, made: Outcome | None, origins: Sequence[date], currency: str, month: int
) -> int | None:
    known = came = 0
    for origin in origins:
        before = past.whole(origin, currency)
        if before is not None:
            known, came = known + before.known, came + before.realised[month]
    return made.known * came // known if made is not None and known > 0 else None


def _counts(one: Outcome, month: int) -> bool:
    return any((one.variance[month], one.expected[month], one.realised[month]))


def _score(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ones = [(point["made"], point) for point in points]
    clients = [
        (client, point) for point in points for client in point["clients"] if _counts(client, point["month"])
    ]
    came = [point["made"].realised[point["month"]] for point in points]
    missed = sum(
        abs(real - point["made"].expected[point["month"]]) for real, point in zip(came, points, strict=True)
    )
    naive_missed = sum(abs(real - point["naive"]) for real, point in zip(came, points, strict=True))
    size = sum(map(abs, came))
    mean: Callable[[int], float | None] = lambda total: total / len(points) if points else None  # noqa: E731
    return {
        "months": len(points),
        "coverage_50": _inside(50, ones),
        "coverage_90": _inside(90, ones),
        "client_months": len(clients),
        "client_coverage_50": _inside(50, clients),
        "client_coverage_90": _inside(90, clients),
        "realised": mean(sum(came)),
        "error": mean(missed),
        "error_share": missed / size if size else None,
        "naive_error": mean(naive_missed),
        "naive_error_share": naive_missed / size if size else None,
    }


def _inside(per_cent: int, ones: Sequence[tuple[Outcome, dict[str, Any]]]) -> float | None:
    if not ones:
        return None
    hits = 0
    for one, point in ones:
        low, high = band(per_cent, one, point["month"], point["dispersion"])
        hits += low <= one.realised[point["month"]] <= high
    return hits / len(ones)
