"""Slices: the sums of a filter on each day, of its cohort, by month, and in parts."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import DAYS, PREVIOUS, TREND
from kpi_pipeline.model.components import COMPONENTS, ComponentKind
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.compute.entries import certificate, cost, standing
from tests.compute.rows import AS_OF
from tests.examples import examples


def test_months_of_trends_are_the_twelve_up_to_the_business_date(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2023, month, 1), "amount_proposed": month} for month in (1, 6, 12)])
    requested = [EVERYTHING, Filter.of({"month": ["2023-01", "2023-06"]}), Filter.of({"month": "2030-01"})]
    slice_ = cube.select(requested)
    # Whatever months a filter names.
    assert slice_.monthly("proposed_amount")[:, :, 0].tolist() == [[0, 0, 6, 0, 0, 0, 0, 0, 12, 0, 0, 0]] * 3
    assert (slice_.trend_months[0], slice_.trend_months[-1]) == ("2023-04", "2024-03")
    # Those of the window from 16 March 2023 on; those of the months; none.
    assert slice_.total("proposed_amount")[:, 0].tolist() == [18, 7, 0]


def test_a_day_has_what_stood_on_it_and_the_flows_of_its_window(cube_of) -> None:
    row = {"issued_on": date(2023, 12, 20), "sent_on": date(2023, 12, 20), "amount_proposed": 7}
    paid = {**row, "state": "pagado", "amount_approved": 7, "paid_on": date(2024, 2, 10)}
    slice_ = cube_of([row, paid]).select([EVERYTHING])
    standing_, proposed, collected = (
        slice_.on_each_day(name)[0, :, 0].tolist()
        for name in ("receivable_amount", "proposed_amount", "paid_amount")
    )
    assert [standing_[place] for place in TREND] == [0] * 8 + [14, 14, 7, 7]
    assert [proposed[place] for place in TREND] == [0] * 8 + [14] * 4
    assert [collected[place] for place in TREND] == [0] * 10 + [7, 7]
    assert standing_[PREVIOUS] == proposed[PREVIOUS] == 0
    assert (standing_[NOW], proposed[NOW], collected[NOW]) == (7, 14, 7)


def test_flows_end_with_the_day_and_begin_with_that_after_the_one_a_window_before(cube_of) -> None:
    days = [date(2023, 3, 15), date(2023, 3, 16), date(2024, 3, 15), date(2024, 3, 16)]
    rows = [{"issued_on": day, "amount_proposed": 10**at} for at, day in enumerate(days)]
    slice_ = cube_of(rows).select([EVERYTHING])
    assert slice_.total("proposed_amount")[0, 0] == 110
    assert slice_.on_each_day("proposed_amount")[0, PREVIOUS, 0] == 1


def test_an_advance_is_collected_before_it_is_issued_and_nothing_else_is(cube_of) -> None:
    row = {
        "state": "pagado",
        "issued_on": date(2024, 4, 2),
        "paid_on": date(2024, 3, 1),
        "amount_approved": 5,
    }
    slice_ = cube_of([row]).select([EVERYTHING])
    told = {part.name for part in COMPONENTS if slice_.total(part.name).any()}
    assert {"paid_amount", "paid_count"} <= told
    stocks = {part.name for part in COMPONENTS if part.kind is ComponentKind.STOCK}
    assert not told & {*stocks, "proposed_amount", "proposed_count", "billed_amount"}


def test_what_is_retained_stands_however_long_ago_the_rest_was_paid(cube_of) -> None:
    issued = date(2020, 1, 1)
    row = {
        "state": "pagado",
        "issued_on": issued,
        "sent_on": issued,
        "conformity_on": issued,
        "paid_on": issued + timedelta(60),
        "amount_proposed": 100,
        "amount_approved": 100,
        "amount_retained": 5,
    }
    slice_ = cube_of([row]).select([EVERYTHING, Filter.of({"month": "2020-01"})])
    assert slice_.on_each_day("retained_amount")[0, :, 0].tolist() == [5] * DAYS
    assert slice_.total("retained_amount")[1, 0] == 5
    assert slice_.on_each_day("receivable_amount")[0].sum() == 0


Row = dict[str, Any]


def accepted(row: Row) -> bool:
    return standing(row) in ("validado", "pagado")


def receivable(row: Row) -> bool:
    return standing(row) in ("enviado", "pendiente", "validado")


def claimed(row: Row) -> int:
    return row["amount_approved" if accepted(row) else "amount_proposed"]


SUMS: dict[str, tuple[Callable[[Row], bool], Callable[[Row], int]]] = {
    "proposed_amount": (lambda row: standing(row) is not None, lambda row: row["amount_proposed"]),
    "cancelled_count": (lambda row: standing(row) is None, lambda _: 1),
    "approved_amount": (accepted, lambda row: row["amount_approved"]),
    "paid_amount": (lambda row: standing(row) == "pagado", lambda row: row["amount_approved"]),
    "billed_amount": (lambda row: accepted(row) or receivable(row), claimed),
    "receivable_amount": (receivable, claimed),
    "returned_amount": (lambda row: standing(row) == "rechazado", claimed),
    "unsent_amount": (lambda row: standing(row) == "revision", claimed),
    "decided_proposed_amount": (
        lambda row: accepted(row) or standing(row) == "rechazado",
        lambda row: row["amount_proposed"],
    ),
}
"""Of which certificates a component is the sum, and what of them."""

months = st.sets(
    st.sampled_from([f"{year}-{month:02}" for year in (2022, 2023, 2024) for month in (1, 2, 5)])
)


@pytest.mark.slow
@settings(max_examples=examples(12), deadline=None)
@given(st.lists(certificate(), min_size=1, max_size=10), st.lists(cost(), max_size=4), months)
def test_a_cohort_is_the_sum_of_its_certificates_whenever_their_events_were(
    cube_of, rows, spent, chosen
) -> None:
    cube = cube_of(rows, costs=spent)
    chosen = chosen or {"2024-03"}
    terms: list[dict[str, Any]] = [{}, {"client": "Zinc"}, {"client": ["acero", "Ácido"], "project": "P1"}]
    slice_ = cube.select([Filter.of({**one, "month": sorted(chosen)}) for one in terms])
    for variant, one in enumerate(terms):
        own = [
            row
            for row in rows
            if row["month"].strftime("%Y-%m") in chosen
            and all(
                row[name] in (values if isinstance(values, list) else [values])
                for name, values in one.items()
            )
        ]
        for name, (counts, amount) in SUMS.items():
            assert slice_.total(name)[variant].sum() == sum(amount(row) for row in own if counts(row)), name
    invoiced = [row for row in spent if row["invoiced_on"].strftime("%Y-%m") in chosen]
    assert slice_.total("cost_count")[0].sum() == len(invoiced)
    assert slice_.total("paid_out_amount")[0].sum() == sum(
        row["amount"] for row in invoiced if row["paid_on"]
    )
    assert not any(slice_.on_each_day(one.name)[:, 1:].any() for one in COMPONENTS)


def test_the_months_of_all_cohorts_are_all_certificates(cube_of) -> None:
    rows = [
        {"issued_on": date(2020, 5, 1), "month": date(2024, 6, 1), "amount_proposed": 1},
        {"issued_on": date(2024, 3, 1), "month": date(2020, 1, 1), "amount_proposed": 10},
    ]
    cube = cube_of(rows)
    every = Filter.of({"month": cube.frame.values["month"]})
    assert cube.select([every]).total("proposed_amount").tolist() == [[11]]
    by_month = cube.select([EVERYTHING]).by_billing_month("proposed_amount")[0, :, 0].tolist()
    assert {
        month: amount for month, amount in zip(cube.frame.values["month"], by_month, strict=True) if amount
    } == {
        "2020-01": 10,
        "2024-06": 1,
    }


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
    # Of the window; of the months named.
    assert group_sums.variant.tolist() == [0, 0, 1]
    assert group_sums.value.tolist() == [1, 1, 0]
    assert group_sums.currency.tolist() == [0, 1, 0]
    assert group_sums.sums.tolist() == [[7, 1], [0, 1], [5, 1]]
    owed = slice_.group_sums("client", ("receivable_amount",))
    assert list(zip(owed.variant.tolist(), owed.value.tolist(), owed.sums[:, 0].tolist(), strict=True)) == [
        (0, 0, 5),
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
        (0, 8, 5),
        (0, 10, 3),
        (1, 11, 9),
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
            "amount_proposed": age,
        }
        for age, client in ((70, "a"), (200, "b"), (100, "a"), (30, "a"))
    ]
    slice_ = cube_of(rows).select([EVERYTHING, Filter.of({"client": "a"}), Filter.of({"client": "nobody"})])
    variant, row = slice_.work_list("collect_today", 2)
    ids = slice_.frame.work_lists["certificate_id"].take(row).to_pylist()
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


def test_a_cohort_shows_the_currencies_of_its_certificates(cube_of) -> None:
    rows = [{"issued_on": date(2023, 1, 1), "sent_on": date(2023, 1, 1)}, {"currency": "USD"}]
    slice_ = cube_of(rows).select(
        [Filter.of({"month": month}) for month in ("2023-01", "2024-02", "2024-03")]
    )
    assert slice_.present.tolist() == [[True, False], [False, False], [False, True]]
    assert slice_.total("proposed_count").tolist() == [[1, 0], [0, 0], [0, 1]]


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
    assert slice_.has_costs[:, 0].tolist() == [True, True, False, False, False]
    assert slice_.total("cost_count")[:, 0].tolist() == [1, 1, 0, 0, 0]
