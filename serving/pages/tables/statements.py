"""The financial statement: its shape as it is published, and its table of months."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from kpi_pipeline.model.labels import Language, Text
from serving.pages.cards.kpi_values import CurrencyCode, MonthText, Number
from serving.pages.tables.declarations import Table
from serving.pages.tables.view import Head, TableSection, TableView, section
from serving.pages.writing import Cell, Writer

STATEMENT: Final = Table(
    "statement",
    Text("Estado financiero", "Financial statement"),
    Text(
        "Facturado, aprobado y costos por mes de facturación; cobrado y pagado a "
        "proveedores, por mes de pago.",
        "Billed, approved and costs by billing month; collected and paid to suppliers, by month of payment.",
    ),
    Text("No hay movimientos en estos meses.", "Nothing happened in these months."),
    (),
)

_LINES: Final = {
    "billed": Text("Facturado", "Billed"),
    "approved": Text("Aprobado", "Approved"),
    "collected": Text("Cobrado", "Collected"),
    "opex": Text("OPEX", "OPEX"),
    "capex": Text("CAPEX", "CAPEX"),
    "costs": Text("Costos", "Costs"),
    "costs_paid_out": Text("Pagado a proveedores", "Paid to suppliers"),
    "margin": Text("Margen", "Margin"),
}
_MARGIN_SHARE: Final = Text("Margen (%)", "Margin (%)")
LINE: Final = Text("Línea", "Line")
TOTAL: Final = Text("Total", "Total")

Amounts = list[int | None]


class Line(BaseModel, strict=True, frozen=True):
    """The figures of one currency by month; those of costs are None under filters that have no costs."""

    currency: CurrencyCode
    billed: Amounts
    approved: Amounts
    collected: Amounts
    opex: Amounts
    capex: Amounts
    costs: Amounts
    costs_paid_out: Amounts
    margin: Amounts
    margin_share: list[Number | None]


class Total(BaseModel, strict=True, frozen=True):
    """Their sums over the months."""

    currency: CurrencyCode
    billed: int | None
    approved: int | None
    collected: int | None
    opex: int | None
    capex: int | None
    costs: int | None
    costs_paid_out: int | None
    margin: int | None
    margin_share: Number | None


class Months(BaseModel, strict=True, frozen=True):
    """The months and the lines of each currency."""

    months: Annotated[list[MonthText], Field(min_length=1)]
    lines: list[Line]


class Statement(BaseModel, strict=True, frozen=True):
    """The financial statement of one filter."""

    statement: Months
    totals: list[Total]

    @model_validator(mode="after")
    def _everything_of_each_currency(self) -> Self:
        for line in self.statement.lines:
            amounts = [getattr(line, name) for name in (*_LINES, "margin_share")]
            if any(len(one) != len(self.statement.months) for one in amounts):
                raise ValueError("a line has not one figure a month")
        if [one.currency for one in self.totals] != [one.currency for one in self.statement.lines]:
            raise ValueError("lines and totals are not of the same currencies")
        return self


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of one currency.

    Attributes:
        label: What it is called.
        currency: Of its amounts.
        kind: What its values are.
        values: One a month, and then the total.
    """

    label: str
    currency: str
    kind: Literal["money", "share"]
    values: Sequence[Number | None]


def statement_section(statement: Statement, writer: Writer) -> TableSection:
    """The statement as a table a currency: a row a line, a column a month, and the total.

    Args:
        statement: As it is published.
        writer: Writes its values.
    """
    months = statement.statement.months
    labels = [writer.formats.month_and_year(month) for month in months]
    heads = [
        Head(LINE.into(writer.language), False),
        *(Head(label, True) for label in labels),
        Head(TOTAL.into(writer.language), True),
    ]
    lines = statement_lines(statement, writer.language)
    tables = [
        TableView(
            currency,
            heads,
            [
                [Cell(line.label), *(writer.cell(line.kind, value, currency) for value in line.values)]
                for line in lines
                if line.currency == currency
            ],
            is_ordered=True,
        )
        for currency in dict.fromkeys(line.currency for line in lines)
    ]
    return section(STATEMENT, tables, writer)


def statement_lines(statement: Statement, language: Language) -> list[StatementLine]:
    """The lines of each currency, in the order in which they are read."""
    found = []
    for line, total in zip(statement.statement.lines, statement.totals, strict=True):
        for name, label in _LINES.items():
            values = [*getattr(line, name), getattr(total, name)]
            found.append(StatementLine(label.into(language), line.currency, "money", values))
        shares = [*line.margin_share, total.margin_share]
        found.append(StatementLine(_MARGIN_SHARE.into(language), line.currency, "share", shares))
    return found
