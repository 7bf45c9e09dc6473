"""What is read from a database: a table or a query, as SQLAlchemy expressions of any dialect."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError

Part = Literal["certificates", "log", "cost_headers", "cost_lines"]
"""What a mapping may read from a database."""

_NAME_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or query to read.

    Attributes:
        label: What messages call it.
        clause: What stands after FROM.
        columns: The columns to read.
        setting: Where the mapping file names it.
        amounts: Columns that are amounts, read with the mapping's decimal mark.
    """

    label: str
    clause: FromClause
    columns: tuple[str, ...]
    setting: str
    amounts: frozenset[str] = frozenset()

    def no_rows(self) -> sa.Select[*tuple[Any, ...]]:
        """A statement that gives every column and no row."""
        return sa.select(sa.text("*")).select_from(self.clause).where(sa.false())

    def check(self, present: list[str]) -> None:
        """Compare the columns to read with those there are.

        Raises:
            SourceError: If one is not there, or is there more than once; names both.
        """
        check_columns(self.label, self.columns, present)


def relations(mapping: SourceMapping) -> dict[Part, Relation]:
    """What a mapping reads from a database: the certificates, and what else it has.

    Raises:
        SourceError: If the mapping names neither a table nor a query of certificates.
    """
    source = mapping.source
    if not source.table and not source.query:
        raise SourceError(
            f"mapping {mapping.name!r} reads a CSV file, not a database: "
            "give the path of a .csv file, or set source.table or source.query in the mapping file"
        )
    amounts = _named(mapping.columns, "amount_proposed", "amount_approved")
    found: dict[Part, Relation] = {
        "certificates": _table_or_query(
            source.table, source.query, "source", "", mapping.source_columns, amounts
        )
    }
    if log := mapping.log:
        found["log"] = Relation(f"log table {log.table}", _table(log.table), log.columns, "log.table")
    if costs := mapping.costs:
        found["cost_headers"] = _table_or_query(
            costs.table,
            costs.query,
            "costs",
            " of costs",
            costs.source_columns,
            _named(costs.columns, "amount"),
        )
        if lines := costs.lines:
            found["cost_lines"] = Relation(
                f"table {lines.table} of cost lines",
                _table(lines.table),
                lines.columns,
                "costs.lines.table",
                frozenset({lines.amount}),
            )
    return found


def _named(columns: Mapping[str, str | tuple[str, ...]], *names: str) -> frozenset[str]:
    """The source columns of canonical ones, of those that have one."""
    return frozenset(column for name in names if isinstance(column := columns.get(name), str))


def _table_or_query(
    table: str | None,
    query: str | None,
    setting: str,
    whose: str,
    columns: tuple[str, ...],
    amounts: frozenset[str],
) -> Relation:
    if table:
        return Relation(f"table {table}{whose}", _table(table), columns, f"{setting}.table", amounts)
    # A colon begins a parameter in SQLAlchemy's text; a closing line break ends a comment.
    written = (query or "").rstrip("; \n\t").replace(":", "\\:")
    clause = sa.text(f"{written}\n").columns().subquery(f"{setting}_rows")
    return Relation(f"the query{whose}", clause, columns, f"{setting}.query", amounts)


def settings_of(relations: Iterable[Relation]) -> str:
    """Where the mapping file names what is read, for messages."""
    return " and ".join(relation.setting for relation in relations)


def check_columns(label: str, wanted: tuple[str, ...], present: list[str]) -> None:
    """Compare the columns to read with those there are.

    Raises:
        SourceError: If one is not there, or is there more than once; names both.
    """
    missing = [name for name in wanted if name not in present]
    if missing:
        raise SourceError(
            f"{label} has no column {', '.join(missing)}; it has: {', '.join(present)}. "
            "Correct the names in the mapping file"
        )
    repeated = [name for name in wanted if present.count(name) > 1]
    if repeated:
        raise SourceError(
            f"{label} has more than one column {', '.join(repeated)}; rename all but one, "
            "or name them apart in source.query"
        )


def _table(name: str) -> FromClause:
    parts = [quoted.replace('""', '"') or bare for quoted, bare in _NAME_PART.findall(name)]
    return sa.table(parts[-1], schema=".".join(parts[:-1]) or None)
