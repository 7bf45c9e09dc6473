"""The figures of a page as sheets: exact values with their kinds, for files that other programs read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.pages import EXPECTED
from serving.catalogue import Catalogue, Column, Page
from serving.pages.published.chart_data import ChartData
from serving.pages.published.figures import Figures
from serving.pages.published.kpi_values import NextDays
from serving.pages.published.table_rows import TableFigures, tables_in
from serving.pages.tables.view import statement_columns, statement_values
from serving.pages.writing import Writer

KEY_FIGURES: Final = "key_figures"
"""The name of the sheet of a page's KPIs."""

SheetKind = Literal["text", "money", "share", "days", "count", "day", "month"]

SheetValue = str | int | float | Decimal | date | None
"""A value as files have it: amounts are in whole units of their currency."""

_OF_EXPECTED: Final = ("until", "low_90", "high_90")
"""Further columns of a page that what is expected in the next days leads."""

_AS_THEY_ARE: Final[Mapping[str, SheetKind]] = {
    "share": "share",
    "days": "days",
    "count": "count",
}
"""Kinds of values that are numbers already."""


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One value.

    Attributes:
        value: Amounts are in whole units of their currency, months are their first day; None where there is
            no value.
        kind: What it is.
        decimals: How many an amount has.
        sign: The sign of its currency.
    """

    value: SheetValue
    kind: SheetKind = "text"
    decimals: int = 0
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of values.

    Attributes:
        name: By which it is requested.
        title: What it is called.
        heads: Of its columns; a column of a month has its first day.
        rows: As long as `heads`, each.
    """

    name: str
    title: str
    heads: Sequence[str | date]
    rows: Sequence[Sequence[SheetCell]]


def sheets(page: Page, figures: Figures, writer: Writer) -> list[Sheet]:
    """Everything that a page shows: its KPIs, its tables, and the data of its charts.

    Args:
        page: What it shows.
        figures: As they are published.
        writer: Writes their texts.
    """
    return [
        _key_figures(page, figures, writer),
        *(_table(table, writer) for table in figures.tables),
        *(_chart(chart, writer) for chart in figures.charts),
    ]


def sheet_names(page: Page, catalogue: Catalogue) -> list[str]:
    """The names of a page's sheets, in their order."""
    tables = [table.name for block in page.tables for table in tables_in(catalogue, block)]
    return [KEY_FIGURES, *tables, *page.charts]


def sheet_cell(kind: str, value: Any, currency: str, writer: Writer, kpi: str = "") -> SheetCell:
    """One value as a sheet has it; the arguments are those of `Writer.cell`."""
    if kind == "reading":
        known = writer.kpi(kpi)
        kind = known.unit if known else "days"
    if kind == "money":
        decimals = writer.formats.decimals(currency)
        # Sums are whole minor units; a mean may lie between two.
        amount = None if value is None else round(writer.formats.amount(value, currency), decimals)
        return SheetCell(amount, "money", decimals, writer.formats.sign(currency))
    if kind in _AS_THEY_ARE:
        return SheetCell(value, _AS_THEY_ARE[kind])
    if kind == "day":
        return SheetCell(value and date.fromisoformat(value), "day")
    if kind == "month":
        return SheetCell(value and first_day(value), "month")
    if kind == "currency" or value is None:
        return SheetCell(value)
    return SheetCell(writer.text(kind, value, currency))


def first_day(month: str) -> date:
    """The first day of a month given as YYYY-MM."""
    return date.fromisoformat(f"{month}-01")


def _key_figures(page: Page, figures: Figures, writer: Writer) -> Sheet:
    rows = _kpi_rows(page, figures, writer)
    heads = ["kpi", "currency", "value", "unit", "change", "change_share", "target"]
    if any(lead.figure == EXPECTED for lead in page.leads):
        rows = [[*row, *([SheetCell(None)] * len(_OF_EXPECTED))] for row in rows]
        rows += [_expected_row(one, writer) for one in figures.expected]
        heads += _OF_EXPECTED
    return Sheet(
        KEY_FIGURES,
        writer.texts["key_figures"],
        [writer.texts[f"sheet_{head}"] for head in heads],
        rows,
    )


def _expected_row(expected: NextDays, writer: Writer) -> list[SheetCell]:
    """What is expected in the next days, until when, and its band: it has no change and no target."""
    amount, low, high = (
        sheet_cell("money", minor, expected.currency, writer)
        for minor in (expected.amount, expected.low_90, expected.high_90)
    )
    return [
        SheetCell(writer.texts["expected_within"].format(days=expected.days)),
        SheetCell(expected.currency),
        amount,
        SheetCell(writer.texts["sheet_unit_money"]),
        *([SheetCell(None)] * 3),
        sheet_cell("day", expected.until, expected.currency, writer),
        low,
        high,
    ]


def _kpi_rows(page: Page, figures: Figures, writer: Writer) -> list[list[SheetCell]]:
    rows = []
    for kpi in (known for name in page.kpis if (known := writer.kpi(name)) is not None and known.is_set):
        for kpi_value in figures.kpis.get(kpi.name, ()):
            value, change, target = (
                sheet_cell(kpi.unit, number, kpi_value.currency or "", writer)
                for number in (kpi_value.value, kpi_value.change, kpi.target)
            )
            rows.append(
                [
                    SheetCell(writer.label(kpi)),
                    SheetCell(kpi_value.currency or ""),
                    value,
                    SheetCell(writer.texts[f"sheet_unit_{kpi.unit}"]),
                    change,
                    SheetCell(kpi_value.change_share, "share"),
                    target,
                ]
            )
    return rows


def _chart(data: ChartData, writer: Writer) -> Sheet:
    chart = data.chart
    measured = next((column.name for column in data.columns("kpi")), "")
    return Sheet(
        chart.name, chart.title.into(writer.language), *_cells(chart.columns, data.rows, writer, measured)
    )


def _table(figures: TableFigures, writer: Writer) -> Sheet:
    table = figures.table
    cells = _cells(table.columns, figures.rows, writer)
    if table.layout == "statement":
        cells = _statement(figures, writer)
    return Sheet(table.name, table.title.into(writer.language), *cells)


def _cells(
    columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], writer: Writer, measured: str = ""
) -> tuple[Sequence[str | date], list[list[SheetCell]]]:
    """The heads and cells of rows; `measured` is the column that names the KPI of their readings."""
    heads = [writer.label(column) for column in columns]
    return heads, [
        [
            SheetCell(writer.why(row))
            if column.kind is Kind.WHY
            else sheet_cell(
                column.kind,
                row[column.name],
                row.get("currency", ""),
                writer,
                row[measured] if measured else "",
            )
            for column in columns
        ]
        for row in rows
    ]


def _statement(figures: TableFigures, writer: Writer) -> tuple[Sequence[str | date], list[list[SheetCell]]]:
    """A row a line, a column a month, and the total."""
    months = list(dict.fromkeys(row["month"] for row in figures.rows))
    texts = writer.texts
    heads: list[str | date] = [
        texts["statement_line"],
        texts["sheet_currency"],
        *map(first_day, months),
        texts["statement_total"],
    ]
    return heads, [
        [
            SheetCell(writer.label(column)),
            SheetCell(currency),
            *(
                sheet_cell(column.kind, value, currency, writer)
                for value in statement_values(figures, currency, column)
            ),
        ]
        for currency in figures.by_currency
        for column in statement_columns(figures)
    ]
