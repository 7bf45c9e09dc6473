"""How the value of a card comes about, with today's numbers: for whoever opens what it measures."""

from collections.abc import Iterator, Sequence
from typing import Final

from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import Total
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_figures import LISTED_KPIS, ListedFigure
from kpi_pipeline.model.listing import EVENT_LABELS, LIST_LABELS
from serving.catalogue import Kpi
from serving.pages.cards.values import CardContext, CardFigure, written_value
from serving.pages.formats import NO_DATA

_STANDINGS: Final = {standing.name: standing.label for standing in LIST_STANDINGS}
_FACTORS: Final = {
    kpi.name: kpi.formula.of[0].factor
    for kpi in KPIS
    if isinstance(kpi.formula, Total) and len(kpi.formula.of) == 1 and kpi.formula.of[0].factor != 1
}
"""By KPI that is a multiple of one component: how many times that."""


def formulas_of(kpi: Kpi, figures: Sequence[CardFigure], context: CardContext) -> Iterator[str]:
    """The formula of each value of a card with the numbers that it comes from.

    Nothing is said of a value of which none of these are published: a percentile, or an expected loss.

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
        elif (factor := _FACTORS.get(kpi.name)) and (whole := values[place].value) is not None:
            term = written_value(kpi.unit, int(whole) // factor, values[place].currency, context.writer)
            basis = f"{term.exact or term.text} \N{MULTIPLICATION SIGN} {factor}"
            yield texts["about_value"].format(basis=basis, value=value)


def _listed(listed: ListedFigure, value: str, context: CardContext) -> str:
    """What a figure sums, in the words of the list that sums to it."""
    writer = context.writer
    within = ""
    # Of billing months all their events count, whenever they were.
    if listed.event and context.figures.cohort is None:
        catalogue = writer.catalogue
        within = writer.texts["about_within"].format(
            event=EVENT_LABELS[listed.event].into(writer.language),
            first=writer.formats.day(catalogue.window_first),
            last=writer.formats.day(catalogue.as_of),
        )
    return writer.texts["about_listed" if listed.sums else "about_counted"].format(
        column=LIST_LABELS[listed.sums].into(writer.language) if listed.sums else "",
        standing=_STANDINGS[listed.standing].into(writer.language),
        within=within,
        value=value,
    )
