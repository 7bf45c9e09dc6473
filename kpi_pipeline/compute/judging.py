# ruff: noqa: S608 - names in SQL are our own, and reasons are quoted by `literal`
"""Judging rows by rules: which are accepted, which are refused and why, and what was refused."""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from kpi_pipeline.compute.parsing import literal
from kpi_pipeline.compute.rules import Rule
from kpi_pipeline.compute.source_rows import RAW, raw_as_json


def find_superseded(connection: duckdb.DuckDBPyConnection, table: str, key: str, newest_first: str) -> None:
    """Make table `superseded` of the rows of a repeated key, all but the newest: `is_superseded` is true.

    Args:
        connection: Where the table is made.
        table: The rows, with their `row_number`.
        key: The column that identifies a row.
        newest_first: SQL by which rows of one key are sorted; what sorts first is kept.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE superseded AS
        SELECT row_number, true AS is_superseded FROM {table}
        SEMI JOIN (
            SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1
        ) AS repeated USING ({key})
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {newest_first}) > 1
        """
    )


def judge(connection: duckdb.DuckDBPyConnection, complete_rows: str, rules: Sequence[Rule]) -> None:
    """Make table `judged`: rows with the list of reasons against each, null when there is none.

    Args:
        connection: Where the table is made.
        complete_rows: SQL that selects what the rules judge.
        rules: The rules.
    """
    broken = " OR ".join(f"({rule.condition})" for rule in rules)
    codes = ", ".join(f"CASE WHEN {rule.condition} THEN {literal(rule.code)} END" for rule in rules)
    connection.execute(
        f"""
        CREATE TEMP TABLE judged AS
        SELECT *, CASE WHEN {broken} THEN list_filter([{codes}], lambda code: code IS NOT NULL) END AS reasons
        FROM ({complete_rows})
        """
    )


def refused(connection: duckdb.DuckDBPyConnection, raw: pa.Table, key: str) -> pa.Table:
    """What was refused, each row with its reasons and as it was, in extraction order.

    Args:
        connection: Holds `judged` and the registered rows.
        raw: Those rows.
        key: The column that identifies a row.
    """
    return connection.sql(
        f"SELECT row_number, {key}, reasons, {raw_as_json(raw)} AS raw "
        f"FROM judged JOIN {RAW} USING (row_number) WHERE reasons IS NOT NULL ORDER BY row_number"
    ).to_arrow_table()


def reason_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Refused rows by reason, most frequent first."""
    return dict(
        connection.execute(
            "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM judged) "
            "GROUP BY reason ORDER BY count(*) DESC, reason"
        ).fetchall()
    )
