"""Descriptions of a KPI: its formula as text, its quotient, and its target."""

from dataclasses import fields
from typing import Final, Literal, assert_never

from kpi_pipeline.model.components import COMPONENTS, ComponentKind, Stretch
from kpi_pipeline.model.kpis.entry import Kpi, Unit
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
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.thresholds import Thresholds


def formula_text(kpi: Kpi) -> str:
    """The formula of a KPI as people write it: components by name."""
    formula = kpi.formula
    match formula:
        case Total(of):
            text = _sum(of)
        case Ratio(above, below, times_days):
            text = f"{_grouped(above)} / {_grouped(below)}" + (" x days of the window" if times_days else "")
        case PaymentQuantile(percent):
            text = (
                f"least days from issue by which the share not paid falls to {100 - percent}% (product-limit)"
            )
        case TopShare(dimension, component):
            text = f"largest {component} of one {_spaced(dimension)} / {component}"
        case Herfindahl(dimension, component):
            text = f"sum over each {_spaced(dimension)} of its {component}² / {component}²"
        case ValuesWhere(dimension, component, some):
            text = f"number of values of {_spaced(dimension)} with {component} {'> 0' if some else '= 0'}"
        case ShareOfAll(component):
            text = f"{component} / {component} of all certificates"
        case CountBack():
            text = "days of the latest months of issue whose billed_amount adds up to receivable_amount"
        case ExpectedLoss():
            text = (
                "sum over the aging buckets of ageing_<bucket>_amount x the product of "
                "rolled_<bucket>_amount / reached_<bucket>_amount from that bucket to the last"
            )
        case AgainstTarget(over):
            text = f"approved_{over} / {'monthly target' if over == 'month' else '(12 x monthly target)'}"
        case _:
            assert_never(formula)
    return text


_FLOW_KINDS: Final = (ComponentKind.FLOW, ComponentKind.COST)
_COMPONENTS: Final = {component.name: component for component in COMPONENTS}


def is_stock(kpi: Kpi) -> bool:
    """Whether a KPI is made of what stands on a day alone."""
    if isinstance(kpi.formula, Total | Ratio):
        return all(_COMPONENTS[term.component].kind not in _FLOW_KINDS for term in terms_of(kpi.formula))
    return isinstance(kpi.formula, ExpectedLoss | ValuesWhere)


def period_of(kpi: Kpi) -> Literal["day", "window", ""]:
    """What a KPI covers: what stands on the day, the events of the window, or neither alone."""
    if is_stock(kpi):
        return "day"
    if isinstance(kpi.formula, Total | Ratio):
        parts = [_COMPONENTS[term.component] for term in terms_of(kpi.formula)]
        of_window = all(part.kind in _FLOW_KINDS and part.over is Stretch.WINDOW for part in parts)
        times_days = isinstance(kpi.formula, Ratio) and kpi.formula.times_days
        return "window" if of_window and not times_days else ""
    return "window" if isinstance(kpi.formula, PaymentQuantile | TopShare | Herfindahl | ShareOfAll) else ""


def rests_on_all(kpi: Kpi) -> bool:
    """Whether its values rest on certificates too that their filter does not admit."""
    return isinstance(kpi.formula, ExpectedLoss | ShareOfAll)


def basis_text(kpi: Kpi) -> Text:
    """What a card shows of a quotient; empty where it shows none.

    Its places are `{numerator}`, `{denominator}`, `{count}` (the denominator as a count) and `{days}` of the
    window; each may be written as a noun that agrees with it (see `Counted`).
    """
    if kpi.basis is not None:
        return kpi.basis
    if isinstance(kpi.formula, Ratio) and kpi.formula.times_days:
        times = "{numerator} ÷ {denominator} \N{MULTIPLICATION SIGN} {days}"
        return Text(f"{times} días", f"{times} days")
    if kpi.unit is Unit.DAYS:
        return Text(
            "{numerator} {numerator:día|días} ÷ {denominator} {denominator:certificado|certificados}",
            "{numerator} {numerator:day|days} ÷ {denominator} {denominator:certificate|certificates}",
        )
    return Text("{numerator} ÷ {denominator}", "{numerator} ÷ {denominator}")


def meaning_of(kpi: Kpi, thresholds: Thresholds) -> Text:
    """What a KPI measures, for readers, with the thresholds in their places."""
    values = {field.name: getattr(thresholds, field.name) for field in fields(thresholds)}
    return Text(kpi.meaning.es.format(**values), kpi.meaning.en.format(**values))


def target_of(kpi: Kpi, thresholds: Thresholds) -> float | None:
    """The value that a KPI aims at, None without one.

    Raises:
        AttributeError: If its target names no threshold.
    """
    if isinstance(kpi.target, str):
        return float(getattr(thresholds, kpi.target))
    return kpi.target


def is_set(kpi: Kpi, thresholds: Thresholds) -> bool:
    """Whether what a KPI is measured against has been set: without a target there is nothing to reach."""
    return not isinstance(kpi.formula, AgainstTarget) or bool(thresholds.targets)


def _spaced(dimension: str) -> str:
    return dimension.replace("_", " ")


def _grouped(terms: Sum) -> str:
    return f"({_sum(terms)})" if len(terms) > 1 else _sum(terms)


def _sum(terms: Sum) -> str:
    first, *rest = terms
    text = ("-" if first.factor < 0 else "") + _term(first)
    return text + "".join(f" {'-' if term.factor < 0 else '+'} {_term(term)}" for term in rest)


def _term(term: Term) -> str:
    factor = "" if abs(term.factor) == 1 else f"{abs(term.factor)} x "
    return f"{factor}{term.component}"
