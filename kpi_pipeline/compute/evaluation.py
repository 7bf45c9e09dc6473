"""The formulas of the KPIs, evaluated in every window of every variant of a slice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kpi_pipeline.compute.concentration import concentrations, values_with
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.exact_division import Floats, quotient
from kpi_pipeline.compute.expected_credit_loss import expected_losses
from kpi_pipeline.compute.months import days_between
from kpi_pipeline.compute.payment_quantiles import payment_quantiles
from kpi_pipeline.compute.windows import VALUE, WINDOWS, Windows
from kpi_pipeline.model.components import COMPONENTS, ComponentKind
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.kpis import Kpi
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    ExpectedLoss,
    Herfindahl,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    Span,
    Sum,
    Term,
    TopShare,
    Total,
    ValuesWhere,
    terms_of,
)

_KIND = {component.name: component.kind for component in COMPONENTS}
_COST_KINDS = {ComponentKind.COST, ComponentKind.COST_CASH}
_MOST_MONTHS_BACK = 120


@dataclass(frozen=True, slots=True)
class Divided:
    """The numerator and denominator of a quotient over the filter; all [V, C], or [V, 1] of all currencies.

    Attributes:
        above: Numerators.
        below: Denominators.
        there: Where both are known.
        below_there: Where the denominator is known.
        days: Days by which the numerator was multiplied, [V]; None where it was not.
    """

    above: Ints
    below: Ints
    there: Bools
    below_there: Bools
    days: Ints | None = None

    @classmethod
    def of(
        cls, above: Ints, below: Ints, below_there: Bools | None = None, days: Ints | None = None
    ) -> "Divided":
        """Take both over the filter from their values in every window."""
        everywhere = np.ones(above[:, VALUE].shape, np.bool_)
        below_there = everywhere if below_there is None else below_there
        return cls(above[:, VALUE], below[:, VALUE], everywhere, below_there, days)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A KPI in every window; all [V, windows, C], or [V, windows, 1] of all currencies together.

    Attributes:
        value: Integers or doubles.
        there: Where there is a value.
        divided: Numerator and denominator; None where it is no quotient.
    """

    value: Ints | Floats
    there: Bools
    divided: Divided | None = None


class Evaluation:
    """The KPIs of one slice.

    Args:
        slice_: The slice.
    """

    def __init__(self, slice_: Slice) -> None:
        self.slice_ = slice_
        self.windows = Windows.of(slice_)
        self._known: dict[tuple[str, Span], Ints] = {}
        self._evaluators: dict[type, Callable[[Any, bool], Evaluated]] = {
            Total: self._total,
            Ratio: self._ratio,
            PaymentQuantile: self._payment_quantile,
            TopShare: self._shares,
            Herfindahl: self._shares,
            ValuesWhere: self._values_where,
            ShareOfAll: self._share_of_all,
            AgainstTarget: self._against_target,
            CountBack: self._count_back,
            ExpectedLoss: self._expected_loss,
        }

    def of(self, kpi: Kpi) -> Evaluated:
        """Evaluate a KPI in every window."""
        evaluated = self._evaluators[type(kpi.formula)](kpi.formula, kpi.per_currency)
        there, divided = evaluated.there & self.windows.there[:, :, None], evaluated.divided
        kinds = {_KIND[term.component] for term in terms_of(kpi.formula)}
        if ComponentKind.SNAPSHOT in kinds:
            there = there & (np.arange(WINDOWS) == VALUE)[:, None]
        if kinds & _COST_KINDS:
            known = self.slice_.has_costs
            there = there & known[:, None, None]
            if divided is not None:
                divided = replace(
                    divided,
                    there=divided.there & known[:, None],
                    below_there=divided.below_there & known[:, None],
                )
        return Evaluated(evaluated.value, there, divided)

    def _sum(self, of: Sum, per_currency: bool) -> Ints:
        total = self.term(of[0])
        for term in of[1:]:
            total = total + self.term(term)
        return total if per_currency else total.sum(axis=2, keepdims=True)

    def term(self, term: Term) -> Ints:
        """A term in every window, [V, windows, C]; callers must not write to it."""
        known = term.component, term.span
        if known not in self._known:
            self._known[known] = self._component(*known)
        return self._known[known] if term.factor == 1 else self._known[known] * term.factor

    def _component(self, name: str, span: Span) -> Ints:
        slice_, kind = self.slice_, _KIND[name]
        if kind is ComponentKind.SNAPSHOT:
            values = np.zeros((len(slice_), WINDOWS, len(slice_.currencies)), np.int64)
        else:
            first, last = self.windows.span(span)
            # In a window or a month a stock is what was open at its end.
            values = slice_.over(
                name, last if kind is ComponentKind.STOCK and span is Span.SELF else first, last
            )
        if span is Span.SELF:
            values[:, VALUE] = slice_.total(name)
        elif span is Span.WINDOW:
            values[:, VALUE] = slice_.window(name)
        return values

    def _total(self, formula: Total, per_currency: bool) -> Evaluated:
        total = self._sum(formula.of, per_currency)
        return Evaluated(total, np.ones(total.shape, np.bool_))

    def _ratio(self, formula: Ratio, per_currency: bool) -> Evaluated:
        above, below = (self._sum(of, per_currency) for of in (formula.above, formula.below))
        if not formula.times_days:
            return Evaluated(*quotient(above, below), Divided.of(above, below))
        days = np.broadcast_to(self.windows.days[:, :, None], above.shape)
        value, there = quotient(above, below, days)
        divided = Divided.of(above, below, days=self.slice_.window_days)
        return Evaluated(value, there & (days > 0), divided)

    def _payment_quantile(self, formula: PaymentQuantile, _per_currency: bool) -> Evaluated:
        return Evaluated(*payment_quantiles(self.slice_, self.windows, formula.percent))

    def _shares(self, formula: TopShare | Herfindahl, _per_currency: bool) -> Evaluated:
        squared = isinstance(formula, Herfindahl)
        above, below = concentrations(
            self.slice_, self.windows, formula.dimension, formula.component, squared=squared
        )
        value, there = quotient(above, below)
        # JSON readers do not keep integers of the squares' size exactly.
        divided = None if squared else Divided.of(above, below)
        # A total that is not positive has no shares.
        return Evaluated(value, there & (below > 0), divided)

    def _expected_loss(self, _formula: ExpectedLoss, _per_currency: bool) -> Evaluated:
        return Evaluated(*expected_losses(self.slice_, self.windows))

    def _values_where(self, formula: ValuesWhere, _per_currency: bool) -> Evaluated:
        value = values_with(self.slice_, self.windows, formula.dimension, formula.component, formula.some)
        return Evaluated(value, np.ones(value.shape, np.bool_))

    def _share_of_all(self, formula: ShareOfAll, _per_currency: bool) -> Evaluated:
        slice_, name = self.slice_, formula.component
        above = self.term(Term(name))
        everything = slice_.everything
        if slice_ is everything:
            below = above.copy()
        else:
            first, last = self.windows.span(Span.SELF)
            below = everything.over(name, first, last, np.zeros(len(slice_), np.int64))
            below[:, VALUE] = _all_at_value(slice_, everything, name)
        value, there = quotient(above, below)
        return Evaluated(value, there, Divided.of(above, below))

    def _against_target(self, formula: AgainstTarget, _per_currency: bool) -> Evaluated:
        slice_ = self.slice_
        above = self.term(Term("approved_amount", formula.span))
        first, last = self.windows.span(formula.span)
        months = last - first + 1
        targets = [slice_.frame.thresholds.monthly_target(code) for code in slice_.currencies]
        below = months[:, :, None] * np.array([target or 0 for target in targets], np.int64)
        whole = np.array(
            [all(name == MONTH.name for name, _ in requested.terms) for requested in slice_.filters], np.bool_
        )
        set_ = np.array([target is not None for target in targets], np.bool_)
        aimed = whole[:, None, None] & set_[None, None, :]
        value, there = quotient(above, below)
        return Evaluated(value, there & aimed, Divided.of(above, below, below_there=aimed[:, 0]))

    def _count_back(self, _formula: CountBack, _per_currency: bool) -> Evaluated:
        slice_, as_of = self.slice_, self.slice_.frame.as_of
        receivable = remaining = self.term(Term("receivable_amount"))
        days = np.zeros(remaining.shape, np.int64)
        used = np.zeros(remaining.shape, np.int64)  # approved billing of the month that ends the count
        used_days = np.zeros(remaining.shape, np.int64)
        counting = remaining > 0
        month = self.windows.window_last.copy()
        for _ in range(_MOST_MONTHS_BACK):
            counting_here = counting & (month >= slice_.frame.first_active_month)[:, :, None]
            if not counting_here.any():
                break
            approved = slice_.over("approved_amount", month, month)
            passed = np.broadcast_to(days_between(month, month, as_of)[:, :, None], days.shape)
            ends = counting_here & (approved >= remaining) & (approved > 0)
            used = np.where(ends, approved, used)
            used_days = np.where(ends, passed, used_days)
            goes_on = counting_here & ~ends
            remaining = np.where(goes_on, remaining - np.maximum(approved, 0), remaining)
            days = np.where(goes_on, days + passed, days)
            counting = counting & ~ends
            month = month - 1
        ended = used > 0
        value = np.zeros(remaining.shape)
        for at in zip(*np.nonzero(ended), strict=True):
            whole, last_days = int(used[at]), int(used_days[at])
            value[at] = (int(days[at]) * whole + int(remaining[at]) * last_days) / whole
        divided = Divided.of(receivable, used, below_there=ended[:, VALUE])
        return Evaluated(value, ended | (receivable == 0), divided)


def _all_at_value(slice_: Slice, everything: Slice, component: str) -> Ints:
    """A component of all certificates over the months that each filter names, or over all time, [V, C]."""
    totals = np.repeat(everything.total(component), len(slice_), axis=0)
    for at, months in enumerate(slice_.months):
        if months:
            numbers = np.array([months], np.int64)
            totals[at] = everything.over(component, numbers, numbers)[0].sum(axis=0)
    return totals
