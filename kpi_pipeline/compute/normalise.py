# ruff: noqa: S608 - names in SQL are our own, and what a mapping says is quoted by `literal`
"""From a source's rows to certificates: one vectorised pass in DuckDB.

Nothing is dropped silently: each row becomes a certificate or goes to quarantine with every reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from babel.numbers import get_currency_precision, list_currencies

from kpi_pipeline.compute import parsing
from kpi_pipeline.compute.change_log import log_facts
from kpi_pipeline.compute.database import computation
from kpi_pipeline.compute.parsing import Cell, literal
from kpi_pipeline.compute.rules import AMOUNTS, COUNTS, DAYS, RULES
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, QUARANTINE_SCHEMA, State
from kpi_pipeline.model.dimensions import UNASSIGNED
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import SourceMapping

NAMED: Final = ("client", "project", "project_manager", "administrator", "project_type")
"""Dimensions whose values are names that people write."""

NOTES: Final = ("detailed_state", "rejection_reason", "failure_kind")
"""Columns of free text."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """What became of the source's rows.

    Attributes:
        certificates: Accepted rows, in CERTIFICATE_SCHEMA, in extraction order.
        quarantine: Refused rows, in QUARANTINE_SCHEMA, in extraction order.
        reason_counts: Refused rows by reason (`code` or `code:column`), most frequent first.
    """

    certificates: pa.Table
    quarantine: pa.Table
    reason_counts: dict[str, int]


def normalise(raw: pa.Table, mapping: SourceMapping, log: pa.Table | None) -> Normalised:
    """Read, complete and validate every row of a source.

    Text is trimmed and empty text is null; defaults fill nulls; a dimension nobody names is
    `UNASSIGNED`. Spellings of a dimension's value that fold alike become the most frequent one of
    the source (ties: the smallest). Dates are native or text by the mapping's formats or ISO 8601.
    Amounts become integer minor units by the currency's decimals (Unicode CLDR's, through Babel);
    more decimals than the currency has are rounded half away from zero, and an amount over 10**15
    minor units is refused. An approved amount is the proposed one where the mapping has no column for
    it, and 0 where the column is empty. Of rows with one certificate id the most recently updated
    is kept (ties: the last extracted), even when it is refused for a reason of its own: an older
    version never stands in for it.

    Args:
        raw: The source's rows, at least the mapping's source columns.
        mapping: What they mean.
        log: The change log's rows, at least the columns that `mapping.log` names; None without one.

    Returns:
        Accepted and refused rows; together as many as `raw` has.
    """
    with computation() as connection:
        # A moment's text must not depend on the machine's zone.
        connection.execute("SET TimeZone = 'UTC'")
        _read_rows(connection, raw, mapping)
        _spell_names(connection, mapping)
        _recognise_words(connection, mapping)
        log_facts(connection, log, mapping)
        _judge(connection, mapping)
        certificates = connection.sql(
            f"SELECT {', '.join(CERTIFICATE_SCHEMA.names)} FROM judged WHERE reasons IS NULL "
            "ORDER BY row_number"
        ).to_arrow_table()
        quarantine = connection.sql(
            f"SELECT row_number, certificate_id, reasons, {_raw_as_json(raw)} AS raw "
            "FROM judged JOIN raw_rows USING (row_number) WHERE reasons IS NOT NULL ORDER BY row_number"
        ).to_arrow_table()
        counts = connection.execute(
            "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM judged) "
            "GROUP BY reason ORDER BY count(*) DESC, reason"
        ).fetchall()
    return Normalised(certificates.cast(CERTIFICATE_SCHEMA), quarantine.cast(QUARANTINE_SCHEMA), dict(counts))


def _read_rows(connection: duckdb.DuckDBPyConnection, raw: pa.Table, mapping: SourceMapping) -> None:
    """Make table `read_rows`: each canonical column read from its cell; names and words still as written."""
    # Source names may differ in case alone, which SQL does not tell apart: columns are numbered.
    numbered = raw.rename_columns([f"raw_{index}" for index in range(raw.num_columns)])
    connection.register(
        "raw_rows",
        numbered.append_column("row_number", pa.array(np.arange(1, raw.num_rows + 1, dtype=np.int64))),
    )
    used = {name: raw.schema.get_field_index(name) for name in mapping.source_columns}
    cells = {name: Cell(f"raw_{at}", f"word_{at}", raw.schema.field(at).type) for name, at in used.items()}
    words = ", ".join(f"{parsing.trimmed(cell.native)} AS {cell.word}" for cell in cells.values())

    def cell_of(column: str) -> Cell | None:
        source = mapping.columns.get(column)
        return cells[source] if isinstance(source, str) else None

    def word_of(column: str) -> str:
        cell, default = cell_of(column), mapping.defaults.get(column)
        options = [cell.word] if cell else []
        options += [literal(default)] if default is not None else []
        return f"coalesce({', '.join([*options, 'NULL'])})"

    key = " || '/' || ".join(cells[name].word for name in mapping.certificate_key)
    columns = {"row_number": "row_number", "certificate_id": key}
    for name in NAMED:
        columns[name] = (
            word_of(name) if name == "client" else f"coalesce({word_of(name)}, {literal(UNASSIGNED)})"
        )
    for name in NOTES:
        columns[name] = word_of(name)
    for name in ("state", "currency"):
        columns[f"{name}_word"] = word_of(name)
    readers = {
        **dict.fromkeys(DAYS, lambda cell: parsing.day(cell, mapping.dates)),
        "month": lambda cell: parsing.month(cell, mapping.dates),
        "updated_at": lambda cell: parsing.moment(cell, mapping.dates),
        **dict.fromkeys(AMOUNTS, lambda cell: parsing.amount_text(cell, mapping.amounts)),
        **dict.fromkeys(COUNTS, parsing.count),
    }
    for name, read in readers.items():
        cell = cell_of(name)
        value = f"{name}_plain" if name in AMOUNTS else name
        columns[value] = read(cell) if cell else "NULL"
        columns[f"{name}_given"] = f"{cell.word} IS NOT NULL" if cell else "false"
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    connection.execute(
        f"CREATE TEMP TABLE read_rows AS SELECT {selected} FROM (SELECT *, {words} FROM raw_rows)"
    )


def _spell_names(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping) -> None:
    """Make a table `spelling_<dimension>` of each written name and the spelling that stands for it."""
    for name in NAMED:
        counted = connection.execute(
            f"SELECT {name}, count(*) FROM read_rows WHERE {name} IS NOT NULL GROUP BY {name}"
        ).fetchall()
        # A name of which folding leaves nothing (a lone accent) names nobody.
        fallback = None if name == "client" else mapping.defaults.get(name, UNASSIGNED)
        spellings = _one_spelling(counted, fallback)
        _lookup(connection, f"spelling_{name}", spellings, spelling=list(spellings.values()))


def _one_spelling(counted: Iterable[tuple[str, int]], fallback: str | None) -> dict[str, str | None]:
    """Each written name to the most frequent of those that fold alike; ties go to the smallest."""
    groups: dict[str, dict[str, int]] = {}
    nameless = []
    for written, times in counted:
        folded = fold(written)
        if not folded:
            nameless.append(written)
        else:
            groups.setdefault(folded, {})[written] = times
    chosen: dict[str, str | None] = {}
    for folded, spellings in groups.items():
        best = min(spellings, key=lambda written: (-spellings[written], written))
        chosen.update(dict.fromkeys(spellings, UNASSIGNED if folded == fold(UNASSIGNED) else best))
    if nameless:
        stand_in = None if fallback is None else chosen.get(fallback, fallback)
        chosen.update(dict.fromkeys(nameless, stand_in))
    return chosen


def _recognise_words(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping) -> None:
    """Make tables `known_states` and `known_currencies` of the distinct words that mean something."""

    def distinct(column: str) -> list[str]:
        rows = connection.execute(f"SELECT DISTINCT {column} FROM read_rows WHERE {column} IS NOT NULL")
        return [word for (word,) in rows.fetchall()]

    states = {
        word: state.value
        for word in distinct("state_word")
        if (state := mapping.state_words.get(fold(word))) is not None
    }
    _lookup(connection, "known_states", states, state=list(states.values()))
    existing = list_currencies()
    codes = {word: word.upper() for word in distinct("currency_word") if word.upper() in existing}
    decimals = [get_currency_precision(code) for code in codes.values()]
    _lookup(connection, "known_currencies", codes, currency=list(codes.values()), decimals=decimals)


def _lookup(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    words: Iterable[str],
    **values: Sequence[str | None] | Sequence[int],
) -> None:
    """Register a small table of words and what each stands for."""
    columns = {"word": pa.array(list(words), pa.string())}
    for column, given in values.items():
        columns[column] = pa.array(given, pa.int64() if column == "decimals" else pa.string())
    connection.register(name, pa.table(columns))


def _judge(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping) -> None:
    """Make table `judged`: complete rows with the list of reasons against each, null when there is none."""
    _find_superseded(connection)
    broken = " OR ".join(f"({rule.condition})" for rule in RULES)
    codes = ", ".join(f"CASE WHEN {rule.condition} THEN {literal(rule.code)} END" for rule in RULES)
    connection.execute(
        f"""
        CREATE TEMP TABLE judged AS
        SELECT *, CASE WHEN {broken} THEN list_filter([{codes}], lambda code: code IS NOT NULL) END AS reasons
        FROM ({_complete_rows(connection, mapping)})
        """
    )


def _find_superseded(connection: duckdb.DuckDBPyConnection) -> None:
    """Make table `superseded` of the rows of a repeated certificate id, all but the newest."""
    connection.execute(
        """
        CREATE TEMP TABLE superseded AS
        SELECT row_number, true AS is_superseded FROM read_rows
        SEMI JOIN (
            SELECT certificate_id FROM read_rows GROUP BY certificate_id HAVING count(*) > 1
        ) AS repeated USING (certificate_id)
        QUALIFY row_number() OVER (
            PARTITION BY certificate_id ORDER BY updated_at DESC NULLS LAST, read_rows.row_number DESC
        ) > 1
        """
    )


def _complete_rows(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping) -> str:
    """SQL of the rows with names, words, amounts and the log's facts in place: what the rules judge."""
    known = connection.execute("SELECT DISTINCT decimals FROM known_currencies ORDER BY decimals")
    precisions = [int(row[0]) for row in known.fetchall()] or [0]
    amounts = {name: parsing.minor_units(f"{name}_plain", "decimals", precisions) for name in AMOUNTS}
    if "amount_approved" in mapping.columns:
        approved = f"CASE WHEN amount_approved_given THEN {amounts['amount_approved']} ELSE 0 END"
    else:
        approved = amounts["amount_proposed"]
    if "state" in mapping.columns:
        state, state_given = "known_states.state", "state_word IS NOT NULL"
        is_paid = f"coalesce(known_states.state = '{State.PAID}', false)"
    else:
        unpaid = mapping.state_words[fold(mapping.defaults["state"])]
        was_paid = "paid_on_given OR logged_paid_on IS NOT NULL"
        state = f"CASE WHEN {was_paid} THEN '{State.PAID}' ELSE '{unpaid}' END"
        state_given, is_paid = "true", "true"
    unreadable = f"({is_paid} AND coalesce(logged_payment_unreadable, false))"
    logged_day = f"CASE WHEN {is_paid} AND NOT {unreadable} THEN logged_paid_on END"
    columns = {
        **{name: f"spelling_{name}.spelling" for name in NAMED},
        "state": state,
        "state_given": state_given,
        "currency": "known_currencies.currency",
        "currency_given": "currency_word IS NOT NULL",
        "month": "CASE WHEN month_given THEN month ELSE CAST(date_trunc('month', issued_on) AS DATE) END",
        "paid_on": f"CASE WHEN paid_on_given THEN paid_on ELSE {logged_day} END",
        "paid_on_given": f"paid_on_given OR {unreadable}",
        "amount_proposed": amounts["amount_proposed"],
        "amount_approved": approved,
        **{
            name: f"CASE WHEN {name}_given THEN {name} ELSE coalesce(logged_{name}, 0) END" for name in COUNTS
        },
        "is_superseded": "coalesce(is_superseded, false)",
    }
    unchanged = ["row_number", "certificate_id", *NOTES, "updated_at"]
    unchanged += [name for name in DAYS if name not in columns]
    unchanged += [f"{name}_given" for name in (*DAYS, *AMOUNTS, *COUNTS, "month", "updated_at")]
    unchanged += [f"{name}_plain" for name in AMOUNTS]
    selected = [name for name in unchanged if name not in columns]
    selected += [f"{sql} AS {name}" for name, sql in columns.items()]
    spellings = " ".join(
        f"LEFT JOIN spelling_{name} ON spelling_{name}.word = read_rows.{name}" for name in NAMED
    )
    return f"""
        SELECT {", ".join(selected)} FROM read_rows {spellings}
        LEFT JOIN known_states ON known_states.word = state_word
        LEFT JOIN known_currencies ON known_currencies.word = currency_word
        LEFT JOIN log_facts USING (certificate_id)
        LEFT JOIN superseded USING (row_number)
    """


def _raw_as_json(raw: pa.Table) -> str:
    """SQL of a source row as a JSON object of texts, which every value has without loss."""
    pairs = ", ".join(
        f"{literal(name)}, CAST(raw_{index} AS VARCHAR)" for index, name in enumerate(raw.column_names)
    )
    return f"CAST(json_object({pairs}) AS VARCHAR)"
