"""The dashboard as its template shows it: figures with their labels, written out in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from serving.catalogues import Catalogue, Kpi
from serving.negotiation import Language
from serving.pages.column_chart import ColumnChart, column_chart, spark_line
from serving.pages.figures import Figures, Reading
from serving.pages.formats import NO_DATA, Formats, Money
from serving.pages.texts import SERIES_TEXTS, STATE_TEXTS, texts_in

CHARTED_SERIES: Final = ("proposed", "approved", "collected")
"""Series that the trend's columns show; its table has them all."""

_COUNT_OF: Final = {"proposed": "certificates", "overdue": "overdue_count", "critical": "critical_count"}
_FULL_SHARE: Final = 100


@dataclass(frozen=True, slots=True)
class CardFigure:
    """One value on a card.

    Attributes:
        text: As it is shown.
        exact: To the last unit; empty where the text already is.
        unit: Word behind the value; empty where the text has it.
        secondary: What the value is made of, or how many certificates are behind it.
    """

    text: str
    exact: str = ""
    unit: str = ""
    secondary: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One KPI.

    Attributes:
        name: Its name in payloads.
        label: Its name for people.
        figures: Its value, or one a currency.
        spark: Points of the small line of its months; empty where it has none or several.
    """

    name: str
    label: str
    figures: list[CardFigure]
    spark: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of amounts.

    Attributes:
        label: What it is about.
        count: How many certificates.
        amount: Their amount.
        share: Part of the whole in words; empty where the table has none.
        bar: The same as a length from 0 to 100.
    """

    label: str
    count: str
    amount: Money
    share: str
    bar: float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in one currency."""

    currency: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class TrendMonth:
    """One month of the trend: its label and the amount of each series."""

    label: str
    amounts: list[Money]


@dataclass(frozen=True, slots=True)
class TrendView:
    """The trend in one currency, drawn and as a table.

    Attributes:
        currency: Its code.
        chart: The columns of `CHARTED_SERIES`.
        grid_labels: Amount at each grid line.
        column_titles: What each column of the chart stands for.
        rows: Every month, the latest first.
    """

    currency: str
    chart: ColumnChart
    grid_labels: list[str]
    column_titles: list[str]
    rows: list[TrendMonth]


@dataclass(frozen=True, slots=True)
class DashboardView:
    """All that the template shows of one payload."""

    currencies: list[str]
    cards: list[Card]
    ageing: list[Table]
    states: list[Table]
    trends: list[TrendView]
    month_names: list[str]
    first_month: str
    last_month: str
    series_labels: list[str]
    charted_labels: list[tuple[str, str]]


def dashboard_view(
    figures: Figures, catalogue: Catalogue, language: Language, formats: Formats
) -> DashboardView:
    """Write out the figures of one payload.

    Args:
        figures: What was published.
        catalogue: What the KPIs are called and measured in; those it does not name are left out.
        language: Of labels and numbers.
        formats: How values are written in it.
    """
    kpis = {kpi.name: kpi for kpi in catalogue.kpis}
    months = figures.trend.months
    return DashboardView(
        currencies=figures.currencies,
        cards=[
            _card(kpis[name], readings, figures, language, formats)
            for name, readings in figures.kpis.items()
            if name in kpis
        ],
        ageing=[
            Table(
                one.currency,
                [
                    Row(
                        bucket.bucket.replace("-", "\N{EN DASH}"),
                        formats.count(bucket.count),
                        formats.money(bucket.amount, one.currency),
                        formats.share(bucket.share),
                        _length(bucket.share),
                    )
                    for bucket in one.buckets
                ],
            )
            for one in figures.ageing
        ],
        states=[
            Table(
                one.currency,
                [
                    Row(
                        STATE_TEXTS[state.state].into(language)
                        if state.state in STATE_TEXTS
                        else state.state,
                        formats.count(state.count),
                        formats.money(state.amount, one.currency),
                        "",
                        _length(_part(state.amount, max(each.amount for each in one.states))),
                    )
                    for state in one.states
                ],
            )
            for one in figures.states
        ],
        trends=_trends(figures, language, formats),
        month_names=[formats.month_name(month) for month in months],
        first_month=formats.month(months[0]),
        last_month=formats.month(months[-1]),
        series_labels=[text.into(language) for text in SERIES_TEXTS.values()],
        charted_labels=[(name, SERIES_TEXTS[name].into(language)) for name in CHARTED_SERIES],
    )


def _card(
    kpi: Kpi, readings: Sequence[Reading], figures: Figures, language: Language, formats: Formats
) -> Card:
    texts = texts_in(language)
    shown = [
        replace(
            _value(kpi, reading, texts, formats), secondary=_secondary(kpi, reading, figures, texts, formats)
        )
        for reading in readings
    ]
    months = [one.named().get(kpi.name, []) for one in figures.trend.series]
    return Card(
        kpi.name,
        kpi.label_es if language == "es" else kpi.label_en,
        shown or [CardFigure(NO_DATA, secondary=texts["no_data"])],
        spark_line(months[0]) if kpi.per_currency and len(months) == 1 and any(months[0]) else "",
    )


def _value(kpi: Kpi, reading: Reading, texts: Mapping[str, str], formats: Formats) -> CardFigure:
    if reading.value is None:
        return CardFigure(NO_DATA)
    if kpi.unit == "money" and reading.currency is not None:
        money = formats.money(reading.value, reading.currency)
        return CardFigure(money.short, exact=money.full)
    if kpi.unit == "days":
        return CardFigure(formats.days(reading.value), unit=texts["days_unit"])
    if kpi.unit == "share":
        return CardFigure(formats.share(reading.value))
    return CardFigure(formats.count(reading.value))


def _secondary(
    kpi: Kpi, reading: Reading, figures: Figures, texts: Mapping[str, str], formats: Formats
) -> str:
    if reading.value is None:
        return texts["no_data"]
    if reading.numerator is not None and reading.denominator is not None:
        if reading.window_days is not None:
            template = texts["quotient_of_window"]
        else:
            template = texts["quotient_of_days" if kpi.unit == "days" else "quotient"]
        numerator, denominator = _terms(reading, formats)
        return template.format(numerator=numerator, denominator=denominator, days=reading.window_days)
    counted = figures.kpis.get(_COUNT_OF.get(kpi.name, ""), [])
    # The count is of all currencies: beside the amount of one of several it would mislead.
    if len(figures.currencies) == 1 and counted and counted[0].value is not None:
        count = counted[0].value
        name = "certificate_count_one" if count == 1 else "certificate_count"
        return texts[name].format(count=formats.count(count))
    return ""


def _terms(reading: Reading, formats: Formats) -> list[str]:
    """What is divided and by what: amounts of a currency, or else counts."""
    terms = (reading.numerator or 0, reading.denominator or 0)
    if reading.currency is not None:
        return [formats.money(term, reading.currency).short for term in terms]
    return [formats.count(term) for term in terms]


def _trends(figures: Figures, language: Language, formats: Formats) -> list[TrendView]:
    months = figures.trend.months
    views = []
    for one in figures.trend.series:
        named = one.named()
        chart = column_chart({name: named[name] for name in CHARTED_SERIES}, len(months))
        written = [
            TrendMonth(
                formats.month(month), [formats.money(series[at], one.currency) for series in named.values()]
            )
            for at, month in enumerate(months)
        ]
        views.append(
            TrendView(
                one.currency,
                chart,
                [formats.money(line.amount, one.currency).bare for line in chart.grid],
                [
                    f"{formats.month(months[column.month])}, {SERIES_TEXTS[column.series].into(language)}: "
                    f"{formats.money(column.amount, one.currency).full}"
                    for column in chart.columns
                ],
                written[::-1],
            )
        )
    return views


def _part(amount: int, most: int) -> float | None:
    return amount / most if most > 0 else None


def _length(share: float | None) -> float:
    return round(min(max(share or 0.0, 0.0), 1.0) * _FULL_SHARE, 1)
