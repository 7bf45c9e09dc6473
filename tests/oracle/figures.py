"""What each product must say of a filter: sums over certificates, one filter at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from .source_rows import DIMENSIONS, Row, bare
from .standing import Standing, standings

Data = dict[str, Any]
Terms = tuple[tuple[str, tuple[str, ...]], ...]

TREND_MONTHS = 12
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "120+")
STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
SERIES = ("proposed", "approved", "paid", "receivable", "collected")
STATEMENT = ("proposed", "approved", "collected", "receivable")
CARDS = (
    "proposed",
    "approved",
    "paid",
    "receivable",
    "overdue",
    "critical",
    "dso",
    "acceptance_days",
    "approval_rate",
    "overdue_count",
    "critical_count",
    "certificates",
)

MONEY: dict[str, Callable[[Standing], int]] = {
    "proposed": lambda one: one.proposed,
    "approved": lambda one: one.approved,
    "paid": lambda one: one.approved if one.is_paid else 0,
    "receivable": lambda one: one.outstanding if one.is_receivable else 0,
    "overdue": lambda one: one.outstanding if one.is_overdue else 0,
    "critical": lambda one: one.outstanding if one.is_critical else 0,
}
COUNTS: dict[str, Callable[[Standing], int]] = {
    "certificates": lambda _one: 1,
    "receivable_count": lambda one: one.is_receivable,
    "overdue_count": lambda one: one.is_overdue,
    "due_assumed_count": lambda one: one.is_due_assumed,
    "critical_count": lambda one: one.is_critical,
}


class Oracle:
    """All certificates of one business date, and what must be published of them.

    Attributes:
        as_of: The business date.
        window_months: Months of the trailing DSO window.
        standings: Every certificate that exists on the date.
    """

    def __init__(self, rows: Iterable[Row], as_of: date, window_months: int = 12) -> None:
        self.as_of = as_of
        self.window_months = window_months
        self.standings = standings(rows, as_of)
        self._folded = pd.DataFrame(
            [{name: bare(value) for name, value in one.values.items()} for one in self.standings],
            columns=DIMENSIONS,
            dtype=str,
        )

    def variant(self, asked: Mapping[str, Sequence[str]]) -> "Variant":
        """What a filter's products say; `asked` gives the values wanted of each dimension."""
        others = {name: values for name, values in asked.items() if name != "month"}
        months = tuple(asked.get("month", ()))
        return Variant(self, months, self._chosen(asked), self._chosen(others))

    def hot(self) -> set[Terms]:
        """The filters always published: everything, each value, each pair of values that occurs.

        A payment occurs in its month, as a certificate does in its billing month.
        """
        found: set[Terms] = {()}
        for one in self.standings:
            for month in {one.values["month"], one.paid_month} - {None}:
                values = {**one.values, "month": month}
                for size in (1, 2):
                    for names in combinations(sorted(DIMENSIONS), size):
                        found.add(tuple((name, (values[name],)) for name in names))
        return found

    def value_counts(self) -> dict[str, list[dict[str, Any]]]:
        """Each dimension's values and how many certificates have each, as the catalogue lists them."""
        listed = {}
        for name in DIMENSIONS:
            counts = {one.values[name]: 0 for one in self.standings}
            if name == "month":
                counts |= {one.paid_month: 0 for one in self.standings if one.paid_month}
            for one in self.standings:
                counts[one.values[name]] += 1
            listed[name] = [{"value": value, "count": counts[value]} for value in sorted(counts, key=bare)]
        return listed

    @property
    def currencies(self) -> list[str]:
        """Currencies of all certificates."""
        return sorted({one.currency for one in self.standings})

    def days_passed(self, month: str) -> int:
        """Days of a month that have begun by as_of."""
        period = pd.Period(month, "M")
        last = min(period.end_time.normalize(), pd.Timestamp(self.as_of))
        return len(pd.date_range(period.start_time, last, freq="D"))

    def trailing_window(self) -> list[str]:
        """Months of the DSO window of a filter that names none."""
        return _months_to(f"{self.as_of:%Y-%m}", self.window_months)

    def _chosen(self, asked: Mapping[str, Sequence[str]]) -> list[Standing]:
        mask = np.ones(len(self.standings), bool)
        for name, values in asked.items():
            mask &= self._folded[name].isin([bare(value) for value in values]).to_numpy()
        return [self.standings[at] for at in np.flatnonzero(mask)]


@dataclass(frozen=True)
class Variant:
    """What must be published of one filter.

    Attributes:
        oracle: The certificates and the date.
        asked_months: Billing months that the filter names; empty when it names none.
        chosen: Certificates in the filter.
        of_any_month: Certificates in the filter but for the months it names.
    """

    oracle: Oracle
    asked_months: tuple[str, ...]
    chosen: list[Standing]
    of_any_month: list[Standing]

    def product(self, name: str) -> Data:
        """The whole payload of a product."""
        parts: dict[str, Data] = {
            "kpis": {"kpis": self.kpis, "ageing": self.ageing, "trend": self.trend},
            "dashboards": {
                "kpis": {card: self.kpis[card] for card in CARDS},
                "ageing": self.ageing,
                "trend": self.trend,
                "states": self.states,
            },
            "charts": {"charts": self.charts},
            "financials": {"statement": self.statement, "totals": self.statement_totals},
        }
        return {"currencies": self.currencies, **parts[name]}

    @cached_property
    def months(self) -> list[str]:
        """Months of the trend."""
        return _months_to(max(self.asked_months, default=f"{self.oracle.as_of:%Y-%m}"), TREND_MONTHS)

    @cached_property
    def monthly(self) -> dict[str, dict[str, list[int]]]:
        """Series of the trend by currency, whether anything is in them or not."""
        found = {
            code: {name: dict.fromkeys(self.months, 0) for name in SERIES}
            for code in {one.currency for one in self.of_any_month}
        }
        for one in self.of_any_month:
            series = found[one.currency]
            if one.values["month"] in self.months:
                for name in ("proposed", "approved", "paid", "receivable"):
                    series[name][one.values["month"]] += MONEY[name](one)
            if one.paid_month in self.months:
                series["collected"][one.paid_month] += one.approved
        return {
            code: {name: list(values.values()) for name, values in series.items()}
            for code, series in found.items()
        }

    @cached_property
    def currencies(self) -> list[str]:
        """Currencies with a certificate in the filter or something in the trend."""
        trending = {
            code for code, series in self.monthly.items() if any(any(values) for values in series.values())
        }
        return sorted(trending | {one.currency for one in self.chosen})

    @cached_property
    def kpis(self) -> dict[str, list[Data]]:
        """Every KPI."""
        found: dict[str, list[Data]] = {
            name: [{"currency": code, "value": sum(map(amount, self._in(code)))} for code in self.currencies]
            for name, amount in MONEY.items()
        }
        for name, count in COUNTS.items():
            found[name] = [{"value": sum(int(count(one)) for one in self.chosen)}]
        found["dso"] = [self._dso(code) for code in self.currencies]
        for name in ("acceptance_days", "waiting_days"):
            days = [getattr(one, name) for one in self.chosen if getattr(one, name) is not None]
            found[name] = [_ratio(sum(days), len(days))]
        found["approval_rate"] = [
            {
                "currency": code,
                **_ratio(
                    sum(one.approved for one in self._in(code)),
                    sum(one.proposed for one in self._in(code) if one.is_decided),
                ),
            }
            for code in self.currencies
        ]
        found["approval_rate_count"] = [
            _ratio(sum(one.is_accepted for one in self.chosen), sum(one.is_decided for one in self.chosen))
        ]
        return found

    @cached_property
    def ageing(self) -> list[Data]:
        """Unpaid certificates by age."""
        found = []
        for code in self.currencies:
            unpaid = [one for one in self._in(code) if one.bucket is not None]
            whole = sum(one.outstanding for one in unpaid)
            buckets = []
            for name in BUCKETS:
                amounts = [one.outstanding for one in unpaid if one.bucket == name]
                buckets.append(
                    {
                        "bucket": name,
                        "amount": sum(amounts),
                        "count": len(amounts),
                        "share": _exact(sum(amounts), whole),
                    }
                )
            found.append({"currency": code, "buckets": buckets})
        return found

    @cached_property
    def trend(self) -> Data:
        """Monthly series."""
        return {
            "months": self.months,
            "series": [{"currency": code, **self.monthly[code]} for code in self.currencies],
        }

    @cached_property
    def states(self) -> list[Data]:
        """Certificates by state."""
        found = []
        for code in self.currencies:
            by_state = []
            for state in STATES:
                amounts = [one.proposed for one in self._in(code) if one.values["state"] == state]
                by_state.append({"state": state, "amount": sum(amounts), "count": len(amounts)})
            found.append({"currency": code, "states": by_state})
        return found

    @cached_property
    def charts(self) -> Data:
        """Columns of the charts: by currency, then in the order of the legend or of the axis."""
        return {
            "monthly_trend": _chart(
                ("month", "currency", "series", "amount"),
                [
                    (month, code, name, amount)
                    for code in self.currencies
                    for name in SERIES
                    for month, amount in zip(self.months, self.monthly[code][name], strict=True)
                ],
            ),
            "ageing": _chart(
                ("bucket", "currency", "amount", "count"),
                [
                    (bucket["bucket"], one["currency"], bucket["amount"], bucket["count"])
                    for one in self.ageing
                    for bucket in one["buckets"]
                ],
            ),
            "states": _chart(
                ("state", "currency", "amount", "count"),
                [
                    (state["state"], one["currency"], state["amount"], state["count"])
                    for one in self.states
                    for state in one["states"]
                ],
            ),
        }

    @cached_property
    def statement(self) -> Data:
        """The monthly statement."""
        return {
            "months": self.months,
            "lines": [
                {"currency": code, **{name: self.monthly[code][name] for name in STATEMENT}}
                for code in self.currencies
            ],
        }

    @cached_property
    def statement_totals(self) -> list[Data]:
        """The statement's lines, each summed over its months."""
        return [
            {"currency": code, **{name: sum(self.monthly[code][name]) for name in STATEMENT}}
            for code in self.currencies
        ]

    def _in(self, code: str) -> list[Standing]:
        return [one for one in self.chosen if one.currency == code]

    def _dso(self, code: str) -> Data:
        if self.asked_months:
            months = self.asked_months
            days = sum(map(self.oracle.days_passed, months))
        else:
            months = tuple(self.oracle.trailing_window())
            days = (self.oracle.as_of - date.fromisoformat(f"{months[0]}-01")).days + 1
        receivable = sum(map(MONEY["receivable"], self._in(code)))
        billed = sum(one.approved for one in self._in(code) if one.values["month"] in months)
        return {
            "currency": code,
            "value": _exact(receivable * days, billed) if days else None,
            "numerator": receivable,
            "denominator": billed,
            "window_days": days,
        }


def _months_to(last: str, count: int) -> list[str]:
    return [str(month) for month in pd.period_range(end=pd.Period(last, "M"), periods=count)]


def _exact(above: int, below: int) -> float | None:
    return float(Fraction(above, below)) if below else None


def _ratio(above: int, below: int) -> Data:
    return {"value": _exact(above, below), "numerator": above, "denominator": below}


def _chart(columns: Sequence[str], rows: list[tuple[Any, ...]]) -> Data:
    """Columns of rows; a chart without any amount is empty."""
    amount = columns.index("amount")
    return {
        "columns": {name: [row[at] for row in rows] for at, name in enumerate(columns)},
        "empty": all(row[amount] == 0 for row in rows),
    }
