"""The line below the cards of every page: what is issued and not receivable, with where it is to be seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.dimensions import STATE
from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.states import State
from serving.catalogue import Kpi
from serving.pages.formats import Money
from serving.pages.published.figures import Figures
from serving.pages.writing import Writer

_STATES: Final[Mapping[str, State]] = {"returned": State.REJECTED, "unsent": State.REVISION}
"""The state of the certificates behind each amount of the line."""


@dataclass(frozen=True, slots=True)
class NotReceivablePart:
    """The certificates of one state.

    Attributes:
        text: What they are, their amounts and how many they are.
        exact: The amounts to the last unit.
        url: The same page of them alone; empty where it shows nothing else already.
    """

    text: str
    exact: str
    url: str


def not_receivable_parts(figures: Figures, writer: Writer) -> list[NotReceivablePart]:
    """Write out what stands beside the cards; what there is nothing of is left out.

    Args:
        figures: What was published.
        writer: Writes it in the language of the page.
    """
    amounts = (
        kpi for name in writer.catalogue.not_receivable if (kpi := writer.kpi(name)) and name in _STATES
    )
    return [part for kpi in amounts if (part := _part(kpi, figures, writer)) is not None]


def _part(kpi: Kpi, figures: Figures, writer: Writer) -> NotReceivablePart | None:
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
        writer.narrowed_url(STATE.name, _STATES[kpi.name].value),
    )


def _what(amounts: list[Money], count: Counted, writer: Writer) -> str:
    """Amounts in so many certificates, of all currencies together; credit notes are none."""
    written = writer.formats.together([amount.short for amount in amounts])
    if count == "0":
        return written
    template = writer.texts["amounts_in" if amounts else "certificate_count"]
    return template.format(amounts=written, count=count)
