"""The cash-flow forecast: its shape as it is published, and its table of months."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, model_validator

from kpi_pipeline.model.labels import Text
from serving.pages.cards.kpi_values import CurrencyCode, MonthText
from serving.pages.tables.declarations import Table
from serving.pages.tables.view import Head, TableSection, TableView, section
from serving.pages.writing import Cell, Writer

FORECAST: Final = Table(
    "forecast",
    Text("Cobros esperados", "Expected collections"),
    Text(
        "Según lo que cada cliente ha demorado en pagar. Cinco de cada diez casos caen en el rango del 50 %; "
        "nueve, en el del 90 %.",
        "By how long each client has taken to pay. Five cases of ten fall into the range of 50 %; nine, into "
        "that of 90 %.",
    ),
    Text(
        "No se esperan cobros: nada está por cobrar.", "No collections are expected: nothing is receivable."
    ),
    (),
)

MONTH: Final = Text("Mes", "Month")
COLUMNS: Final = {
    "expected": Text("Esperado", "Expected"),
    "low_50": Text("Mínimo (50 %)", "Low (50 %)"),
    "high_50": Text("Máximo (50 %)", "High (50 %)"),
    "low_90": Text("Mínimo (90 %)", "Low (90 %)"),
    "high_90": Text("Máximo (90 %)", "High (90 %)"),
}
_WITHIN: Final = Text(
    "De {receivable} por cobrar, {expected} se esperan en estos meses.",
    "Of {receivable} receivable, {expected} are expected within these months.",
)
_LATER: Final = Text("Más adelante se esperan {later}.", "{later} are expected later.")
_UNKNOWN: Final = Text(
    "De {unknown} no hay con qué estimar cuándo se pagarán.",
    "Of {unknown} there is nothing to estimate from when they will be paid.",
)


class ForecastLine(BaseModel, strict=True, frozen=True):
    """What is expected in one currency by month, what later, and what cannot be estimated."""

    currency: CurrencyCode
    expected: list[int]
    low_50: list[int]
    high_50: list[int]
    low_90: list[int]
    high_90: list[int]
    later: int
    unknown: int
    receivable: int


class Forecast(BaseModel, strict=True, frozen=True):
    """The forecast of one filter."""

    months: Annotated[list[MonthText], Field(min_length=1)]
    lines: list[ForecastLine]

    @model_validator(mode="after")
    def _one_amount_a_month(self) -> Self:
        for line in self.lines:
            if any(len(getattr(line, name)) != len(self.months) for name in COLUMNS):
                raise ValueError("a line has not one amount a month")
        return self


def forecast_section(forecast: Forecast, writer: Writer) -> TableSection:
    """The forecast as a table a currency, a row a month; in words, what lies beyond it.

    Args:
        forecast: As it is published.
        writer: Writes its values.
    """
    language = writer.language
    heads = [
        Head(MONTH.into(language), False),
        *(Head(label.into(language), True) for label in COLUMNS.values()),
    ]
    tables, sentences = [], []
    for line in forecast.lines:
        if line.receivable == 0:
            continue
        rows = [
            [
                Cell(writer.formats.month(month), order=month),
                *(writer.cell("money", getattr(line, name)[at], line.currency) for name in COLUMNS),
            ]
            for at, month in enumerate(forecast.months)
        ]
        tables.append(TableView(line.currency, heads, rows))
        sentences.append(_in_words(line, writer))
    return section(FORECAST, tables, writer, sentences)


def _in_words(line: ForecastLine, writer: Writer) -> str:
    said = [_WITHIN, *([_LATER] if line.later else []), *([_UNKNOWN] if line.unknown else [])]
    amounts = {
        name: writer.text("money", amount, line.currency)
        for name, amount in {
            "receivable": line.receivable,
            "expected": sum(line.expected),
            "later": line.later,
            "unknown": line.unknown,
        }.items()
    }
    return " ".join(text.into(writer.language).format(**amounts) for text in said)
