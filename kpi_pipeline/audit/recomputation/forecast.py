"""The forecast of collections, naively: one certificate and one day at a time."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, pairwise

from kpi_pipeline.audit.recomputation.certificate_states import certificate_states
from kpi_pipeline.audit.recomputation.rows import Row

WHOLE = 10**9
FEW = 20
UNIT = 100
MONTHS = 12
NEXT = 12
"""The place of the next days behind the months."""

NEXT_DAYS = timedelta(30)
HORIZONS = MONTHS + 1
LATEST = 12
PRIOR = 10
FEWEST_FORECASTS = 9
LARGEST_ERROR = 10.0**6
PER_CENT = (50, 90)
RULES = ("model", "naive")

Observation = tuple[int, bool]
"""Days, and whether payment came after them; otherwise the certificate is still unpaid after so many."""


@dataclass
class Outcome:
    """What is expected of certificates together, month by month, then in the next days.

    Attributes:
        known: Receivable amount that can be estimated.
        unknown: Receivable amount that cannot.
        expected: Expected by month.
        variance: Variance by month.
        realised: What came of it by month, as far as it is known.
    """

    known: int = 0
    unknown: int = 0
    expected: list[int] = field(default_factory=lambda: [0] * HORIZONS)
    variance: list[int] = field(default_factory=lambda: [0] * HORIZONS)
    realised: list[int] = field(default_factory=lambda: [0] * HORIZONS)

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

    def __init__(
        self,
        rows: Sequence[Row],
        as_of: date,
        observe: Callable[[Row, date], Observation | None] | None = None,
    ) -> None:
        seen: dict[str, list[Observation]] = defaultdict(list)
        for row in rows:
            observed = (observe or observation)(row, as_of)
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


@dataclass(frozen=True)
class Claim:
    """A certificate as it was on an earlier day: claimed and not paid, whatever else befell it.

    Attributes:
        is_accepted: Whether the client had accepted it.
        outstanding: The approved amount once accepted, else the claimed one.
    """

    is_accepted: bool
    outstanding: int


def takes_part(row: Row) -> bool:
    """Whether a certificate tells anything of earlier days: it was neither returned nor cancelled on an
    unknown day, nor paid on one or before it was issued.
    """
    if row["state"] == "pagado":
        return row["paid_on"] is not None and row["paid_on"] >= row["issued_on"]
    return row["history"] is not None or row["state"] in {"enviado", "pendiente", "validado"}


def claim(row: Row, day: date) -> Claim | None:
    """How a certificate that takes part was claimed on an earlier day; None before it was, while it was
    returned or cancelled, or once paid.
    """
    if row["issued_on"] > day or (row["state"] == "pagado" and row["paid_on"] <= day):
        return None
    if row["history"] is not None:
        (then,) = certificate_states([row], day)
        claimed, accepted = then.is_receivable, then.is_accepted
    else:
        accepted_on = row["conformity_on"] or row["sent_on"] or row["issued_on"]
        claimed = (row["sent_on"] or row["issued_on"]) <= day
        accepted = row["state"] in {"validado", "pagado"} and accepted_on <= day
    amount: int = row["amount_approved" if accepted else "amount_proposed"]
    return Claim(accepted, amount) if claimed else None


def past_observation(row: Row, day: date) -> Observation | None:
    """What a certificate that takes part told on an earlier day about how long payment takes."""
    if row["state"] == "pagado" and row["paid_on"] <= day:
        return (row["paid_on"] - row["issued_on"]).days, True
    return ((day - row["issued_on"]).days, False) if claim(row, day) is not None else None


def observation(row: Row, as_of: date) -> Observation | None:
    """What a certificate tells on the date about how long payment takes."""
    one = next(iter(certificate_states([row], as_of)), None)
    if one is None:
        return None
    if one.payment_days is not None:
        return one.payment_days, True
    return (one.age, False) if one.is_receivable else None


@cache
def month_ends(as_of: date) -> list[date]:
    """Ends of the months forecast, from that of tomorrow."""
    tomorrow = as_of + timedelta(1)
    ends = []
    year, month = tomorrow.year, tomorrow.month
    for _ in range(MONTHS):
        ends.append(date(year, month, monthrange(year, month)[1]))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return ends


def landmark_days(as_of: date, count: int) -> list[date]:
    """Days of earlier months like a date, latest first: month ends like a month end, else the same day."""
    found = []
    for end in ends_before(as_of.replace(day=1) - timedelta(1), count):
        is_month_end = (as_of + timedelta(1)).day == 1
        found.append(end if is_month_end else end.replace(day=min(as_of.day, end.day - 1)))
    return found


@dataclass(frozen=True)
class Seen:
    """A certificate that was receivable at a landmark: its age then, the month ahead in which it was paid,
    and whether it was within the next days.
    """

    age: int
    paid_ahead: int | None
    is_paid_soon: bool


class Landmarks:
    """What was receivable on any day, looked at once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = [row for row in rows if takes_part(row)]
        self._seen: dict[date, dict[tuple[str, bool], list[Seen]]] = {}

    def on(self, day: date) -> dict[tuple[str, bool], list[Seen]]:
        """The certificates receivable on a day, by client and whether they were accepted."""
        if day not in self._seen:
            found = self._seen[day] = defaultdict(list)
            for row in self._rows:
                claimed = claim(row, day)
                if claimed is not None:
                    seen = Seen((day - row["issued_on"]).days, paid_ahead(row, day), paid_soon(row, day))
                    found[row["client"], claimed.is_accepted].append(seen)
        return self._seen[day]

    def falls(self, client: str, is_accepted: bool, age: int, as_of: date) -> list[tuple[int, int]]:
        """For each month ahead, then the next days, how many such certificates were unpaid before it, and
        were paid in it.
        """
        days, reach, found = landmark_days(as_of, LATEST + MONTHS - 1), max(15, age // 5), []

        def near(over: Sequence[date]) -> list[Seen]:
            return [
                seen
                for day in over[:LATEST]
                for seen in self.on(day).get((client, is_accepted), [])
                if abs(seen.age - age) <= reach
            ]

        for month in range(MONTHS):
            over = near([day for day in days if month_ends(day)[month] <= as_of])
            at_risk = [seen for seen in over if seen.paid_ahead is None or seen.paid_ahead >= month]
            found.append((len(at_risk), sum(seen.paid_ahead == month for seen in at_risk)))
        over = near([day for day in days if day + NEXT_DAYS <= as_of])
        return [*found, (len(over), sum(seen.is_paid_soon for seen in over))]


def paid_ahead(row: Row, day: date) -> int | None:
    """The month ahead of a day in which a certificate is paid; None where it is not or much later."""
    if row["state"] != "pagado":
        return None
    ends = month_ends(day)
    return next((month for month, end in enumerate(ends) if row["paid_on"] <= end), None)


def paid_soon(row: Row, day: date) -> bool:
    """Whether a certificate is paid in the next days after a day."""
    return bool(row["state"] == "pagado" and row["paid_on"] <= day + NEXT_DAYS)


def unpaid_shares(
    curves: Curves, landmarks: Landmarks, client: str, is_accepted: bool, age: int, as_of: date
) -> list[int]:
    """The share of such certificates unpaid now, at the end of each month and of the next days; all 0 if
    nothing is known.
    """
    curve = curves.fitting(client, age)
    if curve is None:
        return [0] * (HORIZONS + 1)
    by_curve = [curve.unpaid(age), *(curve.unpaid(age + (end - as_of).days) for end in month_ends(as_of))]
    shares = [WHOLE]
    *falls, soon = landmarks.falls(client, is_accepted, age, as_of)

    def stays(before: int, after: int, at_risk: int, paid: int) -> int:
        by_curve = after * WHOLE // before if before else 0
        return ((at_risk - paid) * WHOLE + PRIOR * by_curve) // (at_risk + PRIOR)

    for ends, seen in zip(pairwise(by_curve), falls, strict=True):
        shares.append(shares[-1] * stays(*ends, *seen) // WHOLE)
    unpaid_soon = stays(by_curve[0], curve.unpaid(age + NEXT_DAYS.days), *soon)
    return [*shares, between_months(unpaid_soon, shares[1:], as_of)]


def between_months(soon: int, by_month: Sequence[int], as_of: date) -> int:
    """The share unpaid after the next days: the nearest to an estimate that the months around allow."""
    day, most = as_of + NEXT_DAYS, WHOLE
    for end, unpaid in zip(month_ends(as_of), by_month, strict=True):
        if end <= day:
            most = unpaid
        if end >= day:
            return max(min(soon, most), unpaid)
    raise AssertionError("the months reach further than the next days")


def outcome(amount: int, squares: int, shares: Sequence[int]) -> Outcome:
    """What is expected of an amount, of which the squares are given apart."""
    if shares[0] == 0:
        return Outcome(unknown=amount)
    sign = -1 if amount < 0 else 1
    *by_then, soon = [sign * (abs(amount) * (WHOLE - share) // WHOLE) for share in shares]
    falls = [before - after for before, after in pairwise(shares[:-1])] + [WHOLE - shares[-1]]
    return Outcome(
        known=amount,
        expected=[after - before for before, after in pairwise(by_then)] + [soon],
        variance=[squares * (fall * (WHOLE - fall) // WHOLE) // WHOLE for fall in falls],
    )


def forecast_as_of(rows: Sequence[Row], landmarks: Landmarks, as_of: date) -> dict[tuple[str, str], Outcome]:
    """What would have been forecast at a month end, by currency and client, and what came."""
    dated = [row for row in rows if takes_part(row)]
    curves = Curves(dated, as_of, past_observation)
    amounts: Counter[tuple[str, str, bool, int]] = Counter()
    squares: Counter[tuple[str, str, bool, int]] = Counter()
    came: dict[tuple[str, str, bool, int], list[int]] = defaultdict(lambda: [0] * HORIZONS)
    for row in dated:
        claimed = claim(row, as_of)
        if claimed is None:
            continue
        age = (as_of - row["issued_on"]).days
        key = row["currency"], row["client"], claimed.is_accepted, age
        amounts[key] += claimed.outstanding
        squares[key] += (abs(claimed.outstanding) // UNIT) ** 2
        ahead = paid_ahead(row, as_of)
        if ahead is not None:
            came[key][ahead] += row["amount_approved"]
        if paid_soon(row, as_of):
            came[key][NEXT] += row["amount_approved"]
    found: dict[tuple[str, str], Outcome] = {}
    for (currency, client, is_accepted, age), amount in amounts.items():
        key = currency, client, is_accepted, age
        if curves.fitting(client, age) is None:
            continue
        shares = unpaid_shares(curves, landmarks, client, is_accepted, age, as_of)
        one = outcome(amount, squares[key], shares)
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


def naive_shares(as_of: date, totals: Callable[[date], Outcome | None]) -> list[int | None]:
    """The share of what is receivable that each month brings by the naive rule, then the next days, of what
    earlier dates brought.
    """
    days, shares = landmark_days(as_of, MONTHS + 3), list[int | None]()

    def share(horizon: int, over: list[date], most: int) -> int | None:
        before = [one for one in map(totals, over[:3]) if one is not None]
        known, came = (sum(one.known for one in before), sum(one.realised[horizon] for one in before))
        return min(max(came * WHOLE // known, 0), most) if known > 0 else None

    for month in range(MONTHS):
        left = WHOLE - sum(one or 0 for one in shares)
        shares.append(share(month, [day for day in days if month_ends(day)[month] <= as_of], left))
    soon = share(NEXT, [day for day in days if day + NEXT_DAYS <= as_of], WHOLE)
    if soon is not None:
        by_month = [WHOLE - brought for brought in accumulate(one or 0 for one in shares)]
        soon = WHOLE - between_months(WHOLE - soon, by_month, as_of)
    return [*shares, soon]


def by_shares(known: int, shares: Sequence[int | None]) -> list[int]:
    """The expectation of each month by the naive rule."""
    sign = -1 if known < 0 else 1
    return [sign * (abs(known) * (share or 0) // WHOLE) for share in shares]
