"""What a filter chooses of all that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.entry_sums import Cell, EntrySums
from kpi_pipeline.audit.recomputation.quotients import Data
from kpi_pipeline.audit.recomputation.ranges import ISSUED_AGES
from kpi_pipeline.audit.recomputation.rows import Row, bare

if TYPE_CHECKING:
    from kpi_pipeline.audit.recomputation.oracle import Oracle

NOT_OF_COSTS = {"state", "amount_band", "issued_age"}
LONGEST_PERIODS = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
OF_THE_DAY = {"state", "issued_age"}


class Variant:
    """What a filter chooses.

    Attributes:
        oracle: All that there is.
        asked: The values wanted of each dimension.
    """

    def __init__(self, oracle: Oracle, asked: Mapping[str, tuple[str, ...]]) -> None:
        self.oracle = oracle
        self.asked = {name: values for name, values in asked.items() if values}
        self.others = {name: values for name, values in self.asked.items() if name != "month"}
        self.asked_months = sorted({month.number(bare(one)) for one in self.asked.get("month", ())})
        self.is_cohort = bool(self.asked_months)
        self._chosen: dict[EntrySums, list[int]] = {}
        self._by_place: dict[EntrySums, dict[int, list[int]]] = {}

    @property
    def has_costs(self) -> bool:
        """The filter names only what a cost has."""
        return not NOT_OF_COSTS & self.asked.keys()

    def knows_costs(self, code: str | None, day: int = 0) -> bool:
        """Costs are known under the filter, in a currency in which there are any by a day of its place."""
        first = self.oracle.first_invoices.get(code)
        return self.has_costs and first is not None and first <= self.oracle.days[day]

    @property
    def months(self) -> list[int]:
        """Months of the trend."""
        return self.oracle.trend

    @property
    def places(self) -> list[int]:
        """Places of the days that the variant has; a cohort has the date alone."""
        return [0] if self.is_cohort else list(range(len(self.oracle.days)))

    @cached_property
    def currencies(self) -> list[str]:
        """Currencies in which anything has ever happened under the filter."""
        found = set()
        for ledger, names in (
            (self.oracle.cohorts, ("proposed_count", "proposed_amount", "paid_count")),
            (self.oracle.cohorts_spent, ("cost_count", "paid_out_amount")),
        ):
            cells: Counter[tuple[Cell, str, str]] = Counter()
            for entry in self._entries(ledger):
                if self._asked(ledger.months[entry]):
                    for name, amount in zip(names, ledger.amounts(entry, *names), strict=True):
                        cells[ledger.cell(entry), ledger.currencies[entry], name] += amount
            found |= {code for (_, code, _), amount in cells.items() if amount}
        return sorted(found)

    def place(self, code: str) -> int:
        """The place of a currency among all."""
        return self.oracle.currencies.index(code)

    def sums(self, day: int, currency: int | None) -> dict[str, int]:
        """All sums on a day, by its place, of a currency or of all."""
        return self._sums[day][-1 if currency is None else currency]

    def flow(self, name: str, at: int, currency: int) -> int:
        """What flowed in a month; the filter's own months are not heeded."""
        ledger = self.oracle.flowed if name in self.oracle.flowed.names else self.oracle.flowed_costs
        if ledger is self.oracle.flowed_costs and not self.has_costs:
            return 0
        return self._by_month[ledger].get((name, at, currency), 0)

    def window_days(self, day: int) -> int:
        """Days over which billing is measured, on a day by its place."""
        if self.is_cohort:
            return sum(month.days_passed(one, self.oracle.as_of) for one in self.asked_months)
        on, window = self.oracle.days[day], self.oracle.windows[day]
        first = self._first_issued(day)
        if first is None:
            return 0
        return max((on - max(first, window.first or first)).days + 1, 0)

    def _first_issued(self, day: int) -> date | None:
        of_day = [one for one in self.on_day(day) if one.standing != "cancelled"]
        if OF_THE_DAY & self.asked.keys():
            # What was settled before the window is no part of what the filter shows that day.
            begin = self.oracle.windows[day].first
            of_day = [one for one in of_day if one.is_open or begin is None or _last_event(one) >= begin]
        return min((one.issued for one in of_day), default=None)

    def on_day(self, day: int) -> list[CertificateState]:
        """Certificates of the filter as they stood on a day, by its place."""
        if self.is_cohort:
            return self.of_cohort
        ledger = self.oracle.stood
        states = self.oracle.states_of[ledger]
        return [states[at] for at in self._entries_in(ledger, [day])]

    @cached_property
    def of_cohort(self) -> list[CertificateState]:
        """Certificates of the filter as of the date, whenever they were issued."""
        ledger = self.oracle.cohorts
        states = self.oracle.states_of[ledger]
        return [states[at] for at in self._entries(ledger) if self._asked(ledger.months[at])]

    @cached_property
    def of_any_month(self) -> list[CertificateState]:
        """Certificates of the filter, whatever months it names."""
        states = self.oracle.states_of[self.oracle.cohorts]
        return [states[at] for at in self._entries(self.oracle.cohorts)]

    @cached_property
    def certificate_states(self) -> list[CertificateState]:
        """Certificates of the filter on the date."""
        return self.on_day(0)

    @cached_property
    def every_cost(self) -> list[Row]:
        """Costs of the filter, whenever they were invoiced."""
        at = self._entries(self.oracle.cohorts_spent) if self.has_costs else []
        of_filter = [self.oracle.costs[one] for one in at]
        return [cost for cost in of_filter if self._asked(month.number(cost["month"]))]

    @cached_property
    def costs(self) -> list[Row]:
        """Costs of the filter: those invoiced in the window, or of its cohort."""
        window = self.oracle.windows[0]
        return [cost for cost in self.every_cost if self.is_cohort or cost["invoiced_on"] in window]

    @cached_property
    def options(self) -> dict[str, list[int]]:
        """Of each dimension that is free, how many certificates have each value."""
        found = {}
        issued = [one for one in self.of_cohort if one.is_counted and one.is_issued]
        for name, listed in self.oracle.value_counts.items():
            if name not in self.asked:
                counts = Counter(one.values[name] for one in issued)
                found[name] = [counts[one["value"]] for one in listed]
        return found

    @property
    def comparison(self) -> Data | None:
        """The days that are compared."""
        day, previous, *_ = self.oracle.days
        return None if self.is_cohort else {"day": day.isoformat(), "previous_day": previous.isoformat()}

    @property
    def cohort(self) -> Data | None:
        """Of billing months, how many certificates there are, and how many are open."""
        if not self.is_cohort:
            return None
        counted = [one for one in self.of_cohort if one.is_counted and one.is_issued]
        return {"certificates": len(counted), "open": sum(one.is_open for one in counted)}

    def _asked(self, at: int) -> bool:
        return not self.asked_months or at in self.asked_months

    def _entries(self, ledger: EntrySums) -> list[int]:
        if ledger not in self._chosen:
            self._chosen[ledger] = ledger.chosen(self.others)
        return self._chosen[ledger]

    def _entries_in(self, ledger: EntrySums, at: Iterable[int]) -> list[int]:
        """The filter's entries of some months, or days by their place."""
        if ledger not in self._by_place:
            places = self._by_place[ledger] = {}
            for entry in self._entries(ledger):
                places.setdefault(ledger.months[entry], []).append(entry)
        return [entry for one in at for entry in self._by_place[ledger].get(one, [])]

    @cached_property
    def _by_month(self) -> dict[EntrySums, Counter[tuple[str, int, int]]]:
        found = {}
        for ledger in (self.oracle.flowed, self.oracle.flowed_costs):
            sums: Counter[tuple[str, int, int]] = Counter()
            for entry in self._entries(ledger):
                for name, amount in zip(ledger.names, ledger.amounts(entry, *ledger.names), strict=True):
                    if amount:
                        sums[name, ledger.months[entry], self.place(ledger.currencies[entry])] += amount
            found[ledger] = sums
        return found

    @cached_property
    def _sums(self) -> list[list[dict[str, int]]]:
        oracle = self.oracle
        if self.is_cohort:
            parts = [(oracle.cohorts, self.asked_months), (oracle.cohorts_spent, self.asked_months)]
            return [self._rows(parts)]
        return [
            self._rows([(oracle.stood, [place]), (oracle.spent, [place])])
            for place in range(len(oracle.days))
        ]

    def _rows(self, parts: list[tuple[EntrySums, list[int]]]) -> list[dict[str, int]]:
        """Sums by currency, then of all together."""
        codes = self.oracle.currencies
        columns: list[np.ndarray] = []
        names: list[str] = []
        for ledger, at in parts:
            columns.append(ledger.by_currency(self._entries_in(ledger, at), codes))
            names += ledger.names
        rows = [[int(value) for part in columns for value in part[code]] for code in range(len(codes))]
        of_all = [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(names)
        return [dict(zip(names, row, strict=True)) for row in (*rows, of_all)]


def _last_event(one: CertificateState) -> date:
    """The last that happened to it by the day."""
    dated = [one.issued, one.sent, one.conformity, one.paid_on, *(event["day"] for event in one.events)]
    return max((day for day in dated if day is not None), default=one.issued)


def ages_between(first: int, last: int) -> tuple[str, ...]:
    """Days since issue that lie wholly between two days."""
    return tuple(
        label
        for label, (start, end) in ISSUED_AGES.items()
        if start >= first and end is not None and end <= last
    )
