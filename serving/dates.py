"""Days, months and moments as people write them in each language."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

from kpi_pipeline.model.labels import DAY_PATTERN, Language, Text
from kpi_pipeline.model.moments import written_day

LOCALES: Final[dict[Language, Locale]] = {"es": Locale("es", "CL"), "en": Locale("en")}


_MONTH: Final = Text("MMM y", "MMM y")


@lru_cache(maxsize=1024)
def written_date(day: date, language: Language, pattern: Text = DAY_PATTERN) -> str:
    """A day in a language, by a pattern of the Unicode CLDR."""
    return format_date(day, pattern.into(language), locale=LOCALES[language])


def day_text(day: date) -> Text:
    """A day in both languages, such as `31 may 2024` and `May 31, 2024`."""
    return Text(written_date(day, "es"), written_date(day, "en"))


def month_text(month: str) -> Text:
    """A month given as YYYY-MM, such as `May 2024`; any other text as it is."""
    first = written_day(f"{month}-01")
    if first is None:
        return Text(month, month)
    es, en = (written_date(first, language, _MONTH) for language in ("es", "en"))
    return Text(es, en)


def moment_text(moment: float, timezone: str) -> Text:
    """A moment, in seconds since the epoch, on the clock of a time zone, to the minute."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(timezone))
    es, en = (
        format_datetime(local, f"{DAY_PATTERN.into(one)}, HH:mm", locale=LOCALES[one]) for one in LOCALES
    )
    return Text(es, en)


def value_text(value: str) -> Text:
    """A value of an address as people read it: a day as a day, anything else as it is."""
    day = written_day(value)
    return Text(value, value) if day is None else day_text(day)


def day_choice(value: str) -> Text:
    """A value that an address could have: a day with what is to be written in brackets."""
    text = value_text(value)
    return text if text.es == value else Text(f"{text.es} ({value})", f"{text.en} ({value})")
