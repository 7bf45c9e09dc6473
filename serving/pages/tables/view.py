"""Tables as their template shows them: heads and written cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.model.labels import NUMBERS, Kind
from kpi_pipeline.model.listed_figures import (
    LISTED_COLUMNS,
    LISTED_FORECASTS,
    LISTED_LINES,
    LISTED_REASONS,
)
from kpi_pipeline.model.listed_work import LISTED_WORK
from serving.catalogue import Column
from serving.pages.formats import NO_DATA
from serving.pages.list_links import ListLinks
from serving.pages.published.table_rows import ForecastBasis, Rows, TableFigures
from serving.pages.writing import Cell, Writer

_CERTIFICATE: Final = "certificate_id"
_VALUE: Final = "value"
"""The column that names a row's value of a dimension, where it has not the dimension's name."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; the name is that of the column, where it is one."""

    label: str
    is_number: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """Rows in one currency, or in none.

    Attributes:
        caption: What distinguishes it from the other tables of its section; empty when it is alone.
        heads: Of its columns.
        rows: Its cells; the first of each is what the row is about.
        is_ordered: Whether the order of its rows has a meaning: then it is not sorted.
    """

    caption: str
    heads: list[Head]
    rows: list[list[Cell]]
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class TableSection:
    """One table of a page.

    Attributes:
        name: Unique in the page.
        title: Its title.
        note: What a reader must know about it.
        nothing: Shown instead where it has no rows.
        tables: One a currency.
        sentences: Shown beneath it.
        whole_url: The list of all that it shows the first of; empty where it is whole, or leads nowhere.
    """

    name: str
    title: str
    note: str
    nothing: str
    tables: list[TableView]
    sentences: list[str]
    whole_url: str = ""


def table_section(figures: TableFigures, to_lists: ListLinks) -> TableSection:
    """One table: by currency, unless that is what its rows are about.

    Args:
        figures: What was published of it.
        to_lists: Where its numbers lead, and what writes them.
    """
    writer = to_lists.writer
    links = _Links(figures.table.name, to_lists)
    table, rows, sentences = figures.table, figures.rows, []
    if table.layout == "forecast":
        rows = [row for row in rows if figures.by_currency[row["currency"]]["receivable"]]
        sentences = [
            _forecast_sentence(code, figures, writer)
            for code, beyond in figures.by_currency.items()
            if beyond["receivable"]
        ]
    if table.layout == "statement":
        tables = [_statement(code, figures, links) for code in figures.by_currency]
    elif table.columns[0].kind is Kind.CURRENCY:
        tables = [_table(table.columns, rows, "", links)] if rows else []
    else:
        shown = [column for column in table.columns if column.kind is not Kind.CURRENCY]
        tables = [
            _table(shown, [row for row in rows if row["currency"] == code], code, links)
            for code in dict.fromkeys(row["currency"] for row in rows)
        ]
    title, note, nothing = (text.into(writer.language) for text in (table.title, table.note, table.nothing))
    # Where sentences say why there are no rows, nothing else does.
    whole_url = writer.work_list_url(LISTED_WORK.get(table.name), to_lists.selection) if rows else ""
    return TableSection(table.name, title, note, "" if sentences else nothing, tables, sentences, whole_url)


def statement_columns(figures: TableFigures) -> list[Column]:
    """The columns of a statement that are its lines."""
    return [column for column in figures.table.columns if column.kind not in (Kind.MONTH, Kind.CURRENCY)]


def statement_values(figures: TableFigures, currency: str, column: Column) -> list[Any]:
    """One line of a statement: a value a month, then the total."""
    months = [row[column.name] for row in figures.rows if row["currency"] == currency]
    return [*months, figures.by_currency[currency][column.name]]


@dataclass(frozen=True, slots=True)
class _Links:
    """Where the values of a table lead.

    Attributes:
        table_name: Of the table.
        to_lists: To lists.
    """

    table_name: str
    to_lists: ListLinks

    @property
    def writer(self) -> Writer:
        """Writes its values."""
        return self.to_lists.writer

    def cell(self, column: Column, row: Mapping[str, Any]) -> Cell:
        """A value with its link."""
        writer, value = self.writer, row[column.name]
        if column.kind is Kind.WHY:
            return Cell(writer.why(row))
        cell = writer.cell(column.kind, value, row["currency"], dimension=column.dimension)
        if column.dimension and value:
            cell = cell._replace(profile=writer.profile(column.dimension, value))
        if column.name == _CERTIFICATE:
            return cell._replace(url=writer.certificate_url(row["project"], value))
        if value and (self.table_name, column.name) in LISTED_FORECASTS:
            return cell._replace(url=self.to_lists.of_expected(row["month"], row["currency"]))
        if value and (of_reason := LISTED_REASONS.get((self.table_name, column.name))) is not None:
            return cell._replace(url=self.to_lists.of_reason(of_reason, row))
        if value and (listed := LISTED_COLUMNS.get((self.table_name, column.name))) is not None:
            dimension, figure = listed
            name = row.get(dimension) or row.get(_VALUE)
            return cell._replace(url=self.to_lists.of_value(figure, dimension, name, row["currency"]))
        return cell

    def months_cell(self, column: Column, value: Any, currency: str, first: str, last: str) -> Cell:
        """A value of a line with its link: of some months that follow each other."""
        cell = self.writer.cell(column.kind, value, currency)
        listed = LISTED_LINES.get(column.name)
        if not value or not first or listed is None:
            return cell
        return cell._replace(url=self.to_lists.of_months(listed, first, last, currency))


def _table(columns: Sequence[Column], rows: Rows, caption: str, links: _Links) -> TableView:
    return TableView(
        caption,
        [Head(links.writer.label(column), column.kind in NUMBERS, column.name) for column in columns],
        [[links.cell(column, row) for column in columns] for row in rows],
    )


def _statement(currency: str, figures: TableFigures, links: _Links) -> TableView:
    """A row a line, a column a month, and the total."""
    writer = links.writer
    months = [row["month"] for row in figures.rows if row["currency"] == currency]
    labels = [*map(writer.formats.month_and_year, months), writer.texts["statement_total"]]
    stretches = [*((month, month) for month in months), (min(months, default=""), max(months, default=""))]
    return TableView(
        currency,
        [Head(writer.texts["statement_line"], False), *(Head(label, True) for label in labels)],
        [
            [
                Cell(writer.label(column)),
                *(
                    links.months_cell(column, value, currency, first, last)
                    for value, (first, last) in zip(
                        statement_values(figures, currency, column), stretches, strict=True
                    )
                ),
            ]
            for column in statement_columns(figures)
        ],
        is_ordered=True,
    )


def _forecast_sentence(currency: str, figures: TableFigures, writer: Writer) -> str:
    """What lies beyond the months of a forecast, which rule is shown and how well it has done."""
    beyond: Mapping[str, Any] = figures.by_currency[currency]
    basis: ForecastBasis = beyond["basis"]
    written = {"currency": currency, "receivable": writer.text("money", beyond["receivable"], currency)}
    if basis.test is None:
        return writer.texts["forecast_none"].format(**written)
    amounts = {name: beyond[name] for name in ("later", "unknown")}
    amounts["expected"] = sum(row["expected"] for row in figures.rows if row["currency"] == currency)
    written |= {name: writer.text("money", amount, currency) for name, amount in amounts.items()}
    shares = basis.test.model_dump(exclude={"months"})
    written |= {
        name: NO_DATA if share is None else writer.text("share", share, currency)
        for name, share in shares.items()
    }
    is_measured = basis.test.coverage_50 is not None
    names = [
        "within",
        *(name for name in ("later", "unknown") if beyond[name]),
        basis.rule,
        "coverage" if is_measured else "no_coverage",
    ]
    return " ".join(writer.texts[f"forecast_{name}"].format(**written) for name in names)
