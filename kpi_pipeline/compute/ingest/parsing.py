"""DuckDB expressions that read a source's cells: text, dates, moments, amounts and counts.

Each gives SQL that is null where the cell cannot be read; comparing it with the cell's text
distinguishes unreadable from empty.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.types as pat

from kpi_pipeline.model.mapping import Amounts, Dates

WHITESPACE: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Characters stripped from both ends of a text: Unicode's white space and the byte order mark."""

MAX_AMOUNT: Final = 10**15
"""Largest amount, in minor units either way of zero: sums of thousands of them still fit 64 bits,
and it lies within the integers that JSON readers keep exactly (2**53)."""

_OFFSET: Final = r"(Z|[+-]\d{2}(:?\d{2})?)"
_TIME: Final = r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?"
_ISO: Final = rf"\d{{4}}-\d{{2}}-\d{{2}}({_TIME}{_OFFSET}?)?"
_OFFSET_AT_END: Final = rf".*:.*{_OFFSET}"
_NO_BREAK_SPACES: Final = "\xa0\u202f"


@dataclass(frozen=True, slots=True)
class Cell:
    """SQL of one cell of the source.

    Attributes:
        native: The value in the source's own type.
        text: The value as text, trimmed; null when nothing remains.
        kind: Arrow type of the native value.
    """

    native: str
    text: str
    kind: pa.DataType


def literal(text: str) -> str:
    """Text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def trimmed(value: str) -> str:
    """SQL of a value as text: trimmed, null when nothing remains."""
    text = f"CAST({value} AS VARCHAR)"
    # Trimming by a set of characters is slow, and hardly any cell needs it.
    edges = f"regexp_matches({text}, {literal(f'^[{WHITESPACE}]|[{WHITESPACE}]$')})"
    return f"nullif(CASE WHEN {edges} THEN trim({text}, {literal(WHITESPACE)}) ELSE {text} END, '')"


def day(cell: Cell, dates: Dates) -> str:
    """SQL of a cell's date.

    Dates and timestamps are taken as they are; anything else is read as text by the formats in
    turn, then as ISO 8601 (extended form, with or without a time).

    Args:
        cell: The cell.
        dates: Formats, and the zone in which moments with an offset are cut.
    """
    if pat.is_date(cell.kind) or pat.is_timestamp(cell.kind):
        return f"CAST({_native_moment(cell, dates.timezone or 'UTC')} AS DATE)"
    return f"CAST({_written_moment(cell.text, dates, dates.timezone)} AS DATE)"


def moment(cell: Cell, dates: Dates) -> str:
    """SQL of a cell's moment as a timestamp without zone; one that carries an offset is taken to UTC."""
    if pat.is_date(cell.kind) or pat.is_timestamp(cell.kind):
        return f"CAST({_native_moment(cell, 'UTC')} AS TIMESTAMP)"
    return _written_moment(cell.text, dates, "UTC")


def month(cell: Cell, dates: Dates) -> str:
    """SQL of the first day of a cell's month: YYYY-MM, or any date in it."""
    any_day = day(cell, dates)
    if not (pat.is_date(cell.kind) or pat.is_timestamp(cell.kind)):
        any_day = (
            rf"CASE WHEN regexp_full_match({cell.text}, '\d{{4}}-\d{{2}}') "
            f"THEN try_cast({cell.text} || '-01' AS DATE) ELSE {any_day} END"
        )
    return f"CAST(date_trunc('month', {any_day}) AS DATE)"


def amount_text(cell: Cell, amounts: Amounts) -> str:
    """SQL of a cell's amount in plain notation (`-1234.5`, `1.5e3`), exact; null unless it is a number.

    Text is read by the mapping's marks, groups being of three digits throughout. A native number is
    written out in full: a double as the shortest text that gives it back, so 1.005 is 1.005.
    """
    is_text = pat.is_string(cell.kind) or pat.is_large_string(cell.kind) or pat.is_string_view(cell.kind)
    marks = amounts if is_text else Amounts()
    text = cell.text
    if marks.thousands == " ":
        text = f"translate({text}, {literal(_NO_BREAK_SPACES)}, '  ')"
    decimal, group = rf"\{marks.decimal}", rf"\{marks.thousands}"
    whole = rf"(\d{{1,3}}({group}\d{{3}})+|\d+)" if marks.thousands else r"\d+"
    number = rf"[+-]?({whole}({decimal}\d*)?|{decimal}\d+)([eE][+-]?\d{{1,3}})?"
    plain = f"replace({text}, {literal(marks.thousands)}, '')" if marks.thousands else text
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(number)}) "
        f"THEN replace({plain}, {literal(marks.decimal)}, '.') END"
    )


def minor_units(plain: str, decimals: str, precisions: list[int]) -> str:
    """SQL of an amount in minor units of its currency.

    Digits beyond the currency's decimals are rounded half away from zero, in one step, in decimal
    arithmetic. Null beyond `MAX_AMOUNT`.

    Args:
        plain: SQL of the amount's text, from `amount_text`.
        decimals: SQL of the currency's decimals.
        precisions: Every value that `decimals` may have; at least one.
    """
    cases = " ".join(
        f"WHEN {precision} THEN try_cast({plain} AS DECIMAL(24, {precision})) * {10**precision}"
        for precision in precisions
    )
    exact = f"CAST(CASE {decimals} {cases} END AS DECIMAL(38, 0))"
    return f"CASE WHEN {exact} BETWEEN -{MAX_AMOUNT} AND {MAX_AMOUNT} THEN try_cast({exact} AS BIGINT) END"


def count(cell: Cell) -> str:
    """SQL of a cell's count: a whole number of at most twelve digits; null otherwise."""
    return (
        rf"CASE WHEN regexp_full_match({cell.text}, '\d{{1,12}}(\.0*)?') "
        f"THEN try_cast(try_cast({cell.text} AS DECIMAL(18, 0)) AS BIGINT) END"
    )


def _native_moment(cell: Cell, timezone: str) -> str:
    """SQL of a native date or timestamp; one with a zone becomes local time in `timezone`."""
    zoned = pat.is_timestamp(cell.kind) and cell.kind.tz is not None
    value = cell.native if zoned else f"try_cast({cell.native} AS TIMESTAMP)"
    local = f"({value} AT TIME ZONE {literal(timezone)})" if zoned else value
    # Databases have infinite dates, and Arrow some that nothing else can hold: they cannot be read.
    return f"CASE WHEN {value} BETWEEN '0001-01-02' AND '9999-12-30' THEN {local} END"


def _written_moment(text: str, dates: Dates, timezone: str | None) -> str:
    """SQL of a moment that is text, by the formats, else ISO.

    An offset takes it to local time in `timezone`; without one the date stays as written.
    """
    if timezone is None:
        iso = f"try_cast(left({text}, 10) AS TIMESTAMP)"
    else:
        # DuckDB knows the point alone as the mark of fractions of a second.
        pointed = f"replace({text}, ',', '.')"
        zoned = f"try_cast({pointed} AS TIMESTAMPTZ) AT TIME ZONE {literal(timezone)}"
        iso = (
            f"CASE WHEN regexp_full_match({text}, {literal(_OFFSET_AT_END)}) THEN {zoned} "
            f"ELSE try_cast({pointed} AS TIMESTAMP) END"
        )
    iso = f"CASE WHEN regexp_full_match({text}, {literal(_ISO)}) THEN {iso} END"
    if not dates.formats:
        return iso
    formats = ", ".join(literal(given) for given in dates.formats)
    options = [iso, f"try_strptime({text}, [{formats}])"]
    # ISO is quicker to match, and only a format that begins like it can read its texts otherwise.
    if any(given.startswith("%Y-") for given in dates.formats):
        options.reverse()
    return f"coalesce({', '.join(options)})"
