"""All that there is on a business date, and what a filter chooses of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from . import months as month
from .certificate_states import (
    AMOUNT_BANDS,
    BUCKETS,
    ISSUED_AGES,
    CertificateState,
    Limits,
    certificate_state,
    certificate_states,
)
from .entry_sums import EntrySums, Terms
from .forecasting import Forecaster
from .measures import CASH, COST_CASH, COSTS, FLOWS, SNAPSHOTS, STATES, STOCKS, cost_amounts, is_paid, rolls
from .source_rows import DIMENSIONS, Row, bare

Data = dict[str, Any]

TREND_MONTHS = 12
NOT_OF_COSTS = {"state", "amount_band", "issued_age"}
OF_COSTS = tuple(name for name in DIMENSIONS if name not in NOT_OF_COSTS)
MILLION = 10**6
LONGEST_PERIODS = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
MONTH_PERIODS = {"3m": 3, "6m": 6, "12m": 12}


class Oracle:
    """All certificates and costs of one business date, and what must be published of them.

    Attributes:
        rows: The certificates, in order.
        as_of: The business date.
        window_months: Months of the trailing DSO window.
        limits: The thresholds.
        standings: Every certificate that exists on the date.
        costs: Every cost that exists on the date.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        as_of: date,
        window_months: int = 12,
        costs: Iterable[Row] = (),
        limits: Limits | None = None,
    ) -> None:
        self.rows = list(rows)
        self.as_of = as_of
        self.window_months = window_months
        self.limits = limits or Limits()
        self.certificate_states = certificate_states(self.rows, as_of, self.limits)
        self.costs = [cost for cost in costs if cost["invoiced_on"] <= as_of]
        self.certificates = EntrySums((*FLOWS, *STOCKS, *SNAPSHOTS))
        self.payments = EntrySums(CASH)
        self.invoices = EntrySums(COSTS)
        self.paid_out = EntrySums(COST_CASH)
        self.positions = EntrySums(tuple(STOCKS))
        self._enter()

    @property
    def cells(self) -> tuple[EntrySums, ...]:
        """What has values of every dimension: all but positions."""
        return self.certificates, self.payments, self.invoices, self.paid_out

    def variant(self, asked: Mapping[str, Sequence[str]]) -> "Variant":
        """What a filter chooses; `asked` gives the values wanted of each dimension."""
        return Variant(self, {name: tuple(values) for name, values in asked.items()})

    @cached_property
    def everything(self) -> "Variant":
        """What no filter chooses from."""
        return self.variant({})

    @cached_property
    def forecaster(self) -> Forecaster:
        """What is expected of each certificate."""
        return Forecaster(self.rows, self.certificate_states, self.as_of)

    @cached_property
    def currencies(self) -> list[str]:
        """Currencies of all there is."""
        return sorted({code for ledger in self.cells for code in ledger.currencies})

    @cached_property
    def this_month(self) -> int:
        """The month of the date."""
        return month.of(self.as_of)

    @cached_property
    def last_complete(self) -> int:
        """The last month that is over by the date."""
        return self.this_month if month.last_day(self.this_month) <= self.as_of else self.this_month - 1

    @cached_property
    def first_month(self) -> int:
        """The first month in which there is anything."""
        return min((one for ledger in self.cells for one in ledger.months), default=self.this_month)

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first and last month in which anything is or stood."""
        found = [one for ledger in (*self.cells, self.positions) for one in ledger.months]
        return min(found, default=self.this_month), max([*found, self.this_month])

    def trailing(self, end: int) -> list[int]:
        """Months of the DSO window that ends with a month."""
        return list(range(end - self.window_months + 1, end + 1))

    @cached_property
    def loss_rates(self) -> dict[str, dict[str, int | None]]:
        """By currency and ageing bucket: of a million, how much of such receivables ended as lost."""
        measured = rolls(self.limits)
        found: dict[str, dict[str, int | None]] = {}
        for code in self.currencies:
            of = [one for one in self.certificate_states if one.currency == code]
            beyond: int | None = MILLION
            rates = {}
            for label in reversed(BUCKETS):
                reached = sum(measured[f"reached_{label}"](one) for one in of)
                rolled = sum(measured[f"rolled_{label}"](one) for one in of)
                beyond = None if beyond is None or reached <= 0 else rolled * beyond // reached
                rates[label] = beyond
            found[code] = rates
        return found

    @cached_property
    def value_counts(self) -> dict[str, list[Data]]:
        """Each dimension's values and how many certificates have each, as the catalogue lists them."""
        listed: dict[str, list[Data]] = {}
        for name in DIMENSIONS:
            counts = Counter(one.values[name] for one in self.certificate_states)
            found = {one[name] for ledger in self.cells for one in ledger.values if name in one}
            listed[name] = [{"value": value, "count": counts[value]} for value in self._listed(name, found)]
        return listed

    @cached_property
    def occurring(self) -> set[tuple[tuple[str, str], ...]]:
        """The values of one and of two dimensions under which anything has happened."""
        found: Counter[tuple[tuple[str, str], ...]] = Counter()
        for ledger in (self.certificates, self.payments, self.invoices):
            for values in ledger.values:
                for terms in _terms_of(values):
                    found[terms] += 1
        paid: Counter[tuple[tuple[tuple[str, str], ...], str]] = Counter()
        for entry, (values, code) in enumerate(
            zip(self.paid_out.values, self.paid_out.currencies, strict=True)
        ):
            (amount,) = self.paid_out.amounts(entry, "paid_out_amount")
            for terms in _terms_of(values):
                paid[terms, code] += amount
        return set(found) | {terms for (terms, _), amount in paid.items() if amount}

    @cached_property
    def periods(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The quick periods that are more than one value: a dimension and its values."""
        held = [one["value"] for one in self.value_counts["month"]]
        lengths = {**MONTH_PERIODS, "ytd": self.as_of.month}
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, days in LONGEST_PERIODS.items():
            found[name] = "issued_age", ages_between(0, days - 1)
        for name, length in lengths.items():
            first = self.this_month - length + 1
            values = tuple(one for one in held if first <= month.number(one) <= self.this_month)
            if values:
                found[name] = "month", values
        return found

    def precomputed(self) -> set[tuple[tuple[str, tuple[str, ...]], ...]]:
        """The filters always published: everything, and what occurs of the others.

        These are each value and each pair of values, days since issue apart; and each quick period of more
        than one value, alone and with each value of what is no time.
        """
        pairs = [terms for terms in self.occurring if "issued_age" not in dict(terms)]
        found = {tuple((name, (value,)) for name, value in terms) for terms in pairs}
        for dimension, values in self.periods.values():
            stretch = dimension, tuple(sorted(values, key=bare))
            beside = {term for terms in self.occurring for term in _beside(terms, dimension, values)}
            if any(((dimension, value),) in self.occurring for value in values):
                found.add((stretch,))
            found |= {tuple(sorted((stretch, (name, (value,))))) for name, value in beside}
        return {(), *found}

    def _listed(self, dimension: str, found: set[str]) -> list[str]:
        """The values of a dimension in their order; months without a gap, that of the date included."""
        if dimension == "month":
            held = [self.this_month, *map(month.number, found)]
            return [month.text(one) for one in range(min(held), max(held) + 1)]
        declared = {"amount_band": AMOUNT_BANDS, "issued_age": tuple(ISSUED_AGES)}.get(dimension)
        return in_order(found) if declared is None else list(declared)

    def _enter(self) -> None:
        every = {**FLOWS, **STOCKS, **SNAPSHOTS}
        for one in self.certificate_states:
            amounts = {name: measure(one) for name, measure in every.items()}
            self.certificates.enter(one.values, month.number(one.values["month"]), one.currency, amounts)
        for one in self.certificate_states:
            if one.paid_month is not None:
                values = {**one.values, "month": one.paid_month}
                amounts = {"collected_amount": one.accepted_amount, "collected_count": 1}
                self.payments.enter(values, month.number(one.paid_month), one.currency, amounts)
        for cost in self.costs:
            at = month.number(cost["month"])
            values = {name: cost[name] for name in OF_COSTS}
            self.invoices.enter(values, at, cost["currency"], cost_amounts(cost, self.as_of))
            if is_paid(cost, self.as_of):
                at = month.of(cost["paid_on"])
                values = {**values, "month": month.text(at)}
                self.paid_out.enter(values, at, cost["currency"], {"paid_out_amount": cost["amount"]})
        for now in self.certificate_states:
            for at in range(month.of(now.row["issued_on"]), self.this_month + 1):
                then = certificate_state(now.row, min(month.last_day(at), self.as_of), self.limits)
                if then.is_paid:
                    break
                amounts = {name: measure(then) for name, measure in STOCKS.items()}
                values = {name: value for name, value in then.values.items() if name != "month"}
                self.positions.enter(values, at, then.currency, amounts)
        for ledger in (*self.cells, self.positions):
            ledger.close()


@dataclass(frozen=True)
class Stretch:
    """Months at which figures are evaluated.

    Attributes:
        own: The months themselves; None for all time.
        window: Months of the DSO window.
        stands_at: The month at whose end stocks are taken; None where they are those of the certificates.
    """

    own: tuple[int, ...] | None
    window: tuple[int, ...]
    stands_at: int | None


class Variant:
    """What a filter chooses.

    Attributes:
        oracle: All that there is.
        asked: The values wanted of each dimension.
    """

    def __init__(self, oracle: Oracle, asked: Mapping[str, tuple[str, ...]]) -> None:
        self.oracle = oracle
        self.asked = {name: values for name, values in asked.items() if values}
        self.others: Terms = {name: values for name, values in self.asked.items() if name != "month"}
        self.asked_months = sorted({month.number(bare(one)) for one in self.asked.get("month", ())})
        first, last = oracle.span
        self._first = first
        self.chosen = {ledger: self._chosen(ledger) for ledger in (*oracle.cells, oracle.positions)}
        self._flows = np.concatenate(
            [ledger.by_month(self.chosen[ledger], first, last, oracle.currencies) for ledger in oracle.cells],
            axis=2,
        )
        self._stood = oracle.positions.by_month(self.chosen[oracle.positions], first, last, oracle.currencies)
        names = [name for ledger in oracle.cells for name in ledger.names]
        self._place = {name: at for at, name in enumerate(names)}
        self._stock_places = [self._place[name] for name in oracle.positions.names]
        self._sums: dict[Stretch, list[dict[str, int]]] = {}

    @property
    def has_costs(self) -> bool:
        """The filter names only what a cost has."""
        return not NOT_OF_COSTS & self.asked.keys()

    @cached_property
    def end(self) -> int:
        """The last month of the trend."""
        return self.asked_months[-1] if self.asked_months else self.oracle.this_month

    @cached_property
    def months(self) -> list[int]:
        """Months of the trend."""
        return list(range(self.end - TREND_MONTHS + 1, self.end + 1))

    @cached_property
    def now(self) -> Stretch:
        """The filter itself."""
        if self.asked_months:
            return Stretch(tuple(self.asked_months), tuple(self.asked_months), None)
        return Stretch(None, tuple(self.oracle.trailing(self.oracle.this_month)), None)

    def at(self, one: int) -> Stretch:
        """One month of the trend."""
        return Stretch((one,), tuple(self.oracle.trailing(one)), one)

    @cached_property
    def compared(self) -> tuple[Stretch, Stretch] | None:
        """The complete months to compare, and as many before them."""
        if "issued_age" in self.asked:
            return None
        recent = [one for one in self.asked_months if one <= self.oracle.last_complete]
        if not self.asked_months:
            recent = self.oracle.trailing(self.oracle.last_complete)
        if not recent or any(later - one != 1 for one, later in pairwise(recent)):
            return None
        before = [one - len(recent) for one in recent]
        return _stretch(recent), _stretch(before)

    @cached_property
    def compared_ages(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The ages of a quick period of days, and those of the period before it."""
        if self.asked_months or "issued_age" not in self.asked:
            return None
        ages = {bare(value) for value in self.asked["issued_age"]}
        for days in LONGEST_PERIODS.values():
            if ages == set(ages_between(0, days - 1)):
                return ages_between(0, days - 1), ages_between(days, 2 * days - 1)
        return None

    @cached_property
    def before(self) -> "Variant | None":
        """What the same filter chooses of the ages before a quick period of days."""
        if self.compared_ages is None:
            return None
        return Variant(self.oracle, {**self.asked, "issued_age": self.compared_ages[1]})

    @cached_property
    def currencies(self) -> list[str]:
        """Currencies in which anything has happened, or stood in the months of the trend."""
        occurrences = ("proposed_count", "collected_count", "cost_count", "paid_out_amount")
        kept = [at for name, at in self._place.items() if name not in SNAPSHOTS and name not in STOCKS]
        found = []
        for at, code in enumerate(self.oracle.currencies):
            happened = any(self.sums(self.now, at)[name] for name in occurrences)
            flowed = any(self._in(self._flows, one)[at][kept].any() for one in self.months)
            stood = any(self._in(self._stood, one)[at].any() for one in self.months)
            if happened or flowed or stood:
                found.append(code)
        return found

    def place(self, code: str) -> int:
        """The place of a currency among all."""
        return self.oracle.currencies.index(code)

    def sums(self, stretch: Stretch, currency: int | None) -> dict[str, int]:
        """All sums over a stretch, of a currency or of all."""
        if stretch not in self._sums:
            self._sums[stretch] = self._summed(stretch)
        return self._sums[stretch][-1 if currency is None else currency]

    def flow(self, name: str, over: Iterable[int], currency: int | None) -> int:
        """What flowed in some months; the filter's own months are not heeded."""
        found = 0
        for one in over:
            row = self._in(self._flows, one)[:, self._place[name]]
            found += sum(map(int, row)) if currency is None else int(row[currency])
        return found

    def stood(self, name: str, at: int, currency: int | None) -> int:
        """What stood at the end of a month; of one to come, what stands on the date."""
        row = self._in(self._stood, min(at, self.oracle.this_month))[
            :, self.oracle.positions.names.index(name)
        ]
        return sum(map(int, row)) if currency is None else int(row[currency])

    def window_days(self, stretch: Stretch) -> int:
        """Days of the DSO window that have begun."""
        return sum(month.days_passed(one, self.oracle.as_of) for one in stretch.window)

    @cached_property
    def certificate_states(self) -> list[CertificateState]:
        """Certificates of the filter."""
        return [one for one in self.of_any_month if self._asked(one.values["month"])]

    def open_projects(self, at: int | None) -> list[tuple[str, bool]]:
        """The project of each certificate that is not paid, and whether it is overdue.

        Args:
            at: The month at whose end; None for the filter's certificates on the date.
        """
        if at is None:
            return [
                (one.values["project"], one.is_overdue) for one in self.certificate_states if not one.is_paid
            ]
        positions, month_end = self.oracle.positions, min(at, self.oracle.this_month)
        return [
            (positions.values[entry]["project"], positions.amounts(entry, "overdue_count") == [1])
            for entry in self.chosen[positions]
            if positions.months[entry] == month_end
        ]

    @cached_property
    def of_any_month(self) -> list[CertificateState]:
        """Certificates of the filter, but for the months that it names."""
        return [self.oracle.certificate_states[at] for at in self.chosen[self.oracle.certificates]]

    @cached_property
    def costs(self) -> list[Row]:
        """Costs of the filter."""
        at = self.chosen[self.oracle.invoices]
        return [self.oracle.costs[one] for one in at if self._asked(self.oracle.costs[one]["month"])]

    @cached_property
    def payment_days(self) -> dict[int, list[int]]:
        """Days to payment of the certificates billed in each month."""
        found: dict[int, list[int]] = {}
        for one in self.of_any_month:
            if one.payment_days is not None:
                found.setdefault(month.number(one.values["month"]), []).append(one.payment_days)
        return found

    @cached_property
    def approved_of_clients(self) -> dict[tuple[int, str], Counter[str]]:
        """What was approved for each client, by billing month and currency."""
        found: dict[tuple[int, str], Counter[str]] = {}
        for one in self.of_any_month:
            key = month.number(one.values["month"]), one.currency
            found.setdefault(key, Counter())[one.values["client"]] += (
                one.accepted_amount if one.is_accepted else 0
            )
        return found

    @cached_property
    def options(self) -> dict[str, list[int]]:
        """Of each dimension that is free, how many certificates have each value."""
        found = {}
        for name, listed in self.oracle.value_counts.items():
            if name not in self.asked:
                counts = Counter(one.values[name] for one in self.certificate_states)
                found[name] = [counts[one["value"]] for one in listed]
        return found

    @property
    def comparison(self) -> Data | None:
        """The months, or the days since issue, that are compared."""
        if self.compared_ages is not None:
            ages, before = self.compared_ages
            return {
                "issued_age": sorted(ages, key=bare),
                "previous_issued_age": sorted(before, key=bare),
            }
        if self.compared is None:
            return None
        recent, previous = self.compared
        return {
            "from": month.text(recent.window[0]),
            "to": month.text(recent.window[-1]),
            "previous_from": month.text(previous.window[0]),
            "previous_to": month.text(previous.window[-1]),
        }

    def _asked(self, text: str) -> bool:
        return not self.asked_months or month.number(text) in self.asked_months

    def _chosen(self, ledger: EntrySums) -> list[int]:
        return ledger.chosen(self.others)

    def _in(self, sums: Any, one: int) -> Any:
        at = one - self._first
        return sums[at] if 0 <= at < len(sums) else np.zeros_like(sums[0])

    def _summed(self, stretch: Stretch) -> list[dict[str, int]]:
        if stretch.own is None:
            total = self._flows.sum(axis=0)
        else:
            total = sum((self._in(self._flows, one) for one in stretch.own), np.zeros_like(self._flows[0]))
        if stretch.stands_at is not None:
            total[:, self._stock_places] = self._in(
                self._stood, min(stretch.stands_at, self.oracle.this_month)
            )
        rows = total.tolist()
        of_all = [sum(column) for column in zip(*rows, strict=True)] or [0] * total.shape[1]
        return [dict(zip(self._place, row, strict=True)) for row in (*rows, of_all)]


def ages_between(first: int, last: int) -> tuple[str, ...]:
    """Days since issue that lie wholly between two days."""
    return tuple(
        label
        for label, (start, end) in ISSUED_AGES.items()
        if start >= first and end is not None and end <= last
    )


def in_order(values: Iterable[str]) -> list[str]:
    """Values as people look for them."""
    return sorted(values, key=lambda value: (bare(value), value))


def exact(above: int, below: int) -> float | None:
    """A quotient, rounded once; None where there is nothing to divide by."""
    return float(Fraction(above, below)) + 0.0 if below else None


def _stretch(months_of_it: Sequence[int]) -> Stretch:
    return Stretch(tuple(months_of_it), tuple(months_of_it), months_of_it[-1])


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


__all__ = ["AMOUNT_BANDS", "STATES", "Data", "Oracle", "Stretch", "Variant", "exact", "in_order"]
