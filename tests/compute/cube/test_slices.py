"""Slices: the sums of a filter as a whole, by month, and in parts."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.months import month_of
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.compute.entries import certificate, cost
from tests.compute.rows import AS_OF

MARCH = month_of(AS_OF)


def test_a_trend_ends_with_the_last_month_of_the_filter(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2023, month, 1), "amount_proposed": month} for month in (1, 6, 12)])
    requested = [EVERYTHING, Filter.of({"month": ["2023-01", "2023-06"]}), Filter.of({"month": "2030-01"})]
    slice_ = cube.select(requested)
    assert slice_.monthly("proposed_amount")[:, :, 0].tolist() == [
        [0, 0, 6, 0, 0, 0, 0, 0, 12, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6],
        [0] * 12,
    ]
    assert slice_.trend_months(1)[0] == "2022-07"
    assert slice_.trend_months(1)[-1] == "2023-06"
    assert slice_.total("proposed_amount")[:, 0].tolist() == [19, 7, 0]


def test_the_window_of_a_filter_is_its_months_up_to_the_business_date(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2023, 12, 1)}])
    requested = [
        EVERYTHING,
        Filter.of({"month": "2024-02"}),
        Filter.of({"month": ["2024-02", "2024-03"]}),
        Filter.of({"month": ["2022-12", "2024-03"]}),
        Filter.of({"month": "2024-04"}),
    ]
    # April 2023 to 15 March 2024; a leap year's February; until the fifteenth; two months apart; not begun.
    assert cube.select(requested).window_days.tolist() == [350, 29, 44, 46, 0]


def test_a_flow_over_the_window_is_that_of_the_months_named_or_of_the_trailing_ones(cube_of) -> None:
    days = [date(2023, 3, 31), date(2023, 4, 1), date(2024, 1, 1), date(2024, 4, 1)]
    rows = [
        {
            "issued_on": min(day, AS_OF),
            "month": day.replace(day=1),
            "state": "validado",
            "amount_approved": 10**at,
        }
        for at, day in enumerate(days)
    ]
    requested = [EVERYTHING, Filter.of({"month": ["2023-03", "2024-01"]}), Filter.of({"month": "2024-04"})]
    assert cube_of(rows).select(requested).window("approved_amount")[:, 0].tolist() == [110, 101, 1000]


@settings(max_examples=15)
@given(
    st.lists(certificate(), min_size=1, max_size=8),
    st.lists(cost(), max_size=3),
    st.integers(MARCH - 40, MARCH + 5),
    st.integers(-2, 40),
)
def test_a_stretch_is_the_sum_of_its_months(cube_of, rows, spent, first, length) -> None:
    cube = cube_of(rows, costs=spent)
    slice_ = cube.select([EVERYTHING, Filter.of({"client": "Zinc"})])
    ends = np.full(2, first), np.full(2, first + length)
    for name, column, happened in (
        ("proposed_amount", "amount_proposed", lambda row: row["month"]),
        (
            "collected_amount",
            "amount_approved",
            lambda row: row["paid_on"] if row["state"] == "pagado" else None,
        ),
    ):
        found = slice_.over(name, *ends).sum(axis=1).tolist()
        for at, client in enumerate((None, "Zinc")):
            assert found[at] == sum(
                row[column]
                for row in rows
                if client in (None, row["client"])
                and (day := happened(row)) is not None
                and first <= month_of(day) <= first + length
            )
    assert slice_.over("cost_count", *ends).sum() == sum(
        first <= month_of(row["invoiced_on"]) <= first + length
        for row in spent
        for _ in range(1 + (row["client"] == "Zinc"))
    )


def test_a_stock_of_a_month_is_what_stood_at_its_end(cube_of) -> None:
    row = {"issued_on": date(2023, 12, 20), "sent_on": date(2023, 12, 20), "amount_proposed": 7}
    paid = {**row, "state": "pagado", "amount_approved": 7, "paid_on": date(2024, 2, 10)}
    standing = cube_of([row, paid]).select([EVERYTHING]).monthly("open_amount", 5)[0, :, 0]
    assert standing.tolist() == [0, 14, 14, 7, 7]


def test_options_are_certificates_by_value_in_the_catalogues_order(cube_of) -> None:
    rows = [
        {"client": "b", "state": "validado", "issued_on": date(2024, 1, 1)},
        {"client": "a", "amount_proposed": 2_000_000},
        {"client": "a", "currency": "USD"},
    ]
    cube = cube_of(rows, costs=[{"client": "c"}])
    slice_ = cube.select([EVERYTHING, Filter.of({"client": "a"})])
    assert cube.frame.values["client"] == ("a", "b", "c")
    assert slice_.options("client").tolist() == [[2, 1, 0], [2, 0, 0]]
    assert slice_.options("month").tolist() == [[1, 0, 2], [0, 0, 2]]
    assert slice_.options("amount_band").tolist() == [[2, 1, 0, 0], [1, 1, 0, 0]]
    assert slice_.options("issued_age")[1].tolist() == [2] + [0] * 8


def test_parts_are_by_value_and_currency_without_what_is_nothing(cube_of) -> None:
    rows = [
        {"client": "a", "amount_proposed": 5, "issued_on": date(2022, 1, 1)},
        {"client": "b", "amount_proposed": 7},
        {"client": "b", "amount_proposed": 0, "currency": "USD"},
    ]
    slice_ = cube_of(rows).select([EVERYTHING, Filter.of({"month": "2022-01"})])
    group_sums = slice_.group_sums("client", ("proposed_amount", "proposed_count"))
    assert group_sums.variant.tolist() == [0, 0, 0, 1]
    assert group_sums.value.tolist() == [0, 1, 1, 0]
    assert group_sums.currency.tolist() == [0, 0, 1, 0]
    assert group_sums.sums.tolist() == [[5, 1], [7, 1], [0, 1], [5, 1]]
    window = slice_.window_group_sums("client", ("proposed_amount",))
    assert list(
        zip(window.variant.tolist(), window.value.tolist(), window.sums[:, 0].tolist(), strict=True)
    ) == [
        (0, 1, 7),
        (1, 0, 5),
    ]


def test_parts_by_month_leave_the_filters_months_aside(cube_of) -> None:
    rows = [
        {"client": "a", "amount_proposed": 5, "issued_on": date(2023, 12, 1)},
        {"client": "a", "amount_proposed": 3, "issued_on": date(2024, 2, 1)},
        {"client": "b", "amount_proposed": 9, "issued_on": date(2024, 3, 1)},
    ]
    found = (
        cube_of(rows).select([Filter.of({"month": "2024-02"})]).trend_group_sums("client", "proposed_amount")
    )
    assert list(zip(found.value.tolist(), found.month.tolist(), found.amount.tolist(), strict=True)) == [
        (0, 9, 5),
        (0, 11, 3),
    ]


def test_a_breakdown_is_by_key_and_currency(cube_of) -> None:
    spent = [
        {"supplier": "Sur", "amount": 5},
        {"supplier": "Norte", "amount": 7},
        {"supplier": "Sur", "amount": 9, "client": "b"},
        {"supplier": "Sur", "amount": 11, "currency": "USD"},
    ]
    slice_ = cube_of([], costs=spent).select([EVERYTHING, Filter.of({"client": "b"})])
    found = slice_.breakdown_sums("supplier")
    assert slice_.keys("supplier") == ("Norte", "Sur")
    columns = [getattr(found, name).tolist() for name in ("variant", "key", "currency", "amount", "count")]
    assert list(zip(*columns, strict=True)) == [
        (0, 0, 0, 7, 1),
        (0, 1, 0, 14, 2),
        (0, 1, 1, 11, 1),
        (1, 1, 0, 9, 1),
    ]


def test_the_most_urgent_come_first(cube_of) -> None:
    rows = [
        {
            "certificate_id": f"{age}",
            "client": client,
            "sent_on": AS_OF - timedelta(age),
            "issued_on": AS_OF - timedelta(age),
        }
        for age, client in ((70, "a"), (200, "b"), (100, "a"), (60, "a"))
    ]
    slice_ = cube_of(rows).select([EVERYTHING, Filter.of({"client": "a"}), Filter.of({"client": "nobody"})])
    variant, row = slice_.critical(2)
    ids = [slice_.frame.critical_rows[at]["certificate_id"] for at in row.tolist()]
    assert list(zip(variant.tolist(), ids, strict=True)) == [(0, "200"), (0, "100"), (1, "100"), (1, "70")]


@pytest.mark.parametrize(
    ("row", "spent", "currencies"),
    [
        ({"issued_on": date(2019, 1, 1)}, [], {"CLP"}),
        (
            {"issued_on": date(2019, 1, 1)},
            [{"currency": "USD", "invoiced_on": date(2019, 1, 1)}],
            {"CLP", "USD"},
        ),
        ({"client": "b"}, [{"currency": "USD", "client": "b"}], set()),
    ],
)
def test_a_filter_shows_the_currencies_in_which_anything_happened(cube_of, row, spent, currencies) -> None:
    slice_ = cube_of([{"client": "a", **row}], costs=[{"client": "a", **one} for one in spent]).select(
        [Filter.of({"client": "a"})]
    )
    shown = {code for code, there in zip(slice_.currencies, slice_.present[0].tolist(), strict=True) if there}
    assert shown == currencies


def test_a_filter_of_months_shows_a_currency_that_stood_in_its_trend(cube_of) -> None:
    rows = [{"issued_on": date(2023, 1, 1), "sent_on": date(2023, 1, 1)}, {"currency": "USD"}]
    slice_ = cube_of(rows).select([Filter.of({"month": "2024-02"})])
    assert slice_.present.tolist() == [[True, False]]
    assert slice_.total("proposed_count").tolist() == [[0, 0]]


def test_a_slice_counts_the_certificates_of_each_filter(cube_of) -> None:
    rows = [{"client": "a", "currency": "CLP"}, {"client": "a", "currency": "USD"}, {"client": "b"}]
    counts = {one: n for slice_ in cube_of(rows).slices() for one, n in slice_.certificates().items()}
    assert counts[EVERYTHING] == 3
    assert counts[Filter.of({"client": "a"})] == 2
    assert counts[Filter.of({"client": "b", "state": "enviado"})] == 1


def test_only_dimensions_that_costs_have_know_costs(cube_of) -> None:
    requested = [
        Filter.of({name: value})
        for name, value in (
            ("client", "x"),
            ("month", "2024-03"),
            ("state", "enviado"),
            ("amount_band", "bajo"),
            ("issued_age", "0-6"),
        )
    ]
    slice_ = cube_of([{}], costs=[{}]).select(requested)
    assert slice_.has_costs.tolist() == [True, True, False, False, False]
    assert slice_.total("cost_count")[:, 0].tolist() == [1, 1, 0, 0, 0]
