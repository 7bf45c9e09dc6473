# ruff: noqa: S608 - names in SQL are our own, and reasons are quoted by `literal`
"""Validation of rows by rules: which are accepted, which are refused and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from kpi_pipeline.compute.database import arrow_table
from kpi_pipeline.compute.ingest.cells import literal
from kpi_pipeline.compute.ingest.source_rows import RAW, raw_as_json
from kpi_pipeline.model.certificates import Reason
from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS, COST_COLUMN_DIMENSIONS
from kpi_pipeline.model.readings import RowReport

FIRST_DAY: Final = "DATE '1990-01-01'"
_LARGEST_SUM: Final = 2**63 - 1
LAST_DAY: Final = "DATE '2100-12-31'"

DAYS: Final = ("issued_on", "sent_on", "conformity_on", "expected_payment_on", "paid_on")
"""Canonical columns of a certificate that are dates, `month` apart."""

COST_DAYS: Final = ("invoiced_on", "due_on", "paid_on")
"""Canonical columns of a cost that are dates."""

AMOUNTS: Final = ("amount_proposed", "amount_approved", "amount_paid", "amount_retained")
"""Canonical columns of a certificate that are amounts."""
COUNTS: Final = ("rework_count", "rejection_count")
_CONTROLS: Final = r"\x{00}-\x{08}\x{0e}-\x{1f}\x{7f}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}"
"""Characters of a regular expression: controls but white space, and what turns the direction of a text."""

PLAIN_TEXT: Final = frozenset({"client"})
"""Required columns that any text satisfies."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to refuse a row.

    Attributes:
        reason: The reason given.
        column: The canonical column at fault; None when it is the row.
        condition: SQL that is true of a refused row.
    """

    reason: Reason
    column: str | None
    condition: str

    @property
    def code(self) -> str:
        """What quarantine shows: `reason` or `reason:column`."""
        return self.reason.value if self.column is None else f"{self.reason.value}:{self.column}"


def _missing(column: str) -> Rule:
    given = f"{column} IS NOT NULL" if column in PLAIN_TEXT else f"{column}_given"
    return Rule(Reason.MISSING, column, f"NOT ({given})")


def _unreadable(reason: Reason, column: str) -> Rule:
    return Rule(reason, column, f"{column}_given AND {column} IS NULL")


def _bad_amount(column: str) -> Rule:
    # Without a known currency an amount has no decimals to be read by: that is reason enough.
    readable = f"(currency IS NOT NULL OR {column}_plain IS NULL)"
    return Rule(Reason.BAD_AMOUNT, column, f"{column}_given AND {column} IS NULL AND {readable}")


def _garbled(column: str) -> Rule:
    return Rule(Reason.GARBLED, column, f"regexp_matches({column}, '[{_CONTROLS}]')")


def _out_of_range(column: str) -> Rule:
    return Rule(Reason.DATE_OUT_OF_RANGE, column, f"{column} < {FIRST_DAY} OR {column} > {LAST_DAY}")


RULES: Final[tuple[Rule, ...]] = (
    Rule(Reason.MISSING, "certificate_id", "identity IS NULL"),
    _missing("client"),
    _missing("issued_on"),
    _missing("amount_proposed"),
    _missing("state"),
    _missing("currency"),
    Rule(Reason.DUPLICATE, None, "is_superseded"),
    Rule(Reason.CONTRADICTED, None, "is_contradicted"),
    *(_garbled(column) for column in COLUMN_DIMENSIONS),
    _unreadable(Reason.UNKNOWN_STATE, "state"),
    _unreadable(Reason.UNKNOWN_CURRENCY, "currency"),
    *(_unreadable(Reason.BAD_DATE, column) for column in (*DAYS, "month", "updated_at")),
    *(_bad_amount(column) for column in AMOUNTS),
    *(_unreadable(Reason.BAD_NUMBER, column) for column in COUNTS),
    *(_out_of_range(column) for column in DAYS),
    Rule(
        Reason.DATE_OUT_OF_RANGE,
        "month",
        f"month_given AND (month < {FIRST_DAY} OR month > {LAST_DAY})",
    ),
    Rule(Reason.DATES_OUT_OF_ORDER, "conformity_on", "conformity_on < sent_on"),
)
"""The rules of certificates. One may be paid before it is issued: clients pay advances."""

COST_RULES: Final[tuple[Rule, ...]] = (
    Rule(Reason.MISSING, "cost_id", "identity IS NULL"),
    _missing("invoiced_on"),
    _missing("amount"),
    _missing("kind"),
    _missing("currency"),
    Rule(Reason.DUPLICATE_COST, None, "is_superseded"),
    Rule(Reason.CONTRADICTED_COST, None, "is_contradicted"),
    *(_garbled(column) for column in (*COST_COLUMN_DIMENSIONS, "supplier")),
    _unreadable(Reason.UNKNOWN_KIND, "kind"),
    _unreadable(Reason.UNKNOWN_CURRENCY, "currency"),
    *(_unreadable(Reason.BAD_DATE, column) for column in COST_DAYS),
    _bad_amount("amount"),
    *(_out_of_range(column) for column in COST_DAYS),
)
"""The rules of costs. One may be paid before it is invoiced: suppliers are paid in advance."""


def find_duplicates(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: str,
    contents: Sequence[str],
    updated_at: str = "CAST(NULL AS TIMESTAMP)",
    is_unreadable: str = "false",
) -> None:
    """Make table `duplicates` of the rows of a repeated identity that are not to be kept.

    Of rows of one identity the one updated last supersedes the others. Where several are the last, because
    they say the same time or none at all, copies of one row are one; rows that differ contradict each other.
    Its columns: `row_number`, `is_superseded` (a copy, or an older version) and `is_contradicted`.

    Args:
        connection: Where the table is made.
        table: The rows, with their `row_number` and `identity`; as they were they are registered.
        key: The column that shows the key. Of copies, the one is kept whose key, and then whose cells, sort
            first, whatever the order of the rows; one whose time cannot be read is no choice.
        contents: SQL of texts in which copies of a row do not differ.
        updated_at: SQL of the time of the latest change.
        is_unreadable: SQL: whether that time is given and cannot be read.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE duplicates AS
        WITH repeated AS (
            SELECT row_number, identity, {key} AS shown,
                {updated_at} AS moment, {is_unreadable} AS is_unreadable,
                [{", ".join(contents)}] AS contents, {RAW} AS written
            FROM {table}
            SEMI JOIN (
                SELECT identity FROM {table} GROUP BY identity HAVING count(*) > 1
            ) AS several USING (identity)
            JOIN {RAW} USING (row_number)
        ), dated AS (
            SELECT *, moment IS NOT DISTINCT FROM max(moment) OVER (PARTITION BY identity) AS is_latest
            FROM repeated
        ), compared AS (
            SELECT row_number, is_latest, min(contents) OVER alike = max(contents) OVER alike AS are_copies,
                row_number() OVER (
                    PARTITION BY identity, is_latest ORDER BY is_unreadable, shown, written
                ) AS place
            FROM dated WINDOW alike AS (PARTITION BY identity, is_latest)
        )
        SELECT row_number, NOT is_latest OR are_copies AS is_superseded,
            is_latest AND NOT are_copies AS is_contradicted
        FROM compared WHERE NOT (is_latest AND are_copies AND place = 1)
        """
    )


def amount_contents(plain: str) -> str:
    """SQL of an amount's text that is the same for equal amounts, for `find_duplicates`."""
    return f"coalesce(CAST(try_cast({plain} AS DECIMAL(38, 10)) AS VARCHAR), {plain})"


def validate(connection: duckdb.DuckDBPyConnection, complete_rows: str, rules: Sequence[Rule]) -> None:
    """Make table `validated`: rows with the list of reasons against each, null when there is none.

    Args:
        connection: Where the table is made.
        complete_rows: SQL of the rows to check.
        rules: The rules.
    """
    broken = " OR ".join(f"({rule.condition})" for rule in rules)
    codes = ", ".join(f"CASE WHEN {rule.condition} THEN {literal(rule.code)} END" for rule in rules)
    connection.execute(
        f"""
        CREATE TEMP TABLE validated AS
        SELECT *, CASE WHEN {broken} THEN list_filter([{codes}], lambda code: code IS NOT NULL) END AS reasons
        FROM ({complete_rows})
        """
    )


def refused(connection: duckdb.DuckDBPyConnection, raw: pa.Table, key: str) -> pa.Table:
    """The refused rows, each with its reasons and as it was, in extraction order; of no file as yet.

    Args:
        connection: Holds `validated` and the registered rows.
        raw: Those rows.
        key: The column that identifies a row.
    """
    return arrow_table(
        connection,
        f"SELECT row_number, NULL AS file, NULL AS line, {key}, reasons, {raw_as_json(raw)} AS raw "
        f"FROM validated JOIN {RAW} USING (row_number) WHERE reasons IS NOT NULL ORDER BY row_number",
    )


def reason_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Refused rows by reason, most frequent first."""
    return dict(
        connection.execute(
            "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM validated) "
            "GROUP BY reason ORDER BY count(*) DESC, reason"
        ).fetchall()
    )


def row_report(connection: duckdb.DuckDBPyConnection, amount: str) -> RowReport:
    """What is accepted and refused, in rows and in money.

    Args:
        connection: Holds `validated`.
        amount: The column of the amount, in minor units.
    """
    is_missing = "reasons IS NOT NULL AND NOT is_superseded"
    sums = (
        f"least(coalesce(sum(abs({amount})) FILTER ({condition}), 0), {_LARGEST_SUM})::BIGINT"
        for condition in ("reasons IS NULL", is_missing)
    )
    by_currency = connection.execute(
        f"SELECT currency, {', '.join(sums)}, count(*) FILTER (reasons IS NULL), "
        f"count(*) FILTER ({is_missing}) FROM validated WHERE currency IS NOT NULL AND {amount} IS NOT NULL "
        "GROUP BY currency ORDER BY currency"
    ).fetchall()
    ((accepted, refused_rows, unreadable),) = connection.execute(
        "SELECT count(*) FILTER (reasons IS NULL), count(*) FILTER (reasons IS NOT NULL), "
        f"count(*) FILTER ({is_missing} AND (currency IS NULL OR {amount} IS NULL)) FROM validated"
    ).fetchall()
    return RowReport(
        accepted=accepted,
        refused=refused_rows,
        accepted_amounts={currency: amount for currency, amount, *_ in by_currency if amount},
        refused_amounts={currency: amount for currency, _, amount, *_ in by_currency if amount},
        unreadable=unreadable,
        accepted_rows={currency: rows for currency, *_, rows, _ in by_currency if rows},
        refused_rows={currency: rows for currency, *_, rows in by_currency if rows},
    )
