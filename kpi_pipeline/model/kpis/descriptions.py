"""Descriptions of a KPI: its formula as text, its quotient, and its target."""

from typing import Final, assert_never

from kpi_pipeline.model.kpis.entry import Kpi, Unit
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
)
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.thresholds import Thresholds

SPAN_TEXTS: Final[dict[Span, str]] = {
    Span.SELF: "The filter itself; at a month, that month. Written without brackets.",
    Span.WINDOW: "The DSO window: the filter's months, else the trailing ones up to that of as_of; at a "
    "month, the ones up to it.",
    Span.END: "The last month of the DSO window.",
    Span.START: "The month before the DSO window.",
    Span.LAST: "The last complete month, not after the DSO window.",
    Span.BEFORE: "The month before `last`.",
    Span.YEAR_BEFORE: "The month twelve months before `last`.",
    Span.QUARTER: "The three months up to `last`.",
    Span.YEAR: "January up to the last month of the DSO window.",
}
"""What each span is, as it stands in brackets in a formula."""


def formula_text(kpi: Kpi) -> str:
    """The formula of a KPI as people write it: components by name, spans in brackets."""
    formula = kpi.formula
    match formula:
        case Total(of):
            text = _sum(of)
        case Ratio(above, below, times_days):
            text = f"{_grouped(above)} / {_grouped(below)}" + (" x days of the window" if times_days else "")
        case PaymentQuantile(percent):
            text = f"least days from issue by which {percent}% of the payments were made"
        case TopShare(dimension, component):
            text = f"largest {component} of one {_spaced(dimension)} / {component}"
        case Herfindahl(dimension, component):
            text = f"sum over each {_spaced(dimension)} of its {component}² / {component}²"
        case ValuesWhere(dimension, component, some):
            text = f"number of values of {_spaced(dimension)} with {component} {'> 0' if some else '= 0'}"
        case ShareOfAll(component):
            text = f"{component} / {component} of all certificates"
        case CountBack():
            text = "days of the latest months whose approved_amount adds up to receivable_amount"
        case ExpectedLoss():
            text = (
                "sum over the ageing buckets of receivable_<bucket>_amount x the product of "
                "rolled_<bucket>_amount / reached_<bucket>_amount from that bucket to the last"
            )
        case AgainstTarget(span):
            text = f"approved_amount [{span.value}] / (monthly target x months of it)"
        case _:
            assert_never(formula)
    return text


def basis_text(kpi: Kpi) -> Text:
    """What a card shows of a quotient; empty where it shows none.

    Its places are `{numerator}`, `{denominator}`, `{count}` (the denominator as a count) and `{days}` of the
    DSO window; each may be written as a noun that agrees with it (see `Counted`).
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


def target_of(kpi: Kpi, thresholds: Thresholds) -> float | None:
    """The value that a KPI aims at, None without one.

    Raises:
        AttributeError: If its target names no threshold.
    """
    if isinstance(kpi.target, str):
        return float(getattr(thresholds, kpi.target))
    return kpi.target


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
    span = "" if term.span is Span.SELF else f" [{term.span.value}]"
    return f"{factor}{term.component}{span}"
