"""The financial statement: its shape as it is published, and its table of months."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, model_validator

from serving.pages.readings import CurrencyCode, MonthText, Number
from serving.pages.table_view import Head, TableSection, TableView, section
from serving.pages.tables import Table
from serving.pages.writing import Cell, Writer
from serving.problem_types import Text

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
_LINE: Final = Text("Línea", "Line")
_TOTAL: Final = Text("Total", "Total")

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


def statement_section(statement: Statement, writer: Writer) -> TableSection:
    """The statement as a table a currency: a row a line, a column a month, and the total.

    Args:
        statement: As it is published.
        writer: Writes its values.
    """
    months = statement.statement.months
    labels = [writer.formats.month_and_year(month) for month in months]
    heads = [
        Head(_LINE.into(writer.language), False),
        *(Head(label, True) for label in labels),
        Head(_TOTAL.into(writer.language), True),
    ]
    tables = []
    for line, total in zip(statement.statement.lines, statement.totals, strict=True):
        rows = [
            [
                Cell(label.into(writer.language)),
                *(writer.cell("money", one, line.currency) for one in getattr(line, name)),
                writer.cell("money", getattr(total, name), line.currency),
            ]
            for name, label in _LINES.items()
        ]
        shares = [*line.margin_share, total.margin_share]
        rows.append(
            [
                Cell(_MARGIN_SHARE.into(writer.language)),
                *(writer.cell("share", one, line.currency) for one in shares),
            ]
        )
        tables.append(TableView(line.currency, heads, rows))
    return section(STATEMENT, tables, writer)
