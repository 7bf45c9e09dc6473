"""Cells of a source in SQL, and the texts in them."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

WHITESPACE: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Characters stripped from both ends of a text: Unicode's white space and the byte order mark."""


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
