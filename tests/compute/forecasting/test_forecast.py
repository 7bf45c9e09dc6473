"""What is expected of open certificates, by cases that can be reckoned by hand."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.forecasting.forecast import OUTLOOK_SCHEMA, days_ahead, forecast_months, outlook
from kpi_pipeline.compute.forecasting.landmarks import (
    REACH,
    LandmarkCounts,
    LandmarkDays,
    Standing,
)
from kpi_pipeline.compute.months import month_number, month_of
from kpi_pipeline.model.components import FORECAST_MONTHS, NEXT_DAYS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE
from tests.compute.conftest import certificates_table

AS_OF = date(2024, 6, 30)
NO_HISTORY: list[tuple[str, int, bool, int]] = []


def seen_at_landmarks(certificates: Sequence[dict[str, Any]]) -> LandmarkCounts:
    this_month = month_of(AS_OF)
    days = LandmarkDays.like(AS_OF)
    standing = Standing.of_certificates(
        certificates_table(certificates), days, this_month - REACH, this_month - 1
    )
    return LandmarkCounts(standing.cells, LandmarkDays.like(AS_OF))


def judged(*history_and_items: Any, **given: Any) -> list[list[float]]:
    """The shares unpaid now and at the end of each month, in per cent; see `outlooks`."""
    return [by_then[:-1] for by_then in outlooks(*history_and_items, **given)]


def judged_soon(*history_and_items: Any, **given: Any) -> list[float]:
    """The shares unpaid after the next 30 days, in per cent; see `outlooks`."""
    return [by_then[-1] for by_then in outlooks(*history_and_items, **given)]


def outlooks(
    history: list[tuple[str, int, bool, int]],
    *items: tuple[str, int],
    certificates: Sequence[dict[str, Any]] = (),
    is_accepted: bool = False,
) -> list[list[float]]:
    """The shares unpaid now, at the end of each month and of the next days, in per cent.

    Args:
        history: Payments and open debts for the survival curves.
        items: The debts that are judged.
        certificates: Those that are seen at landmarks.
        is_accepted: Whether the debts are accepted.
    """
    columns = zip(*history, strict=True) if history else ([], [], [], [])
    types = (pa.string(), pa.int64(), pa.bool_(), pa.int64())
    seen = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    table = outlook(
        pa.Table.from_arrays(seen, ["client", "days", "paid", "count"]),
        pa.table(
            {
                "client": pa.array([client for client, _ in items], pa.string()),
                "is_accepted": pa.array([is_accepted] * len(items), pa.bool_()),
                "age_days": pa.array([age for _, age in items], pa.int64()),
            }
        ),
        seen_at_landmarks(certificates),
        AS_OF,
    )
    assert table.schema.equals(OUTLOOK_SCHEMA)
    assert [(row["client"], row["age_days"]) for row in table.to_pylist()] == list(items)
    return [[share * 100 / SURVIVAL_SCALE for share in list(row.values())[3:]] for row in table.to_pylist()]


def test_months_begin_with_that_of_tomorrow() -> None:
    assert forecast_months(date(2024, 6, 29))[0] == month_number("2024-06")
    assert forecast_months(AS_OF) == list(range(month_number("2024-07"), month_number("2025-07")))
    assert days_ahead(date(2024, 6, 29))[:2] == [1, 32]
    assert days_ahead(date(2024, 1, 31))[:2] == [29, 60]
    assert days_ahead(AS_OF)[FORECAST_MONTHS:] == [NEXT_DAYS]


def test_a_client_is_expected_to_pay_as_it_has_paid() -> None:
    history = [("Norte", 20, True, 10), ("Norte", 50, True, 10), ("Sur", 400, True, 100)]
    assert judged(history, ("Norte", 0)) == [[100, 50, *[0] * 11]]
    # What has waited for 20 days was not paid then.
    assert judged(history, ("Norte", 20)) == [[100, *[0] * 12]]


def test_the_next_30_days_are_judged_whatever_months_they_are_in() -> None:
    history = [("Norte", 20, True, 10), ("Norte", 50, True, 10)]
    assert judged_soon(history, ("Norte", 0)) == [50]
    # Of those that have waited for 20 days, the fiftieth is the last of the next 30.
    assert judged_soon(history, ("Norte", 20), ("Norte", 19)) == [0, 50]
    assert judged_soon(NO_HISTORY, ("Norte", 0)) == [0]


def test_open_certificates_count_for_as_long_as_they_have_waited() -> None:
    history = [("Norte", 30, True, 20), ("Norte", 30, False, 20), ("Norte", 29, False, 50)]
    assert judged(history, ("Norte", 0)) == [[100, *[50] * 12]]


def test_a_client_with_few_payments_is_judged_by_all() -> None:
    history = [("Norte", 10, True, 19), ("Sur", 100, True, 19)]
    ((now, *then),) = judged(history, ("Norte", 0))
    assert (now, then[0], then[2], then[3]) == (100, 50, 50, 0)
    assert judged(history, ("Nadie", 0)) == judged([*history, ("Nadie", 0, False, 1)], ("Nadie", 0))


def test_where_no_certificate_was_ever_unpaid_for_so_long_nothing_is_estimated() -> None:
    history = [("Norte", 10, True, 30), ("Sur", 100, True, 30)]
    by_all, unknown = judged(history, ("Norte", 10), ("Norte", 100))
    assert by_all == [100, 100, 100, *[0] * 10]
    assert unknown == [0] * 13


def test_without_any_payment_nothing_is_estimated() -> None:
    assert judged([("Norte", 90, False, 30)], ("Norte", 90), ("Sur", 1)) == [[0] * 13] * 2
    assert judged(NO_HISTORY, ("Norte", 0)) == [[0] * 13]
    assert judged([("Norte", 90, True, 30)]) == []


def paid_after(days: int, client: str = "Norte", **given: Any) -> list[dict[str, Any]]:
    """Ten certificates on each of a year's last days of the month, all paid so many days later."""
    ends = [date(2023 + month // 12, month % 12 + 1, 1) - timedelta(1) for month in range(3, 15)]
    return [
        {
            "client": client,
            "state": "pagado",
            "issued_on": end,
            "conformity_on": end + timedelta(1),
            "paid_on": end + timedelta(days),
            **given,
        }
        for end in ends
        for _ in range(10)
    ]


CURVE = [("Norte", 20, True, 50), ("Norte", 50, True, 50)]
"""Half of all debts are paid after 20 days, half after 50."""


def test_what_a_client_did_at_landmarks_outweighs_the_curve() -> None:
    """By the curve half of what was issued today comes within a month; at landmarks nothing ever did."""
    (by_curve,) = judged(CURVE, ("Norte", 0))
    ((now, *then),) = judged(CURVE, ("Norte", 0), certificates=paid_after(50))
    assert by_curve[:3] == [100, 50, 0]
    assert now == 100
    # Ninety seen at nine landmarks stand beside ten, of which the curve leaves half.
    assert then[0] == 95
    assert then[1] == 0


def test_the_next_30_days_go_by_those_after_landmarks() -> None:
    """Ninety are seen at nine landmarks; beside them stand ten, of which the curve leaves half."""
    assert judged_soon(CURVE, ("Norte", 0), certificates=paid_after(28)) == [5]
    assert judged_soon(CURVE, ("Norte", 0), certificates=paid_after(31)) == [95]


def test_no_more_is_paid_after_30_days_than_by_the_end_of_the_month_they_end_in() -> None:
    """From the last of January 30 days reach into March: landmarks say more of 30 days than of a month."""
    given = {"certificates": paid_after(30)}
    ((_, july, *_),) = judged(CURVE, ("Norte", 0), **given)
    assert july > 0
    assert judged_soon(CURVE, ("Norte", 0), **given) == [july]


@pytest.mark.parametrize(
    "others",
    [
        {"client": "Sur"},
        {"conformity_on": None, "sent_on": date(2021, 1, 1)},
        {"issued_on": date(2022, 1, 1)},
    ],
    ids=["client", "stage", "age"],
)
def test_landmarks_of_other_debts_do_not_count(others: dict[str, Any]) -> None:
    assert judged(CURVE, ("Norte", 0), certificates=paid_after(50, **others)) == judged(CURVE, ("Norte", 0))


def test_a_payment_that_was_not_known_yet_does_not_count() -> None:
    later = [{**row, "paid_on": AS_OF + timedelta(20)} for row in paid_after(50)]
    open_ones = [{**row, "paid_on": None, "state": "enviado"} for row in paid_after(50)]
    assert judged(CURVE, ("Norte", 0), certificates=later) == judged(
        CURVE, ("Norte", 0), certificates=open_ones
    )
