# ruff: noqa: S608 - names in SQL are our own
"""Facts about each certificate from a log of changed fields: its payment, acceptance and history."""

from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.database import computation
from kpi_pipeline.compute.ingest import moments
from kpi_pipeline.compute.ingest.cells import Cell, literal, trimmed
from kpi_pipeline.compute.ingest.identity import identity
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import ChangeLog, SourceMapping
from kpi_pipeline.model.states import Event, State

_REOPENED: Final = "reopened"
"""A change of state back to revision: it undoes what came before, and is no event of its own."""

_EVENT_OF_STATE: Final[dict[State, str]] = {
    State.REVISION: _REOPENED,
    State.SENT: Event.SENT,
    State.PENDING: Event.SENT,
    State.VALIDATED: Event.ACCEPTED,
    State.PAID: Event.PAID,
    State.REJECTED: Event.REJECTED,
    State.CANCELLED: Event.CANCELLED,
}

LOG_PLACE: Final = 3
"""Place, within a day, of the log's first event: those of the row's own dates come before it."""


def log_facts(
    connection: duckdb.DuckDBPyConnection, log: pa.Table | None, mapping: SourceMapping, timezone: str
) -> None:
    """Make table `log_facts`, one row a certificate in the log.

    Columns: `identity` (of the certificate); `logged_paid_on`, the day of the first change into pagado
    that no later change of state undoes; `logged_conformity_on`, that of the first acceptance that no
    later return, request to rework or change of state undoes; `logged_payment_unreadable`, true when a
    change into pagado has a date that cannot be read; `logged_history`, of a certificate that was
    returned, reworked or cancelled, its events as structs of `day`, `place` in the day and `event`, in
    the log's order; null of others; `logged_changes`, the number of its changes that mean anything.

    Args:
        connection: Where the table is made.
        log: The log's rows; None when there is no log.
        mapping: Names the log's columns and values.
        timezone: Zone of calendar days.
    """
    if log is None or mapping.log is None:
        connection.execute(
            "CREATE TEMP TABLE log_facts (identity VARCHAR, logged_paid_on DATE, "
            "logged_conformity_on DATE, logged_payment_unreadable BOOLEAN, "
            'logged_history STRUCT("day" DATE, place BIGINT, event VARCHAR)[], logged_changes BIGINT)'
        )
        return
    _read_events(connection, log, mapping, mapping.log, timezone)
    returning = _listed(Event.REJECTED, Event.REWORK, Event.CANCELLED)
    undoes_payment = f"is_state AND event <> {literal(Event.PAID)}"
    undoes_acceptance = (
        f"event NOT IN ({_listed(Event.ACCEPTED, Event.PAID)}) AND (is_state OR event IN ({returning}))"
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE log_facts AS
        SELECT identity,
            min(at_day) FILTER (event = {literal(Event.PAID)} AND place > payment_undone) AS logged_paid_on,
            min(at_day) FILTER (event = {literal(Event.ACCEPTED)} AND place > acceptance_undone)
                AS logged_conformity_on,
            bool_or(event = {literal(Event.PAID)} AND is_dated AND at_day IS NULL)
                AS logged_payment_unreadable,
            CASE WHEN bool_or(event IN ({returning}) AND at_day IS NOT NULL) THEN list(
                {{'day': at_day, 'place': place, 'event': event}} ORDER BY place
            ) FILTER (event <> {literal(_REOPENED)} AND at_day IS NOT NULL) END AS logged_history,
            count(*) AS logged_changes
        FROM (
            SELECT *,
                coalesce(max(place) FILTER ({undoes_payment}) OVER same, 0) AS payment_undone,
                coalesce(max(place) FILTER ({undoes_acceptance}) OVER same, 0) AS acceptance_undone
            FROM (
                SELECT *, {LOG_PLACE - 1} + row_number() OVER (
                    PARTITION BY identity ORDER BY at_moment NULLS FIRST, row_number
                ) AS place FROM log_events
            ) WINDOW same AS (PARTITION BY identity)
        ) GROUP BY identity
        """
    )
    connection.execute("DROP TABLE log_events")


def changes_by_certificate(log: pa.Table, mapping: SourceMapping, timezone: str) -> dict[str, int]:
    """The number of changes that mean anything, by the identity of their certificate.

    Args:
        log: Rows of the log.
        mapping: Names the log's columns and values.
        timezone: Zone of calendar days.
    """
    if mapping.log is None:
        return {}
    with computation() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _read_events(connection, log, mapping, mapping.log, timezone)
        return dict(
            connection.execute(
                "SELECT identity, count(*) FROM log_events WHERE identity IS NOT NULL GROUP BY identity"
            ).fetchall()
        )


def _read_events(
    connection: duckdb.DuckDBPyConnection,
    log: pa.Table,
    mapping: SourceMapping,
    change_log: ChangeLog,
    timezone: str,
) -> None:
    """Make table `log_events` of the changes that mean anything, with their day and moment where readable."""
    names = change_log.columns
    raw = log.select(names).rename_columns([f"raw_{index}" for index in range(len(names))])
    numbers = pa.array(np.arange(1, raw.num_rows + 1, dtype=np.int64))
    connection.register("log_rows", raw.append_column("row_number", numbers))
    native = {name: f"raw_{index}" for index, name in enumerate(names)}
    # Where no column names the changed field, every row is a change of state.
    field = "''" if change_log.field is None else native[change_log.field]
    value, at = native[change_log.to], native[change_log.at]
    connection.register("changes_of_interest", _changes_of_interest(connection, field, value, mapping))
    texts = {f"key_{place}": trimmed(native[name]) for place, name in enumerate(change_log.key)}
    kinds = [log.schema.field(name).type for name in change_log.key]
    key = identity([Cell(text, text, kind) for text, kind in zip(texts, kinds, strict=True)])
    # Each text once: expressions name those of keys several times.
    keys = ", ".join(f"{text} AS {name}" for name, text in texts.items())
    moment = Cell(at, "at_text", log.schema.field(change_log.at).type)
    connection.execute(
        f"""
        CREATE TEMP TABLE log_events AS
        SELECT identity, event, is_state, row_number, at_text IS NOT NULL AS is_dated,
            {moments.day(moment, mapping.dates, timezone)} AS at_day,
            {moments.moment(moment, mapping.dates)} AS at_moment
        FROM (
            SELECT {key} AS identity, event, is_state, row_number, {at}, at_text
            FROM (
                SELECT *, {trimmed(at)} AS at_text, {keys}
                FROM log_rows JOIN changes_of_interest
                ON CAST({field} AS VARCHAR) = field AND CAST({value} AS VARCHAR) = value
            )
        )
        """
    )


def _changes_of_interest(
    connection: duckdb.DuckDBPyConnection, field: str, value: str, mapping: SourceMapping
) -> pa.Table:
    """The distinct (field, new value) pairs, as written, that mean an event, and whether of the state."""
    pairs = connection.execute(
        f"SELECT DISTINCT CAST({field} AS VARCHAR), CAST({value} AS VARCHAR) FROM log_rows "
        f"WHERE {field} IS NOT NULL AND {value} IS NOT NULL"
    ).fetchall()
    changes = [
        (written_field, written_value, event, is_state)
        for written_field, written_value in pairs
        for event, is_state in _events(written_field, written_value, mapping, mapping.log)
    ]
    kinds = {"field": pa.string(), "value": pa.string(), "event": pa.string(), "is_state": pa.bool_()}
    return pa.table(
        {
            name: pa.array([row[index] for row in changes], kind)
            for index, (name, kind) in enumerate(kinds.items())
        }
    )


def _events(field: str, value: str, mapping: SourceMapping, log: ChangeLog | None) -> list[tuple[str, bool]]:
    """What a change means, and whether it is one of the state; nothing where it means nothing."""
    if log is None:
        return []
    is_rework = fold(value) in {fold(text) for text in log.rework}
    if log.state_field is None or fold(field) == fold(log.state_field):
        if log.state_field is None and is_rework:
            return [(str(Event.REWORK), False)]
        state = mapping.state_spellings.get(fold(value))
        return [] if state is None else [(str(_EVENT_OF_STATE[state]), True)]
    if log.detail_field is not None and fold(field) == fold(log.detail_field):
        for event, spellings in ((Event.REWORK, log.rework), (Event.SENT, log.resent)):
            if fold(value) in {fold(text) for text in spellings}:
                return [(str(event), False)]
    return []


def _listed(*events: Event) -> str:
    """SQL: events, as a list."""
    return ", ".join(literal(event) for event in events)
