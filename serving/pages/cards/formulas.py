"""How the value of a card comes about, with today's numbers: for whoever opens what it measures."""

from collections.abc import Iterator, Sequence
from typing import Final

from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, Total
from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_figures import LISTED_KPIS, ListedFigure
from kpi_pipeline.model.listing import EVENT_LABELS, LIST_LABELS
from serving.catalogue import Kpi
from serving.pages.cards.values import CardContext, CardFigure, written_value
from serving.pages.formats import NO_DATA
from serving.pages.published.kpi_values import KpiValue

_STANDINGS: Final = {standing.name: standing.label for standing in LIST_STANDINGS}
_LOSSES: Final = frozenset(kpi.name for kpi in KPIS if isinstance(kpi.formula, ExpectedLoss))
_RATE_UNIT: Final = 10**6
"""A loss rate of one."""

_FACTORS: Final = {
    kpi.name: kpi.formula.of[0].factor
    for kpi in KPIS
    if isinstance(kpi.formula, Total) and len(kpi.formula.of) == 1 and kpi.formula.of[0].factor != 1
}
"""By KPI that is a multiple of one component: how many times that."""


_SUMMED: Final = {
    kpi.formula.of[0].component: kpi.name
    for kpi in KPIS
    if isinstance(kpi.formula, Total) and len(kpi.formula.of) == 1 and kpi.formula.of[0].factor == 1
}
"""By component, the KPI that is its sum."""

_TERMS: Final = {
    kpi.name: tuple((_SUMMED.get(term.component, ""), term.factor) for term in kpi.formula.of)
    for kpi in KPIS
    if isinstance(kpi.formula, Total) and len(kpi.formula.of) > 1
}
"""By KPI that sums several components, with what sign the KPI of each is part of it."""


def formulas_of(kpi: Kpi, figures: Sequence[CardFigure], context: CardContext) -> Iterator[str]:
    """The formula of each value of a card with the numbers that it comes from.

    Nothing is said of a value of which none of these are published.

    Args:
        kpi: What the card shows.
        figures: Its values, one a currency.
        context: What the cards are written from.
    """
    texts = context.writer.texts
    values = context.figures.kpis.get(kpi.name, ())
    for place, figure in enumerate(figures):
        if figure.text == NO_DATA:
            continue
        value = f"{figure.exact or figure.text} {figure.unit}".rstrip()
        if figure.secondary:
            yield texts["about_sum" if kpi.count else "about_value"].format(
                basis=figure.secondary, value=value
            )
        elif kpi.name in LISTED_KPIS:
            yield _listed(LISTED_KPIS[kpi.name], value, context)
        elif kpi.name in _LOSSES and (basis := _losses(values[place], context)):
            yield texts["about_value"].format(basis=basis, value=value)
        elif (payments := values[place].payments) is not None:
            count = Counted(context.writer.formats.count(payments))
            yield texts["about_estimate"].format(within=_within("issued", context), count=count, value=value)
        elif (factor := _FACTORS.get(kpi.name)) and (whole := values[place].value) is not None:
            term = written_value(kpi.unit, int(whole) // factor, values[place].currency, context.writer)
            basis = f"{term.exact or term.text} \N{MULTIPLICATION SIGN} {factor}"
            yield texts["about_value"].format(basis=basis, value=value)
        elif basis := _terms(kpi, values[place], context):
            yield texts["about_value"].format(basis=basis, value=value)


def _listed(listed: ListedFigure, value: str, context: CardContext) -> str:
    """What a figure sums, in the words of the list that sums to it."""
    writer = context.writer
    within = _within(listed.event, context) if listed.event else ""
    return writer.texts["about_listed" if listed.sums else "about_counted"].format(
        column=LIST_LABELS[listed.sums].into(writer.language) if listed.sums else "",
        standing=_STANDINGS[listed.standing].into(writer.language),
        within=within,
        value=value,
    )


def _terms(kpi: Kpi, kpi_value: KpiValue, context: CardContext) -> str:
    """The figures of the payload that add up to a value; empty where one of them is not there."""
    written, total = "", 0
    for name, factor in _TERMS.get(kpi.name, ()):
        of_currency = [
            one.value for one in context.figures.kpis.get(name, ()) if one.currency == kpi_value.currency
        ]
        if not of_currency or of_currency[0] is None:
            return ""
        term = written_value(kpi.unit, of_currency[0], kpi_value.currency, context.writer)
        sign = "" if not written else " + " if factor > 0 else " \N{MINUS SIGN} "
        written += sign + (term.exact or term.text)
        total += factor * int(of_currency[0])
    return written if total == kpi_value.value else ""


def _losses(kpi_value: KpiValue, context: CardContext) -> str:
    """What is receivable in each ageing bucket times its loss rate; empty where these do not give the value.

    Rates and figures may be of two generations: those of another reading explain nothing.
    """
    writer, currency = context.writer, kpi_value.currency or ""
    rates = writer.catalogue.loss_rates.get(currency, {})
    owed = {bucket: amount for bucket, amount in context.figures.ageing.get(currency, {}).items() if amount}
    terms = [
        (bucket, amount, rate) for bucket, amount in owed.items() if (rate := rates.get(bucket)) is not None
    ]
    lost = sum(amount * rate // _RATE_UNIT for _, amount, rate in terms)
    if len(terms) < len(owed) or lost != kpi_value.value:
        return ""
    return " + ".join(
        writer.texts["about_bucket"].format(
            amount=writer.formats.money(amount, currency).short,
            rate=writer.formats.share(rate / _RATE_UNIT, decimals=2),
            age=writer.text("age", bucket, currency),
        )
        for bucket, amount, rate in terms
    )


def _within(event: str, context: CardContext) -> str:
    """From which day to which an event lies; empty of billing months, whose events all count."""
    if context.figures.cohort is not None:
        return ""
    writer = context.writer
    return writer.texts["about_within"].format(
        event=EVENT_LABELS[event].into(writer.language),
        first=writer.formats.day(writer.catalogue.window_first),
        last=writer.formats.day(writer.catalogue.as_of),
    )
