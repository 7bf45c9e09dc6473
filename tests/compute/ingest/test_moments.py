"""A written date is read as the day that was written or refused, never as another day."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.cells import Cell
from kpi_pipeline.compute.ingest.moments import day, is_no_date, month
from kpi_pipeline.model.mapping import Dates
from kpi_pipeline.model.mapping.dates import MONTH_WORDS, SERIAL_DAY_ZERO
from tests.examples import examples

from .reading import read

SANTIAGO = "America/Santiago"


def days_by(*formats: str, timezone: str | None = None) -> Callable[[Cell], str]:
    dates = Dates(formats=formats, timezone=timezone)
    return lambda cell: day(cell, dates, SANTIAGO)


def months_by(*months: str, formats: tuple[str, ...] = ()) -> Callable[[Cell], str]:
    dates = Dates(months=months, formats=formats)
    return lambda cell: month(cell, dates, SANTIAGO)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("%d-%b-%y", "05-ene-24"),
        ("%d-%b-%y", "05-ENE-24"),
        ("%d-%b-%y", "5-Jan-24"),
        ("%d-%b-%y", "05-ene.-24"),
        ("%d.%b.%Y", "05.ene.2024"),
        ("%d %b %Y", "05 ene. 2024"),
        ("%d de %B de %Y", "5 de Enero de 2024"),
        ("%B %d, %Y", "January 5, 2024"),
        ("%d/%b/%Y %H:%M", "05/ene/2024 23:59"),
        ("%Y%m%d", "20240105"),
        ("serial", "45296"),
        ("serial", "45296.75"),
        ("serial", "45296,5"),
    ],
)
def test_formats(given: str, written: str) -> None:
    assert read([written], days_by(given)) == [date(2024, 1, 5)]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("%d/%m/%Y", "05/01/24"),
        ("%d/%m/%Y", "5/1/024"),
        ("%d/%m/%y", "05/01/2024"),
        ("%d-%b-%y", "05-foo-24"),
        ("%d-%b-%y", "05-01-24"),
        ("%d-%b-%y", "31-feb-24"),
        ("serial", "1"),
        ("serial", "452960"),
        ("serial", "2024-13-01"),
        ("%d/%m/%Y", "45296"),
    ],
)
def test_what_a_format_does_not_say_is_not_read(given: str, written: str) -> None:
    assert read([written], days_by(given)) == [None]


def test_years_of_two_digits_beside_years_of_four() -> None:
    both = days_by("%d/%m/%Y", "%d/%m/%y")
    assert read(["05/01/24", "05/01/2024"], both) == [date(2024, 1, 5)] * 2


def test_every_month_of_the_languages_shipped() -> None:
    assert {MONTH_WORDS[word] for word in ("ene", "jan", "enero", "january")} == {1}
    texts = [f"5-{word}-2024" for word in MONTH_WORDS]
    assert read(texts, days_by("%d-%b-%Y")) == [date(2024, number, 5) for number in MONTH_WORDS.values()]


@pytest.mark.parametrize(
    "written",
    [
        "03/2024", "3/2024", "03-2024", "03.2024", "2024-3", "2024-03", "2024/03", "202403", "marzo 2024",
        "Marzo de 2024", "MAR-2024", "mar. 2024", "marzo del 2024", "2024 marzo", "March 2024", "2024-03-31",
        "31/03/2024",
        "2024-04-01T02:30:00Z",
    ],
)  # fmt: skip
def test_month_forms(written: str) -> None:
    assert read([written], months_by(formats=("%d/%m/%Y",))) == [date(2024, 3, 1)]


@pytest.mark.parametrize(
    "written", ["marzo", "mar-24", "03/24", "2024", "2024-13", "202413", "13/2024", "24-03", "0324"]
)
def test_a_month_without_a_whole_year_is_not_guessed_at(written: str) -> None:
    assert read([written], months_by(formats=("%d/%m/%Y",))) == [None]


@pytest.mark.parametrize(("given", "written"), [("%b-%y", "mar-24"), ("%m/%y", "03/24"), ("%m%Y", "032024")])
def test_declared_months(given: str, written: str) -> None:
    assert read([written], months_by(given)) == [date(2024, 3, 1)]


def test_a_text_that_is_a_month_and_a_date_of_another_month_is_not_read() -> None:
    assert read(["201103"], months_by(formats=("%y%m%d",))) == [None]
    assert read(["201103"], months_by()) == [date(2011, 3, 1)]


@pytest.mark.parametrize(
    "written",
    [
        "2024-02-29T23:30:00-03:00", "2024-03-01T02:30:00Z", "2024-03-01 02:30:00+00",
        "2024-03-01 02:30:00 UTC", "2024-03-01 02:30:00 +0000", "2024-03-01T02:30Z",
        "2024-03-01T14:30:00+12:00",
    ],
)  # fmt: skip
def test_one_instant_is_one_day(written: str) -> None:
    assert read([written], days_by()) == [date(2024, 2, 29)]


def test_a_moment_without_offset_is_in_the_zone_of_the_source() -> None:
    assert read(["2024-03-01 02:30:00"], days_by()) == [date(2024, 3, 1)]
    assert read(["2024-03-01 02:30:00"], days_by(timezone="UTC")) == [date(2024, 2, 29)]
    assert read(["01/03/2024 02:30"], days_by("%d/%m/%Y %H:%M", timezone="UTC")) == [date(2024, 2, 29)]
    assert read(["2024-03-01", "01/03/2024"], days_by("%d/%m/%Y", timezone="UTC")) == [date(2024, 3, 1)] * 2


@pytest.mark.parametrize("written", ["0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "0000-00"])
def test_a_date_of_zeros_is_none(written: str) -> None:
    assert read([written], is_no_date) == [True]


@pytest.mark.parametrize("written", ["0", "0000-00-01", "0001-01-01", "2024-03-01"])
def test_other_dates_are_not(written: str) -> None:
    assert read([written], is_no_date) == [False]


SHAPES = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%d/%m/%y",
    "%Y/%m/%d",
    "%Y-%m-%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "serial",
]
days = st.dates(date(1990, 1, 1), date(2068, 12, 31))


def written_as(when: date, shape: str) -> str:
    return str((when - SERIAL_DAY_ZERO) // timedelta(1)) if shape == "serial" else when.strftime(shape)


@pytest.mark.parametrize("shape", SHAPES)
@given(st.lists(days, min_size=1, max_size=50))
@settings(max_examples=5, deadline=None)
def test_each_shape_reads_back_by_its_own_format(shape: str, cases: list[date]) -> None:
    assert read([written_as(case, shape) for case in cases], days_by(shape)) == cases


@given(st.lists(st.tuples(days, st.sampled_from(SHAPES)), min_size=1, max_size=50))
@settings(max_examples=examples(20), deadline=None)
def test_without_formats_only_iso_is_read(cases: list[tuple[date, str]]) -> None:
    texts = [written_as(*case) for case in cases]
    for (when, shape), result in zip(cases, read(texts, days_by()), strict=True):
        assert result == (when if shape == "%Y-%m-%d" else None)
