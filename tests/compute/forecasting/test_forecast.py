"""What is expected of open certificates, by cases that can be reckoned by hand."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.forecasting.forecast import (
    OUTLOOK_SCHEMA,
    bands,
    days_ahead,
    forecast_months,
    outlook,
)
from kpi_pipeline.compute.months import month_number
from kpi_pipeline.model.forecast import SURVIVAL_SCALE

AS_OF = date(2024, 6, 30)
NO_HISTORY: list[tuple[str, int, bool, int]] = []


def judged(history: list[tuple[str, int, bool, int]], *items: tuple[str, int]) -> list[list]:
    """The shares unpaid now and at the end of each month, in per cent."""
    columns = zip(*history, strict=True) if history else ([], [], [], [])
    types = (pa.string(), pa.int64(), pa.bool_(), pa.int64())
    seen = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    table = outlook(
        pa.Table.from_arrays(seen, ["client", "days", "paid", "count"]),
        pa.table(
            {
                "client": pa.array([client for client, _ in items], pa.string()),
                "age_days": pa.array([age for _, age in items], pa.int64()),
            }
        ),
        AS_OF,
    )
    assert table.schema.equals(OUTLOOK_SCHEMA)
    assert [(row["client"], row["age_days"]) for row in table.to_pylist()] == list(items)
    return [[share * 100 / SURVIVAL_SCALE for share in list(row.values())[2:]] for row in table.to_pylist()]


def test_months_begin_with_that_of_tomorrow() -> None:
    assert forecast_months(date(2024, 6, 29))[0] == month_number("2024-06")
    assert forecast_months(AS_OF) == list(range(month_number("2024-07"), month_number("2025-07")))
    assert days_ahead(date(2024, 6, 29))[:2] == [1, 32]
    assert days_ahead(date(2024, 1, 31))[:2] == [29, 60]


def test_a_client_is_expected_to_pay_as_it_has_paid() -> None:
    history = [("Norte", 20, True, 10), ("Norte", 50, True, 10), ("Sur", 400, True, 100)]
    assert judged(history, ("Norte", 0)) == [[100, 50, *[0] * 11]]
    # What has waited for 20 days was not paid then.
    assert judged(history, ("Norte", 20)) == [[50, *[0] * 12]]


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
    assert by_all == [50, 50, 50, *[0] * 10]
    assert unknown == [0] * 13


def test_without_any_payment_nothing_is_estimated() -> None:
    assert judged([("Norte", 90, False, 30)], ("Norte", 90), ("Sur", 1)) == [[0] * 13] * 2
    assert judged(NO_HISTORY, ("Norte", 0)) == [[0] * 13]
    assert judged([("Norte", 90, True, 30)]) == []


def one_band(expected: int, variance: int, known: int, dispersion: float = 1.0) -> list[int]:
    ends = bands(np.array([[expected]]), np.array([[variance]]), np.array([dispersion]), np.array([known]))
    return [int(end[0, 0]) for end in ends]


def test_bands_widen_with_variance_and_dispersion() -> None:
    assert one_band(10_000, 100, 10**6) == [9326, 10_674, 8355, 11_645]
    assert one_band(10_000, 100, 10**6, dispersion=4.0) == [8651, 11_349, 6710, 13_290]
    assert one_band(10_000, 0, 10**6) == [10_000] * 4


@pytest.mark.parametrize(
    ("expected", "known", "ends"),
    [
        (50, 200, [0, 200, 0, 200]),
        (-50, -200, [-200, 0, -200, 0]),
        (50, -200, [-200, 50, -200, 50]),
        (300, 200, [0, 300, 0, 300]),
    ],
)
def test_bands_end_at_nothing_and_at_all_but_hold_what_is_expected(
    expected: int, known: int, ends: list[int]
) -> None:
    assert one_band(expected, 10**6, known) == ends


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**18), st.integers(-(10**15), 10**15))
def test_the_wider_band_holds_the_narrower(expected: int, variance: int, known: int) -> None:
    low_50, high_50, low_90, high_90 = one_band(expected, variance, known)
    assert low_90 <= low_50 <= expected <= high_50 <= high_90
