"""Numbers, money and dates as people write them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.formats import Formats, write_number

DECIMALS = {"CLP": 0, "USD": 2}
SANTIAGO = ZoneInfo("America/Santiago")
ES, EN = (Formats(language, DECIMALS, SANTIAGO) for language in ("es", "en"))


@pytest.mark.parametrize(
    ("minor", "currency", "spanish", "english"),
    [
        (1_234_000_000, "CLP", "$1.234 M", "CLP 1,234 M"),
        (12_340_000, "CLP", "$12,3 M", "CLP 12.3 M"),
        (5_000_000, "CLP", "$5,0 M", "CLP 5.0 M"),
        (999_999, "CLP", "$999.999", "CLP 999,999"),
        (0, "CLP", "$0", "CLP 0"),
        (-7_500_000, "CLP", "\N{MINUS SIGN}$7,5 M", "\N{MINUS SIGN}CLP 7.5 M"),
        (123_456_789, "USD", "US$1,2 M", "USD 1.2 M"),
        (12_345, "USD", "US$123", "USD 123"),
        (1_000_000, "JPY", "JPY 1,0 M", "JPY 1.0 M"),
    ],
)
def test_money_is_short(minor, currency, spanish, english) -> None:
    assert ES.money(minor, currency).short.replace("\xa0", " ") == spanish
    assert EN.money(minor, currency).short.replace("\xa0", " ") == english


def test_money_in_full_has_its_last_unit() -> None:
    assert ES.money(1_234_567_890, "CLP").full == "$1.234.567.890"
    assert ES.money(123_456_789, "USD").full == "US$1.234.567,89"
    assert EN.money(123_456_789, "USD").full == "USD\xa01,234,567.89"


def test_money_without_the_sign_of_its_currency() -> None:
    assert ES.money(12_340_000, "CLP").bare == "12,3\xa0M"
    assert ES.money(-12_340_000, "CLP").bare == "\N{MINUS SIGN}12,3\xa0M"


def test_an_amount_beside_a_grid_line_is_as_short_as_it_can_be() -> None:
    ticks = [ES.tick(minor, "CLP") for minor in (0, 500_000, 5_000_000, 7_500_000, -20_000_000, 100_000_000)]
    assert ticks == ["0", "500.000", "5\xa0M", "7,5\xa0M", "\N{MINUS SIGN}20\xa0M", "100\xa0M"]


def test_money_tells_the_sign_of_its_currency() -> None:
    for written in (ES.money(-123_456_789, "USD"), EN.money(12_345, "CLP"), ES.money(7, "JPY")):
        assert written.symbol in ("US$", "CLP", "JPY")
        for text in (written.short, written.full):
            assert text.count(written.symbol) == 1
            assert ("\xa0" in text.partition(written.symbol)[2][:1]) is written.symbol.isalpha()


NUMBERS = st.one_of(
    st.integers(-(10**18), 10**18),
    st.integers(-2_000, 2_000).map(lambda thousandths: thousandths / 1000),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.decimals(-(10**18), 10**18, allow_nan=False, places=6),
)


@given(NUMBERS, st.integers(0, 8), st.sampled_from([("es", "es_CL"), ("en", "en")]))
def test_numbers_are_written_as_babel_writes_them(number, decimals, language) -> None:
    ours, locale = language
    for at_least in {None, 0, decimals}:
        fixed = decimals if at_least is None else at_least
        pattern = "#,##0." + "0" * fixed + "#" * (decimals - fixed)
        # Babel's sign is a hyphen, and stands before what it rounds to zero.
        babels = format_decimal(number, pattern, locale=locale).removeprefix("-")
        written = write_number(number, ours, decimals, at_least)
        assert written.removeprefix("\N{MINUS SIGN}") == babels
        is_negative = number < 0 and any(digit in babels for digit in "123456789")
        assert written.startswith("\N{MINUS SIGN}") == is_negative


@given(st.integers(-(10**12), 10**12), st.sampled_from(["CLP", "USD"]), st.sampled_from(["es", "en"]))
def test_whole_minor_units_are_written_as_any_number_of_them(minor, currency, language) -> None:
    whole, any_number = (Formats(language, DECIMALS, SANTIAGO) for _ in range(2))
    assert whole.money(minor, currency) == any_number.money(float(minor), currency)


@given(st.integers(0, 10**18), st.sampled_from(["CLP", "USD"]))
def test_amounts_in_full_are_written_as_babel_writes_them(minor, currency) -> None:
    amount = Decimal(minor).scaleb(-DECIMALS[currency])
    babels = format_currency(amount, currency, locale="es_CL", format="\N{CURRENCY SIGN}#,##0.00")
    assert ES.money(minor, currency).full == babels


@given(st.integers(-(10**18), 10**18))
def test_the_full_amount_can_be_read_back(minor: int) -> None:
    written = EN.money(minor, "USD").full.replace("\xa0", "").replace(",", "").replace("USD", "")
    assert round(float(written.replace("\N{MINUS SIGN}", "-")) * 100) == pytest.approx(minor, rel=1e-12)


def test_numbers() -> None:
    assert (ES.count(9957), EN.count(9957)) == ("9.957", "9,957")
    # An average is told to the tenth, a count of days whole.
    assert (ES.days(34.56), EN.days(34.0), EN.days(34)) == ("34,6", "34.0", "34")
    assert (ES.share(0.9345), EN.share(1)) == ("93,4%", "100.0%")


def test_a_moment_of_today_is_written_as_its_time() -> None:
    now = datetime(2024, 6, 28, 1, 30, tzinfo=UTC).timestamp()  # half past nine in the evening of the 27th
    assert ES.since(now - 5400, now) == "20:00"
    assert ES.since(now - 86_400, now) == "26 jun, 21:30"
    assert EN.since(now - 86_400, now) == "Jun 26, 21:30"


def test_dates() -> None:
    assert (ES.day(date(2024, 6, 28)), EN.day(date(2024, 6, 28))) == ("28 jun 2024", "Jun 28, 2024")
    assert (ES.month("2024-01"), EN.month("2024-01")) == ("ene 2024", "Jan 2024")
    assert (ES.month_name("2024-09"), EN.month_name("2024-12")) == ("sept", "Dec")
    assert (ES.day_of_year(date(2024, 6, 28)), EN.day_of_year(date(2024, 6, 28))) == ("28 jun", "Jun 28")
    assert ES.moment(1719576000) == "28 jun 2024, 08:00"
    assert EN.moment(1719576000) == "Jun 28, 2024, 08:00"


def test_ages() -> None:
    assert (ES.ago(200), EN.ago(200)) == ("hace 3 minutos", "3 minutes ago")
    assert (ES.ago(0), EN.ago(0)) == ("hace 1 segundo", "1 second ago")
