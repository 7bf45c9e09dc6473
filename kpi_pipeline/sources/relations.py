"""What to read from a database: tables and queries, as SQLAlchemy expressions of any dialect."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.toml.faults import as_toml, nearest
from kpi_pipeline.sources.errors import SourceError

RelationName = Literal["certificates", "log", "cost_headers", "cost_lines"]
"""The relations that a mapping can read from a database."""

CORRECT_NAMES: Final = "Correct the names in the mapping file"

_NAME_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or query to read.

    Attributes:
        label: Its name in messages.
        clause: The FROM clause.
        columns: The columns to read.
        setting: The setting of the mapping file that names it.
        amounts: The columns that are amounts.
        decimal_mark: The mark by which their texts are read, so that numbers are written with it.
        places: Column to where the mapping file names it.
        condition: Which of the rows to read; None for all.
    """

    label: str
    clause: FromClause
    columns: tuple[str, ...]
    setting: str
    amounts: frozenset[str] = frozenset()
    decimal_mark: str = "."
    places: Mapping[str, str] = field(default_factory=dict)
    condition: sa.ColumnElement[bool] | None = None

    def select(self, columns: Sequence[sa.ColumnElement[Any]]) -> sa.Select[*tuple[Any, ...]]:
        """A statement that reads its rows.

        Args:
            columns: What is read of each.
        """
        rows: sa.Select[*tuple[Any, ...]] = sa.select(*columns).select_from(self.clause)
        return rows if self.condition is None else rows.where(self.condition)

    def where_any(self, columns: Sequence[str], keys: Iterable[Sequence[str]]) -> "Relation":
        """Only the rows whose columns hold one of some keys.

        Args:
            columns: The columns of a key.
            keys: Their values, as read; a few hundred, as SQLite nests conditions no deeper.
        """
        alike = [
            sa.and_(*(sa.column(name) == _constant(value) for name, value in zip(columns, key, strict=True)))
            for key in keys
        ]
        return replace(self, condition=sa.or_(sa.false(), *alike))

    def where_from(self, column: str, least: str) -> "Relation":
        """Only the rows whose column holds a value or one that comes after it."""
        return replace(self, condition=sa.column(column) >= _constant(least))

    def no_rows(self) -> sa.Select[*tuple[Any, ...]]:
        """A statement that returns every column and no row."""
        return sa.select(sa.text("*")).select_from(self.clause).where(sa.false())

    def mark_of(self, column: str) -> str | None:
        """The decimal mark of a column of amounts; None of any other."""
        return self.decimal_mark if column in self.amounts else None

    def check(self, present: list[str]) -> None:
        """Compare the columns to read with those that exist.

        Raises:
            SourceError: If one is missing or ambiguous; names it.
        """
        check_columns(self.label, self.columns, present, self.places)


ReadRelation = Callable[[Relation], pa.Table]
"""Reads a relation of a database."""


def relations_of(mapping: SourceMapping) -> dict[RelationName, Relation]:
    """The relations that a mapping reads from a database.

    Raises:
        SourceError: If the mapping names neither a table nor a query of certificates.
    """
    source = mapping.source
    if not source.table and not source.query:
        raise SourceError(
            f"mapping {mapping.name!r} reads a CSV file, not a database: "
            "give the path of a .csv file, or set source.table or source.query in the mapping file"
        )
    certificates = _table_or_query(source.table, source.query, "source", "", mapping.source_columns)
    wanted: dict[RelationName, Relation] = {
        "certificates": replace(
            certificates,
            amounts=_amount_columns(mapping.columns),
            decimal_mark=mapping.amounts.decimal_mark,
            places=mapping.column_places,
        )
    }
    if log := mapping.log:
        wanted["log"] = Relation(
            f"log table {log.table}",
            _table(log.table),
            log.columns,
            "log.table",
            places=mapping.log_places,
        )
    if costs := mapping.costs:
        headers = _table_or_query(costs.table, costs.query, "costs", " of costs", costs.source_columns)
        mark = mapping.cost_amounts.decimal_mark
        wanted["cost_headers"] = replace(
            headers,
            amounts=_amount_columns(costs.columns),
            decimal_mark=mark,
            places=mapping.cost_places,
        )
        if lines := costs.lines:
            wanted["cost_lines"] = Relation(
                f"table {lines.table} of cost lines",
                _table(lines.table),
                lines.columns,
                "costs.lines.table",
                frozenset({lines.amount}),
                mark,
                mapping.cost_line_places,
            )
    return wanted


def _amount_columns(columns: Mapping[str, str | tuple[str, ...]]) -> frozenset[str]:
    """The source columns of canonical columns that are amounts."""
    return frozenset(
        column for name, column in columns.items() if name.startswith("amount") and isinstance(column, str)
    )


def _table_or_query(
    table: str | None,
    query: str | None,
    setting: str,
    suffix: str,
    columns: tuple[str, ...],
) -> Relation:
    if table:
        return Relation(f"table {table}{suffix}", _table(table), columns, f"{setting}.table")
    # SQLAlchemy reads a colon as a parameter; the line break ends a trailing comment.
    escaped = (query or "").rstrip("; \n\t").replace(":", "\\:")
    clause = sa.text(f"{escaped}\n").columns().subquery(f"{setting}_rows")
    return Relation(f"the query{suffix}", clause, columns, f"{setting}.query")


def settings_of(relations: Iterable[Relation]) -> str:
    """The settings of the mapping file that name relations, for messages."""
    return " and ".join(relation.setting for relation in relations)


def resolve_columns(expected: Iterable[str], present: Sequence[str]) -> list[str]:
    """The names by which a file has the columns to read.

    A column that it does not have by its very name is the one whose name folds alike, if there is only one;
    what it has not at all keeps its name.
    """
    by_fold: dict[str, list[str]] = {}
    for name in present:
        by_fold.setdefault(fold(name.lstrip("\ufeff")), []).append(name)
    alike = {name: by_fold.get(fold(name), []) for name in expected if name not in present}
    return [alike[name][0] if len(alike.get(name, ())) == 1 else name for name in expected]


def check_columns(
    label: str,
    expected: tuple[str, ...],
    present: list[str],
    places: Mapping[str, str],
    advice: str = CORRECT_NAMES,
) -> None:
    """Compare the columns to read with those that exist.

    Args:
        label: What has the columns, in messages.
        expected: The columns to read.
        present: Those that exist.
        places: Column to where the mapping file names it.
        advice: What to do where one is missing.

    Raises:
        SourceError: If one is missing or ambiguous; names it, its place in the mapping file, and the column
            that is most like it.
    """
    missing = [name for name in expected if name not in present]
    if missing:
        named = "; ".join(
            f"{places[name]} = {as_toml(name)}{_like(name, present)}" for name in missing if name in places
        )
        raise SourceError(
            f"{label} has no column {', '.join(missing)}; it has: {', '.join(present)}. "
            f"{advice}{': ' if named else ''}{named}"
        )
    repeated = [name for name in expected if present.count(name) > 1]
    if repeated:
        raise SourceError(
            f"{label} has more than one column {', '.join(repeated)}; rename all but one, "
            "or give them different names in source.query"
        )


def _like(name: str, present: list[str]) -> str:
    meant = nearest(name, present)
    return f" (did you mean {as_toml(meant)}?)" if meant else ""


def _constant(text: str) -> sa.ColumnElement[Any]:
    """A text as a constant without a type: the database gives it that of what it is compared with."""
    return sa.literal_column("'" + text.replace("'", "''") + "'")


def _table(name: str) -> FromClause:
    parts = [quoted.replace('""', '"') or bare for quoted, bare in _NAME_PART.findall(name)]
    return sa.table(parts[-1], schema=".".join(parts[:-1]) or None)
