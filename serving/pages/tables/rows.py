"""The rows of tables as they are published, checked against the kinds of their columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from serving.pages.kinds import is_of
from serving.pages.tables.declarations import PROFITABILITY, PROFITABILITY_NAME, WORKING_CAPITAL, Table

Rows = Sequence[Mapping[str, Any]]
"""The values of each row by the name of their column."""

_DAILY: Final = "daily_billing"


def read_rows(table: Table, rows: Any) -> Rows:
    """Check the rows of a table.

    Args:
        table: What they should be.
        rows: As they are published.

    Raises:
        ValueError: If they are none, or a value is missing or of another kind.
    """
    if not isinstance(rows, list):
        raise ValueError(f"table {table.name} has no rows")  # noqa: TRY004 - as all that is no payload
    return [_row(table, row) for row in rows]


def read_profitability(tables: Any) -> Mapping[str, Rows]:
    """Check the rows of each table of profitability; raises as `read_rows` does."""
    if not isinstance(tables, Mapping) or tables.keys() < PROFITABILITY.keys():
        raise ValueError(f"table {PROFITABILITY_NAME} has not all of its parts")
    return {name: read_rows(table, tables[name]) for name, table in PROFITABILITY.items()}


def _row(table: Table, row: Any) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise ValueError(f"table {table.name} has a row that is none")  # noqa: TRY004 - as above
    values = dict(row)
    if table is WORKING_CAPITAL:
        values[_DAILY] = _daily_billing(row.get(_DAILY))
    for column in table.columns:
        if column.name not in values or not is_of(column.kind)(values[column.name]):
            raise ValueError(f"table {table.name}: {column.name} is no {column.kind}")
    return values


def _daily_billing(quotient: Any) -> int | None:
    """The amount a day, to the minor unit."""
    value = quotient.get("value") if isinstance(quotient, Mapping) else quotient
    if value is None or not isinstance(value, (int, float)):
        return None
    return round(value)
