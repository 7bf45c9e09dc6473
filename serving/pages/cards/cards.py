"""The cards of a page: the figures that lead it, then the compact ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME
from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.listed_figures import EXPECTED_LIST, LISTED_KPIS
from kpi_pipeline.model.pages import EXPECTED
from serving.catalogue import Kpi, Lead, Page
from serving.pages.cards.formulas import formulas_of
from serving.pages.cards.values import (
    CardContext,
    CardFigure,
    card_figures,
    counted_certificates,
    target_text,
    written_value,
)
from serving.pages.drill_down import ListScope
from serving.pages.formats import NO_DATA
from serving.pages.published.figures import Figures
from serving.pages.published.kpi_values import Cohort, NextDays
from serving.pages.writing import NamedLink, Writer

_TOGETHER: Final = 20
"""So many cards are read without headings."""

_MOST_ACROSS: Final = 4
_MORE: Final = "forecast"
"""The table whose page shows more of what is expected."""


@dataclass(frozen=True, slots=True)
class CardPart:
    """A KPI beneath another: its label with its value, and the list that it sums, if there is one."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One figure.

    Attributes:
        name: Its name in payloads.
        label: Its name for people.
        period: What it covers; empty where its name says so.
        figures: Its value, or one a currency.
        url: The list that it sums, or the page that shows more; empty where there is none.
        parts: What it is made of.
        kpi: What it measures; None where it is no KPI.
        formulas: How its values come about, with today's numbers.
        more: Where more of it is to be read; None where its meaning stands among others.
    """

    name: str
    label: str
    period: str
    figures: list[CardFigure]
    url: str = ""
    parts: tuple[CardPart, ...] = ()
    kpi: Kpi | None = None
    formulas: tuple[str, ...] = ()
    more: NamedLink | None = None


@dataclass(frozen=True, slots=True)
class CardGroup:
    """Cards that stand together.

    Attributes:
        heading: Above them; empty where all of a page stand together.
        cards: In reading order.
        leads: Whether they lead the page.
    """

    heading: str
    cards: list[Card]
    leads: bool = False

    @property
    def across(self) -> int:
        """How many stand side by side on a wide screen: no row is left with a single card."""
        count = len(self.cards)
        if self.leads or count <= _MOST_ACROSS:
            return count
        full = [across for across in (4, 3) if count % across == 0]
        return next(across for across in (*full, 4, 3, 5) if count % across != 1)


def card_groups(page: Page, context: CardContext) -> list[CardGroup]:
    """The cards of a page: its leading figures, then one group, or those of the catalogue where it has many.

    A KPI that the catalogue does not name is left out, and so is one whose target is not set.
    """
    led = {name for lead in page.leads for name in (lead.figure, *lead.parts)}
    leading = [card for lead in page.leads if (card := _leading_card(lead, context)) is not None]
    writer = context.writer
    known = [
        kpi for name in page.kpis if name not in led and (kpi := writer.kpi(name)) is not None and kpi.is_set
    ]
    headings = {group.name: writer.label(group) for group in writer.catalogue.kpi_groups}
    groups = dict.fromkeys(kpi.group for kpi in known) if len(known) > _TOGETHER else [""]
    compact = [
        CardGroup(headings.get(group, ""), [_card(kpi, context) for kpi in known if group in ("", kpi.group)])
        for group in groups
    ]
    return [*([CardGroup("", leading, leads=True)] if leading else []), *compact]


def definitions(page: Page, writer: Writer) -> list[tuple[str, str, str, str]]:
    """The name, the label, the meaning and the target of each KPI, on the page that explains them.

    A KPI whose target is not set is left out: the page has no card of it.
    """
    if page.name != writer.catalogue.reference:
        return []
    known = [kpi for name in page.kpis if (kpi := writer.kpi(name)) is not None and kpi.is_set]
    return [
        (kpi.name, writer.label(kpi), kpi.meaning.into(writer.language), aim_text(kpi, writer))
        for kpi in known
    ]


def aim_text(kpi: Kpi, writer: Writer) -> str:
    """A sentence with the value that a KPI aims at; empty without one."""
    target = target_text(kpi, writer)
    return writer.texts["target_is"].format(target=target) if target else ""


def lacking_costs(page: Page, context: CardContext) -> str:
    """Why a page has no costs; empty where it shows none, or the filter names nothing that they lack."""
    kpis = [context.writer.kpi(name) for name in page.kpis]
    shows_costs = any(kpi is not None and kpi.needs_costs for kpi in kpis)
    return context.writer.texts["lacking_costs"] if shows_costs and context.lacks_costs else ""


def cohort_text(cohort: Cohort, writer: Writer) -> str:
    """Whether the certificates of some billing months can still change, as a sentence."""
    if not cohort.certificates:
        return writer.texts["cohort_none"]
    count = Counted(writer.formats.count(cohort.open))
    return writer.texts["cohort_open" if cohort.open else "cohort_settled"].format(count=count)


def comparison_text(page: Page, figures: Figures, writer: Writer) -> str:
    """Why the cards of a page show no changes; empty where they do: each names both days."""
    texts = writer.texts
    if figures.cohort is not None:
        return cohort_text(figures.cohort, writer)
    previous = (value.previous for name in page.kpis for value in figures.kpis.get(name, ()))
    if figures.comparison is None or all(value is None for value in previous):
        return texts["comparison_none"]
    return ""


def window_text(page: Page, figures: Figures, writer: Writer) -> str:
    """From which day to which cards sum flows; empty where a page has none, or its months are given."""
    has_flows = any(kpi is not None and kpi.period == "window" for kpi in map(writer.kpi, page.kpis))
    if figures.cohort is not None or not has_flows:
        return ""
    catalogue, day = writer.catalogue, writer.formats.day
    return writer.texts["window"].format(
        count=Counted(str(catalogue.window_months)),
        first=day(catalogue.window_first),
        day=day(catalogue.as_of),
    )


def _leading_card(lead: Lead, context: CardContext) -> Card | None:
    if lead.figure == EXPECTED:
        return _expected_card(context)
    kpi = context.writer.kpi(lead.figure)
    return None if kpi is None else _card(kpi, context, lead.parts)


def _card(kpi: Kpi, context: CardContext, parts: Sequence[str] = ()) -> Card:
    values, writer = context.figures.kpis.get(kpi.name, ()), context.writer
    figures = card_figures(kpi, context)
    return Card(
        kpi.name,
        writer.label(kpi),
        _period(kpi, context),
        figures,
        writer.list_url(
            LISTED_KPIS.get(kpi.name),
            context.selection,
            ListScope(is_cohort=context.figures.cohort is not None),
        )
        if any(value.value for value in values)
        else "",
        tuple(part for name in parts if (part := _part(name, context)) is not None),
        kpi,
        tuple(formulas_of(kpi, figures, context)),
    )


def _part(name: str, context: CardContext) -> CardPart | None:
    kpi, writer = context.writer.kpi(name), context.writer
    if kpi is None:
        return None
    shown = [
        written_value(kpi.unit, value.value, value.currency, writer).with_unit
        for value in context.figures.kpis.get(name, ())
        if value.value is not None
    ]
    if not shown:
        return None
    counted = f" ({count})" if (count := counted_certificates(kpi, context)) else ""
    text = writer.texts["card_part"].format(label=writer.label(kpi), values=" · ".join(shown) + counted)
    return CardPart(text, writer.list_url(LISTED_KPIS.get(name), context.selection))


def _expected_card(context: CardContext) -> Card:
    writer, expected = context.writer, context.figures.expected
    texts = writer.texts
    label = texts["expected_within"].format(days=NEXT_DAYS)
    absent = CardFigure("", NO_DATA, "", "", texts["expected_none"])
    return Card(
        EXPECTED,
        label,
        "",
        [_expected_figure(one, writer) for one in expected] or [absent],
        _expected_url(expected, context),
        tuple(_expected_parts(expected, writer)),
        formulas=tuple(_expected_formula(one, writer) for one in expected),
        more=NamedLink(forecast, texts["about_forecast"]) if (forecast := _forecast_url(writer)) else None,
    )


def _expected_formula(expected: NextDays, writer: Writer) -> str:
    return writer.texts["about_expected"].format(
        until=writer.formats.day_of_year(date.fromisoformat(expected.until)),
        value=writer.formats.money(expected.amount, expected.currency).full,
    )


def _expected_parts(expected: Sequence[NextDays], writer: Writer) -> Iterator[CardPart]:
    """What is said beneath what is expected: what it covers, and how often such bands held."""
    if not expected:
        return
    yield CardPart(writer.texts["expected_of"], _forecast_url(writer))
    for one in expected:
        if one.coverage_90 is not None:
            share = writer.text("share", one.coverage_90, "")
            text = writer.texts["expected_held"].format(share=share)
            yield CardPart(f"{one.currency}: {text}" if len(expected) > 1 else text, "")


def _expected_url(expected: Sequence[NextDays], context: CardContext) -> str:
    """The list that sums to what is expected; empty where nothing is."""
    if not any(one.amount for one in expected):
        return ""
    return context.writer.list_url(EXPECTED_LIST, context.selection, ListScope(month=NEXT_DAYS_NAME))


def _forecast_url(writer: Writer) -> str:
    return next((writer.page_url(page.name) for page in writer.catalogue.pages if _MORE in page.tables), "")


def _expected_figure(expected: NextDays, writer: Writer) -> CardFigure:
    amount, low, high = (
        writer.formats.money(minor, expected.currency)
        for minor in (expected.amount, expected.low_90, expected.high_90)
    )
    until = writer.formats.day_of_year(date.fromisoformat(expected.until))
    secondary = writer.texts["expected_band"].format(low=low.bare, high=high.bare, until=until)
    return CardFigure("", amount.short, amount.full, "", secondary, amount.symbol)


def _period(kpi: Kpi, context: CardContext) -> str:
    texts = context.writer.texts
    if context.figures.cohort is not None:
        return texts["period_cohort"] if kpi.period == "window" else ""
    if kpi.period == "window":
        return texts["period_window"].format(count=Counted(str(context.writer.catalogue.window_months)))
    return texts["period_day"].format(day=context.days[0]) if kpi.period == "day" else ""
