# ruff: noqa: S608 - names in SQL are our own
"""Facts about each certificate from a log of changed fields: payment date, reworks and rejections."""

import duckdb
import pyarrow as pa

from kpi_pipeline.compute.ingest import moments, parsing
from kpi_pipeline.compute.ingest.identity import identity
from kpi_pipeline.compute.ingest.parsing import Cell
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import ChangeLog, SourceMapping
from kpi_pipeline.model.states import State


def log_facts(
    connection: duckdb.DuckDBPyConnection, log: pa.Table | None, mapping: SourceMapping, timezone: str
) -> None:
    """Make table `log_facts`, one row a certificate in the log.

    Columns: `identity` (of the certificate), `logged_paid_on` (day of the last change of state into pagado),
    `logged_payment_unreadable` (true when such a change has a date that cannot be read),
    `logged_rework_count`, `logged_rejection_count`.

    Args:
        connection: Where the table is made.
        log: The log's rows; None when there is no log.
        mapping: Names the log's columns and values.
        timezone: Zone of calendar days.
    """
    if log is None or mapping.log is None:
        connection.execute(
            "CREATE TEMP TABLE log_facts (identity VARCHAR, logged_paid_on DATE, "
            "logged_payment_unreadable BOOLEAN, logged_rework_count BIGINT, logged_rejection_count BIGINT)"
        )
        return
    names = mapping.log.columns
    connection.register(
        "log_rows", log.select(names).rename_columns([f"raw_{index}" for index in range(len(names))])
    )
    native = {name: f"raw_{index}" for index, name in enumerate(names)}
    # Where no column names the changed field, every row is a change of state.
    field = "''" if mapping.log.field is None else native[mapping.log.field]
    value, at = native[mapping.log.to], native[mapping.log.at]
    connection.register("changes_of_interest", _changes_of_interest(connection, field, value, mapping))
    key = identity(
        [
            Cell(native[name], parsing.trimmed(native[name]), log.schema.field(name).type)
            for name in mapping.log.key
        ]
    )
    moment = Cell(at, "at_text", log.schema.field(mapping.log.at).type)
    connection.execute(
        f"""
        CREATE TEMP TABLE log_facts AS
        SELECT identity,
            max(at_day) FILTER (meaning = 'paid') AS logged_paid_on,
            bool_or(meaning = 'paid' AND at_text IS NOT NULL AND at_day IS NULL) AS logged_payment_unreadable,
            count(*) FILTER (meaning = 'rework') AS logged_rework_count,
            count(*) FILTER (meaning = 'rejected') AS logged_rejection_count
        FROM (
            SELECT identity, meaning, at_text, {moments.day(moment, mapping.dates, timezone)} AS at_day
            FROM (
                SELECT {key} AS identity, meaning, {at}, {parsing.trimmed(at)} AS at_text
                FROM log_rows JOIN changes_of_interest
                ON CAST({field} AS VARCHAR) = field AND CAST({value} AS VARCHAR) = value
            )
        )
        GROUP BY identity
        """
    )


def _changes_of_interest(
    connection: duckdb.DuckDBPyConnection, field: str, value: str, mapping: SourceMapping
) -> pa.Table:
    """The distinct (field, new value) pairs, as written, that mean a payment, a rework or a rejection."""
    pairs = connection.execute(
        f"SELECT DISTINCT CAST({field} AS VARCHAR), CAST({value} AS VARCHAR) FROM log_rows "
        f"WHERE {field} IS NOT NULL AND {value} IS NOT NULL"
    ).fetchall()
    changes = [
        (written_field, written_value, meaning)
        for written_field, written_value in pairs
        if (meaning := _meaning(written_field, written_value, mapping, mapping.log)) is not None
    ]
    return pa.table(
        {
            name: pa.array([row[index] for row in changes], pa.string())
            for index, name in enumerate(("field", "value", "meaning"))
        }
    )


def _meaning(field: str, value: str, mapping: SourceMapping, log: ChangeLog | None) -> str | None:
    if log is None:
        return None
    is_rework = fold(value) in {fold(text) for text in log.rework}
    if log.state_field is None or fold(field) == fold(log.state_field):
        if log.state_field is None and is_rework:
            return "rework"
        state = mapping.state_spellings.get(fold(value))
        return {State.PAID: "paid", State.REJECTED: "rejected"}.get(state) if state else None
    if log.detail_field is not None and fold(field) == fold(log.detail_field):
        return "rework" if is_rework else None
    return None
