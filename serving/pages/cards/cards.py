"""The cards of a page: each KPI's value, what it is made of, how it moves and what it aims at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from kpi_pipeline.model.dimensions import ISSUED_AGE, MONTH, STATE
from kpi_pipeline.model.labels import Counted
from serving.catalogue import Kpi, Page
from serving.pages.charts.geometry import SparkLine, spark_line
from serving.pages.formats import NO_DATA
from serving.pages.published.figures import Figures
from serving.pages.published.kpi_values import KpiValue
from serving.pages.writing import Writer

_UNTARGETED: Final = (MONTH.name, STATE.name, ISSUED_AGE.name)
_TOGETHER: Final = 20
"""So many cards are read without headings."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a value differs from that of the period before.

    Attributes:
        way: Which way it went.
        text: By how much, without a sign.
        before: As it stood on the day compared with.
        trend: Whether that is good: `improving`, `stable`, `declining`; empty where nobody can say.
    """

    way: str
    text: str
    before: str
    trend: str


@dataclass(frozen=True, slots=True)
class Target:
    """A value aimed at, and whether it is reached."""

    text: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class CardFigure:
    """One value on a card.

    Attributes:
        currency: Of which currency it is, where the card has several and the text does not name it.
        text: As it is shown.
        exact: To the last unit; empty where the text already is.
        unit: Noun after the value; empty where the text has it.
        secondary: What the value is made of, or how many certificates are behind it.
        symbol: The sign of the currency within the text; empty where it is no money.
        change: How it moves; None without a comparison.
        target: What it aims at; None without one.
        spark: Its months; None where there is no line to draw.
    """

    currency: str
    text: str
    exact: str
    unit: str
    secondary: str
    symbol: str = ""
    change: Change | None = None
    target: Target | None = None
    spark: SparkLine | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One KPI.

    Attributes:
        name: Its name in payloads.
        label: Its name for people.
        period: What it covers; empty where its name says so.
        figures: Its value, or one a currency.
        url: The list of the certificates that it sums; empty where there is none.
    """

    name: str
    label: str
    period: str
    figures: list[CardFigure]
    url: str = ""


@dataclass(frozen=True, slots=True)
class CardGroup:
    """Cards under one heading; it is empty where all of a page stand together."""

    heading: str
    cards: list[Card]


def card_groups(
    page: Page, figures: Figures, selection: Mapping[str, Sequence[str]], writer: Writer
) -> list[CardGroup]:
    """The cards of a page, in its order; a KPI that the catalogue does not name is left out.

    Args:
        page: Which KPIs it shows.
        figures: What was published.
        selection: The filter that the figures answer.
        writer: Writes their values.

    Returns:
        One group, or those of the catalogue where there are many cards.
    """
    known = [kpi for name in page.kpis if (kpi := writer.kpi(name)) is not None]
    headings = {group.name: writer.label(group) for group in writer.catalogue.kpi_groups}
    groups = dict.fromkeys(kpi.group for kpi in known) if len(known) > _TOGETHER else [""]
    return [
        CardGroup(
            headings.get(group, ""),
            [_card(kpi, figures, selection, writer) for kpi in known if group in ("", kpi.group)],
        )
        for group in groups
    ]


def definitions(page: Page, writer: Writer) -> list[tuple[str, str]]:
    """The label and the meaning of each KPI of a page, in its order."""
    known = [kpi for name in page.kpis if (kpi := writer.kpi(name)) is not None]
    return [(writer.label(kpi), kpi.meaning.into(writer.language)) for kpi in known]


def lacking_costs(page: Page, selection: Mapping[str, Sequence[str]], writer: Writer) -> str:
    """Why a page has no costs; empty where it shows none, or the filter names nothing that they lack."""
    kpis = [writer.kpi(name) for name in page.kpis]
    shows_costs = any(kpi is not None and kpi.needs_costs for kpi in kpis)
    return writer.texts["lacking_costs"] if shows_costs and _lacks_costs(selection, writer) else ""


def comparison_text(page: Page, figures: Figures, writer: Writer) -> str:
    """What the changes on the cards of a page compare, or why there are none."""
    texts, compared = writer.texts, figures.comparison
    if figures.cohort is not None:
        count = Counted(writer.formats.count(figures.cohort.open))
        return texts["cohort_open" if figures.cohort.open else "cohort_settled"].format(count=count)
    previous = (value.previous for name in page.kpis for value in figures.kpis.get(name, ()))
    if compared is None or all(value is None for value in previous):
        return texts["comparison_none"]
    day, before = (
        writer.formats.day(date.fromisoformat(text)) for text in (compared.day, compared.previous_day)
    )
    return texts["comparison"].format(day=day, before=before)


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


def _card(kpi: Kpi, figures: Figures, selection: Mapping[str, Sequence[str]], writer: Writer) -> Card:
    kpi_values = figures.kpis.get(kpi.name, ())
    absent = writer.texts["no_data"]
    if kpi.needs_costs and _lacks_costs(selection, writer):
        absent = writer.texts["no_costs"]
    shown = [
        _figure(kpi, kpi_value, figures, selection, absent=absent, several=len(kpi_values) > 1, writer=writer)
        for kpi_value in kpi_values
    ]
    return Card(
        kpi.name,
        writer.label(kpi),
        _period(kpi, figures, writer),
        shown or [CardFigure("", NO_DATA, "", "", absent)],
        writer.list_url(kpi.name, selection) if any(value.value for value in kpi_values) else "",
    )


def _period(kpi: Kpi, figures: Figures, writer: Writer) -> str:
    if figures.cohort is not None:
        return writer.texts["period_cohort"] if kpi.period == "window" else ""
    if kpi.period == "window":
        return writer.texts["period_window"].format(count=Counted(str(writer.catalogue.window_months)))
    return writer.texts["period_day"] if kpi.period == "day" else ""


def _figure(
    kpi: Kpi,
    kpi_value: KpiValue,
    figures: Figures,
    selection: Mapping[str, Sequence[str]],
    *,
    absent: str,
    several: bool,
    writer: Writer,
) -> CardFigure:
    currency = (kpi_value.currency or "") if several else ""
    spark = spark_line(kpi_value.spark)
    if kpi_value.value is None:
        return CardFigure(currency, NO_DATA, "", "", absent, spark=spark)
    value = _value(kpi, kpi_value.value, kpi_value.currency, writer)
    return CardFigure(
        currency if kpi.unit != "money" else "",
        value.text,
        value.exact,
        value.unit,
        _secondary(kpi, kpi_value, figures, writer),
        value.symbol,
        _change(kpi, kpi_value, writer),
        _target(kpi, kpi_value.value, selection, writer),
        spark,
    )


class _Value(NamedTuple):
    """A value as it is shown, to the last unit, its unit, and the sign of its currency."""

    text: str
    exact: str = ""
    unit: str = ""
    symbol: str = ""


def _value(kpi: Kpi, value: float, currency: str | None, writer: Writer) -> _Value:
    if kpi.unit == "money" and currency is not None:
        money = writer.formats.money(value, currency)
        return _Value(money.short, money.full, symbol=money.symbol)
    if kpi.unit == "days":
        return _Value(writer.formats.days(value), unit=writer.days_unit(value))
    return _Value(writer.text(kpi.unit, value, ""))


def _secondary(kpi: Kpi, kpi_value: KpiValue, figures: Figures, writer: Writer) -> str:
    if kpi_value.numerator is not None and kpi_value.denominator is not None:
        basis = kpi.basis.into(writer.language)
        count = Counted(writer.formats.count(kpi_value.denominator))
        numerator, denominator = (
            Counted(writer.text("money" if kpi_value.currency else "count", term, kpi_value.currency or ""))
            for term in (kpi_value.numerator, kpi_value.denominator)
        )
        return basis.format(
            numerator=numerator, denominator=denominator, count=count, days=kpi_value.window_days
        )
    sibling = figures.kpis.get(kpi.count, ())
    # The count is of all currencies: next to the amount of one of several it would mislead.
    if len(figures.currencies) == 1 and sibling and sibling[0].value is not None:
        count = Counted(writer.formats.count(sibling[0].value))
        return writer.texts["certificate_count"].format(count=count)
    return ""


def _change(kpi: Kpi, kpi_value: KpiValue, writer: Writer) -> Change | None:
    now, earlier, formats = kpi_value.value, kpi_value.previous, writer.formats
    if kpi_value.change is None or earlier is None or now is None:
        return None
    change: float | Decimal = kpi_value.change
    # Points and days are the difference of the values as they are shown: a reader can check it.
    if kpi.unit == "share":
        change = formats.shown_percent(now) - formats.shown_percent(earlier)
        text = writer.texts["points"].format(points=formats.points(abs(change)))
    elif kpi.unit == "days":
        change = formats.shown_days(now) - formats.shown_days(earlier)
        text = writer.days(float(abs(change)) if change.as_tuple().exponent else int(abs(change)))
    elif kpi_value.change_share is not None:
        text = formats.share(abs(kpi_value.change_share))
    else:
        text = _value(kpi, abs(kpi_value.change), kpi_value.currency, writer).text
    way = "up" if change > 0 else "down"
    if not any("1" <= digit <= "9" for digit in text):
        way = "level"  # what is rounded to nothing has no direction
    previous = _value(kpi, earlier, kpi_value.currency, writer)
    unit = f"\N{NO-BREAK SPACE}{previous.unit}" if previous.unit else ""
    before = writer.texts["change_before"].format(value=previous.text + unit)
    return Change(way, text, before, kpi_value.trend or "")


def _target(kpi: Kpi, value: float, selection: Mapping[str, Sequence[str]], writer: Writer) -> Target | None:
    # What is aimed at is the whole: some months or states alone are better or worse by nature.
    if kpi.target is None or kpi.direction == "neutral" or any(selection.get(name) for name in _UNTARGETED):
        return None
    # A round target is written as people set it.
    aim = _value(kpi, kpi.target if kpi.target % 1 else int(kpi.target), None, writer)
    is_met = value >= kpi.target if kpi.direction == "up" else value <= kpi.target
    template = writer.texts["target_met" if is_met else "target_missed"]
    target = f"{aim.text}\N{NO-BREAK SPACE}{aim.unit}" if aim.unit else aim.text
    return Target(template.format(target=target), is_met)


def _lacks_costs(selection: Mapping[str, Sequence[str]], writer: Writer) -> bool:
    return any(
        selection.get(dimension.name) for dimension in writer.catalogue.dimensions if not dimension.of_costs
    )
