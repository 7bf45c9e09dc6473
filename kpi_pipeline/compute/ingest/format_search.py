# ruff: noqa: S608 - expressions are our own
"""Finding the settings by which refused texts can be read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Final, Literal

import pyarrow as pa
from pydantic import ValidationError

from kpi_pipeline.compute.database import arrow_table, computation
from kpi_pipeline.compute.ingest import moments
from kpi_pipeline.compute.ingest.amounts import amount_text, amount_word
from kpi_pipeline.compute.ingest.cells import Cell
from kpi_pipeline.model.mapping import Amounts, Dates
from kpi_pipeline.model.mapping.dates import FIRST_DAY, LAST_DAY, MONTH_WORDS, SERIAL, read_day
from kpi_pipeline.model.timezones import DEFAULT_TIMEZONE

# Day before month comes first: it is how the countries of certificates write.
_DAYS: Final = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d%m%Y",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%d%m%y", "%y%m%d",
    "%d-%b-%Y", "%d/%b/%Y", "%d %b %Y", "%d.%b.%Y", "%d-%b-%y", "%d/%b/%y", "%d %b %y",
    "%b %d, %Y", "%b %d %Y",    "%d de %B de %Y", "%d de %B del %Y", "%d de %B, %Y",
)  # fmt: skip
_TIMES: Final = (" %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTHS: Final = (
    "%b-%y", "%b %y", "%b/%y", "%b. %y", "%b.%y", "%b'%y", "%B de %y", "%m/%y", "%m-%y", "%m.%y",
    "%y-%m", "%y/%m", "%m%Y", "%y%m", "%m%y",
)  # fmt: skip
_MARKS: Final = (
    {"thousands": ".", "decimal": ","},
    {"thousands": ",", "decimal": "."},
    {"thousands": " ", "decimal": ","},
    {"thousands": " ", "decimal": "."},
    {"thousands": "'", "decimal": "."},
    {"decimal": ","},
    {"decimal": "."},
)
_CELL: Final = Cell("text", "text", pa.string())


@dataclass(frozen=True, slots=True)
class Found:
    """Formats that read texts.

    Attributes:
        formats: The fewest that read the most of the texts, likeliest first; empty where none reads any.
        alternative: A format that reads the same texts as other dates than the first; None where there is
            none.
        reads_all: Whether every text is read.
    """

    formats: tuple[str, ...]
    alternative: str | None
    reads_all: bool


def date_formats(texts: Sequence[str], dates: Dates) -> Found:
    """Find formats of dates, to stand beside those given without contradicting them.

    Args:
        texts: Texts that cannot be read.
        dates: The formats given.
    """
    times = _TIMES if any(":" in text for text in texts) else ()
    formats = (*_DAYS, SERIAL, *(f"{day}{time}" for day, time in product(_DAYS, times)))
    candidates = _worth_a_try(formats, texts)
    expressions = [moments.day(_CELL, Dates(formats=(given,)), DEFAULT_TIMEZONE) for given in candidates]
    return _covering(candidates, _read(texts, expressions), dates, "formats")


def month_formats(texts: Sequence[str], dates: Dates) -> Found:
    """Find formats of months, as `date_formats` does of dates."""
    candidates = _worth_a_try(_MONTHS, texts)
    expressions = [moments.month(_CELL, Dates(months=(given,)), DEFAULT_TIMEZONE) for given in candidates]
    return _covering(candidates, _read(texts, expressions), dates, "months")


def amount_marks(texts: Sequence[str]) -> list[dict[str, str]]:
    """The marks by which every one of some texts is an amount; the likeliest first."""
    readings = _read(texts, [amount_text(_CELL, Amounts.model_validate(marks)) for marks in _MARKS])
    return [marks for marks, read in zip(_MARKS, readings, strict=True) if None not in read]


def numbers_and_words(texts: Sequence[str], amounts: Amounts) -> list[tuple[str | None, str | None]]:
    """The number of each text by the marks given, and the word beside it."""
    numbers, words = _read(texts, [amount_text(_CELL, amounts), amount_word(_CELL)])
    return list(zip(numbers, words, strict=True))


def _worth_a_try(formats: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The formats that may read one of the texts: a statement of all of them takes seconds to plan."""
    numbered = {
        re.sub(rf"\b{word}\b{dot}", f"{number:02}", text.casefold())
        for text in texts
        for word, number in MONTH_WORDS.items()
        for dot in ("", r"\.?")
    }
    return [
        given
        for given in formats
        if any(read_day(text, re.sub("%[bB]", "%m", given)) is not None for text in numbered)
    ]


def _covering(
    candidates: Sequence[str],
    readings: Sequence[Sequence[date | None]],
    dates: Dates,
    setting: Literal["formats", "months"],
) -> Found:
    read_by = {
        candidate: {at: day for at, day in enumerate(days) if day and FIRST_DAY <= day <= LAST_DAY}
        for candidate, days in zip(candidates, readings, strict=True)
    }
    found: list[str] = []
    unread = set(range(len(readings[0]) if readings else 1))
    while unread:
        best = max(
            (one for one in candidates if _may_stand_beside(dates, setting, [*found, one])),
            key=lambda one: len(read_by[one].keys() & unread),
            default=None,
        )
        if best is None or not read_by[best].keys() & unread:
            break
        found.append(best)
        unread -= read_by[best].keys()
    alternative = None
    if found:
        first = read_by[found[0]]
        others = (one for one in candidates if read_by[one].keys() == first.keys() and read_by[one] != first)
        alternative = next((one for one in others if _may_stand_beside(dates, setting, [one])), None)
    return Found(tuple(found), alternative, not unread)


def _may_stand_beside(dates: Dates, setting: str, found: Sequence[str]) -> bool:
    try:
        Dates.model_validate({**dates.model_dump(), setting: [*getattr(dates, setting), *found]})
    except ValidationError:
        return False
    return True


def _read(texts: Sequence[str], expressions: Sequence[str]) -> list[list[Any]]:
    """What each expression gives for each text."""
    if not expressions:
        return []
    columns = ", ".join(f"{expression} AS read_{at}" for at, expression in enumerate(expressions))
    with computation() as connection:
        connection.register("refused_texts", pa.table({"text": pa.array(list(texts), pa.string())}))
        read = arrow_table(connection, f"SELECT {columns} FROM refused_texts")
    return [column.to_pylist() for column in read.columns]
