"""SQL of what identifies a source's rows: keys compared folded, of one column or several, without collision.

Two keys are one when each of their parts folds alike (`model.filters.fold`): case, accents, spaces at the
ends or doubled, typographic quotes and dashes do not count. Parts are joined by '/'; one that itself holds
a '/' has it escaped, so that ("4", "5/2") and ("4/5", "2") stay two.
"""

from collections.abc import Sequence

import pyarrow.types as pat

from kpi_pipeline.compute.ingest.parsing import Cell

_PLAIN = "[!-~]+( [!-~]+)*"
"""ASCII words with single spaces between them: lower case is all that folding changes."""


def folded(text: str) -> str:
    """SQL of a text folded; null where nothing remains."""
    # The function of `compute.database` is called for few texts: it costs more than this check.
    plain = f"regexp_full_match({text}, '{_PLAIN}')"
    return f"CASE WHEN {plain} THEN lower({text}) ELSE nullif(fold({text}), '') END"


def identity(cells: Sequence[Cell]) -> str:
    """SQL by which the keys that cells hold are compared; null where a part is missing."""
    return _joined([folded(_part(cell)) for cell in cells])


def shown_key(cells: Sequence[Cell]) -> str:
    """SQL of the key that cells hold, as written; it differs where `identity` does."""
    return _joined([_part(cell) for cell in cells])


def _part(cell: Cell) -> str:
    # Where some rows have no number, a table of whole numbers may be one of fractions.
    is_fraction = pat.is_floating(cell.kind) or pat.is_decimal(cell.kind)
    return rf"regexp_replace({cell.text}, '\.0+$', '')" if is_fraction else cell.text


def _joined(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return " || '/' || ".join(rf"replace(replace({part}, '\', '\\'), '/', '\/')" for part in parts)
