# ruff: noqa: S608 - names in SQL are our own
"""From a source's cost headers and lines to costs by category: one vectorised pass in DuckDB.

A cost is counted once, whatever the certificates of its project. Nothing is dropped silently: each
header becomes a cost or goes to quarantine with every reason.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import arrow_table, computation
from kpi_pipeline.compute.ingest import lookups, moments, validation
from kpi_pipeline.compute.ingest.amounts import MAX_AMOUNT, amount_text, amount_word, minor_units
from kpi_pipeline.compute.ingest.cells import Cell, literal, trimmed
from kpi_pipeline.compute.ingest.identity import folded, identity, without_null_words
from kpi_pipeline.compute.ingest.lookups import Spellings
from kpi_pipeline.compute.ingest.source_rows import SourceRows
from kpi_pipeline.compute.ingest.validation import COST_DAYS, COST_RULES
from kpi_pipeline.model.costs import COST_QUARANTINE_SCHEMA, COST_SCHEMA, NO_DETAIL
from kpi_pipeline.model.dimensions import COST_COLUMN_DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import RowReport
from kpi_pipeline.model.timezones import DEFAULT_TIMEZONE

_SPELLED: Final = (*COST_COLUMN_DIMENSIONS, "supplier")

_CONTENTS: Final = (
    *(folded(name) for name in (*_SPELLED, "kind_text", "currency_text", "amount_word")),
    validation.amount_contents("amount_plain"),
    *(f"CAST({name} AS VARCHAR)" for name in COST_DAYS),
    *(f"CAST({name}_given AS VARCHAR)" for name in (*COST_DAYS, "amount")),
)
"""SQL of texts in which copies of a header do not differ."""

_BY_CATEGORY: Final = f"""
    SELECT cost_id, {", ".join((*COST_COLUMN_DIMENSIONS, *COST_DAYS))},
        CAST(date_trunc('month', invoiced_on) AS DATE) AS month,
        currency, coalesce(parts.amount, validated.amount) AS amount, kind, supplier,
        coalesce(parts.category, {literal(NO_DETAIL)}) AS category, parts.category IS NOT NULL AS is_part
    FROM validated LEFT JOIN parts USING (identity)
    WHERE reasons IS NULL
    ORDER BY row_number, category
"""
"""SQL of the accepted costs: a row for each part, or one row of what has no parts."""


@dataclass(frozen=True, slots=True)
class NormalisedCosts:
    """The accepted and the refused costs of a source.

    Attributes:
        costs: Accepted costs by category, in COST_SCHEMA, in extraction order.
        quarantine: Refused headers, in COST_QUARANTINE_SCHEMA, in extraction order.
        reason_counts: Refused headers by reason (`code` or `code:column`), most frequent first.
        report: What is accepted and refused, in headers and in net amount.
        undetailed: Accepted headers whose lines give no category.
    """

    costs: pa.Table
    quarantine: pa.Table
    reason_counts: dict[str, int]
    report: RowReport
    undetailed: int


def normalise_costs(
    headers: pa.Table | None,
    lines: pa.Table | None,
    mapping: SourceMapping,
    certificates: pa.Table,
    timezone: str = DEFAULT_TIMEZONE,
) -> NormalisedCosts:
    """Read, complete and validate every cost of a source, and part it by category.

    Text, dates, amounts and defaults are read as `compute.ingest.certificates.normalise` reads those of
    certificates; a client, project or person, a project type or a supplier nobody names is
    `UNASSIGNED`. A negative amount is a credit note. Ids are compared
    folded; of headers with one id, one of identical copies is kept, and headers that differ are all refused.

    A cost whose lines add up to its net amount becomes a row a category, the sum of its lines; a line
    without a category is `NO_DETAIL`. Any other (no lines, a sum that differs, a line whose amount is
    empty or cannot be read) is one row of category `NO_DETAIL`. A line's amount is rounded to the
    currency's decimals before it is added.

    Args:
        headers: The costs' rows, at least the columns that `mapping.costs` names; None without costs.
        lines: The lines' rows, at least the columns that `mapping.costs.lines` names; None without lines.
        mapping: What they mean.
        certificates: Accepted certificates, whose spelling of a name goes before any other.
        timezone: Zone of calendar days.

    Returns:
        Costs and refused headers.
    """
    if headers is None or mapping.costs is None:
        return NormalisedCosts(
            COST_SCHEMA.empty_table(), COST_QUARANTINE_SCHEMA.empty_table(), {}, RowReport(), 0
        )
    with computation() as connection:
        # A moment's text must not depend on the machine's zone.
        connection.execute("SET TimeZone = 'UTC'")
        _read_headers(connection, headers, mapping, timezone)
        spellings = lookups.unify_spellings(
            connection,
            "read_rows",
            "identity",
            {name: mapping.defaults.get(name, UNASSIGNED) for name in _SPELLED},
            cost_names(certificates),
        )
        lookups.map_texts(connection, "read_rows", "kind", mapping.costs.kind_spellings)
        precisions = lookups.map_currencies(connection, "read_rows", mapping.currency_spellings)
        validation.find_duplicates(connection, "read_rows", "cost_id", _CONTENTS)
        validation.validate(
            connection, _complete_rows(connection, mapping, spellings, precisions), COST_RULES
        )
        _part(connection, lines, mapping, precisions)
        costs = arrow_table(connection, _BY_CATEGORY)
        quarantine = validation.refused(connection, headers, "cost_id")
        counts = validation.reason_counts(connection)
        report = validation.row_report(connection, "amount")
    undetailed = costs.num_rows - int(pc.sum(costs["is_part"], min_count=0).as_py())
    return NormalisedCosts(
        costs.select(COST_SCHEMA.names).cast(COST_SCHEMA),
        quarantine.cast(COST_QUARANTINE_SCHEMA),
        counts,
        report,
        undetailed,
    )


def _read_headers(
    connection: duckdb.DuckDBPyConnection, headers: pa.Table, mapping: SourceMapping, timezone: str
) -> None:
    """Make table `read_rows`: each canonical column read from its cell; names and texts still as written."""
    columns = mapping.costs.columns if mapping.costs else {}
    rows = SourceRows(connection, headers, dict(columns), mapping)
    read = rows.key("cost_id")
    for name in _SPELLED:
        read[name] = rows.text(name, UNASSIGNED)
    for name in ("kind", "currency"):
        read[f"{name}_text"] = rows.text(name)
    for name in COST_DAYS:
        read |= rows.values(
            name, partial(moments.day, dates=mapping.dates, timezone=timezone), moments.is_no_date
        )
    read |= rows.amount("amount", mapping.cost_amounts)
    rows.create("read_rows", read)


def cost_names(certificates: pa.Table) -> dict[str, dict[str, str]]:
    """The names of certificates by which those of costs are spelled: by column, by folded name."""
    return {
        column: {fold(name): name for name in pc.unique(certificates[column]).to_pylist()}
        for column in COST_COLUMN_DIMENSIONS
    }


def _complete_rows(
    connection: duckdb.DuckDBPyConnection,
    mapping: SourceMapping,
    spellings: Spellings,
    precisions: list[int],
) -> str:
    """SQL of the rows with names, meanings and amounts in place: the input of the rules."""
    names = ", ".join(f"{sql} AS {name}" for name, sql in spellings.names.items())
    days = ", ".join(f"{name}, {name}_given" for name in COST_DAYS)
    agree = lookups.agreeing_words(
        connection, "read_rows", "amount_word", "known_currencies.currency", mapping.currency_spellings
    )
    amount = minor_units("amount_plain", "decimals", precisions, mapping.cost_amounts)
    return f"""
        SELECT row_number, cost_id, identity, {names}, {days}, amount_plain, amount_given,
            known_kinds.kind, kind_text IS NOT NULL AS kind_given,
            known_currencies.currency, currency_text IS NOT NULL AS currency_given, decimals,
            CASE WHEN {agree} THEN {amount} END AS amount,
            coalesce(is_superseded, false) AS is_superseded,
            coalesce(is_contradicted, false) AS is_contradicted
        FROM read_rows {spellings.joins}
        LEFT JOIN known_kinds ON known_kinds.written = kind_text
        LEFT JOIN known_currencies ON known_currencies.written = currency_text
        LEFT JOIN duplicates USING (row_number)
    """


def _part(
    connection: duckdb.DuckDBPyConnection,
    lines: pa.Table | None,
    mapping: SourceMapping,
    precisions: list[int],
) -> None:
    """Make table `parts` of the accepted costs whose lines add up to the net amount, by category."""
    named = mapping.costs.lines if mapping.costs else None
    if lines is None or named is None:
        connection.execute("CREATE TEMP TABLE parts (identity VARCHAR, category VARCHAR, amount BIGINT)")
        return
    rows = lines.select(named.columns)
    connection.register("raw_lines", rows.rename_columns([f"raw_{at}" for at in range(rows.num_columns)]))
    cells = {
        name: Cell(f"raw_{at}", f"text_{at}", rows.schema.field(at).type)
        for at, name in enumerate(named.columns)
    }
    trims = ", ".join(f"{trimmed(cell.native)} AS {cell.text}" for cell in cells.values())
    key, category = (
        without_null_words(cells[name].text, mapping.null_words) for name in (named.key, named.category)
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE read_lines AS
        SELECT {identity([replace(cells[named.key], text=key)])} AS identity,
            coalesce({category}, {literal(NO_DETAIL)}) AS category,
            {amount_text(cells[named.amount], mapping.cost_amounts)} AS plain,
            {amount_word(cells[named.amount])} AS word
        FROM (SELECT {trims}, * FROM raw_lines)
        """
    )
    spellings = lookups.unify_spellings(connection, "read_lines", "identity", {"category": NO_DETAIL})
    agree = lookups.agreeing_words(connection, "read_lines", "word", "currency", mapping.currency_spellings)
    amount = minor_units("plain", "decimals", precisions, mapping.cost_amounts)
    # Sums are 128 bits wide until they are known to fit.
    connection.execute(
        f"""
        CREATE TEMP TABLE parts AS
        SELECT identity, category, CAST(total AS BIGINT) AS amount
        FROM (
            SELECT identity, {spellings.names["category"]} AS category, net, sum(line_amount) AS total,
                bool_and(line_amount IS NOT NULL) AS is_readable
            FROM (
                SELECT read_lines.*, net,
                    CASE WHEN {agree} THEN {amount} END AS line_amount
                FROM read_lines
                JOIN (
                    SELECT identity, amount AS net, currency, decimals FROM validated WHERE reasons IS NULL
                ) AS accepted USING (identity)
            ) AS read_lines {spellings.joins}
            GROUP BY ALL
        )
        WINDOW one_cost AS (PARTITION BY identity)
        QUALIFY sum(total) OVER one_cost = net
            AND bool_and(is_readable AND abs(total) <= {MAX_AMOUNT}) OVER one_cost
        """
    )
