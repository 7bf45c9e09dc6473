"""Tables as their template shows them: heads and written cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serving.pages.tables.declarations import Table, TableColumn
from serving.pages.writing import Cell, Writer

_NUMBERS: Final = ("money", "share", "days", "count", "urgency")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    label: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """Rows in one currency, or in none.

    Attributes:
        caption: What tells it from the other tables of its section; empty when it is alone.
        heads: Of its columns.
        rows: Its cells; the first of each is what the row is about.
        is_ordered: Whether the order of its rows is a part of what it says: then it is not sorted.
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
        note: What is to be known of it.
        nothing: Said instead where it has no rows.
        tables: One a currency.
        sentences: What it says in words.
    """

    name: str
    title: str
    note: str
    nothing: str
    tables: list[TableView]
    sentences: list[str]


def plain_section(table: Table, rows: Sequence[Mapping[str, Any]], writer: Writer) -> TableSection:
    """A table of rows; one a currency, unless that is what its rows are about.

    Args:
        table: Its words and columns.
        rows: As they are published.
        writer: Writes its values.
    """
    if table.columns[0].kind == "currency":
        # A row is about a currency: they stand in one table.
        found = [_table(table.columns, rows, "", writer)] if rows else []
        return section(table, found, writer)
    shown = [column for column in table.columns if column.kind != "currency"]
    return section(
        table,
        [
            _table(shown, [row for row in rows if row["currency"] == code], code, writer)
            for code in dict.fromkeys(row["currency"] for row in rows)
        ],
        writer,
    )


def _table(
    columns: Sequence[TableColumn], rows: Sequence[Mapping[str, Any]], caption: str, writer: Writer
) -> TableView:
    return TableView(
        caption,
        [Head(column.label.into(writer.language), column.kind in _NUMBERS) for column in columns],
        [
            [
                writer.cell(column.kind, row[column.name], row["currency"], dimension=column.dimension)
                for column in columns
            ]
            for row in rows
        ],
    )


def section(
    table: Table, tables: list[TableView], writer: Writer, sentences: Iterable[str] = ()
) -> TableSection:
    """A table with its words."""
    return TableSection(
        table.name,
        table.title.into(writer.language),
        table.note.into(writer.language),
        table.nothing.into(writer.language),
        tables,
        list(sentences),
    )
