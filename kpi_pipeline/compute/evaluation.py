"""The formulas of the KPIs, evaluated on every day of every variant of a slice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.concentration import concentrations, values_with
from kpi_pipeline.compute.count_back import counted_back
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF, DAYS
from kpi_pipeline.compute.exact_division import Floats, quotient
from kpi_pipeline.compute.expected_credit_loss import expected_losses
from kpi_pipeline.compute.payment_quantiles import payment_quantiles
from kpi_pipeline.compute.windows import has_day, window_days
from kpi_pipeline.model.components import COMPONENTS, ComponentKind, Stretch
from kpi_pipeline.model.kpis import Kpi
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    ExpectedLoss,
    Herfindahl,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    Sum,
    Term,
    TopShare,
    Total,
    ValuesWhere,
    terms_of,
)

_KIND: Final = {component.name: component.kind for component in COMPONENTS}
_COST_KINDS: Final = {ComponentKind.COST, ComponentKind.COST_STOCK}
_OF_CALENDAR: Final = {component.name for component in COMPONENTS if component.over is not Stretch.WINDOW}
"""Flows over stretches of the calendar: a cohort has none."""


@dataclass(frozen=True, slots=True)
class Divided:
    """The numerator and denominator of a quotient on the business date; all [V, C], or [V, 1].

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
        """Take both on the business date from their values on every day."""
        everywhere = np.ones(above[:, AS_OF].shape, np.bool_)
        below_there = everywhere if below_there is None else below_there
        return cls(above[:, AS_OF], below[:, AS_OF], everywhere, below_there, days)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A KPI on every day; all [V, days, C], or [V, days, 1] of all currencies together.

    Attributes:
        value: Integers or doubles.
        there: Where there is a value.
        divided: Numerator and denominator; None where it is no quotient.
        payments: On the business date, the payments that it is estimated from, [V, 1]; None of others.
    """

    value: Ints | Floats
    there: Bools
    divided: Divided | None = None
    payments: Ints | None = None


class Evaluation:
    """The KPIs of one slice.

    Args:
        slice_: The slice.
    """

    def __init__(self, slice_: Slice) -> None:
        self.slice_ = slice_
        self._has_day = has_day(slice_)
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
        """Evaluate a KPI on every day."""
        evaluated = self._evaluators[type(kpi.formula)](kpi.formula, kpi.per_currency)
        there, divided = evaluated.there & self._has_day[:, :, None], evaluated.divided
        names = {term.component for term in terms_of(kpi.formula)}
        kinds = {_KIND[name] for name in names}
        if ComponentKind.SNAPSHOT in kinds:
            there = there & (np.arange(DAYS) == AS_OF)[:, None]
        if names & _OF_CALENDAR or isinstance(kpi.formula, AgainstTarget | CountBack):
            known = ~self.slice_.is_cohort[:, None]
            there, divided = there & known[:, None], _known(divided, known)
        if kinds & _COST_KINDS:
            there = there & self.slice_.has_costs_on_days
            divided = _known(divided, self.slice_.has_costs)
        if kpi.is_part:
            there = there & (evaluated.value >= 0) & (evaluated.value <= 1)
        return replace(evaluated, there=there, divided=divided)

    @cached_property
    def _window_days(self) -> Ints:
        """The days over which billing is measured, which several KPIs need, [V, days]."""
        return window_days(self.slice_)

    def _sum(self, of: Sum, per_currency: bool) -> Ints:
        total = self._term(of[0])
        for term in of[1:]:
            total = total + self._term(term)
        return total if per_currency else total.sum(axis=2, keepdims=True)

    def _term(self, term: Term) -> Ints:
        """A term on every day, [V, days, C]; callers must not write to it."""
        values = self.slice_.on_each_day(term.component)
        return values if term.factor == 1 else values * term.factor

    def _total(self, formula: Total, per_currency: bool) -> Evaluated:
        total = self._sum(formula.of, per_currency)
        return Evaluated(total, np.ones(total.shape, np.bool_))

    def _ratio(self, formula: Ratio, per_currency: bool) -> Evaluated:
        above, below = (self._sum(of, per_currency) for of in (formula.above, formula.below))
        if not formula.times_days:
            return Evaluated(*quotient(above, below), Divided.of(above, below))
        passed = self._window_days
        days = np.broadcast_to(passed[:, :, None], above.shape)
        value, there = quotient(above, below, days)
        divided = Divided.of(above, below, days=passed[:, AS_OF])
        return Evaluated(value, there & (days > 0), divided)

    def _payment_quantile(self, formula: PaymentQuantile, _per_currency: bool) -> Evaluated:
        payments = self.slice_.total("timed_count").sum(axis=1, keepdims=True)
        return Evaluated(*payment_quantiles(self.slice_, formula.percent), payments=payments)

    def _shares(self, formula: TopShare | Herfindahl, _per_currency: bool) -> Evaluated:
        squared = isinstance(formula, Herfindahl)
        above, below = concentrations(self.slice_, formula.dimension, formula.component, squared=squared)
        value, there = quotient(above, below)
        # JSON readers do not keep integers of the squares' size exactly.
        divided = None if squared else Divided.of(above, below)
        # A total that is not positive has no shares.
        return Evaluated(value, there & (below > 0), divided)

    def _expected_loss(self, _formula: ExpectedLoss, _per_currency: bool) -> Evaluated:
        return Evaluated(*expected_losses(self.slice_))

    def _values_where(self, formula: ValuesWhere, _per_currency: bool) -> Evaluated:
        value = values_with(self.slice_, formula.dimension, formula.component, some=formula.some)
        return Evaluated(value, np.ones(value.shape, np.bool_))

    def _share_of_all(self, formula: ShareOfAll, _per_currency: bool) -> Evaluated:
        slice_, name = self.slice_, formula.component
        above = slice_.on_each_day(name)
        below = np.repeat(slice_.everything.on_each_day(name), len(slice_), axis=0)
        if slice_.is_cohort.any():
            of_all = slice_.everything.by_billing_month(name)[0]
            for at in np.flatnonzero(slice_.is_cohort).tolist():
                places = np.array(slice_.months[at]) - slice_.frame.first_month
                inside = places[(places >= 0) & (places < len(of_all))]
                below[at, AS_OF] = of_all[inside].sum(axis=0)
        value, there = quotient(above, below)
        return Evaluated(value, there, Divided.of(above, below))

    def _against_target(self, formula: AgainstTarget, _per_currency: bool) -> Evaluated:
        slice_ = self.slice_
        above = slice_.on_each_day(f"approved_{formula.over}")
        targets = [slice_.frame.thresholds.monthly_target(code) for code in slice_.currencies]
        months = 1 if formula.over == "month" else 12
        below = np.broadcast_to(months * np.array([target or 0 for target in targets], np.int64), above.shape)
        whole = np.array([not requested.terms for requested in slice_.filters], np.bool_)
        set_ = np.array([target is not None for target in targets], np.bool_)
        aimed = whole[:, None, None] & set_[None, None, :]
        value, there = quotient(above, below)
        return Evaluated(value, there & aimed, Divided.of(above, below, below_there=aimed[:, 0]))

    def _count_back(self, _formula: CountBack, _per_currency: bool) -> Evaluated:
        slice_ = self.slice_
        receivable = slice_.on_each_day("receivable_amount")
        value, used, ended = counted_back(slice_, receivable)
        divided = Divided.of(receivable, used, below_there=ended[:, AS_OF])
        nothing = (receivable == 0) & (slice_.on_each_day("billed_amount") != 0)
        return Evaluated(value, ended | nothing, divided)


def _known(divided: Divided | None, known: Bools) -> Divided | None:
    if divided is None:
        return None
    return replace(divided, there=divided.there & known, below_there=divided.below_there & known)
