"""What is read from a database: a table or a query, as SQLAlchemy expressions of any dialect."""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError

_NAME_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or query to read.

    Attributes:
        label: What messages call it.
        clause: What stands after FROM.
        columns: The columns to read.
        setting: Where the mapping file names it.
    """

    label: str
    clause: FromClause
    columns: tuple[str, ...]
    setting: str

    def no_rows(self) -> sa.Select[*tuple[Any, ...]]:
        """A statement that gives every column and no row."""
        return sa.select(sa.text("*")).select_from(self.clause).where(sa.false())

    def check(self, present: list[str]) -> None:
        """Compare the columns to read with those there are.

        Raises:
            SourceError: If one is not there, or is there more than once; names both.
        """
        check_columns(self.label, self.columns, present)


def relations(mapping: SourceMapping) -> tuple[Relation, Relation | None]:
    """The rows and the change log that a mapping reads from a database.

    Raises:
        SourceError: If the mapping names neither a table nor a query.
    """
    source = mapping.source
    if source.query:
        # A colon begins a parameter in SQLAlchemy's text; a closing line break ends a comment.
        query = source.query.rstrip("; \n\t").replace(":", "\\:")
        clause: FromClause = sa.text(f"{query}\n").columns().subquery("source_rows")
        rows = Relation("the query", clause, mapping.source_columns, "source.query")
    elif source.table:
        rows = Relation(f"table {source.table}", _table(source.table), mapping.source_columns, "source.table")
    else:
        raise SourceError(
            f"mapping {mapping.name!r} reads a CSV file, not a database: "
            "give the path of a .csv file, or set source.table or source.query in the mapping file"
        )
    log = mapping.log
    if log is None:
        return rows, None
    return rows, Relation(f"log table {log.table}", _table(log.table), log.columns, "log.table")


def settings_of(rows: Relation, log: Relation | None) -> str:
    """Where the mapping file names what is read, for messages."""
    return rows.setting if log is None else f"{rows.setting} and {log.setting}"


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
