"""Numbers, money and dates as people write them in each language."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import (
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
)

from kpi_pipeline.model.agreement import share_digits, share_text
from kpi_pipeline.model.labels import DAY_OF_YEAR_PATTERN, DAY_PATTERN, Language
from serving.dates import LOCALES, written_date

_FULL_MONTHS: Final[dict[Language, str]] = {"es": "MMMM 'de' y", "en": "MMMM y"}
_MILLION: Final = 10**6
_EXACTLY: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
_MOST_NUMBERS: Final = 1_024
"""How many numbers are kept as they are written: those of a few pages, which write them several times."""

_QUANTA: Final = tuple(Decimal(1).scaleb(-decimals) for decimals in range(9))
"""The last decimal of a number, by how many it has; a currency has eight at most."""

_SIGNS: Final = {
    language: str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})
    for language, locale in LOCALES.items()
}
"""What stands between thousands and before the decimals."""

NO_DATA: Final = "—"
"""Shown where there is no value."""


class Money(NamedTuple):
    """An amount in three ways of writing.

    Attributes:
        short: As it is shown, with the symbol of its currency.
        bare: The same without the symbol, where the currency is shown separately.
        full: To the last unit.
        symbol: The symbol of the currency in `short` and `full`.
    """

    short: str
    bare: str
    full: str
    symbol: str


class Formats:
    """Writes values in one language.

    Args:
        language: The reader's.
        decimals: Decimals of each currency, by its code.
        timezone: Of clock times.
    """

    def __init__(self, language: Language, decimals: Mapping[str, int], timezone: ZoneInfo) -> None:
        self._language = language
        self._locale = LOCALES[language]
        self._decimals = decimals
        self._timezone = timezone
        self._money: dict[tuple[int | float, str], Money] = {}

    @property
    def timezone(self) -> str:
        """The name of the time zone in which clock times are shown."""
        return self._timezone.key

    def money(self, minor: int | float, currency: str) -> Money:
        """An amount, shown in millions (M) from one million on.

        Args:
            minor: In minor units of the currency.
            currency: Its ISO 4217 code.
        """
        known = self._money.get((minor, currency))
        if known is None:
            if len(self._money) >= _MOST_NUMBERS:
                self._money.clear()
            known = self._money[minor, currency] = self._written_money(minor, currency)
        return known

    def _written_money(self, minor: int | float, currency: str) -> Money:
        decimals = self.decimals(currency)
        if isinstance(minor, int):
            bare, full = self._whole_money(abs(minor), decimals)
        else:
            amount = abs(self.amount(minor, currency))
            bare, full = self._short(amount, at_least=1), self._number(amount, decimals)
        sign = "\N{MINUS SIGN}" if minor < 0 else ""
        symbol = _symbol(currency, self._language)
        # A code is separated from the number, "$" is not.
        before = f"{sign}{symbol}" + ("\N{NO-BREAK SPACE}" if symbol.isalpha() else "")
        return Money(before + bare, sign + bare, before + full, symbol)

    def _whole_money(self, minor: int, decimals: int) -> tuple[str, str]:
        """A number of minor units in short and in full, as `_short` and `_number` write their amount."""
        signs, unit = _SIGNS[self._language], 10**decimals
        million = unit * _MILLION
        if minor < million:
            short = f"{_half_even(minor, unit):,}"
        elif minor >= 100 * million:
            short = f"{_half_even(minor, million):,}\N{NO-BREAK SPACE}M"
        else:
            tenths = _half_even(minor * 10, million)
            short = f"{tenths // 10:,}.{tenths % 10}\N{NO-BREAK SPACE}M"
        full = f"{minor // unit:,}.{minor % unit:0{decimals}}" if decimals else f"{minor:,}"
        return short.translate(signs), full.translate(signs)

    def scaled_money(self, units: int, currency: str, decimals: int, *, in_millions: bool) -> str:
        """An amount that was rounded before, with the symbol of its currency.

        Args:
            units: In the last of its decimals.
            currency: Its ISO 4217 code.
            decimals: How many it has.
            in_millions: Whether it is of millions (M), else of whole units.
        """
        number = self._number(Decimal(abs(units)).scaleb(-decimals), decimals)
        sign, symbol = "\N{MINUS SIGN}" if units < 0 else "", _symbol(currency, self._language)
        space = "\N{NO-BREAK SPACE}" if symbol.isalpha() else ""
        return f"{sign}{symbol}{space}{number}" + ("\N{NO-BREAK SPACE}M" if in_millions else "")

    def shown_money(self, minor: int | float, currency: str) -> Decimal:
        """An amount as `money` shows it, in whole units, so that a difference is that of the values shown."""
        amount = self.amount(minor, currency)
        size = abs(amount)
        unit = 1 if size < _MILLION else _MILLION if size >= 100 * _MILLION else _MILLION // 10
        return _rounded(amount / unit, 0) * unit

    def money_difference(self, difference: Decimal) -> str:
        """A difference of two amounts that `shown_money` gave, without their currency: to its last unit."""
        if abs(difference) >= _MILLION and difference % (_MILLION // 10) == 0:
            return f"{self._number(difference / _MILLION, 1, 0)}\N{NO-BREAK SPACE}M"
        return self._number(difference, 0)

    def tick(self, minor: int | float, currency: str) -> str:
        """An amount at a grid line, as `Money.bare` has it, but without decimals where it is round."""
        amount = self.amount(minor, currency)
        return ("\N{MINUS SIGN}" if amount < 0 else "") + self._short(abs(amount), at_least=0)

    def amount(self, minor: int | float, currency: str) -> Decimal:
        """An amount of minor units in whole units of its currency, exactly."""
        return Decimal(minor).scaleb(-self.decimals(currency))

    def decimals(self, currency: str) -> int:
        """How many decimals amounts of a currency have."""
        known = self._decimals.get(currency)
        # A currency may have come up since the catalogue was read.
        return get_currency_precision(currency) if known is None else known

    def together(self, texts: Sequence[str]) -> str:
        """Several texts as one, the last after an "and"."""
        return format_list(texts, "standard", self._locale)

    def count(self, number: int | float) -> str:
        """A whole number."""
        return self._number(number, 0)

    def days(self, number: int | float) -> str:
        """A number of days without its unit: a count of them whole, an average to the tenth."""
        return self._number(number, 1 if isinstance(number, float) else 0)

    def share(self, part: float, decimals: int = 1) -> str:
        """A share in percent: to the tenth, or with further decimals where they are no zeros."""
        return self._number(part * 100, decimals, 1) + "%"

    def least_share(self, part: float) -> str:
        """A share that is at least so large, in percent: rounded down, to the digits that its nines need."""
        digits = share_digits(part)
        return self._number(Decimal(share_text(part)), digits, digits) + "%"

    def shown_percent(self, part: float) -> Decimal:
        """A share in percent as `share` rounds it, so that a difference is that of the values shown."""
        return _rounded(part * 100, 1)

    def shown_days(self, number: int | float) -> Decimal:
        """A number of days as `days` rounds it."""
        return _rounded(number, 1 if isinstance(number, float) else 0)

    def points(self, difference: Decimal) -> str:
        """A difference of two shares in percentage points, to the tenth, without the unit."""
        return self._number(difference, 1)

    def sign(self, currency: str) -> str:
        """The sign of a currency as it is written in Chile, such as `$` and `US$`, whatever the language."""
        return _symbol(currency, "es")

    def day(self, day: date) -> str:
        """A calendar day."""
        return written_date(day, self._language)

    def day_of_year(self, day: date) -> str:
        """A calendar day without its year."""
        return written_date(day, self._language, DAY_OF_YEAR_PATTERN)

    def month(self, text: str) -> str:
        """A month given as YYYY-MM."""
        return _month(text, "MMM y", self._language)

    def month_in_full(self, text: str) -> str:
        """A month given as YYYY-MM, its name written out."""
        return _month(text, _FULL_MONTHS[self._language], self._language)

    def month_and_year(self, text: str) -> str:
        """A month given as YYYY-MM with its year in two digits, for the heads of columns."""
        return _month(text, "LLL yy", self._language).replace(".", "")

    def month_name(self, text: str) -> str:
        """The short name of a month given as YYYY-MM, without its year."""
        return _month(text, "LLL", self._language)

    def moment(self, moment: float, *, seconds: bool = False) -> str:
        """A moment on the clock of the time zone.

        Args:
            moment: In seconds since the epoch.
            seconds: Whether it is written to the second, not to the minute.
        """
        pattern = DAY_PATTERN.into(self._language) + (", HH:mm:ss" if seconds else ", HH:mm")
        return _moment(moment, pattern, self.timezone, self._language)

    def since(self, seconds: float, now: float) -> str:
        """A moment of the past: its time of day alone when that is today's."""
        local, today = (
            datetime.fromtimestamp(moment, UTC).astimezone(self._timezone) for moment in (seconds, now)
        )
        day = "" if local.date() == today.date() else f"{DAY_OF_YEAR_PATTERN.into(self._language)}, "
        return _moment(seconds, f"{day}HH:mm", self.timezone, self._language)

    def ago(self, seconds: int) -> str:
        """How long ago something was."""
        return ago(seconds, self._language)

    def duration(self, seconds: float) -> str:
        """How long something takes, in its largest unit."""
        return format_timedelta(timedelta(seconds=max(seconds, 1)), threshold=1.5, locale=self._locale)

    def _short(self, amount: Decimal, at_least: int) -> str:
        """An amount in millions from one million on; `at_least` so many decimals, at most one."""
        millions = amount / _MILLION
        if millions < 1:
            return self._number(amount, 0)
        number = self._number(millions, 0) if millions >= 100 else self._number(millions, 1, at_least)
        return f"{number}\N{NO-BREAK SPACE}M"

    def _number(self, number: float | Decimal, decimals: int, at_least: int | None = None) -> str:
        return write_number(number, self._language, decimals, at_least)


# A page writes most numbers several times: drawn, in a table and in full.
@lru_cache(maxsize=_MOST_NUMBERS)
def write_number(
    number: float | Decimal, language: Language, decimals: int, at_least: int | None = None
) -> str:
    """A number with its digits in groups, as Babel writes it but for the sign; in a tenth of its time.

    Args:
        number: What is rounded to zero has no sign.
        language: Of the reader.
        decimals: How many decimals it has at most.
        at_least: How many at least; as many if not given.
    """
    if decimals == 0 and type(number) is int:
        text = f"{abs(number):,}".translate(_SIGNS[language])
        return f"\N{MINUS SIGN}{text}" if number < 0 else text
    rounded = _rounded(number, decimals)
    # Commas between thousands and a point, whatever the language.
    text = f"{rounded.copy_abs():,f}"
    if at_least is not None and decimals > at_least:
        kept = len(text) - (decimals - at_least)
        text = text[:kept] + text[kept:].rstrip("0")
        text = text.removesuffix(".")
    text = text.translate(_SIGNS[language])
    return f"\N{MINUS SIGN}{text}" if rounded < 0 else text


def _half_even(number: int, unit: int) -> int:
    """How many units a number has, rounded half to even."""
    whole, rest = divmod(number, unit)
    return whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1))


@lru_cache(maxsize=4096)
def ago(seconds: int, language: Language) -> str:
    """How long ago something was, as `Formats.ago` writes it."""
    past = timedelta(seconds=-max(seconds, 1))  # zero would read as yet to come
    written: str = format_timedelta(past, add_direction=True, locale=LOCALES[language])
    return written


def _rounded(number: int | float | Decimal, decimals: int) -> Decimal:
    """A number rounded as Babel writes it: half to even, of its shortest text."""
    exact = number if isinstance(number, Decimal) else Decimal(str(number))
    return exact.quantize(_QUANTA[decimals], context=_EXACTLY)


@cache
def _symbol(currency: str, language: Language) -> str:
    # In Chile "$" is the peso; elsewhere only the code leaves no doubt.
    return get_currency_symbol(currency, LOCALES["es"]) if language == "es" else currency


@lru_cache(maxsize=1024)
def _moment(moment: float, pattern: str, timezone: str, language: Language) -> str:
    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(timezone))
    return format_datetime(local, pattern, locale=LOCALES[language])


@lru_cache(maxsize=1024)
def _month(text: str, pattern: str, language: Language) -> str:
    year, month = text.split("-")
    return format_date(date(int(year), int(month), 1), pattern, locale=LOCALES[language]).rstrip(".")
