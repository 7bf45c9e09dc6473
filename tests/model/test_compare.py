"""Periods of billing months: a month, a quarter or a year is the months of it that there are."""

import pytest

from kpi_pipeline.model.compare import months_of, periods_in, quarters_compared

HELD = ("2023-11", "2023-12", "2024-01", "2024-02", "2024-04")


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ("2024-01", ("2024-01",)),
        ("2024-Q1", ("2024-01", "2024-02")),
        ("2023-q4", ("2023-11", "2023-12")),
        ("2024", ("2024-01", "2024-02", "2024-04")),
        ("2024-03", ()),
        ("2024-Q5", ()),
        ("2024-Q3", ()),
        ("24", ()),
        ("ayer", ()),
    ],
)
def test_the_months_of_a_period(period: str, months: tuple[str, ...]) -> None:
    assert months_of(period, HELD) == months


def test_the_periods_that_there_are_begin_with_the_latest() -> None:
    years, quarters, months = periods_in(HELD)
    assert years == ["2024", "2023"]
    assert quarters == ["2024-Q2", "2024-Q1", "2023-Q4"]
    assert months[0] == "2024-04"
    assert all(months_of(one, HELD) for one in (*years, *quarters, *months))


@pytest.mark.parametrize(
    ("months", "quarters"),
    [
        (("2024-01", "2024-02"), ("2024-Q1", "2023-Q4", "2023-Q1")),
        (("2023-11", "2023-12"), ("2023-Q4",)),
        (("2024-04",), ("2024-Q2", "2024-Q1")),
        (("2024-01",), ()),
        (("2024-02", "2024-04"), ()),
        ((), ()),
    ],
)
def test_a_quarter_is_compared_with_those_before(months: tuple[str, ...], quarters: tuple[str, ...]) -> None:
    held = ("2023-01", *HELD)
    assert quarters_compared(months, held) == quarters
