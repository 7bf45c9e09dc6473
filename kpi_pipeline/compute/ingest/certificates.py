# ruff: noqa: S608 - names in SQL are our own, and what a mapping says is quoted by `literal`
"""From a source's rows to certificates: one vectorised pass in DuckDB.

Nothing is dropped silently: each row becomes a certificate or goes to quarantine with every reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import arrow_table, computation
from kpi_pipeline.compute.ingest import lookups, moments, validation
from kpi_pipeline.compute.ingest.amounts import count, minor_units
from kpi_pipeline.compute.ingest.change_log import log_facts
from kpi_pipeline.compute.ingest.identity import folded
from kpi_pipeline.compute.ingest.lookups import FirstSpellings, Spellings
from kpi_pipeline.compute.ingest.source_rows import SourceRows
from kpi_pipeline.compute.ingest.validation import AMOUNTS, COUNTS, DAYS, RULES
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, CONFLICT_SCHEMA, QUARANTINE_SCHEMA
from kpi_pipeline.model.conflicts import Conflict
from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import RowReport
from kpi_pipeline.model.states import Event, State
from kpi_pipeline.model.timezones import DEFAULT_TIMEZONE

FREE_TEXT: Final = ("detailed_state", "rejection_reason", "failure_kind")
"""Columns of free text."""

_TEXTS: Final = ("state_text", "derived_state", "currency_text")

_CONTENTS: Final = (
    *(folded(name) for name in (*COLUMN_DIMENSIONS, *FREE_TEXT, *_TEXTS)),
    *(folded(f"{name}_word") for name in AMOUNTS),
    *(validation.amount_contents(f"{name}_plain") for name in AMOUNTS),
    *(f"CAST({name} AS VARCHAR)" for name in (*DAYS, *COUNTS, "month")),
    *(f"CAST({name}_given AS VARCHAR)" for name in (*DAYS, *AMOUNTS, *COUNTS, "month")),
)
"""SQL of texts in which copies of a row do not differ; when it was updated is none of them."""

_CONFLICTS: Final = f"""
    SELECT certificate_id, unnest(list_filter([
        CASE WHEN word <> '{State.PAID}' AND logged_paid_on IS NOT NULL
            THEN {{'conflict': '{Conflict.LOG_PAID}', 'day': logged_paid_on}} END,
        CASE WHEN word <> '{State.PAID}' AND logged_paid_on IS NULL AND written_paid_on IS NOT NULL
            THEN {{'conflict': '{Conflict.DATE_PAID}', 'day': written_paid_on}} END,
        CASE WHEN logged_paid_on <> written_paid_on
            THEN {{'conflict': '{Conflict.LOG_DIFFERS}', 'day': least(logged_paid_on, written_paid_on)}} END,
        CASE WHEN word IN ('{State.REVISION}', '{State.SENT}', '{State.PENDING}') AND paid_on IS NULL
            AND conformity_on IS NOT NULL
            THEN {{'conflict': '{Conflict.DATE_ACCEPTED}', 'day': conformity_on}} END
    ], lambda found: found IS NOT NULL), recursive := true)
    FROM validated WHERE reasons IS NULL AND (logged_paid_on IS NOT NULL OR written_paid_on IS NOT NULL
        OR conformity_on IS NOT NULL)
    ORDER BY row_number
"""
"""SQL of the disagreements of accepted rows."""


@dataclass(frozen=True, slots=True)
class KnownRows:
    """What rows that are not read again say about those that are.

    Attributes:
        spellings: By column, by folded name, how it is spelled.
        some_rejected: Whether one of all rows is rejected; None where the rows that are read are all.
    """

    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    some_rejected: bool | None = None


@dataclass(frozen=True, slots=True)
class RowContext:
    """What ties a source's rows to one another; all tables in extraction order.

    Attributes:
        rows: Columns identity, certificate_id (as shown) and log_changes (of it that mean anything), of
            every row.
        refused: Columns currency, amount and is_superseded, of every refused row.
        firsts: By which row each name is spelled.
        has_nameless: Whether there is a name of which folding leaves nothing.
        some_rejected: Whether a row is rejected.
    """

    rows: pa.Table
    refused: pa.Table
    firsts: FirstSpellings
    has_nameless: bool
    some_rejected: bool


@dataclass(frozen=True, slots=True)
class Normalised:
    """The accepted and the refused rows of a source.

    Attributes:
        certificates: Accepted rows, in CERTIFICATE_SCHEMA, in extraction order.
        quarantine: Refused rows, in QUARANTINE_SCHEMA, in extraction order.
        reason_counts: Refused rows by reason (`code` or `code:column`), most frequent first.
        report: What is accepted and refused, in rows and in proposed amount.
        conflicts: What log, dates and states of accepted rows disagree on, in CONFLICT_SCHEMA.
        context: What ties the rows to one another.
    """

    certificates: pa.Table
    quarantine: pa.Table
    reason_counts: dict[str, int]
    report: RowReport
    conflicts: pa.Table
    context: "RowContext"


def conflict_counts(conflicts: pa.Table, as_of: date) -> dict[str, int]:
    """Certificates by what disagrees about them up to a day, most frequent first.

    A date that is yet to come disagrees with nothing.

    Args:
        conflicts: Of `Normalised`.
        as_of: The day.
    """
    past = conflicts.filter(pc.less_equal(conflicts["day"], pa.scalar(as_of)))
    counts = past.group_by("conflict").aggregate([([], "count_all")])
    ordered = counts.sort_by([("count_all", "descending"), ("conflict", "ascending")])
    return {row["conflict"]: row["count_all"] for row in ordered.to_pylist()}


def normalise(
    raw: pa.Table,
    mapping: SourceMapping,
    log: pa.Table | None,
    timezone: str = DEFAULT_TIMEZONE,
    known: KnownRows | None = None,
) -> Normalised:
    """Read, complete and validate every row of a source.

    Text is trimmed and empty text is null; defaults fill nulls; a dimension nobody names is `UNASSIGNED`.
    Spellings of a dimension's value that fold alike become the first one: that of the row with the
    smallest id, whatever the order of the rows. Dates are native or text by the mapping's formats or ISO
    8601. Amounts become integer minor units by the currency's decimals (Unicode CLDR's, through Babel);
    more decimals than the currency has are rounded half away from zero, and an amount over 10**15 minor
    units is refused. An approved amount is the proposed one where the mapping has no column for it, and
    where the column is empty: then it is marked as assumed. Ids are compared folded; of rows with one id
    the most recently updated is kept, even when it is refused for a reason of its own: an older version
    never stands in for it. Where none is the last, one of identical copies is kept, and rows that differ
    are all refused. A payment is dated by the log, else by its own date; an acceptance by its own date,
    else by the log.

    Args:
        raw: The source's rows, at least the mapping's source columns.
        mapping: What they mean.
        log: The change log's rows, at least the columns that `mapping.log` names; None without one.
        timezone: Zone of calendar days: a moment counts on the day that it has there.
        known: What rows that are not read again say; None where these are all rows.

    Returns:
        Accepted and refused rows; together as many as `raw` has.
    """
    with computation() as connection:
        # A moment's text must not depend on the machine's zone.
        connection.execute("SET TimeZone = 'UTC'")
        _read_rows(connection, raw, mapping, timezone)
        nameless = {name: mapping.defaults.get(name, UNASSIGNED) for name in COLUMN_DIMENSIONS}
        known = known or KnownRows()
        spellings = lookups.unify_spellings(
            connection, "read_rows", "identity", {**nameless, "client": None}, known.spellings
        )
        lookups.map_texts(connection, "read_rows", "state", mapping.state_spellings)
        precisions = lookups.map_currencies(connection, "read_rows", mapping.currency_spellings)
        log_facts(connection, log, mapping, timezone)
        validation.find_duplicates(
            connection,
            "read_rows",
            "certificate_id",
            _CONTENTS,
            "updated_at",
            "updated_at_given AND updated_at IS NULL",
        )
        complete = _complete_rows(connection, mapping, spellings, precisions, known)
        validation.validate(connection, complete, RULES)
        certificates = arrow_table(
            connection,
            f"SELECT {', '.join(CERTIFICATE_SCHEMA.names)} FROM validated WHERE reasons IS NULL "
            "ORDER BY row_number",
        )
        quarantine = validation.refused(connection, raw, "certificate_id")
        counts = validation.reason_counts(connection)
        report = validation.row_report(connection, "amount_proposed")
        conflicts = arrow_table(connection, _CONFLICTS)
        context = _context(connection, spellings)
    return Normalised(
        certificates.cast(CERTIFICATE_SCHEMA),
        quarantine.cast(QUARANTINE_SCHEMA),
        counts,
        report,
        conflicts.cast(CONFLICT_SCHEMA),
        context,
    )


def _context(connection: duckdb.DuckDBPyConnection, spellings: Spellings) -> RowContext:
    ((some_rejected,),) = connection.execute(
        f"SELECT coalesce(bool_or(state = '{State.REJECTED}'), false) FROM validated"
    ).fetchall()
    return RowContext(
        arrow_table(
            connection,
            "SELECT identity, certificate_id, coalesce(logged_changes, 0) AS log_changes "
            "FROM read_rows LEFT JOIN log_facts USING (identity) ORDER BY row_number",
        ),
        arrow_table(
            connection,
            "SELECT currency, amount_proposed AS amount, is_superseded FROM validated "
            "WHERE reasons IS NOT NULL ORDER BY row_number",
        ),
        spellings.firsts,
        spellings.has_nameless,
        some_rejected,
    )


def _read_rows(
    connection: duckdb.DuckDBPyConnection, raw: pa.Table, mapping: SourceMapping, timezone: str
) -> None:
    """Make table `read_rows`: each canonical column read from its cell; names and texts still as written."""
    rows = SourceRows(
        connection, raw, mapping.columns, mapping, (rule.column for rule in mapping.state_rules)
    )
    columns = rows.key("certificate_id")
    for name in COLUMN_DIMENSIONS:
        columns[name] = rows.text(name, None if name == "client" else UNASSIGNED)
    for name in FREE_TEXT:
        columns[name] = rows.text(name)
    for name in ("state", "currency"):
        columns[f"{name}_text"] = rows.text(name)
    columns["derived_state"] = rows.state(mapping.state_rules)
    for name in DAYS:
        columns |= rows.values(
            name, partial(moments.day, dates=mapping.dates, timezone=timezone), moments.is_no_date
        )
    columns |= rows.values(
        "month", partial(moments.month, dates=mapping.dates, timezone=timezone), moments.is_no_date
    )
    columns |= rows.values("updated_at", partial(moments.moment, dates=mapping.dates), moments.is_no_date)
    for name in AMOUNTS:
        columns |= rows.amount(name, mapping.amounts)
    for name in COUNTS:
        columns |= rows.values(name, count)
    rows.create("read_rows", columns)


def _complete_rows(
    connection: duckdb.DuckDBPyConnection,
    mapping: SourceMapping,
    spellings: Spellings,
    precisions: list[int],
    known: KnownRows,
) -> str:
    """SQL of the rows with names, meanings, amounts and the log's facts in place: the input of the rules."""
    amounts = {
        name: f"CASE WHEN {agree} THEN {minor} END"
        for name in AMOUNTS
        for agree in (
            lookups.agreeing_words(
                connection,
                "read_rows",
                f"{name}_word",
                "known_currencies.currency",
                mapping.currency_spellings,
            ),
        )
        for minor in (minor_units(f"{name}_plain", "decimals", precisions, mapping.amounts),)
    }
    if mapping.states_are_given:
        state = "coalesce(derived_state, known_states.state)"
        state_given = "(derived_state IS NOT NULL OR state_text IS NOT NULL)"
        is_paid = f"coalesce({state} = '{State.PAID}', false)"
    else:
        unpaid = mapping.state_spellings[fold(mapping.defaults["state"])]
        was_paid = "paid_on_given OR logged_paid_on IS NOT NULL"
        state = f"CASE WHEN {was_paid} THEN '{State.PAID}' ELSE '{unpaid}' END"
        state_given, is_paid = "true", "true"
    unreadable = f"({is_paid} AND coalesce(logged_payment_unreadable, false))"
    logged_day = f"CASE WHEN NOT {unreadable} THEN logged_paid_on END"
    # A date that cannot be read is refused, whatever the log says.
    paid_on = (
        f"CASE WHEN paid_on_given AND paid_on IS NULL THEN NULL ELSE coalesce({logged_day}, paid_on) END"
    )
    # The row goes before the log: an acceptance before the row's own sending is no reason to refuse it.
    in_order = "NOT coalesce(logged_conformity_on < sent_on, false)"
    conformity_on = (
        f"CASE WHEN conformity_on_given THEN conformity_on WHEN {in_order} THEN logged_conformity_on END"
    )
    columns = {
        **spellings.names,
        "state": state,
        "state_given": state_given,
        "currency": "known_currencies.currency",
        "currency_given": "currency_text IS NOT NULL",
        "month": "CASE WHEN month_given THEN month ELSE CAST(date_trunc('month', issued_on) AS DATE) END",
        "conformity_on": conformity_on,
        "paid_on": paid_on,
        "written_paid_on": "paid_on",
        "logged_paid_on": "logged_paid_on",
        "word": state if mapping.states_are_given else "NULL",
        "paid_on_given": f"paid_on_given OR {unreadable}",
        **amounts,
        "amount_approved": f"CASE WHEN amount_approved_given THEN {amounts['amount_approved']} "
        f"ELSE {amounts['amount_proposed']} END",
        "approved_assumed": f"{'amount_approved' in mapping.columns} AND NOT amount_approved_given",
        **_undated_counts(mapping, state, known.some_rejected),
        "history": _history(conformity_on, paid_on),
        "is_superseded": "coalesce(is_superseded, false)",
        "is_contradicted": "coalesce(is_contradicted, false)",
    }
    unchanged = ["row_number", "certificate_id", "identity", *FREE_TEXT, "updated_at"]
    unchanged += [name for name in DAYS if name not in columns]
    unchanged += [f"{name}_given" for name in (*DAYS, *AMOUNTS, *COUNTS, "month", "updated_at")]
    unchanged += [f"{name}_plain" for name in AMOUNTS]
    selected = [name for name in unchanged if name not in columns]
    selected += [f"{sql} AS {name}" for name, sql in columns.items()]
    return f"""
        SELECT {", ".join(selected)} FROM read_rows {spellings.joins}
        LEFT JOIN known_states ON known_states.written = state_text
        LEFT JOIN known_currencies ON known_currencies.written = currency_text
        LEFT JOIN log_facts USING (identity)
        LEFT JOIN duplicates USING (row_number)
    """


def _undated_counts(mapping: SourceMapping, state: str, some_rejected: bool | None) -> dict[str, str]:
    """SQL of the counts of unknown days: 0 where the log has the dated ones, null where nothing says."""
    rework = "0" if mapping.log is not None and mapping.log.rework else "NULL"
    is_rejected = f"coalesce({state} = '{State.REJECTED}', false)"
    some = f"bool_or({is_rejected}) OVER ()" if some_rejected is None else str(some_rejected).lower()
    rejection = "0" if mapping.log is not None else f"CASE WHEN {some} THEN {is_rejected}::BIGINT END"
    return {
        name: f"CASE WHEN {name}_given THEN {name} ELSE {otherwise} END"
        for name, otherwise in zip(COUNTS, (rework, rejection), strict=True)
    }


def _history(conformity_on: str, paid_on: str) -> str:
    """SQL of the events of what was returned or cancelled: the log's, and those of the row's own dates."""
    own = ", ".join(
        f"{{'day': {day}, 'place': {place}, 'event': '{event}'}}"
        for place, (day, event) in enumerate(
            (("sent_on", Event.SENT), (conformity_on, Event.ACCEPTED), (paid_on, Event.PAID))
        )
    )
    return f"""CASE WHEN logged_history IS NOT NULL THEN list_transform(
        list_sort(list_concat(
            list_filter([{own}], lambda event: event['day'] IS NOT NULL), logged_history
        )),
        lambda event: {{'day': event['day'], 'event': event['event']}}
    ) END"""
