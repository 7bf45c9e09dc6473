"""Months are counted as people count them."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.months import (
    days_between,
    last_month_ended,
    last_month_over,
    month_end,
    month_number,
    month_of,
    month_text,
)

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
numbers = days.map(month_of)


@given(days)
def test_a_months_number_gives_its_text_back(day: date) -> None:
    assert month_text(month_of(day)) == day.strftime("%Y-%m")
    assert month_number(day.strftime("%Y-%m")) == month_of(day)


@pytest.mark.parametrize(
    ("as_of", "month"),
    [(date(2024, 6, 30), "2024-06"), (date(2024, 6, 29), "2024-05"), (date(2024, 7, 1), "2024-06")],
    ids=str,
)
def test_a_month_is_over_on_its_last_day(as_of: date, month: str) -> None:
    assert last_month_over(as_of) == month_number(month)


@pytest.mark.parametrize(
    ("as_of", "calendar_day", "month"),
    [
        (date(2024, 6, 30), date(2024, 6, 30), "2024-05"),
        (date(2024, 6, 30), date(2024, 7, 1), "2024-06"),
        (date(2024, 6, 29), date(2026, 1, 2), "2024-05"),
    ],
    ids=str,
)
def test_a_month_has_ended_on_the_day_after_it(as_of: date, calendar_day: date, month: str) -> None:
    assert last_month_ended(as_of, calendar_day) == month_number(month)


def test_the_next_month_has_the_next_number() -> None:
    assert month_number("2025-01") == month_number("2024-12") + 1


@pytest.mark.parametrize(
    ("month", "as_of", "days"),
    [
        ("2024-02", date(2024, 3, 15), 29),
        ("2023-02", date(2023, 2, 28), 28),
        ("2024-03", date(2024, 3, 15), 15),
        ("2024-03", date(2024, 3, 1), 1),
        ("2024-04", date(2024, 3, 31), 0),
    ],
)
def test_days_of_a_month_end_with_the_business_date(month: str, as_of: date, days: int) -> None:
    number = np.array([month_number(month)])
    assert days_between(number, number, as_of).tolist() == [days]


@pytest.mark.parametrize(
    ("month", "last"), [("2024-02", "2024-02-29"), ("2023-02", "2023-02-28"), ("2024-12", "2024-12-31")]
)
def test_a_month_ends_on_its_last_day(month: str, last: str) -> None:
    assert month_end(month_number(month)).isoformat() == last


@given(numbers, st.integers(0, 40), days)
def test_days_of_a_stretch_are_those_of_its_months(first: int, length: int, as_of: date) -> None:
    found = days_between(np.array([first]), np.array([first + length]), as_of)
    begin, end = month_end(first - 1), min(month_end(first + length), as_of)
    assert found.tolist() == [max((end - begin).days, 0)]


def test_a_stretch_that_ends_before_it_begins_has_no_days() -> None:
    first = np.array([[month_number("2024-03"), month_number("2024-02")]])
    assert days_between(first, first - 1, date(2024, 3, 15)).tolist() == [[0, 0]]
