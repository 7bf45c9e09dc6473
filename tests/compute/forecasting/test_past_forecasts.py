"""Forecasts at past month ends: only what was known then takes part."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.forecasting.past_forecasts import (
    PastForecasts,
    forecast_as_of,
    standing_before,
)
from kpi_pipeline.compute.months import month_number
from tests.compute.conftest import certificates_table

MAY, JUNE = month_number("2024-05"), month_number("2024-06")
AS_OF = date(2024, 6, 30)


def paid(issued: date, after: int, amount: int = 100_000, **others: Any) -> dict[str, Any]:
    day = issued + timedelta(after)
    return {
        "state": "pagado",
        "issued_on": issued,
        "paid_on": day,
        "amount_proposed": amount,
        "amount_approved": amount,
        **others,
    }


def forecast(certificates: pa.Table, first: int, last: int) -> PastForecasts:
    return forecast_as_of(standing_before(certificates, first, last), first, last)


def test_a_forecast_rests_on_what_was_known_at_the_month_end() -> None:
    known = [paid(date(2023, 1, 1), 40)] * 20
    open_then = {**paid(date(2024, 5, 11), 25, client="Sur"), "sent_on": date(2024, 5, 12)}
    sent_later = {**paid(date(2024, 5, 11), 60), "sent_on": date(2024, 6, 2)}
    found = forecast(certificates_table([*known, open_then, sent_later]), MAY, MAY).portfolios("CLP")[MAY]
    # On 31 May nobody knew that Sur would pay five days later: all others paid after 40 days.
    assert (found.known, found.expected[0], found.realised[0]) == (100_000, 100_000, 100_000)
    assert found.variance.tolist() == [0] * 13


def test_the_amount_is_that_accepted_by_then() -> None:
    bill = paid(date(2024, 4, 20), 45, amount_proposed=500, amount_approved=400)
    bill |= {"conformity_on": date(2024, 5, 20)}
    history = [paid(date(2023, 1, 1), 45)] * 20
    found = forecast(certificates_table([*history, bill]), MAY - 1, MAY).portfolios("CLP")
    assert [found[month].known for month in (MAY - 1, MAY)] == [500, 400]
    assert [found[month].realised.tolist()[:2] for month in (MAY - 1, MAY)] == [[0, 400], [400, 0]]


@pytest.mark.parametrize(
    "row",
    [
        {"state": "rechazado"},
        {"state": "revision"},
        {"state": "pagado", "paid_on": None},
        {"state": "enviado", "sent_on": date(2024, 6, 1)},
    ],
    ids=lambda row: row["state"],
)
def test_what_was_not_receivable_or_has_no_date_takes_no_part(row: dict[str, Any]) -> None:
    history = [paid(date(2023, 1, 1), 45)] * 20
    made = forecast(certificates_table([*history, {"issued_on": date(2024, 5, 1), **row}]), MAY, MAY)
    assert made.portfolios("CLP") == {}


def test_what_cannot_be_estimated_is_left_out() -> None:
    assert forecast(certificates_table([paid(date(2024, 5, 1), 50)]), MAY, MAY).portfolios("CLP") == {}


def test_no_certificates_were_never_forecast() -> None:
    assert forecast(certificates_table([]), MAY - 20, MAY).portfolios("CLP") == {}
