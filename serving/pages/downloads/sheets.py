"""The figures of a page as sheets: exact values with their kinds, for files that other programs read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from serving.catalogue import Page
from serving.pages.charts.figures import ChartData
from serving.pages.figures import Figures, TableFigures
from serving.pages.tables.declarations import PLAIN_TABLES, PROFITABILITY, Table
from serving.pages.tables.forecasts import COLUMNS, FORECAST, MONTH, Forecast
from serving.pages.tables.statements import LINE, STATEMENT, TOTAL, Statement, statement_lines
from serving.pages.writing import Writer

KEY_FIGURES: Final = "key_figures"
"""The name of the sheet of a page's KPIs."""

SheetKind = Literal["text", "money", "share", "days", "count", "day"]

_AS_THEY_ARE: Final[Mapping[str, SheetKind]] = {
    "share": "share",
    "days": "days",
    "count": "count",
    "urgency": "count",
}
"""Kinds of values that are numbers already."""


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One value.

    Attributes:
        value: Amounts are in whole units of their currency; None where there is no value.
        kind: What it is.
        decimals: How many an amount has.
    """

    value: str | int | float | Decimal | date | None
    kind: SheetKind = "text"
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of values.

    Attributes:
        name: By which it is asked for.
        title: What it is called.
        heads: Of its columns.
        rows: As long as `heads`, each.
    """

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[SheetCell]]


def sheets(page: Page, figures: Figures, writer: Writer) -> list[Sheet]:
    """Everything that a page shows: its KPIs, its tables, and the data of its charts.

    Args:
        page: What it shows.
        figures: As they are published.
        writer: Writes their words.
    """
    return [
        _key_figures(page, figures, writer),
        *(sheet for name, table in figures.tables.items() for sheet in _tables(name, table, writer)),
        *(_chart(chart, writer) for chart in figures.charts),
    ]


def sheet_names(page: Page) -> list[str]:
    """The names of a page's sheets, in their order."""
    tables = (
        PROFITABILITY if name not in PLAIN_TABLES and name not in (STATEMENT.name, FORECAST.name) else [name]
        for name in page.tables
    )
    return [KEY_FIGURES, *(name for names in tables for name in names), *page.charts]


def sheet_cell(kind: str, value: Any, currency: str, writer: Writer, kpi: str = "") -> SheetCell:
    """One value as a sheet has it; the arguments are those of `Writer.cell`."""
    if kind == "reading":
        known = writer.kpi(kpi)
        kind = known.unit if known else "days"
    if kind == "money":
        decimals = writer.formats.decimals(currency)
        # Sums are whole minor units; a mean may lie between two.
        amount = None if value is None else round(writer.formats.amount(value, currency), decimals)
        return SheetCell(amount, "money", decimals)
    if kind in _AS_THEY_ARE:
        return SheetCell(value, _AS_THEY_ARE[kind])
    if kind == "day":
        return SheetCell(value and date.fromisoformat(value), "day")
    if kind in ("month", "currency") or value is None:
        return SheetCell(value)
    return SheetCell(writer.text(kind, value, currency))


def _key_figures(page: Page, figures: Figures, writer: Writer) -> Sheet:
    rows = []
    for kpi in (known for name in page.kpis if (known := writer.kpi(name)) is not None):
        for kpi_value in figures.kpis.get(kpi.name, ()):
            value, change, target = (
                sheet_cell(kpi.unit, one, kpi_value.currency or "", writer)
                for one in (kpi_value.value, kpi_value.change, kpi.target)
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
    heads = ("kpi", "currency", "value", "unit", "change", "change_share", "target")
    return Sheet(
        KEY_FIGURES,
        writer.texts["key_figures"],
        [writer.texts[f"sheet_{head}"] for head in heads],
        rows,
    )


def _chart(data: ChartData, writer: Writer) -> Sheet:
    chart = data.chart
    measured = next((column.name for column in data.columns("kpi")), "")
    return Sheet(
        chart.name,
        chart.title_es if writer.language == "es" else chart.title_en,
        [writer.label(column) for column in chart.columns],
        [
            [
                sheet_cell(
                    column.kind,
                    row[column.name],
                    row.get("currency", ""),
                    writer,
                    kpi=row[measured] if measured else "",
                )
                for column in chart.columns
            ]
            for row in data.rows
        ],
    )


def _tables(name: str, table: TableFigures, writer: Writer) -> Iterator[Sheet]:
    if isinstance(table, Statement):
        yield _statement(table, writer)
    elif isinstance(table, Forecast):
        yield _forecast(table, writer)
    elif isinstance(table, Mapping):
        for part, rows in table.items():
            yield _plain(PROFITABILITY[part], rows, writer)
    else:
        yield _plain(PLAIN_TABLES[name], table, writer)


def _plain(table: Table, rows: Iterable[Mapping[str, Any]], writer: Writer) -> Sheet:
    return Sheet(
        table.name,
        table.title.into(writer.language),
        [column.label.into(writer.language) for column in table.columns],
        [
            [sheet_cell(column.kind, row[column.name], row["currency"], writer) for column in table.columns]
            for row in rows
        ],
    )


def _statement(statement: Statement, writer: Writer) -> Sheet:
    language = writer.language
    return Sheet(
        STATEMENT.name,
        STATEMENT.title.into(language),
        [
            LINE.into(language),
            writer.texts["sheet_currency"],
            *statement.statement.months,
            TOTAL.into(language),
        ],
        [
            [
                SheetCell(line.label),
                SheetCell(line.currency),
                *(sheet_cell(line.kind, value, line.currency, writer) for value in line.values),
            ]
            for line in statement_lines(statement, language)
        ],
    )


def _forecast(forecast: Forecast, writer: Writer) -> Sheet:
    language = writer.language
    heads = [MONTH, *COLUMNS.values()]
    return Sheet(
        FORECAST.name,
        FORECAST.title.into(language),
        [heads[0].into(language), writer.texts["sheet_currency"], *(one.into(language) for one in heads[1:])],
        [
            [
                SheetCell(month),
                SheetCell(line.currency),
                *(sheet_cell("money", getattr(line, name)[at], line.currency, writer) for name in COLUMNS),
            ]
            for line in forecast.lines
            for at, month in enumerate(forecast.months)
        ],
    )
