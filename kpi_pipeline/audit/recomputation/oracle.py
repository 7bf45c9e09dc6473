"""All that there is on a business date, and as it stood on the days before it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation.certificate_states import CertificateState, Limits, certificate_states
from kpi_pipeline.audit.recomputation.days import TREND_MONTHS, Window, evaluation_days
from kpi_pipeline.audit.recomputation.entry_sums import EntrySums
from kpi_pipeline.audit.recomputation.forecasting import Forecaster
from kpi_pipeline.audit.recomputation.measures import COSTS, FLOWS, STATES, STOCKS, cost_amounts, rolls
from kpi_pipeline.audit.recomputation.quotients import Data, in_order
from kpi_pipeline.audit.recomputation.ranges import AMOUNT_BANDS, BUCKETS, ISSUED_AGES
from kpi_pipeline.audit.recomputation.rows import DIMENSIONS, Row, bare
from kpi_pipeline.audit.recomputation.variant import LONGEST_PERIODS, NOT_OF_COSTS, Variant, ages_between

OF_COSTS = tuple(name for name in DIMENSIONS if name not in NOT_OF_COSTS)
MILLION = 10**6
MONTH_PERIODS = {"3m": 3, "6m": 6, "12m": 12}
MONTHLY = ("proposed_amount", "approved_amount", "paid_amount")


@dataclass(frozen=True)
class Whole:
    """What part of the certificates and costs has to know of all of them.

    Attributes:
        first_issued: Of `Oracle.first_issued`.
        first_invoices: Of `Oracle.first_invoices`.
    """

    first_issued: date | None
    first_invoices: Mapping[str | None, date]


class Oracle:
    """All certificates and costs of one business date, and what must be published of them.

    Attributes:
        rows: The certificates, in order.
        as_of: The business date.
        window_months: Months of the window over which flows are summed.
        limits: The thresholds.
        whole: What is to be known of all certificates where the rows are a part of them.
        days: The days on which figures are evaluated: the date, the one compared with, and month ends.
        windows: The window of each.
        certificate_states: Every certificate that exists on the date.
        costs: Every cost that exists on the date.
        stood: Every certificate as it stood on each day: the sums of days by their place.
        cohorts: Every certificate as of the date, by billing month, whenever its events were.
        spent: Every cost on each day.
        cohorts_spent: Every cost as of the date, by month of invoice.
        flowed: Flows by the month of their event, as of the date.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        as_of: date,
        window_months: int = 12,
        costs: Iterable[Row] = (),
        limits: Limits | None = None,
        whole: Whole | None = None,
    ) -> None:
        self.rows = list(rows)
        self.as_of = as_of
        self.window_months = window_months
        self.limits = limits or Limits()
        self.whole = whole
        self.days = evaluation_days(as_of, window_months)
        self.windows = [Window.ending(day, window_months) for day in self.days]
        self.certificate_states = certificate_states(self.rows, as_of, self.limits)
        self.costs = [cost for cost in costs if cost["invoiced_on"] <= as_of]
        names = (*FLOWS, *STOCKS)
        self.stood, self.cohorts = EntrySums(names), EntrySums(names)
        self.spent, self.cohorts_spent = EntrySums(COSTS), EntrySums(COSTS)
        self.flowed, self.flowed_costs = EntrySums(MONTHLY), EntrySums(COSTS)
        self.states_of: dict[EntrySums, list[CertificateState]] = {self.stood: [], self.cohorts: []}
        self._enter()

    def variant(self, asked: Mapping[str, Sequence[str]]) -> Variant:
        """What a filter chooses; `asked` gives the values wanted of each dimension."""
        return Variant(self, {name: tuple(values) for name, values in asked.items()})

    @cached_property
    def everything(self) -> Variant:
        """What no filter chooses from."""
        return self.variant({})

    @cached_property
    def forecaster(self) -> Forecaster:
        """What is expected of each certificate."""
        return Forecaster(self.rows, self.certificate_states, self.as_of)

    @cached_property
    def payments(self) -> list[tuple[str, int]]:
        """Of every payment until the date whose days from issue are known: the client, and these days."""
        taken = ((one.values["client"], one.payment_days) for one in self.certificate_states)
        return [(client, days) for client, days in taken if days is not None]

    @cached_property
    def currencies(self) -> list[str]:
        """Currencies of all there is."""
        return sorted({code for ledger in (self.cohorts, self.cohorts_spent) for code in ledger.currencies})

    @cached_property
    def first_invoices(self) -> Mapping[str | None, date]:
        """The first day of a cost, by currency."""
        if self.whole is not None:
            return self.whole.first_invoices
        found: dict[str | None, date] = {}
        for cost in self.costs:
            code = cost["currency"]
            found[code] = min(found.get(code, cost["invoiced_on"]), cost["invoiced_on"])
        return found

    @cached_property
    def this_month(self) -> int:
        """The month of the date."""
        return month.of(self.as_of)

    @cached_property
    def trend(self) -> list[int]:
        """The months of every trend."""
        return list(range(self.this_month - TREND_MONTHS + 1, self.this_month + 1))

    @cached_property
    def first_issued(self) -> date | None:
        """The first issue of all that is not cancelled on one of the days, or is paid in advance."""
        if self.whole is not None:
            return self.whole.first_issued
        seen = (*self.states_of[self.cohorts], *self.states_of[self.stood])
        return min((one.issued for one in seen if one.standing != "cancelled"), default=None)

    @cached_property
    def loss_rates(self) -> list[dict[str, dict[str, int | None]]]:
        """On each day, by currency and ageing bucket: of a million, how much of such receivables was lost."""
        measured, found = rolls(self.limits), []
        for day in self.days:
            states, by_code = certificate_states(self.rows, day, self.limits), {}
            for code in self.currencies:
                of = [one for one in states if one.currency == code]
                beyond: int | None = MILLION
                rates: dict[str, int | None] = {}
                for label in reversed(BUCKETS):
                    reached = sum(measured[f"reached_{label}"](one) for one in of)
                    rolled = sum(measured[f"rolled_{label}"](one) for one in of)
                    beyond = None if beyond is None or reached <= 0 else rolled * beyond // reached
                    rates[label] = beyond
                by_code[code] = rates
            found.append(by_code)
        return found

    @cached_property
    def value_counts(self) -> dict[str, list[Data]]:
        """Each dimension's values and how many certificates have each, as the catalogue lists them."""
        listed: dict[str, list[Data]] = {}
        for name in DIMENSIONS:
            counts = Counter(one.values[name] for one in self.certificate_states if one.is_counted)
            ledgers = (self.cohorts, self.cohorts_spent)
            found = {one[name] for ledger in ledgers for one in ledger.values if name in one}
            listed[name] = [{"value": value, "count": counts[value]} for value in self._listed(name, found)]
        return listed

    @cached_property
    def occurring(self) -> set[tuple[tuple[str, str], ...]]:
        """The values of one and of two dimensions under which anything has happened."""
        happened: Counter[tuple[tuple[tuple[str, str], ...], str, str]] = Counter()
        for ledger, names in (
            (self.cohorts, ("proposed_count", "proposed_amount", "paid_count", "cancelled_count")),
            (self.cohorts_spent, ("cost_count", "paid_out_amount")),
        ):
            cells: dict[tuple[tuple[tuple[str, str], ...], str], list[int]] = {}
            for entry, (values, code) in enumerate(zip(ledger.values, ledger.currencies, strict=True)):
                cell = tuple(sorted(values.items())), code
                sums = cells.setdefault(cell, [0] * len(names))
                for at, amount in enumerate(ledger.amounts(entry, *names)):
                    sums[at] += amount
            for (terms, code), sums in cells.items():
                if any(sums):
                    for chosen in _terms_of(dict(terms)):
                        happened[chosen, code, ""] += 1
        return {terms for terms, _, _ in happened}

    @cached_property
    def periods(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The quick periods that are more than one value: a dimension and its values."""
        held = [one["value"] for one in self.value_counts["month"]]
        lengths = {**MONTH_PERIODS, "ytd": self.as_of.month}
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, days in LONGEST_PERIODS.items():
            found[name] = "issued_age", ages_between(0, days - 1)
        begins = self.this_month - self.this_month % 3
        spans = {name: (self.this_month - length + 1, self.this_month) for name, length in lengths.items()}
        spans |= {"this_quarter": (begins, self.this_month), "last_quarter": (begins - 3, begins - 1)}
        for name, (first, last) in spans.items():
            values = tuple(one for one in held if first <= month.number(one) <= last)
            if values:
                found[name] = "month", values
        return found

    def precomputed(self) -> set[tuple[tuple[str, tuple[str, ...]], ...]]:
        """The filters always published: everything, what readers can choose, and what occurs of the others.

        They can choose each value, the group of what awaits acceptance and each quick period; two quarters
        are compared with the one before and that of the year before. What occurs are pairs of values, days
        since issue apart, and quick periods with each value of what is no time.
        """
        pairs = [terms for terms in self.occurring if "issued_age" not in dict(terms)]
        found: set[tuple[tuple[str, tuple[str, ...]], ...]] = {
            tuple((name, (value,)) for name, value in terms) for terms in pairs
        }
        found |= {((name, (one["value"],)),) for name, listed in self.value_counts.items() for one in listed}
        found.add((("state", ("enviado", "revision")),))
        held = [one["value"] for one in self.value_counts["month"]]
        for back in (2, 4, 5):
            begins = self.this_month - self.this_month % 3 - 3 * back
            if quarter := tuple(one for one in held if begins <= month.number(one) <= begins + 2):
                found.add((("month", tuple(sorted(quarter, key=bare))),))
        for dimension, values in self.periods.values():
            stretch = dimension, tuple(sorted(values, key=bare))
            beside = {term for terms in self.occurring for term in _beside(terms, dimension, values)}
            found.add((stretch,))
            found |= {tuple(sorted((stretch, (name, (value,))))) for name, value in beside}
        return {(), *found}

    def _listed(self, dimension: str, found: set[str]) -> list[str]:
        """The values of a dimension in their order; months of anything without a gap, the date's included."""
        if dimension == "month":
            eventful = [one for ledger in (self.flowed, self.flowed_costs) for one in ledger.months]
            issues = [month.of(one.issued) for one in self.states_of[self.stood]] + [
                month.of(cost["invoiced_on"]) for cost in self.costs
            ]
            held = [self.this_month, *map(month.number, found), *eventful, *issues]
            return [month.text(one) for one in range(min(held), max(held) + 1)]
        declared = {
            "state": (*STATES, "anulado"),
            "amount_band": AMOUNT_BANDS,
            "issued_age": tuple(ISSUED_AGES),
        }.get(dimension)
        return in_order(found) if declared is None else list(declared)

    def _enter(self) -> None:
        measures = {**FLOWS, **STOCKS}
        for place, window in enumerate(self.windows):
            for one in _existing(self.rows, window.day, self.limits):
                values = {name: value for name, value in one.values.items() if name != "month"}
                amounts = {name: measure(one, window) for name, measure in measures.items()}
                self.stood.enter(values, place, one.currency, amounts)
                self.states_of[self.stood].append(one)
            for cost in self.costs:
                if cost["invoiced_on"] <= window.day:
                    values = {name: cost[name] for name in OF_COSTS if name != "month"}
                    self.spent.enter(values, place, cost["currency"], cost_amounts(cost, window))
        ever = Window(None, self.as_of)
        for one in _existing(self.rows, self.as_of, self.limits):
            amounts = {name: measure(one, ever) for name, measure in measures.items()}
            self.cohorts.enter(one.values, month.number(one.values["month"]), one.currency, amounts)
            self.states_of[self.cohorts].append(one)
            values = {name: value for name, value in one.values.items() if name != "month"}
            dated = (
                one.issued if one.standing != "cancelled" else None,
                one.accepted_on,
                one.settled_on if one.collected else None,
            )
            for name, on in zip(MONTHLY, dated, strict=True):
                if on is not None and on <= self.as_of:
                    self.flowed.enter(values, month.of(on), one.currency, {name: amounts[name]})
        for cost in self.costs:
            values = {name: cost[name] for name in OF_COSTS}
            amounts = cost_amounts(cost, ever)
            self.cohorts_spent.enter(values, month.number(cost["month"]), cost["currency"], amounts)
            plain = {name: value for name, value in values.items() if name != "month"}
            invoiced = {name: amount for name, amount in amounts.items() if name != "paid_out_amount"}
            self.flowed_costs.enter(plain, month.of(cost["invoiced_on"]), cost["currency"], invoiced)
            if amounts["paid_out_amount"]:
                paid = {"paid_out_amount": amounts["paid_out_amount"]}
                self.flowed_costs.enter(plain, month.of(cost["paid_on"]), cost["currency"], paid)
        ledgers = (self.stood, self.cohorts, self.spent, self.cohorts_spent, self.flowed, self.flowed_costs)
        for ledger in ledgers:
            ledger.close()


def first_issue(
    rows: Iterable[Row], as_of: date, window_months: int, limits: Limits | None = None
) -> date | None:
    """Of `Oracle.first_issued`, without standings of all rows.

    Args:
        rows: All certificates, in the order of their issue.
        as_of: The business date.
        window_months: Months of the window over which flows are summed.
        limits: The thresholds.
    """
    for row in rows:
        one = Oracle([row], as_of, window_months, limits=limits)
        if one.first_issued is not None:
            return one.first_issued
    return None


def _existing(rows: Iterable[Row], day: date, limits: Limits) -> list[CertificateState]:
    """What exists on a day: what is issued, and advances that are paid before."""
    return [
        CertificateState(row, day, limits)
        for row in rows
        if row["issued_on"] <= day or (row["paid_on"] is not None and row["paid_on"] <= day)
    ]


def _terms_of(values: Mapping[str, str]) -> Iterable[tuple[tuple[str, str], ...]]:
    terms = sorted(values.items())
    return (*combinations(terms, 1), *combinations(terms, 2))


def _beside(
    terms: tuple[tuple[str, str], ...], dimension: str, values: Sequence[str]
) -> Iterable[tuple[str, str]]:
    """The other term of a pair that has one of some values of a dimension."""
    if len(terms) == 2 and dict(terms).get(dimension) in values:
        return [(name, value) for name, value in terms if name not in {"month", "issued_age"}]
    return []
