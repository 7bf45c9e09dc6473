# ruff: noqa: S608 - names in SQL are our own, and what a mapping says is quoted by `literal`
"""A source's rows in DuckDB: each canonical column read from the cell that a mapping names for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.database import computation
from kpi_pipeline.compute.ingest import moments
from kpi_pipeline.compute.ingest.amounts import amount_text, amount_word
from kpi_pipeline.compute.ingest.cells import Cell, literal, trimmed
from kpi_pipeline.compute.ingest.identity import identity, shown_key, without_null_words
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import Amounts, SourceMapping, StateRule

RAW: Final = "raw_rows"
"""The registered rows: columns `raw_0`, `raw_1`, ... and `row_number`, from 1 in extraction order."""


class SourceRows:
    """The rows of one table of a source, registered as `RAW`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        raw: pa.Table,
        columns: Mapping[str, str | tuple[str, ...]],
        mapping: SourceMapping,
        others: Iterable[str] = (),
    ) -> None:
        """Register rows.

        Args:
            connection: Where they are registered.
            raw: The rows, at least the columns that `columns` names.
            columns: Source column, or several, of each canonical column.
            mapping: Gives the value of a canonical column where its cell is empty or there is none, and how
                cells are read.
            others: Source columns of no canonical column that are read too.
        """
        self._connection = connection
        self._columns = columns
        self._defaults = mapping.defaults
        self._null_words = mapping.null_words
        # Source names may differ in case alone, which SQL ignores: columns are numbered.
        numbered = raw.rename_columns([f"raw_{index}" for index in range(raw.num_columns)])
        connection.register(
            RAW,
            numbered.append_column("row_number", pa.array(np.arange(1, raw.num_rows + 1, dtype=np.int64))),
        )
        used = {
            name: raw.schema.get_field_index(name)
            for given in columns.values()
            for name in ((given,) if isinstance(given, str) else given)
        } | {name: raw.schema.get_field_index(name) for name in others}
        self._cells = {
            name: Cell(f"raw_{at}", f"text_{at}", raw.schema.field(at).type) for name, at in used.items()
        }

    def text(self, column: str, otherwise: str | None = None) -> str:
        """SQL of a canonical column's text: of its cell, else its default, else `otherwise`."""
        cell = self._cell(column)
        options = [cell.text] if cell else []
        options += [literal(text) for text in (self._defaults.get(column), otherwise) if text is not None]
        return f"coalesce({', '.join([*options, 'NULL'])})"

    def key(self, column: str) -> dict[str, str]:
        """SQL of the key in a canonical column, as written, and of `identity`, by which it is compared."""
        named = self._columns[column]
        cells = [self._cells[name] for name in ((named,) if isinstance(named, str) else named)]
        return {column: shown_key(cells), "identity": identity(cells)}

    def values(
        self, column: str, read: Callable[[Cell], str], is_empty: Callable[[Cell], str] | None = None
    ) -> dict[str, str]:
        """SQL of what is read from a canonical column's cell, and of `<column>_given`.

        Args:
            column: The column.
            read: SQL of a cell's value.
            is_empty: SQL: whether a cell that holds something holds no value; None where that is never so.
        """
        cell = self._cell(column)
        if cell is None:
            return {column: "NULL", f"{column}_given": "false"}
        given = f"{cell.text} IS NOT NULL"
        if is_empty is not None:
            given += f" AND NOT {is_empty(cell)}"
        return {column: read(cell), f"{column}_given": given}

    def amount(self, column: str, amounts: Amounts) -> dict[str, str]:
        """SQL of an amount as `<column>_plain`, `<column>_word` (its currency's) and `<column>_given`."""
        cell = self._cell(column)
        return {
            f"{column}_plain": amount_text(cell, amounts) if cell else "NULL",
            f"{column}_word": amount_word(cell) if cell else "CAST(NULL AS VARCHAR)",
            f"{column}_given": f"{cell.text} IS NOT NULL" if cell else "false",
        }

    def state(self, rules: Sequence[StateRule]) -> str:
        """SQL of the state of the first rule that holds; null where none does."""
        cases = " ".join(f"WHEN {self._holds(rule)} THEN {literal(rule.state)}" for rule in rules)
        return f"CASE {cases} END" if rules else "CAST(NULL AS VARCHAR)"

    def _holds(self, rule: StateRule) -> str:
        cell = self._cells[rule.column]
        if not rule.values:
            return f"({cell.text} IS NOT NULL AND NOT {moments.is_no_date(cell)})"
        meant = {fold(value) for value in rule.values}
        written = self._connection.execute(f"SELECT DISTINCT {cell.text} FROM ({self._texts()})").fetchall()
        alike = [literal(text) for (text,) in written if text is not None and fold(text) in meant]
        return f"{cell.text} IN ({', '.join(alike)})" if alike else "false"

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        """Make a temporary table of the rows, `row_number` first.

        Args:
            table: Its name.
            columns: Column to SQL over the rows' cells.
        """
        texts = self._texts()
        selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        self._connection.execute(f"CREATE TEMP TABLE {table} AS SELECT row_number, {selected} FROM ({texts})")

    def _texts(self) -> str:
        """SQL of the rows with the text of each cell that is read."""
        cells = self._cells.values()
        trims = ", ".join(f"{trimmed(cell.native)} AS {cell.text}" for cell in cells)
        texts = ", ".join(
            f"{without_null_words(cell.text, self._null_words)} AS {cell.text}" for cell in cells
        )
        return f"SELECT * REPLACE ({texts}) FROM (SELECT *, {trims} FROM {RAW})"

    def _cell(self, column: str) -> Cell | None:
        source = self._columns.get(column)
        return self._cells[source] if isinstance(source, str) else None


def identities_of(rows: pa.Table, mapping: SourceMapping) -> list[str | None]:
    """By what the keys of certificates are compared, of some rows, in no order.

    Args:
        rows: At least the columns of the key.
        mapping: Names them.
    """
    with computation() as connection:
        keys = {"certificate_id": mapping.columns["certificate_id"]}
        source_rows = SourceRows(connection, rows, keys, mapping)
        source_rows.create("keys", {"identity": source_rows.key("certificate_id")["identity"]})
        return [
            identity for (identity,) in connection.execute("SELECT DISTINCT identity FROM keys").fetchall()
        ]


def raw_as_json(raw: pa.Table) -> str:
    """SQL of a source row as a JSON object of texts, which every value has without loss."""
    pairs = ", ".join(
        f"{literal(name)}, CAST(raw_{index} AS VARCHAR)" for index, name in enumerate(raw.column_names)
    )
    return f"CAST(json_object({pairs}) AS VARCHAR)"
