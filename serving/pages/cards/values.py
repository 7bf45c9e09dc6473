"""One value on a card: as it is shown, what it is made of, how it moves and what it aims at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

from kpi_pipeline.model.compare import quarter_of
from kpi_pipeline.model.dimensions import ISSUED_AGE, MONTH, STATE
from kpi_pipeline.model.labels import Counted
from serving.catalogue import Kpi
from serving.pages.charts.geometry import SparkLine, spark_line
from serving.pages.formats import NO_DATA
from serving.pages.published.figures import Figures
from serving.pages.published.kpi_values import KpiValue
from serving.pages.writing import Writer

_SUMS: Final = ("money", "count")
"""Units whose values are of the events alone: rates and durations change as billing months are settled."""

_UNTARGETED: Final = (MONTH.name, STATE.name, ISSUED_AGE.name)


@dataclass(frozen=True, slots=True)
class Change:
    """How a value differs from that of the period before.

    Attributes:
        way: Which way it went.
        text: By how much, without a sign.
        values: Both values, each with its day.
        trend: Whether that is good: `improving`, `stable`, `declining`; empty where nobody can say.
    """

    way: str
    text: str
    values: str
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
        quarters: That of a quarter beside those of earlier ones; empty where it is compared with none.
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
    quarters: str = ""


class WrittenValue(NamedTuple):
    """A value as it is shown, without the sign of its currency, to the last unit, its unit, and that sign."""

    text: str
    bare: str
    exact: str = ""
    unit: str = ""
    symbol: str = ""

    @property
    def with_unit(self) -> str:
        """The value and its unit."""
        return f"{self.text}\N{NO-BREAK SPACE}{self.unit}" if self.unit else self.text


def written_value(unit: str, value: float, currency: str | None, writer: Writer) -> WrittenValue:
    """A value in the unit of its KPI."""
    if unit == "money" and currency is not None:
        money = writer.formats.money(value, currency)
        return WrittenValue(money.short, money.bare, money.full, symbol=money.symbol)
    if unit == "days":
        days = writer.formats.days(value)
        return WrittenValue(days, days, unit=writer.days_unit(value))
    text = writer.text(unit, value, "")
    return WrittenValue(text, text)


@dataclass(frozen=True)
class CardContext:
    """What all cards of a page are written from.

    Attributes:
        figures: What was published.
        selection: The filter that the figures answer.
        writer: Writes their values.
        earlier: By quarter that flows are compared with, the KPIs of that.
    """

    figures: Figures
    selection: Mapping[str, Sequence[str]]
    writer: Writer
    earlier: Mapping[str, Mapping[str, Sequence[KpiValue]]] = field(default_factory=dict)

    @cached_property
    def lacks_costs(self) -> bool:
        """Whether the filter names what costs do not have."""
        dimensions = self.writer.catalogue.dimensions
        return any(self.selection.get(one.name) for one in dimensions if not one.of_costs)

    @cached_property
    def has_targets(self) -> bool:
        """Whether targets apply: some months or states alone are better or worse by nature."""
        return not any(self.selection.get(name) for name in _UNTARGETED)

    @cached_property
    def days(self) -> tuple[str, str]:
        """The day of the figures, without its year, and the day that they are compared with."""
        formats, compared = self.writer.formats, self.figures.comparison
        if compared is None:
            return formats.day_of_year(self.writer.catalogue.as_of), ""
        day, before = (date.fromisoformat(text) for text in (compared.day, compared.previous_day))
        return formats.day_of_year(day), formats.day(before)


def card_figures(kpi: Kpi, context: CardContext) -> list[CardFigure]:
    """The value of a KPI, or one a currency; where there is none, why."""
    values, writer = context.figures.kpis.get(kpi.name, ()), context.writer
    absent = writer.texts["no_costs" if kpi.needs_costs and context.lacks_costs else "no_data"]
    several = len(values) > 1
    return [
        _figure(kpi, value, context, value.currency or "" if several else "", absent) for value in values
    ] or [CardFigure("", NO_DATA, "", "", absent)]


def _figure(kpi: Kpi, kpi_value: KpiValue, context: CardContext, currency: str, absent: str) -> CardFigure:
    spark = spark_line(kpi_value.spark)
    if kpi_value.value is None:
        return CardFigure(currency, NO_DATA, "", "", absent, spark=spark)
    value = written_value(kpi.unit, kpi_value.value, kpi_value.currency, context.writer)
    return CardFigure(
        currency if kpi.unit != "money" else "",
        value.text,
        value.exact,
        value.unit,
        _secondary(kpi, kpi_value, context),
        value.symbol,
        _change(kpi, kpi_value, value, context),
        _target(kpi, kpi_value.value, context),
        spark,
        _quarters(kpi, kpi_value, value, context),
    )


def _secondary(kpi: Kpi, kpi_value: KpiValue, context: CardContext) -> str:
    writer = context.writer
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
    return counted_certificates(kpi, context)


def counted_certificates(kpi: Kpi, context: CardContext) -> str:
    """How many certificates are behind an amount; empty where nobody counts them."""
    figures, writer = context.figures, context.writer
    sibling = figures.kpis.get(kpi.count, ())
    # The count is of all currencies: next to the amount of one of several it would mislead.
    if len(figures.currencies) == 1 and sibling and sibling[0].value is not None:
        count = Counted(writer.formats.count(sibling[0].value))
        return writer.texts["certificate_count"].format(count=count)
    return ""


def _change(kpi: Kpi, kpi_value: KpiValue, shown: WrittenValue, context: CardContext) -> Change | None:
    now, earlier, writer = kpi_value.value, kpi_value.previous, context.writer
    if kpi_value.change is None or earlier is None or now is None:
        return None
    formats = writer.formats
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
        text = written_value(kpi.unit, abs(kpi_value.change), kpi_value.currency, writer).text
    way = "up" if change > 0 else "down"
    if not any("1" <= digit <= "9" for digit in text):
        way = "level"  # what is rounded to nothing has no direction
    previous = written_value(kpi.unit, earlier, kpi_value.currency, writer)
    day, before = context.days
    values = writer.texts["change_values"].format(
        day=day, value=shown.bare, earlier=previous.bare, before=before
    )
    return Change(way, text, values, kpi_value.trend or "")


def _quarters(kpi: Kpi, kpi_value: KpiValue, shown: WrittenValue, context: CardContext) -> str:
    """The value of a quarter and those of earlier ones, each with its name; empty where there are none."""
    if kpi.period != "window" or kpi.unit not in _SUMS:
        return ""
    writer = context.writer
    earlier = writer.texts["quarter_list"].join(_earlier_values(kpi, kpi_value.currency, context))
    if not earlier:
        return ""
    quarter = writer.quarter(quarter_of(min(context.selection[MONTH.name])))
    return writer.texts["quarter_values"].format(quarter=quarter, value=shown.bare, earlier=earlier)


def _earlier_values(kpi: Kpi, currency: str | None, context: CardContext) -> Iterator[str]:
    writer = context.writer
    for quarter, kpis in context.earlier.items():
        held = (one.value for one in kpis.get(kpi.name, ()) if one.currency == currency)
        if (value := next(held, None)) is not None:
            yield writer.texts["quarter_value"].format(
                value=written_value(kpi.unit, value, currency, writer).bare,
                quarter=writer.quarter(quarter),
            )


def _target(kpi: Kpi, value: float, context: CardContext) -> Target | None:
    if kpi.target is None or kpi.direction == "neutral" or not context.has_targets:
        return None
    is_met = value >= kpi.target if kpi.direction == "up" else value <= kpi.target
    template = context.writer.texts["target_met" if is_met else "target_missed"]
    return Target(template.format(target=target_text(kpi, context.writer)), is_met)


def target_text(kpi: Kpi, writer: Writer) -> str:
    """The value that a KPI aims at, as people set it; empty without one."""
    if kpi.target is None:
        return ""
    aim = kpi.target if kpi.target % 1 else int(kpi.target)
    return written_value(kpi.unit, aim, None, writer).with_unit
