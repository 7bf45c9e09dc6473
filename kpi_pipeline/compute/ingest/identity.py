"""SQL of what identifies a source's rows: keys compared folded, of one column or several, without collision.

Two keys are one when each of their parts folds alike (`model.filters.fold`): case, accents, spaces at the
ends or doubled, typographic quotes and dashes do not count. Parts are joined by '/'; one that itself holds
a '/' has it escaped, so that ("4", "5/2") and ("4/5", "2") stay two.
"""

from collections.abc import Sequence

import pyarrow.types as pat

from kpi_pipeline.compute.ingest.cells import Cell, literal
from kpi_pipeline.model.filters import fold

_PLAIN = "[!-~]+( [!-~]+)*"
"""ASCII words with single spaces between them: lower case is all that folding changes."""

_BYTES_OF_FOLDED = 4
"""A letter of up to so many bytes may fold to one of a single byte."""


def folded(text: str) -> str:
    """SQL of a text folded; null where nothing remains."""
    # The function of `compute.database` is called for few texts: it costs more than this check.
    plain = f"regexp_full_match({text}, '{_PLAIN}')"
    return f"CASE WHEN {plain} THEN lower({text}) ELSE nullif(fold({text}), '') END"


def without_null_words(text: str, null_words: Sequence[str]) -> str:
    """SQL of a trimmed text, null where it folds as one of the words that stand for no value."""
    folds = {fold(word) for word in null_words} - {""}
    if not folds:
        return text
    words = ", ".join(sorted(literal(word) for word in folds))
    longest = max(len(word.encode()) for word in folds)
    # Hardly any text is that short, and counting bytes is quick; folding is for the rarest alone.
    is_plain = f"strlen({text}) <= {longest} AND lower({text}) IN ({words})"
    may_fold = (
        f"strlen({text}) <= {_BYTES_OF_FOLDED * longest} "
        f"AND (strlen({text}) <> length({text}) OR contains({text}, '  '))"
    )
    is_folded = f"CASE WHEN fold({text}) IN ({words}) THEN NULL ELSE {text} END"
    return f"CASE WHEN {is_plain} THEN NULL WHEN {may_fold} THEN {is_folded} ELSE {text} END"


def identity(cells: Sequence[Cell]) -> str:
    """SQL by which the keys that cells hold are compared; null where a part is missing."""
    return _joined([folded(_part(cell)) for cell in cells])


def shown_key(cells: Sequence[Cell]) -> str:
    """SQL of the key that cells hold, as written; it differs where `identity` does."""
    return _joined([_part(cell) for cell in cells])


def escaped(part: str) -> str:
    """SQL of a part of a key as the key of several parts has it."""
    return rf"replace(replace({part}, '\', '\\'), '/', '\/')"


def _part(cell: Cell) -> str:
    # Where some rows have no number, a table of whole numbers may be one of fractions.
    is_fraction = pat.is_floating(cell.kind) or pat.is_decimal(cell.kind)
    return rf"regexp_replace({cell.text}, '\.0+$', '')" if is_fraction else cell.text


def _joined(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return " || '/' || ".join(map(escaped, parts))
