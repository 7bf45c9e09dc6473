"""`[dates]` of a mapping file: how dates are read."""

import re
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from kpi_pipeline.model.mapping.settings_table import SettingsTable, Text

_FORMAT_CODES: Final = frozenset("YymdbBjHIMSfp%")
"""Codes of a date format that do not depend on the machine's locale, and those of English months."""


class Dates(SettingsTable):
    """How dates are read; a moment is cut to its date.

    Attributes:
        formats: Formats of dates that are text, in strptime notation, tried in order; ISO 8601
            always works.
        timezone: Time zone in which a moment that carries its offset is cut to a date. Without it
            text keeps the date as written, and a database's own zoned moments are taken in UTC.
    """

    formats: tuple[Text, ...] = ()
    timezone: Text | None = None

    @field_validator("formats")
    @classmethod
    def _formats_give_a_date(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for given in formats:
            unknown = sorted(set(re.findall(r"%(.?)", given)) - _FORMAT_CODES)
            if unknown:
                raise ValueError(
                    f"{given!r}: %{unknown[0]} is not supported; "
                    f"use {' '.join('%' + code for code in sorted(_FORMAT_CODES))}"
                )
            # Two dates that differ in day, month and year: a format that lacks one loses it.
            for day in (date(2021, 11, 28), date(2024, 2, 29)):
                if _round_trip(day, given) != day:
                    raise ValueError(
                        f"{given!r} does not give a whole date; it needs year, month and day, "
                        "such as %d/%m/%Y"
                    )
        return formats

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(
                    f"unknown time zone {name!r}; use an IANA name such as America/Santiago"
                ) from error
        return name


def _round_trip(day: date, given: str) -> date | None:
    """The date that remains of a date written in a format and read again; None if it cannot be read."""
    try:
        return datetime.strptime(day.strftime(given), given).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
