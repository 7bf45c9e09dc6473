"""What to write into a mapping file so that refused texts are read."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kpi_pipeline.compute.ingest.format_search import (
    Found,
    amount_marks,
    date_formats,
    month_formats,
    numbers_and_words,
)
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.model.costs import CostKind
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import COST_REQUIRED, DEFAULTABLE, REQUIRED, Amounts, SourceMapping
from kpi_pipeline.model.mapping.currencies import SIGNS, may_stand_beside
from kpi_pipeline.model.states import State

_ISO: Final = "ISO 8601 (2024-03-31)"
_HOME_CURRENCY: Final = "CLP"


@dataclass(frozen=True, slots=True)
class RefusedText:
    """A text that was refused, and the currency of its row, which amounts are read by."""

    text: str
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a mapping file.

    Attributes:
        table: Its table; empty for the top level.
        key: Its key.
        value: Its whole value, what the mapping already has included.
    """

    table: str
    key: str
    value: str | tuple[str, ...]

    def as_toml(self) -> str:
        """The setting as TOML."""
        return f"[{self.table}]\n{self.line}" if self.table else self.line

    @property
    def line(self) -> str:
        """The key and its value as TOML."""
        # A JSON text or list is a TOML one.
        return f"{self.key} = {json.dumps(self.value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a refusal.

    Attributes:
        sentence: In words.
        settings: What to write into the mapping file, if that helps; replaces a line of the same key.
        tried: How the texts were read.
    """

    sentence: str
    settings: tuple[Setting, ...] = ()
    tried: str = ""

    def as_text(self) -> str:
        """The advice in one line."""
        tried = f"not read as {self.tried}; " if self.tried else ""
        if not self.settings:
            return f"{tried}{self.sentence}"
        mark = "," if self.sentence.startswith(("if ", "or ")) else ";"
        return f"{tried}write {_in_words(self.settings)} in the mapping file{mark} {self.sentence}"


def _in_words(settings: Sequence[Setting]) -> str:
    """Settings as a clause, those of one table together."""
    lines: dict[str, list[str]] = {}
    for setting in settings:
        lines.setdefault(setting.table, []).append(f"`{setting.line}`")
    return ", and ".join(
        f"{' and '.join(of_table)} {f'under [{table}]' if table else 'at the top'}"
        for table, of_table in lines.items()
    )


@dataclass(frozen=True, slots=True)
class _Refused:
    """What is refused for one reason.

    Attributes:
        column: The canonical column; empty where it is the row.
        examples: Different texts, each with the currency of its row.
        mapping: The mapping by which they were read.
        costs: Whether the rows are costs.
    """

    column: str
    examples: Sequence[RefusedText]
    mapping: SourceMapping
    costs: bool

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, each once."""
        return tuple(dict.fromkeys(one.text for one in self.examples))

    @property
    def is_required(self) -> bool:
        """Whether a row needs a value in the column."""
        return self.column in (COST_REQUIRED if self.costs else REQUIRED)

    @property
    def has_digits(self) -> bool:
        """Whether the texts can be numbers at all."""
        return any(char.isdigit() for text in self.texts for char in text)


def advise(reason: str, examples: Sequence[RefusedText], mapping: SourceMapping, *, costs: bool) -> Advice:
    """Say what to do about rows refused for a reason.

    Args:
        reason: `code` or `code:column`.
        examples: Different texts that were refused.
        mapping: The mapping by which they were read.
        costs: Whether the rows are costs.
    """
    code, _, column = reason.partition(":")
    refused = _Refused(column, examples, mapping, costs)
    if Reason(code) == Reason.MISSING:
        return _missing(refused)
    special = _ADVISERS.get(Reason(code)) if examples else None
    return special(refused) if special else Advice(REASON_ADVICE[Reason(code)])


def _missing(refused: _Refused) -> Advice:
    null_words = refused.mapping.null_words
    folded = {fold(text) for text in refused.texts}
    given = [word for word in null_words if fold(word) in folded]
    if refused.column not in DEFAULTABLE:
        if given:
            kept = tuple(word for word in null_words if word not in given)
            return Advice(
                f"if {_quoted(given)} is a value here: now it is one of the words of null_words "
                f"({_quoted(null_words)}), which mean an empty cell. Otherwise fill the column in the source",
                (Setting("", "null_words", kept),),
            )
        return Advice("fill the column in the source, or name another under [columns] in the mapping file")
    value = State.SENT.value if refused.column == "state" else _HOME_CURRENCY
    sentence = "or fill the column in the source"
    if given:
        sentence += f"; {_quoted(given)} is one of the words of null_words, which mean an empty cell"
    return Advice(sentence, (Setting("defaults", refused.column, value),))


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _states(refused: _Refused) -> Advice:
    """The state of which a word is another form, such as a feminine or a plural; else one as an example."""
    known = {_stem(word): state for word, state in refused.mapping.state_spellings.items()}
    of_state: dict[State, list[str]] = {}
    for text in refused.texts:
        of_state.setdefault(known.get(_stem(text), State.SENT), []).append(text)
    settings = tuple(
        Setting("states", state.value, (*refused.mapping.states.get(state, ()), *texts))
        for state, texts in of_state.items()
    )
    sentence = (
        f"if that is what each word means. A word of another state goes under that state: {', '.join(State)}"
    )
    return Advice(sentence, settings)


def _stem(word: str) -> str:
    """A folded word without its ending for gender and number."""
    return re.sub(r"[oa]s?$", "", fold(word))


def _kinds(refused: _Refused) -> Advice:
    listed = refused.mapping.costs.kinds if refused.mapping.costs else {}
    words = (*listed.get(CostKind.OPEX, ()), *refused.texts)
    return Advice(
        "if each word means running costs. A word of investment goes under capex",
        (Setting("costs.kinds", CostKind.OPEX.value, words),),
    )


def _counts(refused: _Refused) -> Advice:
    if refused.has_digits:
        return Advice(REASON_ADVICE[Reason.BAD_NUMBER])
    return Advice("if it means no value. Otherwise correct the source", (_null_words(refused),))


def _null_words(refused: _Refused) -> Setting:
    return Setting("", "null_words", (*refused.mapping.null_words, *refused.texts))


def _currencies(refused: _Refused) -> Advice:
    mapping = refused.mapping
    home = mapping.defaults.get("currency", _HOME_CURRENCY)
    words: dict[str, list[str]] = {}
    for text in refused.texts:
        codes = SIGNS.get(fold(text), {home})
        words.setdefault(home if home in codes else min(codes), []).append(text)
    settings = tuple(
        Setting("currencies", code, (*mapping.currencies.get(code, ()), *of_code))
        for code, of_code in words.items()
    )
    return Advice(
        "if each word means that currency. Otherwise write it under the ISO 4217 code that it means", settings
    )


def _dates(refused: _Refused) -> Advice:
    dates, texts, is_month = refused.mapping.dates, refused.texts, refused.column == "month"
    key, found = "months", month_formats(texts, dates) if is_month else Found((), None, reads_all=False)
    if not found.reads_all and (dated := date_formats(texts, dates)).formats:
        key, found = "formats", dated
    given = (*(dates.months if is_month else ()), *dates.formats)
    tried = ", ".join((_ISO, *map(repr, given)))
    if found.formats:
        values = (*(dates.months if key == "months" else dates.formats), *found.formats)
        return Advice(_what_formats_read(found), (Setting("dates", key, values),), tried)
    if not refused.is_required and not refused.has_digits:
        return Advice("if it means no date. Otherwise correct the source", (_null_words(refused),), tried)
    return Advice("no format reads it as a day of the calendar: correct the source", (), tried)


def _what_formats_read(found: Found) -> str:
    if found.alternative:
        return (
            f"if the source writes dates so. If it writes them by {found.alternative!r}, write that instead "
            f"of {found.formats[0]!r}"
        )
    return "all are then read" if found.reads_all else "most are then read; correct the others in the source"


def _amounts(refused: _Refused) -> Advice:
    amounts = refused.mapping.cost_amounts if refused.costs else refused.mapping.amounts
    tried = f"an amount with decimal mark {amounts.decimal_mark!r}"
    tried += f" and thousands mark {amounts.thousands!r}" if amounts.thousands else " and no thousands mark"
    read = numbers_and_words([one.text for one in refused.examples], amounts)
    for one, (number, word) in zip(refused.examples, read, strict=True):
        if number is not None:
            return replace(_refused_number(one, word, refused.mapping), tried=tried)
    if not refused.has_digits and not refused.is_required:
        return Advice("if it means no amount. Otherwise correct the source", (_null_words(refused),), tried)
    table = (
        "costs.amounts" if refused.mapping.costs and amounts is refused.mapping.costs.amounts else "amounts"
    )
    return replace(_marks(refused, amounts, table), tried=tried)


def _refused_number(example: RefusedText, word: str | None, mapping: SourceMapping) -> Advice:
    """Advice on an amount that is a number by its marks, but is refused."""
    currency = example.currency
    if word is None or currency is None or may_stand_beside(word, currency, mapping.currency_spellings):
        return Advice("the amount is larger than any that can be added up: correct the source")
    if fold(word) in SIGNS or fold(word) in mapping.currency_spellings:
        return Advice(
            f"{word!r} is no word of {currency}: map the column of the currency, or correct the source"
        )
    return Advice(
        f"if {word!r} means {currency}. Amounts in thousands or millions also need `unit` under [amounts]",
        (Setting("currencies", currency, (*mapping.currencies.get(currency, ()), word)),),
    )


def _marks(refused: _Refused, amounts: Amounts, table: str) -> Advice:
    """Advice on an amount that is no number by its marks."""
    if not refused.has_digits:
        return Advice("the column must hold an amount: correct the source")
    if amounts.are_marks_declared:
        return Advice(f"correct it in the source, or the marks under [{table}]")
    possible = amount_marks(refused.texts)
    if not possible:
        return Advice("no marks read it: correct the source")
    settings = tuple(Setting(table, key, mark) for key, mark in possible[0].items())
    if {"decimal": "."} in possible:
        return Advice(
            'if the point groups thousands. If it is the decimal mark, write `decimal = "."` alone', settings
        )
    return Advice("all are then read", settings)


_ADVISERS: Final[Mapping[Reason, Callable[[_Refused], Advice]]] = {
    Reason.UNKNOWN_STATE: _states,
    Reason.UNKNOWN_KIND: _kinds,
    Reason.UNKNOWN_CURRENCY: _currencies,
    Reason.BAD_DATE: _dates,
    Reason.BAD_AMOUNT: _amounts,
    Reason.BAD_NUMBER: _counts,
}
"""What knows more about a reason than `REASON_ADVICE`, given examples."""
