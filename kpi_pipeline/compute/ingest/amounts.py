"""DuckDB expressions that read amounts and counts in a source's cells; `moments` has those of dates.

Each gives SQL that is null where the cell cannot be read; comparing it with the cell's text
distinguishes unreadable from empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.types as pat

from kpi_pipeline.compute.ingest.cells import WHITESPACE, Cell, literal
from kpi_pipeline.model.mapping import Amounts

MAX_AMOUNT: Final = 10**15
"""Largest amount, in minor units either way of zero: sums of thousands of them still fit 64 bits,
and it lies within the integers that JSON readers keep exactly (2**53)."""

_MINUSES: Final = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_APOSTROPHES: Final = "\u2019\u02bc"
_PLAIN: Final = " " * len(WHITESPACE) + "-" * len(_MINUSES) + "'" * len(_APOSTROPHES)
_DIGITS: Final = r"\d([\d., ']*\d)?"
_WORD: Final = r"[\p{L}\p{Sc}]([\p{L}\p{Sc}. ]*[\p{L}\p{Sc}])?\.?"
_SHAPES: Final = ("#", "-#", "#-", "(#)")
"""How amounts are written around their digits, spaces apart."""
_WORD_SHAPES: Final = (
    "W#", "#W", "-W#", "W-#", "-#W", "W#-", "#-W", "#W-", "(W#)", "(#W)", "W(#)", "(#)W",
)  # fmt: skip
"""The same with the word of a currency."""


def amount_text(cell: Cell, amounts: Amounts) -> str:
    """SQL of a cell's amount in plain notation (`-1234.5`, `1.5e3`), exact; null unless it is a number.

    Text is read by the mapping's marks, groups being of three digits throughout. What may stand around
    the number is described at `Amounts`; `amount_word` gives the currency among it. A native number is
    written out in full: a double as the shortest text that gives it back, so 1.005 is 1.005.
    """
    if not _is_text(cell.kind):
        return _number(cell.text, Amounts(decimal="."))
    decorated = _decorated(cell.text)
    number = _number(decorated.number, amounts, signed=False)
    signed = f"CASE WHEN {decorated.is_negative} THEN '-' || {number} ELSE {number} END"
    # What is left of a row after the first expression is null is little: the second may be slow.
    return f"coalesce({_number(cell.text, amounts)}, CASE WHEN {decorated.is_amount} THEN {signed} END)"


def amount_word(cell: Cell) -> str:
    """SQL of the word or sign of a currency that stands beside a cell's amount; null without one."""
    if not _is_text(cell.kind):
        return "CAST(NULL AS VARCHAR)"
    return f"CASE WHEN {_has_word(cell.text)} THEN {_decorated(cell.text).word} END"


def minor_units(plain: str, decimals: str, precisions: Sequence[int], amounts: Amounts) -> str:
    """SQL of an amount in minor units of its currency.

    Digits beyond the currency's decimals are rounded half away from zero, in one step, in decimal
    arithmetic. Null beyond `MAX_AMOUNT`.

    Args:
        plain: SQL of the amount's text, from `amount_text`.
        decimals: SQL of the currency's decimals.
        precisions: Every value that `decimals` may have; at least one.
        amounts: Unit and sign.
    """
    unit_digits = len(str(amounts.unit)) - 1
    sign = "-" if amounts.reversed_sign else ""
    cases = " ".join(
        f"WHEN {precision} THEN {sign}try_cast({plain} AS DECIMAL(24, {scale})) * {10**scale}"
        for precision in precisions
        for scale in (precision + unit_digits,)
    )
    exact = f"CAST(CASE {decimals} {cases} END AS DECIMAL(38, 0))"
    return f"CASE WHEN {exact} BETWEEN -{MAX_AMOUNT} AND {MAX_AMOUNT} THEN try_cast({exact} AS BIGINT) END"


def count(cell: Cell) -> str:
    """SQL of a cell's count: a whole number of at most twelve digits; null otherwise."""
    return (
        rf"CASE WHEN regexp_full_match({cell.text}, '\d{{1,12}}(\.0*)?') "
        f"THEN try_cast(try_cast({cell.text} AS DECIMAL(18, 0)) AS BIGINT) END"
    )


@dataclass(frozen=True, slots=True)
class _Decorated:
    """SQL of the parts of a text that is more than a bare number.

    Attributes:
        number: The digits with their marks.
        word: Word or sign of a currency; null without one.
        is_negative: Whether a minus or parentheses say so.
        is_amount: Whether the rest is nothing but one word and one way to write a negative amount.
    """

    number: str
    word: str
    is_negative: str
    is_amount: str


def _decorated(text: str) -> _Decorated:
    plain_marks = f"translate({text}, {literal(WHITESPACE + _MINUSES + _APOSTROPHES)}, {literal(_PLAIN)})"
    closed = rf"regexp_replace({plain_marks}, '(\d)[.,]-([ )]|$)', '\1\2')"
    rest = f"regexp_replace({closed}, {literal(_DIGITS)}, '#')"
    shape = f"replace(regexp_replace({rest}, {literal(_WORD)}, 'W'), ' ', '')"
    return _Decorated(
        number=f"regexp_extract({closed}, {literal(_DIGITS)})",
        word=f"nullif(regexp_extract({rest}, {literal(_WORD)}), '')",
        is_negative=rf"regexp_matches({rest}, '[-(]')",
        # The letter of an exponent without its digits is no currency.
        is_amount=f"CASE WHEN {_has_word(text)} THEN {_is_one_of(shape, _SHAPES + _WORD_SHAPES)} "
        f"ELSE {_is_one_of(shape, _SHAPES)} END",
    )


def _is_one_of(text: str, options: Sequence[str]) -> str:
    return f"{text} IN ({', '.join(map(literal, options))})"


def _has_word(text: str) -> str:
    """SQL: whether a text holds more than a number with its sign, marks and exponent."""
    return f"regexp_matches({text}, '[^-+.,0-9eE]')"


def _number(text: str, amounts: Amounts, *, signed: bool = True) -> str:
    """SQL of a bare number in plain notation; null unless the marks allow it."""
    if amounts.thousands == " ":
        text = f"translate({text}, {literal(WHITESPACE)}, {literal(' ' * len(WHITESPACE))})"
    decimal, group = rf"\{amounts.decimal_mark}", rf"\{amounts.thousands}"
    whole = rf"(\d{{1,3}}({group}\d{{3}})+|\d+)" if amounts.thousands else r"\d+"
    sign = "[+-]?" if signed else ""
    number = rf"{sign}({whole}({decimal}\d*)?|{decimal}\d+)([eE][+-]?\d{{1,3}})?"
    plain = f"replace({text}, {literal(amounts.thousands)}, '')" if amounts.thousands else text
    is_number = f"regexp_full_match({text}, {literal(number)})"
    if not amounts.are_marks_declared:
        two_readings = rf"regexp_full_match({text}, '[+-]?[1-9]\d{{0,2}}\.\d{{3}}')"
        is_number += f" AND NOT (substr({text}, -4, 1) = '.' AND {two_readings})"
    return f"CASE WHEN {is_number} THEN replace({plain}, {literal(amounts.decimal_mark)}, '.') END"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind))
