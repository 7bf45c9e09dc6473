"""Scores of the forecast, where they can be told beforehand."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.compute.forecasting.backtest import Score, score_forecasts
from tests.compute.conftest import certificates_table

AS_OF = date(2024, 6, 30)


def bills(waits: list[int], client: str = "x", currency: str = "CLP", each: int = 20) -> list[dict[str, Any]]:
    """Bills of a million on each month's 20th, up to June 2024; the wait for payment of each month."""
    found = []
    for back, wait in enumerate(reversed(waits)):
        month = 2024 * 12 + 5 - back
        issued = date(month // 12, month % 12 + 1, 20)
        bill = {"client": client, "currency": currency, "issued_on": issued, "amount_proposed": 10**6}
        day = issued + timedelta(wait)
        state = {"state": "pagado", "paid_on": day} if day <= AS_OF else {"state": "validado"}
        found += [{**bill, **state, "amount_approved": 10**6}] * each
    return found


def scored(rows: list[dict[str, Any]], months: int = 6) -> dict[tuple[str, int | None], Score]:
    found = score_forecasts(certificates_table(rows), AS_OF, months)
    return {(one.currency, one.months_ahead): one for one in found}


def test_clients_that_keep_time_are_forecast_to_the_unit() -> None:
    found = scored(bills([30] * 24))
    overall = found["CLP", None]
    assert (overall.error, overall.coverage.in_50, overall.coverage.client_in_90) == (0, 1, 1)
    assert found.keys() == {("CLP", ahead) for ahead in (*range(13), None)}


def test_a_month_in_which_nothing_could_come_is_not_counted() -> None:
    found = scored(bills([25, 35] * 12))
    assert [found["CLP", ahead].months for ahead in (1, 2, 3)] == [6, 0, 0]
    assert found["CLP", None].months == 6
    ahead = found["CLP", 2]
    assert (ahead.coverage.in_50, ahead.error, ahead.naive_error) == (None,) * 3


@pytest.mark.parametrize("months", [1, 3, 6])
def test_each_month_held_back_is_forecast_once_for_every_number_of_months_ahead(months: int) -> None:
    found = scored(bills([15, 45, 75, 105] * 9), months)
    assert [found["CLP", ahead].months for ahead in (1, 2, 3, 4)] == [months] * 4
    assert found["CLP", None].months == sum(found["CLP", ahead].months for ahead in range(1, 13))


def test_a_change_of_habit_is_a_miss_and_the_naive_rule_learns_it_sooner() -> None:
    found = scored(bills([25] * 18 + [55] * 6))
    assert found["CLP", 1].is_worse_than_naive
    assert found["CLP", 1].coverage.in_90 < 1


def test_a_mixture_of_clients_is_told_apart_by_the_forecast_alone() -> None:
    """One client pays soon, one late, and their shares change: the run-off of the whole misleads."""
    soon = bills([25] * 30, "soon", each=30)
    late = [bill for at, bill in enumerate(bills([55] * 30, "late", each=30)) if (at // 30) % 2 == 0]
    found = scored(soon + late)["CLP", None]
    assert found.error == 0
    assert found.naive_error > 0
    assert not found.is_worse_than_naive


def test_currencies_are_scored_apart() -> None:
    found = scored([*bills([25, 35] * 12), *bills([25, 35] * 12, currency="USD")])
    assert [code for code, ahead in found if ahead is None] == ["CLP", "USD"]


def test_without_history_there_are_no_scores() -> None:
    assert scored([]) == {}
    assert scored(bills([20])) == {}
