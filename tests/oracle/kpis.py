"""Every KPI, by its definition: from the sums of a variant over some months to a value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .certificate_states import BUCKETS
from .figures import MILLION, Stretch, Variant, exact
from .measures import COST_CASH, COSTS, FLOWS, IDLE
from .months import days_passed


class Result(NamedTuple):
    """A value, and what was divided by what."""

    value: float | int | None
    above: int | None = None
    below: int | None = None


NOTHING = Result(None)


class View:
    """A variant over some months in one currency, or in all.

    Attributes:
        variant: What the filter chooses.
        stretch: The months.
        currency: Place of the currency; None for all.
        own: The sums over the months themselves.
    """

    def __init__(self, variant: Variant, stretch: Stretch, currency: int | None) -> None:
        self.variant = variant
        self.stretch = stretch
        self.currency = currency
        self.own = variant.sums(stretch, currency)

    def approved(self, *months: int) -> int:
        """Approved in some months."""
        return self.variant.flow("approved_amount", months, self.currency)

    def stood(self, name: str, month: int) -> int:
        """What stood at the end of a month."""
        return self.variant.stood(name, month, self.currency)

    @property
    def code(self) -> str:
        """The currency."""
        assert self.currency is not None
        return self.variant.oracle.currencies[self.currency]

    @property
    def end(self) -> int:
        """The last month of the window."""
        return self.stretch.window[-1]

    @property
    def last(self) -> int:
        """The last complete month of the window."""
        return min(self.end, self.variant.oracle.last_complete)


@dataclass(frozen=True)
class Figure:
    """A KPI.

    Attributes:
        unit: money, count, days or share.
        good: 1 where more is better, -1 where less is, 0 where neither.
        by_currency: It is made of money.
        of: Its value at some months.
        is_quotient: It says what was divided by what.
        is_windowed: It is multiplied by the days of the DSO window.
        is_flow: It is made only of what certificates of the months amount to.
        needs_costs: It is made of costs.
    """

    unit: str
    good: int
    by_currency: bool
    of: Callable[[View], Result]
    is_quotient: bool = False
    is_windowed: bool = False
    is_flow: bool = False
    needs_costs: bool = False


Names = str | tuple[str, ...]


def _sum(view: View, names: Iterable[str]) -> int:
    return sum(-view.own[name[1:]] if name.startswith("-") else view.own[name] for name in names)


def _traits(*names: str) -> dict[str, bool]:
    bare = {name.lstrip("-") for name in names}
    return {"is_flow": bare <= FLOWS.keys(), "needs_costs": bool(bare & {*COSTS, *COST_CASH})}


def _total(unit: str, good: int, *names: str) -> Figure:
    return Figure(unit, good, unit == "money", lambda view: Result(_sum(view, names)), **_traits(*names))


def _ratio(unit: str, good: int, by_currency: bool, above: Names, below: str) -> Figure:
    names = (above,) if isinstance(above, str) else above

    def of(view: View) -> Result:
        over, under = _sum(view, names), view.own[below]
        return Result(exact(over, under), over, under)

    return Figure(unit, good, by_currency, of, is_quotient=True, **_traits(*names, below))


def _mean(name: str) -> Figure:
    return _ratio("days", -1, False, name, f"{name}_count")


def _per_billing(stock: str) -> Figure:
    def of(view: View) -> Result:
        over, under = view.own[stock], view.approved(*view.stretch.window)
        days = view.variant.window_days(view.stretch)
        return Result(exact(over * days, under) if days else None, over, under)

    return Figure("days", -1, True, of, is_quotient=True, is_windowed=True)


def _effectiveness(view: View) -> Result:
    start = view.stood("receivable_amount", view.stretch.window[0] - 1)
    billed = view.approved(*view.stretch.window)
    over = start + billed - view.stood("receivable_amount", view.end)
    under = start + billed - view.stood("current_amount", view.end)
    return Result(exact(over, under), over, under)


def _growth(months: int) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        before = view.approved(view.last - months)
        over = view.approved(view.last) - before
        return Result(exact(over, before), over, before)

    return of


def _target(whole_year: bool) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        months = list(range(view.end - view.end % 12, view.end + 1)) if whole_year else [view.end]
        approved = view.approved(*months)
        target = view.variant.oracle.limits.monthly_targets.get(view.code)
        if view.variant.asked.keys() - {"month"} or target is None:
            return Result(None, approved, None)
        return Result(exact(approved, target * len(months)), approved, target * len(months))

    return of


def _share_of_all(view: View) -> Result:
    months, everything = view.stretch.own, view.variant.oracle.everything
    over = view.own["approved_amount"]
    if months is None:
        under = everything.sums(everything.now, view.currency)["approved_amount"]
    else:
        under = everything.flow("approved_amount", months, view.currency)
    return Result(exact(over, under), over, under)


def _approved_of_clients(view: View) -> list[int]:
    found: dict[str, int] = {}
    for (month, code), clients in view.variant.approved_of_clients.items():
        if code == view.code and (view.stretch.own is None or month in view.stretch.own):
            for client, amount in clients.items():
                found[client] = found.get(client, 0) + amount
    return [amount for amount in found.values() if amount]


def _top_client(view: View) -> Result:
    amounts = _approved_of_clients(view)
    over, under = max(amounts, default=0), sum(amounts)
    return Result(exact(over, under) if under > 0 else None, over, under)


def _herfindahl(view: View) -> Result:
    amounts = _approved_of_clients(view)
    over, under = sum(amount**2 for amount in amounts), sum(amounts) ** 2
    return Result(exact(over, under) if sum(amounts) > 0 else None)


def _quantile(percent: int) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        own = view.stretch.own
        days = sorted(
            one
            for month, found in view.variant.payment_days.items()
            if own is None or month in own
            for one in found
        )
        reached = (one for rank, one in enumerate(days, 1) if 100 * rank >= percent * len(days))
        return Result(next(reached, None))

    return of


def _projects(late: bool) -> Callable[[View], Result]:
    def of(view: View) -> Result:
        there, are_late = set(), set()
        for project, is_overdue in view.variant.open_projects(view.stretch.stands_at):
            there.add(project)
            if is_overdue:
                are_late.add(project)
        return Result(len(are_late if late else there - are_late))

    return of


def _count_back(view: View) -> Result:
    receivable = view.own["receivable_amount"]
    if receivable <= 0:
        return Result(0.0 if receivable == 0 else None, receivable, None)
    days, left, oracle = 0, receivable, view.variant.oracle
    for month in range(view.end, max(view.end - 120, oracle.first_month - 1), -1):
        approved, passed = view.approved(month), days_passed(month, oracle.as_of)
        if approved >= left:
            return Result(exact(days * approved + left * passed, approved), receivable, approved)
        days, left = days + passed, left - max(approved, 0)
    return Result(None, receivable, None)


def _expected_loss(view: View) -> Result:
    rates, lost = view.variant.oracle.loss_rates[view.code], 0
    for label in BUCKETS:
        amount, rate = view.own[f"receivable_{label}"], rates[label]
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
    "collected": _total("money", 1, "collected_amount"),
    "receivable": _total("money", -1, "receivable_amount"),
    "pending": _total("money", -1, "pending_amount"),
    "portfolio": _total("money", 0, "portfolio_amount"),
    "overdue": _total("money", -1, "overdue_amount"),
    "overdue_share": _ratio("share", -1, True, "overdue_amount", "open_amount"),
    "certificates": _total("count", 0, "proposed_count"),
    "receivable_count": _total("count", -1, "receivable_count"),
    "overdue_count": _total("count", -1, "overdue_count"),
    "due_assumed_count": _total("count", 0, "due_assumed_count"),
    "high_amount_count": _total("count", 0, "high_count"),
    "average_certificate": _ratio("money", 0, True, "proposed_amount", "proposed_count"),
    "approval_rate": _ratio("share", 1, True, "approved_amount", "decided_proposed_amount"),
    "approval_rate_count": _ratio("share", 1, False, "approved_count", "decided_count"),
    "recovery_rate": _ratio("share", 1, True, "paid_amount", "approved_amount"),
    "collection_effectiveness": Figure("share", 1, True, _effectiveness, is_quotient=True),
    "monthly_target": Figure("share", 1, True, _target(whole_year=False), is_quotient=True),
    "annual_target": Figure("share", 1, True, _target(whole_year=True), is_quotient=True),
    "run_rate": Figure(
        "money",
        1,
        True,
        lambda view: Result(4 * view.approved(view.last - 2, view.last - 1, view.last)),
        is_flow=True,
    ),
    "growth_month": Figure("share", 1, True, _growth(1), is_quotient=True, is_flow=True),
    "growth_year": Figure("share", 1, True, _growth(12), is_quotient=True, is_flow=True),
    "revenue_share": Figure("share", 0, True, _share_of_all, is_quotient=True),
    "top_client_share": Figure("share", -1, True, _top_client, is_quotient=True, is_flow=True),
    "client_concentration": Figure("share", -1, True, _herfindahl, is_flow=True),
}

TIME: Mapping[str, Figure] = {
    "dso": _per_billing("receivable_amount"),
    "dso_count_back": Figure("days", -1, True, _count_back, is_quotient=True),
    "dso_best_possible": _per_billing("current_amount"),
    "open_age": _ratio("days", -1, True, "open_age_amount", "open_amount"),
    "acceptance_days": _mean("acceptance_days"),
    "waiting_days": _mean("waiting_days"),
    "payment_days": _mean("payment_days"),
    "payment_days_median": Figure("days", -1, False, _quantile(50), is_flow=True),
    "payment_days_p90": Figure("days", -1, False, _quantile(90), is_flow=True),
    "late_days": _mean("late_days"),
    "sending_days": _mean("sending_days"),
    "settling_days": _mean("settling_days"),
    "cycle_days": _mean("cycle_days"),
    "idle_days": _mean("idle_days"),
    **{f"idle_{level}_count": _total("count", -1, f"idle_{level}_count") for level in IDLE},
    "fast_collection_rate": _ratio("share", 1, False, "fast_count", "proposed_count"),
    "critical_days": _ratio("days", -1, False, "critical_age", "critical_count"),
}

QUALITY: Mapping[str, Figure] = {
    "rejection_rate": _ratio("share", -1, False, "rejected_count", "decided_count"),
    "rework_rate": _ratio("share", -1, False, "reworked_count", "proposed_count"),
    "first_pass_rate": _ratio("share", 1, False, "first_pass_count", "decided_count"),
    "conformity_pending": _total("money", -1, "waiting_amount"),
    "conformity_pending_count": _total("count", -1, "waiting_days_count"),
    "critical": _total("money", -1, "critical_amount"),
    "critical_count": _total("count", -1, "critical_count"),
    "projects_delayed": Figure("count", -1, False, _projects(late=True)),
    "projects_on_time": Figure("count", 1, False, _projects(late=False)),
    "expected_loss": Figure("money", -1, True, _expected_loss),
}

OF_COSTS: Mapping[str, Figure] = {
    "costs": _total("money", -1, *_ALL_COSTS),
    "opex": _total("money", -1, "cost_opex_amount"),
    "capex": _total("money", 0, "cost_capex_amount"),
    "costs_paid": _total("money", 0, "cost_paid_amount"),
    "costs_pending": _total("money", -1, "cost_open_amount"),
    "gross_margin": _total("money", 1, *_MARGIN),
    "gross_margin_share": _ratio("share", 1, True, _MARGIN, "approved_amount"),
    "cash_margin": _total("money", 1, "collected_amount", "-paid_out_amount"),
}

FIGURES: Mapping[str, Figure] = {**MONEY, **TIME, **QUALITY, **OF_COSTS}
"""Every KPI."""
