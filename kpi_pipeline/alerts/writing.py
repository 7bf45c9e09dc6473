"""Values as readers of messages write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, get_currency_precision

from kpi_pipeline.model.alerts.rule_kind import Measure
from kpi_pipeline.model.labels import DAY_PATTERN, Counted, Language, Text

_LOCALES: Final[dict[Language, Locale]] = {"es": Locale("es", "CL"), "en": Locale("en")}
_DAYS: Final = Text("{number} {number:día|días}", "{number} {number:day|days}")


class MessageWriter:
    """Writes values in one language: moments on the clock of the settings, amounts in whole units.

    Args:
        language: The reader's.
        timezone: Of clock times.
    """

    def __init__(self, language: Language, timezone: str) -> None:
        self._language = language
        self._locale = _LOCALES[language]
        self._zone = ZoneInfo(timezone)

    @property
    def language(self) -> Language:
        """The language of the reader."""
        return self._language

    def moment(self, seconds: float) -> str:
        """A moment on the clock of the time zone, to the minute."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
        return format_datetime(local, f"{DAY_PATTERN.into(self._language)}, HH:mm", locale=self._locale)

    def day(self, day: date) -> str:
        """A day."""
        return format_date(day, DAY_PATTERN.into(self._language), locale=self._locale)

    def duration(self, seconds: float) -> str:
        """How long something takes, in its largest unit."""
        return format_timedelta(timedelta(seconds=max(seconds, 1)), threshold=1.5, locale=self._locale)

    def share(self, part: float) -> str:
        """A share in percent, to the tenth."""
        return format_decimal(part * 100, "#,##0.0", locale=self._locale) + "%"

    def count(self, number: int) -> str:
        """A whole number."""
        return format_decimal(number, "#,##0", locale=self._locale)

    def amount(self, minor: int, currency: str) -> str:
        """An amount in minor units, to the last unit, after the code of its currency."""
        decimals = get_currency_precision(currency)
        pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        whole = Decimal(minor).scaleb(-decimals)
        return f"{currency}\N{NO-BREAK SPACE}{format_decimal(whole, pattern, locale=self._locale)}"

    def size(self, number: int) -> str:
        """A number of bytes in MiB."""
        return f"{self.count(round(number / 2**20))}\N{NO-BREAK SPACE}MiB"

    def days(self, number: float) -> str:
        """A number of days, to the tenth."""
        written = format_decimal(number, "#,##0.#", locale=self._locale)
        return _DAYS.into(self._language).format(number=Counted(written))

    def measured(self, value: float, measure: Measure, currency: str = "") -> str:
        """A value in its unit; an amount in whole units of the currency."""
        match measure:
            case Measure.SHARE:
                return self.share(value)
            case Measure.DAYS:
                return self.days(value)
            case Measure.COUNT:
                return self.count(round(value))
            case Measure.AMOUNT:
                return self.amount(round(value * 10 ** get_currency_precision(currency)), currency)
