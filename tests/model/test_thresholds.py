"""Thresholds are set in whole units and read in minor ones."""

import pytest

from kpi_pipeline.model.thresholds import Thresholds


@pytest.mark.parametrize(
    ("currency", "cuts"),
    [
        ("CLP", (1_000_000, 5_000_000, 10_000_000)),
        ("USD", (100_000, 500_000, 1_000_000)),
        ("JPY", (1_000, 5_000, 10_000)),
        ("KWD", (1_000_000, 5_000_000, 10_000_000)),
    ],
)
def test_cuts_are_those_of_the_currency_or_of_all_others_in_its_minor_units(
    currency: str, cuts: tuple[int, int, int]
) -> None:
    assert Thresholds().cuts(currency) == cuts


def test_cuts_of_a_currency_that_is_named_are_its_own() -> None:
    thresholds = Thresholds(amount_cuts={"USD": (1, 2, 3), "*": (7, 8, 9)})
    assert thresholds.cuts("USD") == (100, 200, 300)
    assert thresholds.cuts("CLP") == (7, 8, 9)


def test_a_target_is_of_its_currency_alone() -> None:
    thresholds = Thresholds(targets={"USD": 5, "CLP": 7})
    assert thresholds.monthly_target("USD") == 500
    assert thresholds.monthly_target("CLP") == 7
    assert thresholds.monthly_target("EUR") is None
