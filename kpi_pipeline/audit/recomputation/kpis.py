"""Every KPI, by its definition: from what a variant sums to on a day to a value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.measures import COSTS, FLOWS, IDLE, STOCKS
from kpi_pipeline.audit.recomputation.oracle import MILLION
from kpi_pipeline.audit.recomputation.quotients import exact
from kpi_pipeline.audit.recomputation.ranges import BUCKETS
from kpi_pipeline.audit.recomputation.variant import Variant

CALENDAR = {
    "billed_quarter",
    "proposed_last_month",
    "proposed_month_before",
    "proposed_month_year_before",
}
COST_STOCKS = {"cost_open_amount"}


class Result(NamedTuple):
    """A value, and what was divided by what, or how many payments it is estimated from."""

    value: float | int | None
    above: int | None = None
    below: int | None = None
    payments: int | None = None


NOTHING = Result(None)


class View:
    """A variant on a day in one currency, or in all.

    Attributes:
        variant: What the filter chooses.
        day: Place of the day.
        currency: Place of the currency; None for all.
        own: The sums on the day.
    """

    def __init__(self, variant: Variant, day: int, currency: int | None) -> None:
        self.variant = variant
        self.day = day
        self.currency = currency
        self.own = variant.sums(day, currency)

    @property
    def code(self) -> str:
        """The currency; raises `ValueError` where there is none."""
        if self.currency is None:
            raise ValueError("of all currencies together")
        return self.variant.oracle.currencies[self.currency]

    @property
    def window(self) -> Window:
        """The window that ends on the day; of a cohort, all time."""
        oracle = self.variant.oracle
        return Window(None, oracle.as_of) if self.variant.is_cohort else oracle.windows[self.day]

    @cached_property
    def of_day(self) -> list[CertificateState]:
        """Certificates as they stood."""
        return self.variant.on_day(self.day)

    @cached_property
    def approved_of_clients(self) -> list[int]:
        """The approved amounts of the clients that have any."""
        found: dict[str, int] = {}
        for one in self.of_day:
            if one.currency == self.code:
                amount = FLOWS["approved_amount"](one, self.window)
                found[one.values["client"]] = found.get(one.values["client"], 0) + amount
        return [amount for amount in found.values() if amount]

    @cached_property
    def payment_times(self) -> list[tuple[int, bool]]:
        """Days of each certificate of the window, and whether to its payment, else to the day."""
        seen: list[tuple[int, bool]] = []
        for one in self.of_day:
            if not one.is_counted or one.issued not in self.window or not one.is_issued:
                continue
            if one.is_paid and one.is_advance:
                continue
            if one.payment_days is not None:
                seen.append((one.payment_days, True))
            elif one.is_open:
                seen.append((one.age, False))
        return seen

    @cached_property
    def unpaid_shares(self) -> list[tuple[int, Fraction]]:
        """The product-limit estimate, certificate by certificate: days, and the share unpaid after them."""
        unpaid, found, seen = Fraction(1), [], self.payment_times
        for days in sorted({days for days, paid in seen if paid}):
            at_risk = sum(until >= days for until, _ in seen)
            unpaid *= 1 - Fraction(sum(until == days and paid for until, paid in seen), at_risk)
            found.append((days, unpaid))
        return found


@dataclass(frozen=True)
class Figure:
    """A KPI.

    Attributes:
        unit: money, count, days or share.
        good: 1 where more is better, -1 where less is, 0 where neither.
        by_currency: It is made of money.
        of: Its value on a day.
        is_quotient: It says what was divided by what.
        is_estimate: It says how many payments it is estimated from.
        is_windowed: It is multiplied by the days of the window.
        is_stock: It is made only of what stands on the day.
        needs_costs: It is made of costs.
        is_part: It is a part of a whole: it has no value outside 0 to 1.
        of_calendar: It is of months or years of the calendar: a cohort has none.
    """

    unit: str
    good: int
    by_currency: bool
    of: Callable[[View], Result]
    is_quotient: bool = False
    is_estimate: bool = False
    is_windowed: bool = False
    is_stock: bool = False
    needs_costs: bool = False
    is_part: bool = False
    of_calendar: bool = False


Names = str | tuple[str, ...]


def _sum(view: View, names: Iterable[str]) -> int:
    return sum(-view.own[name[1:]] if name.startswith("-") else view.own[name] for name in names)


def _traits(*names: str) -> dict[str, bool]:
    bare = {name.lstrip("-") for name in names}
    return {
        "is_stock": bare <= STOCKS.keys() | COST_STOCKS,
        "needs_costs": bool(bare & set(COSTS)),
        "of_calendar": bool(bare & CALENDAR),
    }


def _total(unit: str, good: int, *names: str) -> Figure:
    return Figure(unit, good, unit == "money", lambda view: Result(_sum(view, names)), **_traits(*names))


def _ratio(
    unit: str, good: int, by_currency: bool, above: Names, below: Names, is_part: bool = False
) -> Figure:
    over, under = ((names,) if isinstance(names, str) else names for names in (above, below))

    def of(view: View) -> Result:
        up, down = _sum(view, over), _sum(view, under)
        return Result(exact(up, down), up, down)

    return Figure(unit, good, by_currency, of, is_quotient=True, is_part=is_part, **_traits(*over, *under))


def _part(good: int, above: str, below: str, by_currency: bool = False) -> Figure:
    return _ratio("share", good, by_currency, above, below, is_part=True)


def _mean(name: str) -> Figure:
    return _ratio("days", -1, False, name, f"{name}_count")


def _per_billing(stock: str) -> Figure:
    def of(view: View) -> Result:
        over, under = view.own[stock], view.own["billed_amount"]
        days = view.variant.window_days(view.day)
        return Result(exact(over * days, under) if days else None, over, under)

    return Figure("days", -1, True, of, is_quotient=True, is_windowed=True)


def _target(name: str, months: int) -> Figure:
    def of(view: View) -> Result:
        approved = view.own[name]
        target = view.variant.oracle.limits.monthly_targets.get(view.code)
        if view.variant.asked or target is None:
            return Result(None, None if view.variant.is_cohort else approved, None)
        return Result(exact(approved, target * months), approved, target * months)

    return Figure("share", 1, True, of, is_quotient=True, of_calendar=True)


def _share_of_all(view: View) -> Result:
    oracle, over = view.variant.oracle, view.own["approved_amount"]
    if view.variant.is_cohort:
        all_of_months = oracle.variant({"month": view.variant.asked["month"]})
        under = all_of_months.sums(0, view.currency)["approved_amount"]
    else:
        under = oracle.everything.sums(view.day, view.currency)["approved_amount"]
    return Result(exact(over, under), over, under)


def _top_client(view: View) -> Result:
    amounts = view.approved_of_clients
    over, under = max(amounts, default=0), sum(amounts)
    return Result(exact(over, under) if under > 0 else None, over, under)


def _herfindahl(view: View) -> Result:
    amounts = view.approved_of_clients
    over, under = sum(amount**2 for amount in amounts), sum(amounts) ** 2
    return Result(exact(over, under) if sum(amounts) > 0 else None)


def _quantile(percent: int) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        payments = sum(paid for _, paid in view.payment_times)
        for days, unpaid in view.unpaid_shares:
            if unpaid <= Fraction(100 - percent, 100):
                return Result(days, payments=payments)
        return Result(None, payments=payments)

    return of


def _projects(late: bool) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        there, are_late = set(), set()
        for one in view.of_day:
            if one.is_counted and one.is_receivable and one.is_issued:
                there.add(one.values["project"])
                if one.is_overdue:
                    are_late.add(one.values["project"])
        return Result(len(are_late if late else there - are_late))

    return of


def _count_back(view: View) -> Result:
    receivable, billing = view.own["receivable_amount"], view.own["billed_amount"]
    if view.variant.is_cohort:
        return NOTHING
    if receivable <= 0:
        return Result(0.0 if receivable == 0 and billing else None, receivable, None)
    day, window = view.window.day, view.window
    first = window.first or day
    billed: dict[int, int] = {}
    for one in view.of_day:
        if one.currency == view.code:
            at = month.of(one.issued)
            billed[at] = billed.get(at, 0) + FLOWS["billed_amount"](one, window)
    days, left = 0, receivable
    for at in range(month.of(day), month.of(first) - 1, -1):
        last = min(month.last_day(at), day)
        passed = sum(first <= last - timedelta(back) for back in range(last.day))
        amount = billed.get(at, 0)
        if amount >= left and amount > 0:
            return Result(exact(days * amount + left * passed, amount), receivable, amount)
        days, left = days + passed, left - max(amount, 0)
    return Result(None, receivable, None)


def _expected_loss(view: View) -> Result:
    rates, lost = view.variant.oracle.loss_rates[view.day][view.code], 0
    for label in BUCKETS:
        amount, rate = view.own[f"ageing_{label}_amount"], rates[label]
        if amount and rate is None:
            return NOTHING
        lost += amount * (rate or 0) // MILLION
    return Result(lost)


_ALL_COSTS = ("cost_opex_amount", "cost_capex_amount")
_MARGIN = ("approved_amount", "-cost_opex_amount", "-cost_capex_amount")

MONEY: Mapping[str, Figure] = {
    "proposed": _total("money", 1, "proposed_amount"),
    "approved": _total("money", 1, "approved_amount"),
    "paid": _total("money", 1, "paid_amount"),
    "receivable": _total("money", -1, "receivable_amount"),
    "pending": _total("money", -1, "pending_amount"),
    "portfolio": _total("money", 0, "portfolio_amount"),
    "returned": _total("money", -1, "returned_amount"),
    "unsent": _total("money", -1, "unsent_amount"),
    "retained": _total("money", 0, "retained_amount"),
    "overdue": _total("money", -1, "overdue_amount"),
    "overdue_share": _part(-1, "overdue_amount", "receivable_amount", by_currency=True),
    "certificates": _total("count", 0, "proposed_count"),
    "paid_count": _total("count", 1, "paid_count"),
    "receivable_count": _total("count", -1, "receivable_count"),
    "overdue_count": _total("count", -1, "overdue_count"),
    "returned_count": _total("count", -1, "returned_count"),
    "unsent_count": _total("count", -1, "unsent_count"),
    "cancelled_count": _total("count", 0, "cancelled_count"),
    "due_assumed_count": _total("count", 0, "due_assumed_count"),
    "approved_assumed_count": _total("count", 0, "approved_assumed_count"),
    "high_amount_count": _total("count", 0, "high_count"),
    "average_certificate": _ratio("money", 0, True, "proposed_amount", "proposed_count"),
    "approval_rate": _ratio("share", 1, True, "approved_amount", "decided_proposed_amount"),
    "approval_rate_count": _part(1, "approved_count", "decided_count"),
    "recovery_rate": _ratio("share", 1, True, "paid_amount", "approved_amount"),
    "collection_effectiveness": _ratio("share", 1, True, "paid_amount", ("paid_amount", "overdue_amount")),
    "monthly_target": _target("approved_month", 1),
    "annual_target": _target("approved_year", 12),
    "run_rate": Figure(
        "money", 1, True, lambda view: Result(4 * view.own["billed_quarter"]), of_calendar=True
    ),
    "growth_month": _ratio(
        "share", 1, True, ("proposed_last_month", "-proposed_month_before"), "proposed_month_before"
    ),
    "growth_year": _ratio(
        "share", 1, True, ("proposed_last_month", "-proposed_month_year_before"), "proposed_month_year_before"
    ),
    "revenue_share": Figure("share", 0, True, _share_of_all, is_quotient=True, is_part=True),
    "top_client_share": Figure("share", -1, True, _top_client, is_quotient=True, is_part=True),
    "client_concentration": Figure("share", -1, True, _herfindahl, is_part=True),
}

TIME: Mapping[str, Figure] = {
    "dso": _per_billing("receivable_amount"),
    "dso_count_back": Figure("days", -1, True, _count_back, is_quotient=True, of_calendar=True),
    "dso_best_possible": _per_billing("current_amount"),
    "receivable_age": _ratio("days", -1, True, "receivable_age_amount", "receivable_amount"),
    "acceptance_days": _mean("acceptance_days"),
    "waiting_days": _mean("waiting_days"),
    "payment_days": _mean("payment_days"),
    "payment_days_median": Figure("days", -1, False, _quantile(50), is_estimate=True),
    "payment_days_p90": Figure("days", -1, False, _quantile(90), is_estimate=True),
    "late_days": _mean("late_days"),
    "sending_days": _mean("sending_days"),
    "settling_days": _mean("settling_days"),
    "returned_days": _mean("returned_days"),
    "unsent_days": _mean("unsent_days"),
    "idle_days": _mean("idle_days"),
    **{f"idle_{level}_count": _total("count", -1, f"idle_{level}_count") for level in IDLE},
    "fast_collection_rate": _part(1, "fast_count", "payment_days_count"),
    "critical_days": _ratio("days", -1, False, "critical_age", "critical_count"),
}

QUALITY: Mapping[str, Figure] = {
    "rejection_rate": _part(-1, "rejected_count", "rejection_known_count"),
    "rework_rate": _part(-1, "reworked_count", "rework_known_count"),
    "first_pass_rate": _part(1, "first_pass_count", "first_pass_known_count"),
    "conformity_pending": _total("money", -1, "waiting_amount"),
    "conformity_pending_count": _total("count", -1, "waiting_days_count"),
    "critical": _total("money", -1, "critical_amount"),
    "critical_count": _total("count", -1, "critical_count"),
    "projects_delayed": Figure("count", -1, False, _projects(late=True), is_stock=True),
    "projects_on_time": Figure("count", 1, False, _projects(late=False), is_stock=True),
    "expected_loss": Figure("money", -1, True, _expected_loss, is_stock=True),
}

OF_COSTS: Mapping[str, Figure] = {
    "costs": _total("money", -1, *_ALL_COSTS),
    "opex": _total("money", -1, "cost_opex_amount"),
    "capex": _total("money", 0, "cost_capex_amount"),
    "costs_paid": _total("money", 0, "paid_out_amount"),
    "costs_pending": _total("money", -1, "cost_open_amount"),
    "gross_margin": _total("money", 1, *_MARGIN),
    "gross_margin_share": _ratio("share", 1, True, _MARGIN, "approved_amount"),
    "cash_margin": _total("money", 1, "paid_amount", "-paid_out_amount"),
}

FIGURES: Mapping[str, Figure] = {**MONEY, **TIME, **QUALITY, **OF_COSTS}
"""Every KPI."""
