"""DuckDB expressions that read a source's dates, moments and months, as `parsing` does other cells."""

import re
from typing import Final

import pyarrow.types as pat

from kpi_pipeline.compute.ingest.cells import Cell, literal
from kpi_pipeline.model.mapping import Dates
from kpi_pipeline.model.mapping.dates import MONTH_WORDS, SERIAL, SERIAL_DAY_ZERO, has_time

_OFFSET: Final = r" ?(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)"
_TIME: Final = r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?"
_ISO_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_ISO_DAY_BYTES: Final = 10
_ZERO: Final = r"0000-00(-00([T ]00:00(:00(\.0+)?)?)?)?|00([/.-])00[/.-]0000"
_MONTH_WORD: Final = rf"\b({'|'.join(sorted(MONTH_WORDS, key=lambda word: -len(word)))})\b"
_BETWEEN: Final = r"[ ./-]*( de | del )? *"


def day(cell: Cell, dates: Dates, timezone: str) -> str:
    """SQL of a cell's date.

    A moment counts on its day in `timezone`; a date without a time stays as it is. Text is read by the
    formats, and as ISO 8601 (extended form, with or without a time).

    Args:
        cell: The cell.
        dates: Formats, and the zone of moments without an offset.
        timezone: The zone of calendar days.
    """
    source_zone = dates.timezone or timezone
    if _is_native(cell):
        return f"CAST({_native_moment(cell, source_zone, timezone)} AS DATE)"
    return _written_moment(cell.text, dates, source_zone, timezone, "DATE")


def moment(cell: Cell, dates: Dates) -> str:
    """SQL of a cell's moment as a timestamp without zone: UTC where its zone is known, else as it is."""
    source_zone = dates.timezone or "UTC"
    if _is_native(cell):
        return f"CAST({_native_moment(cell, source_zone, 'UTC')} AS TIMESTAMP)"
    return _written_moment(cell.text, dates, source_zone, "UTC", "TIMESTAMP")


def month(cell: Cell, dates: Dates, timezone: str) -> str:
    """SQL of the first day of a cell's month, of a text that names a month or of any date in it.

    A text that is a month in one way and a date of another month in another way cannot be read.
    """
    dated = f"CAST(date_trunc('month', {day(cell, dates, timezone)}) AS DATE)"
    if _is_native(cell):
        return dated
    declared = [f"CAST({_by_format(cell.text, given)} AS DATE)" for given in dates.months]
    named = _month_text(cell.text)
    undeclared = f"CASE WHEN {named} <> {dated} THEN NULL ELSE coalesce({named}, {dated}) END"
    return f"coalesce({', '.join([*declared, undeclared])})"


def is_no_date(cell: Cell) -> str:
    """SQL: whether a cell holds the date of zeros that stands for none."""
    return f"({cell.text} LIKE '0%' AND regexp_full_match({cell.text}, {literal(_ZERO)}))"


def _is_native(cell: Cell) -> bool:
    return bool(pat.is_date(cell.kind) or pat.is_timestamp(cell.kind))


def _native_moment(cell: Cell, source_zone: str, timezone: str) -> str:
    """SQL of a native date as it is, or of a timestamp as local time in `timezone`."""
    is_moment = pat.is_timestamp(cell.kind)
    zoned = is_moment and cell.kind.tz is not None
    value = cell.native if zoned else f"try_cast({cell.native} AS TIMESTAMP)"
    if zoned:
        local = f"({value} AT TIME ZONE {literal(timezone)})"
    else:
        local = _local(value, source_zone, timezone) if is_moment else value
    # Databases have infinite dates, and Arrow some that nothing else can hold: they cannot be read.
    return f"CASE WHEN {value} BETWEEN '0001-01-02' AND '9999-12-30' THEN {local} END"


def _written_moment(text: str, dates: Dates, source_zone: str, timezone: str, kind: str) -> str:
    """SQL of a moment that is text, by the formats, else ISO, as local time in `timezone`, of an SQL type."""
    options = [_iso(text, source_zone, timezone)]
    for given in dates.formats:
        read = _by_format(text, given)
        options.append(_local(read, source_zone, timezone) if has_time(given) else read)
    # ISO is quicker to match, and only a format that begins like it can read its texts otherwise.
    if any(given.startswith("%Y-") for given in dates.formats):
        options = [*options[1:], options[0]]
    first, *others = options
    read = f"CAST({first} AS {kind})"
    if not others:
        return read
    # DuckDB computes what its expressions have in common for all texts, unless it is the outcome of a case:
    # then for those alone that are not read yet.
    rest = f"CAST(coalesce({', '.join(others)}) AS {kind})"
    return f"coalesce({read}, CASE WHEN {text} IS NOT NULL THEN {rest} END)"


def _iso(text: str, source_zone: str, timezone: str) -> str:
    # DuckDB knows the point alone as the mark of fractions of a second, and offsets that follow at once.
    pointed = f"replace({text}, ',', '.')"
    offset = f"regexp_replace({pointed}, ' ?(UTC|GMT)$', 'Z')"
    joined = rf"regexp_replace({offset}, ' ([+-]\d{{2}}(:?\d{{2}})?)$', '\1')"
    zoned = f"try_cast({joined} AS TIMESTAMPTZ) AT TIME ZONE {literal(timezone)}"
    return (
        f"CASE WHEN strlen({text}) = {_ISO_DAY_BYTES} AND regexp_full_match({text}, {literal(_ISO_DAY)}) "
        f"THEN try_cast({text} AS TIMESTAMP) "
        f"WHEN regexp_full_match({text}, {literal(_ISO_DAY + _TIME)}) "
        f"THEN {_local(f'try_cast({pointed} AS TIMESTAMP)', source_zone, timezone)} "
        f"WHEN regexp_full_match({text}, {literal(_ISO_DAY + _TIME + _OFFSET)}) THEN {zoned} END"
    )


def _local(moment: str, source_zone: str, timezone: str) -> str:
    """SQL of a moment without a zone, taken from the source's zone to `timezone`."""
    if source_zone == timezone:
        return moment
    return f"(({moment} AT TIME ZONE {literal(source_zone)}) AT TIME ZONE {literal(timezone)})"


def _by_format(text: str, given: str) -> str:
    """SQL of a text read by one format."""
    if given == SERIAL:
        days = f"CAST(left({text}, 5) AS INTEGER)"
        day_zero = f"DATE '{SERIAL_DAY_ZERO.isoformat()}'"
        is_serial = rf"regexp_full_match({text}, '[3-7]\d{{4}}([.,]\d+)?')"
        return f"CASE WHEN {is_serial} THEN CAST({day_zero} + {days} AS TIMESTAMP) END"
    if re.search("%[bB]", given) is None:
        return _strptime(text, given)
    numbered = re.sub("%[bB]", "%m", _lowered(given))
    word = f"regexp_extract(lower({text}), {literal(_MONTH_WORD)})"
    options = [
        _strptime(f"replace(lower({text}), {written}, {_month_number(word)})", numbered)
        for written in (word, f"{word} || '.'")
    ]
    return f"CASE WHEN {word} <> '' THEN coalesce({', '.join(options)}) END"


def _strptime(text: str, given: str) -> str:
    read = f"try_strptime({text}, {literal(given)})"
    # DuckDB reads two digits as a year of four, which they are not.
    return f"CASE WHEN {read} >= TIMESTAMP '1000-01-01' THEN {read} END" if "%Y" in given else read


def _lowered(given: str) -> str:
    """A format whose own letters are small, its codes as they are."""
    return "".join(part if part.startswith("%") else part.lower() for part in re.split("(%.)", given))


def _month_number(word: str) -> str:
    """SQL of the two digits of a month's name."""
    cases = " ".join(f"WHEN {literal(name)} THEN '{number:02}'" for name, number in MONTH_WORDS.items())
    return f"CASE {word} {cases} END"


def _month_text(text: str) -> str:
    """SQL of the first day of a text that names a month with a year of four digits."""
    word = f"regexp_extract(lower({text}), {literal(_MONTH_WORD)})"
    year = rf"regexp_extract({text}, '\d{{4}}')"
    forms = {
        r"\d{4}[-/]\d{1,2}": (year, f"substr({text}, 6)"),
        r"\d{1,2}[-/.]\d{4}": (f"right({text}, 4)", f"left({text}, -5)"),
        r"(19|20|21)\d{4}": (f"left({text}, 4)", f"right({text}, 2)"),
    }
    cases = " ".join(
        f"WHEN regexp_full_match({text}, {literal(form)}) THEN {_first_day(*parts)}"
        for form, parts in forms.items()
    )
    named = rf"{_MONTH_WORD}{_BETWEEN}\d{{4}}|\d{{4}}{_BETWEEN}{_MONTH_WORD}\.?"
    return (
        f"CASE {cases} WHEN regexp_full_match(lower({text}), {literal(named)}) "
        f"THEN {_first_day(year, _month_number(word))} END"
    )


def _first_day(year: str, month: str) -> str:
    return f"try_cast({year} || '-' || lpad({month}, 2, '0') || '-01' AS DATE)"
