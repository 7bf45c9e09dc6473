"""`[dates]` of a mapping file: how dates, months and moments are read."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Final

from babel.dates import get_month_names
from pydantic import field_validator

from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.mapping.settings_table import SettingsTable, Text
from kpi_pipeline.model.timezones import known_timezone

SERIAL: Final = "serial"
"""The format of days that a spreadsheet shows as numbers."""

SERIAL_DAY_ZERO: Final = date(1899, 12, 30)
"""Day 0 of the numbers of a spreadsheet, for every day from March 1900 on."""

FIRST_DAY: Final = date(1990, 1, 1)
"""No date of a certificate is before this day."""

LAST_DAY: Final = date(2100, 12, 31)
"""No date of a certificate is after this day."""

MONTH_WORDS: Final[Mapping[str, int]] = {
    # Much of South America writes it so too, and spreadsheets abbreviate to three letters.
    "setiembre": 9,
    "set": 9,
    **{
        word: number
        for language in LANGUAGES
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=language).items()
        for word in (name.casefold().rstrip("."), name.casefold()[:3])
    },
}
"""Name or short name of a month, in small letters, to its number, in the languages of the pages."""

_FORMAT_CODES: Final = frozenset("YymdbBjHIMSfp%")
"""Codes of a date format that mean the same on every machine."""

_TIME_CODES: Final = re.compile("%[HIMSfp]")

_SAMPLE_DAYS: Final = tuple(
    date(year, month, day) for year in (2003, 2011, 2024) for month in range(1, 13) for day in (3, 11, 12, 25)
)
"""Days whose texts show whether two formats read one text as two days."""


class Dates(SettingsTable):
    """How dates are read that are text.

    ISO 8601 is always read, and so are months with a year of four digits: `2024-03`, `2024-3`, `202403`,
    `03/2024`, `marzo 2024`, `mar-2024`. Names of months (`%b`, `%B`) are Spanish or English, in any case.
    `0000-00-00` is no value. A date without a time stays as written; a moment counts on the day that it
    has in KPI_TIMEZONE.

    Attributes:
        formats: Formats of dates in strptime notation, such as `%d/%m/%Y` or `%d-%b-%y`, or `serial` for
            the numbers of a spreadsheet (45352 is 2024-03-01). Two formats that read one text as two
            days are refused. A year of two digits is read only where a format says so.
        months: Formats of the billing month, such as `%m/%y`.
        timezone: Time zone of moments without an offset, such as `UTC` for Odoo or Rails. Without it they
            are in KPI_TIMEZONE. A moment with its offset needs no setting.
    """

    formats: tuple[Text, ...] = ()
    months: tuple[Text, ...] = ()
    timezone: Text | None = None

    @field_validator("formats")
    @classmethod
    def _formats_give_a_date(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for given in formats:
            _check_codes(given)
            # Two dates that differ in day, month and year: a format that lacks one loses it.
            for day in (date(2021, 11, 28), date(2024, 2, 29)):
                if read_day(written_day(day, given), given) != day:
                    raise ValueError(
                        f"{given!r} does not give a whole date; it needs year, month and day, "
                        "such as %d/%m/%Y"
                    )
        _refuse_two_readings(formats, lambda day: day)
        return formats

    @field_validator("months")
    @classmethod
    def _formats_give_a_month(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for given in formats:
            _check_codes(given)
            for day in (date(2021, 11, 1), date(2024, 2, 1)):
                if given == SERIAL or read_day(written_day(day, given), given) != day:
                    raise ValueError(
                        f"{given!r} does not give a month; it needs year and month, such as %m/%y"
                    )
        _refuse_two_readings(formats, lambda day: day.replace(day=1))
        return formats

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        return None if name is None else known_timezone(name)


def has_time(given: str) -> bool:
    """Whether a format gives a moment and not only a day."""
    return _TIME_CODES.search(given) is not None


def written_day(day: date, given: str) -> str:
    """A day written in a format."""
    return str((day - SERIAL_DAY_ZERO).days) if given == SERIAL else day.strftime(given)


def read_day(text: str, given: str) -> date | None:
    """The day of a text by one format, names of months in English; None if it cannot be read."""
    if given == SERIAL:
        return SERIAL_DAY_ZERO + timedelta(int(text)) if re.fullmatch(r"[3-7]\d{4}", text) else None
    try:
        return datetime.strptime(text, given).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _check_codes(given: str) -> None:
    unknown = sorted(set(re.findall(r"%(.?)", given)) - _FORMAT_CODES)
    if unknown:
        raise ValueError(
            f"{given!r}: %{unknown[0]} is not supported; "
            f"use {' '.join('%' + code for code in sorted(_FORMAT_CODES))}"
        )


def _refuse_two_readings(formats: tuple[str, ...], part: Callable[[date], date]) -> None:
    for text, one, other in _two_readings(formats, part):
        raise ValueError(
            f"{one!r} and {other!r} read {text!r} as two different dates; "
            "give only the one that the source uses"
        )


def _two_readings(formats: tuple[str, ...], part: Callable[[date], date]) -> Iterator[tuple[str, str, str]]:
    """Texts that two formats read as different dates, with those formats."""
    for one, other in combinations(formats, 2):
        for day in map(part, _SAMPLE_DAYS):
            for writing, reading in ((one, other), (other, one)):
                text = written_day(day, writing)
                read = read_day(text, reading)
                if read is not None and read != day and FIRST_DAY <= read <= LAST_DAY:
                    yield text, one, other
