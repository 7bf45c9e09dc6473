"""Windows: the months at which KPIs are evaluated."""

from datetime import date
from typing import Any

import pytest

from kpi_pipeline.compute.months import month_text
from kpi_pipeline.compute.windows import PREVIOUS, RECENT, TREND, VALUE, WINDOWS, Windows, comparisons
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis.formulas import Span

YEAR = ("2023-03", "2024-02", "2022-03", "2023-02")
AGE = {"issued_age": ["0-6"]}


def compared(cube, terms: dict[str, Any]) -> tuple[str, ...] | None:
    (found,) = comparisons(cube.select([Filter.of(terms)]))
    return None if found is None else tuple(found.values())


@pytest.mark.parametrize(
    ("terms", "months"),
    [
        ({}, YEAR),
        ({"client": "nobody"}, YEAR),
        ({"month": "2024-02"}, ("2024-02", "2024-02", "2024-01", "2024-01")),
        ({"month": ["2023-12", "2024-01"]}, ("2023-12", "2024-01", "2023-10", "2023-11")),
        ({"month": ["2024-01", "2024-02", "2024-03"]}, ("2024-01", "2024-02", "2023-11", "2023-12")),
        ({"month": ["2023-12", "2024-02"]}, None),
        ({"month": ["2023-11", "2024-02", "2024-03"]}, None),
        ({"month": ["2023-11", "2024-03"]}, ("2023-11", "2023-11", "2023-10", "2023-10")),
        ({"month": "2024-03"}, None),
        ({"month": "2024-05"}, None),
        (AGE, None),
        ({**AGE, "month": "2024-02"}, None),
    ],
)
def test_like_windows_are_the_complete_months_and_as_many_before(cube_of, terms, months) -> None:
    cube = cube_of([{}])
    assert compared(cube, terms) == months
    windows = Windows.of(cube.select([Filter.of(terms)]))
    assert windows.there[0, [RECENT, PREVIOUS]].tolist() == [months is not None] * 2
    assert windows.there[0, VALUE]
    assert windows.there[0, TREND].all()


@pytest.mark.parametrize(
    ("as_of", "window", "windows"),
    [
        (date(2024, 2, 29), 3, ("2023-12", "2024-02", "2023-09", "2023-11")),
        (date(2024, 2, 28), 3, ("2023-11", "2024-01", "2023-08", "2023-10")),
        (date(2024, 3, 31), 1, ("2024-03", "2024-03", "2024-02", "2024-02")),
    ],
)
def test_a_month_is_complete_on_its_last_day(cube_of, as_of: date, window: int, windows) -> None:
    assert compared(cube_of([{"issued_on": as_of}], as_of, window), {}) == windows


def spans(cube, terms: dict[str, Any], anchor: int) -> dict[Span, tuple[str, str]]:
    windows = Windows.of(cube.select([Filter.of(terms)]))
    found = {}
    for span in Span:
        first, last = windows.span(span)
        assert first.shape == last.shape == (1, WINDOWS)
        found[span] = month_text(int(first[0, anchor])), month_text(int(last[0, anchor]))
    return found


def one(month: str) -> tuple[str, str]:
    return month, month


def test_spans_over_a_filter_without_months_rest_on_the_trailing_window(cube_of) -> None:
    found = spans(cube_of([{}], window=6), {}, VALUE)
    assert found == {
        Span.SELF: ("2023-10", "2024-03"),
        Span.WINDOW: ("2023-10", "2024-03"),
        Span.END: one("2024-03"),
        Span.START: one("2023-09"),
        Span.LAST: one("2024-02"),
        Span.BEFORE: one("2024-01"),
        Span.YEAR_BEFORE: one("2023-02"),
        Span.QUARTER: ("2023-12", "2024-02"),
        Span.YEAR: ("2024-01", "2024-03"),
    }


def test_spans_of_months_rest_on_these(cube_of) -> None:
    found = spans(cube_of([{}], window=6), {"month": ["2023-11", "2023-12"]}, VALUE)
    assert found[Span.WINDOW] == ("2023-11", "2023-12")
    assert found[Span.START] == one("2023-10")
    assert found[Span.END] == found[Span.LAST] == one("2023-12")
    assert found[Span.YEAR_BEFORE] == one("2022-12")
    assert found[Span.YEAR] == ("2023-01", "2023-12")


def test_spans_at_like_windows_rest_on_their_ends(cube_of) -> None:
    cube = cube_of([{}], window=2)
    recent, previous = (spans(cube, {}, anchor) for anchor in (RECENT, PREVIOUS))
    assert recent[Span.SELF] == recent[Span.WINDOW] == ("2024-01", "2024-02")
    assert recent[Span.START] == previous[Span.END] == previous[Span.LAST] == one("2023-12")
    assert previous[Span.SELF] == previous[Span.WINDOW] == ("2023-11", "2023-12")
    assert previous[Span.QUARTER] == ("2023-10", "2023-12")


def test_spans_at_a_month_of_the_trend_rest_on_it(cube_of) -> None:
    cube = cube_of([{}], window=3)
    last, first = spans(cube, {}, WINDOWS - 1), spans(cube, {}, TREND.start)
    assert last[Span.SELF] == one("2024-03")
    assert last[Span.WINDOW] == ("2024-01", "2024-03")
    assert last[Span.START] == one("2023-12")
    assert last[Span.LAST] == one("2024-02")
    assert first[Span.SELF] == first[Span.LAST] == one("2023-04")
    assert first[Span.WINDOW] == ("2023-02", "2023-04")
    assert first[Span.YEAR] == ("2023-01", "2023-04")


def test_days_of_a_window_are_those_that_have_passed(cube_of) -> None:
    cube = cube_of([{}], window=3)
    days = Windows.of(cube.select([Filter.of({}), Filter.of({"month": ["2023-02", "2024-03"]})])).days
    assert days[0, VALUE] == 31 + 29 + 15
    assert days[0, RECENT] == 31 + 31 + 29
    assert days[0, WINDOWS - 1] == 31 + 29 + 15
    assert days[0, TREND.start] == 28 + 31 + 30
    assert days[1, VALUE] == 28 + 15
