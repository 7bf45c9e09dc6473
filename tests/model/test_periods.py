"""Quick periods: what each selects on a date, ends of year and leap days included."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.dimensions import ISSUED_AGES
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.periods import PERIODS, TIME_DIMENSIONS, compared_quarters, quick_periods

HELD = [f"{year}-{month:02}" for year in (2022, 2023, 2024) for month in range(1, 13)]


def months(name: str, as_of: date, held: list[str] = HELD) -> list[str]:
    return list(quick_periods(as_of, held)[name]["month"])


def test_periods_of_months_end_with_the_month_of_as_of() -> None:
    leap_day = date(2024, 2, 29)
    assert months("this_month", leap_day) == ["2024-02"]
    assert months("3m", leap_day) == ["2023-12", "2024-01", "2024-02"]
    assert months("6m", leap_day) == ["2023-09", "2023-10", "2023-11", "2023-12", "2024-01", "2024-02"]
    assert months("12m", leap_day) == HELD[14:26]
    assert months("ytd", leap_day) == ["2024-01", "2024-02"]


def test_quarters_are_compared_with_the_one_before_and_that_of_the_year_before() -> None:
    day = date(2024, 5, 10)
    assert compared_quarters(day, HELD) == [
        tuple(HELD[at : at + 3])
        for at in (21, 15, 12)  # Q4 2023; Q2 and Q1 2023
    ]
    assert compared_quarters(day, ["2024-04", "2023-05"]) == [("2023-05",)]
    assert compared_quarters(day, []) == []


def test_the_year_to_date_is_one_month_in_january_and_twelve_in_december() -> None:
    assert months("ytd", date(2024, 1, 1)) == ["2024-01"]
    assert months("ytd", date(2023, 12, 31)) == HELD[12:24]


@pytest.mark.parametrize(
    ("as_of", "this", "last"),
    [
        (date(2024, 2, 29), ["2024-01", "2024-02"], ["2023-10", "2023-11", "2023-12"]),
        (date(2023, 12, 31), ["2023-10", "2023-11", "2023-12"], ["2023-07", "2023-08", "2023-09"]),
        (date(2024, 4, 1), ["2024-04"], ["2024-01", "2024-02", "2024-03"]),
    ],
)
def test_quarters_are_those_of_the_calendar(as_of, this, last) -> None:
    assert months("this_quarter", as_of) == this
    assert months("last_quarter", as_of) == last


@pytest.mark.parametrize(
    ("name", "ages"),
    [
        ("7d", ("0-6",)),
        ("30d", ("0-6", "7-13", "14-29")),
        ("90d", ("0-6", "7-13", "14-29", "30-59", "60-89")),
        ("365d", ("0-6", "7-13", "14-29", "30-59", "60-89", "90-179", "180-364")),
    ],
)
def test_periods_of_days_are_days_since_issue(name, ages) -> None:
    assert quick_periods(date(2024, 2, 29), [])[name] == {"issued_age": ages}


def test_all_time_selects_nothing() -> None:
    assert quick_periods(date(2024, 2, 29), HELD)["all"] == {}


def test_a_period_is_cut_to_the_months_that_there_are() -> None:
    as_of = date(2024, 2, 29)
    assert months("12m", as_of, ["2024-02", "2024-03", "2024-01"]) == ["2024-01", "2024-02"]


def test_a_period_without_any_month_is_left_out_for_it_would_select_everything() -> None:
    found = quick_periods(date(2024, 2, 29), ["2020-01"])
    assert sorted(found) == ["30d", "365d", "7d", "90d", "all"]
    assert [name for name, selection in found.items() if Filter.of(selection) == EVERYTHING] == ["all"]


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.integers(1, 40))
def test_months_follow_one_another_and_longer_periods_hold_shorter_ones(as_of, count) -> None:
    number = as_of.year * 12 + as_of.month - 1
    held = [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(number - count + 1, number + 1)]
    found = quick_periods(as_of, held)
    for length, name in ((1, "this_month"), (3, "3m"), (6, "6m"), (12, "12m"), (as_of.month, "ytd")):
        assert list(found[name]["month"]) == held[-length:]


def test_days_of_a_period_are_exactly_its_length() -> None:
    first_and_last = {label: (first, last) for label, first, last in ISSUED_AGES}
    for period in PERIODS:
        if period.unit == "day":
            days = [first_and_last[value] for value in period.values(date(2024, 2, 29), [])]
            assert (days[0][0], days[-1][1]) == (0, period.length - 1)
            assert all(low[1] + 1 == high[0] for low, high in pairwise(days))


def test_no_two_periods_share_a_spelling() -> None:
    spellings = [fold(spelling) for period in PERIODS for spelling in (period.name, *period.spellings)]
    assert len(spellings) == len(set(spellings))


def test_periods_are_of_dimensions_that_say_when() -> None:
    assert {period.dimension for period in PERIODS} == {*TIME_DIMENSIONS, None}
