"""The line below the cards of every page: what is issued and not receivable, and the lists of it."""

from dataclasses import dataclass

from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.listed_figures import LISTED_KPIS
from serving.catalogue import Kpi
from serving.pages.cards.values import CardContext
from serving.pages.formats import Money
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class NotReceivablePart:
    """The certificates of one state.

    Attributes:
        text: What they are, their amounts and how many they are.
        exact: The amounts to the last unit.
        url: The list of them; empty where there is none.
    """

    text: str
    exact: str
    url: str


def not_receivable_parts(context: CardContext) -> list[NotReceivablePart]:
    """Write out what stands beside the cards; what there is nothing of is left out.

    Args:
        context: What the cards are written from.
    """
    writer = context.writer
    amounts = (
        kpi
        for name in writer.catalogue.not_receivable
        if (kpi := writer.kpi(name)) and f"beside_{name}" in writer.texts
    )
    return [part for kpi in amounts if (part := _part(kpi, context)) is not None]


def _part(kpi: Kpi, context: CardContext) -> NotReceivablePart | None:
    figures, writer = context.figures, context.writer
    amounts = [
        writer.formats.money(one.value, one.currency)
        for one in figures.kpis.get(kpi.name, ())
        if one.value and one.currency
    ]
    count = next((one.value for one in figures.kpis.get(kpi.count, ()) if one.value), 0)
    if not amounts and not count:
        return None
    return NotReceivablePart(
        writer.texts[f"beside_{kpi.name}"].format(
            what=_what(amounts, Counted(writer.formats.count(count)), writer)
        ),
        writer.formats.together([amount.full for amount in amounts]),
        writer.list_url(LISTED_KPIS.get(kpi.name), context.selection),
    )


def _what(amounts: list[Money], count: Counted, writer: Writer) -> str:
    """Amounts in so many certificates, of all currencies together; credit notes are none."""
    written = writer.formats.together([amount.short for amount in amounts])
    if count == "0":
        return written
    template = writer.texts["amounts_in" if amounts else "certificate_count"]
    return template.format(amounts=written, count=count)
