"""What a computation refuses. Apart from DuckDB, so that commands name it without loading that."""

from typing import Final


class SumTooLarge(ArithmeticError):
    """A sum of amounts, or of days weighted by them, needs more than 64 bits."""


ADVICE: Final = (
    "amounts, or days weighted by them, sum to more than 64 bits: look for amounts in the wrong unit and for "
    "dates long gone in the source, correct them, then refresh again"
)
"""What to do about it."""
