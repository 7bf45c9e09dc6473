"""The watermark of a source: two reads with equal watermarks mean that nothing changed."""

import hashlib
import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.mapping.dates import SERIAL

_ISO = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?\s*$"

_ORDERED: Final = tuple(
    rf"^\d{{4}}-\d{{2}}-\d{{2}}{then}$"
    for then in ("", r" \d{2}:\d{2}:\d{2}(\.\d+)?", r"T\d{2}:\d{2}:\d{2}(\.\d+)?")
)
"""Forms of texts that are in the order of time, if all are of one."""

_OF_COSTS: Final = " costs "
_WITH_SECONDS: Final = 19
_OVERLAP_S: Final = 900.0


def watermark(raw: pa.Table, mapping: SourceMapping, costs: Sequence[pa.Table] = ()) -> str | None:
    """The latest time at which a row changed, or a digest of all rows where no column records it.

    A time does not reveal deleted rows; a digest reveals every change.

    Args:
        raw: The rows read.
        mapping: Names the column of the latest change, and its formats when it is text.
        costs: The tables of costs; they have no such column, so a digest of their rows is added.

    Returns:
        ISO text of the greatest `updated_at`; `blake2b:<32 hex digits>` when the mapping names no such
        column or none of its values is readable; `<that> costs blake2b:<32 hex digits>` with costs; None
        for a source without rows.
    """
    parts = [_rows_watermark(raw, mapping)] if raw.num_rows else []
    if any(table.num_rows for table in costs):
        parts.append(f"{_OF_COSTS.strip()} {_digest(*costs)}")
    return " ".join(parts) or None


def later_watermark(
    before: str | None, rows: pa.Table, mapping: SourceMapping, costs: Sequence[pa.Table] = ()
) -> str | None:
    """The watermark of a source of which some rows have changed, and none that had the latest time is gone.

    Args:
        before: The watermark before, of times.
        rows: Those rows.
        mapping: As of `watermark`.
        costs: As of `watermark`; empty where they have not changed.
    """
    latest, mark, digest = (before or "").partition(_OF_COSTS)
    later = max(latest, _rows_watermark(rows, mapping)) if rows.num_rows else latest
    if costs:
        mark, digest = (_OF_COSTS, _digest(*costs)) if any(table.num_rows for table in costs) else ("", "")
    return later + mark + digest or None


def later_change(before: str | None, rows: pa.Table, mapping: SourceMapping) -> str | None:
    """What `latest_change` is of a source of which some rows have changed, and none of that time is gone.

    Args:
        before: What it was.
        rows: Those rows.
        mapping: As of `watermark`.
    """
    if before is None or not rows.num_rows:
        return before
    later = latest_change(rows, mapping)
    return None if later is None or _form(later) != _form(before) else max(before, later)


def _form(moment: str) -> int | None:
    return next((at for at, form in enumerate(_ORDERED) if re.match(form, moment)), None)


def latest_change(rows: pa.Table, mapping: SourceMapping) -> str | None:
    """The latest time at which a row changed, as the database writes it.

    Returns:
        None where a row that changes later need not have a later time: where the mapping names no column of
        them, where a row has none, and where they are texts of several forms.
    """
    column = mapping.columns.get("updated_at")
    if not isinstance(column, str) or not rows.num_rows or rows[column].null_count:
        return None
    moments = rows[column]
    is_in_order = pat.is_timestamp(moments.type) or (
        pat.is_string(moments.type)
        and any(pc.all(pc.match_substring_regex(moments, form)).as_py() for form in _ORDERED)
    )
    return str(pc.max(moments).as_py()) if is_in_order else None


def shortly_before(latest: str) -> str:
    """A time of `latest_change` some minutes earlier: what was written at once may be seen one by one."""
    try:
        earlier = datetime.fromisoformat(latest) - timedelta(seconds=_OVERLAP_S)
    except (ValueError, OverflowError):
        return latest  # The form is that of a time, and the time is none.
    return latest if len(latest) < _WITH_SECONDS else earlier.isoformat(latest[10], "seconds")


def _rows_watermark(raw: pa.Table, mapping: SourceMapping) -> str:
    column = mapping.columns.get("updated_at")
    latest = _latest(raw.column(column), mapping.dates.formats) if isinstance(column, str) else None
    return latest or _digest(raw)


def _latest(moments: pa.ChunkedArray, formats: tuple[str, ...]) -> str | None:
    if not pat.is_string(moments.type):
        return _iso(pc.max(moments)) if pat.is_temporal(moments.type) else None
    is_iso = pc.match_substring_regex(moments, _ISO)
    is_other = pc.and_(pc.invert(is_iso), pc.match_substring_regex(moments, r"\S"))
    # Arrow knows the names of English months alone, and no serials: some of the texts would stay unread.
    known_in_part = any(given == SERIAL or re.search("%[bB]", given) for given in formats)
    if known_in_part and pc.any(is_other).as_py():
        return None
    iso = moments.filter(is_iso)
    latest = [_iso(pc.max(pc.strptime(moments, pattern, "us", error_is_null=True))) for pattern in formats]
    if len(iso):
        latest.append(pc.max(pc.replace_substring(pc.utf8_trim_whitespace(iso), " ", "T")).as_py())
    return max((moment for moment in latest if moment), default=None)


def _iso(moment: Any) -> str | None:
    value = moment.as_py()
    return None if value is None else str(value.isoformat())


def _digest(*tables: pa.Table) -> str:
    sink = _Digest()
    for table in tables:
        # The bytes depend on how rows are chunked: combine them into one chunk.
        with pa.ipc.new_stream(pa.PythonFile(sink, "w"), table.schema) as stream:
            stream.write_table(table.combine_chunks())
    return f"blake2b:{sink.digest.hexdigest()}"


class _Digest(io.RawIOBase):
    """A file that stores only the digest of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.blake2b(digest_size=16)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)
