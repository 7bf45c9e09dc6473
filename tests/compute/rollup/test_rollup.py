"""The roll-up's tables, by known answers and by what must agree among them."""

from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import COHORT, DAYS, PREVIOUS, EvaluationDays
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup.tables import (
    BREAKDOWNS_SCHEMA,
    CELLS_SCHEMA,
    LOSSES_SCHEMA,
    MONTHLY_SCHEMA,
    PAYMENT_TIMES_SCHEMA,
    WORK_LISTS_SCHEMA,
)
from kpi_pipeline.compute.rollup.totals import row_totals
from kpi_pipeline.model.components import COMPONENT_NAMES, COMPONENTS, MONTHLY_COMPONENTS, ComponentKind
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from tests.compute.rows import (
    AS_OF,
    certificate,
    certificates,
    cost,
    cost_table,
    costs,
    rolled,
    sums,
    table,
    values,
)
from tests.examples import examples

OTHERS = (*DIMENSION_NAMES[1:], "currency")
SNAPSHOTS = {part.name for part in COMPONENTS if part.kind is ComponentKind.SNAPSHOT}


def at(rows: pa.Table, place: int) -> pa.Table:
    """The rows of a day, or of the cohorts."""
    return rows.filter(pc.equal(rows["place"], place))


def test_no_rows_give_empty_tables() -> None:
    found = rolled([])
    schemas = {
        "cells": CELLS_SCHEMA,
        "monthly": MONTHLY_SCHEMA,
        "losses": LOSSES_SCHEMA,
        "payment_times": PAYMENT_TIMES_SCHEMA,
        "breakdowns": BREAKDOWNS_SCHEMA,
        "work_lists": WORK_LISTS_SCHEMA,
    }
    for name, schema in schemas.items():
        assert getattr(found, name).num_rows == 0, name
        assert getattr(found, name).schema.equals(schema), name


def test_what_is_issued_or_invoiced_after_the_date_does_not_exist_yet() -> None:
    certificates, costs = [certificate("2024-03-16")], [cost("2024-03-16")]
    assert rolled(certificates, "2024-03-15", costs).cells.num_rows == 0
    assert sums(at(rolled(certificates, "2024-03-16", costs).cells, NOW))[0]["cost_count"] == 1


def test_a_certificate_is_on_every_day_from_its_issue_on_as_it_stood() -> None:
    row = certificate("2023-12-29", sent_on="2024-01-30", expected_payment_on="2024-01-31")
    cells = rolled([row], "2024-03-15").cells
    days = EvaluationDays(date(2024, 3, 15), 12).days
    found = {days[one["place"]]: one for one in cells.to_pylist() if one["place"] >= 0}
    shown = {
        day.isoformat(): (
            one["state"],
            one["unsent_count"],
            one["overdue_count"],
            one["receivable_age_amount"],
        )
        for day, one in sorted(found.items())
    }
    assert shown == {
        "2023-12-31": ("revision", 1, 0, 0),
        "2024-01-31": ("enviado", 0, 0, 100 * 33),
        "2024-02-29": ("enviado", 0, 1, 100 * 62),
        "2024-03-15": ("enviado", 0, 1, 100 * 77),
    }


def test_flows_are_of_the_window_that_ends_on_the_day() -> None:
    given = {"sent_on": "2023-03-15", "conformity_on": "2023-03-16", "paid_on": "2024-03-15"}
    cells = rolled([certificate("2023-03-15", "pagado", **given)], "2024-03-15").cells
    (now,) = at(cells, NOW).to_pylist()
    # Issued and sent on the last day before the window; accepted on its first, paid on its last.
    assert (now["proposed_count"], now["sending_days_count"]) == (0, 0)
    assert (now["approved_amount"], now["acceptance_days"], now["paid_amount"]) == (90, 1, 90)
    (then,) = at(cells, PREVIOUS).to_pylist()
    assert (then["proposed_count"], then["sending_days_count"], then["approved_amount"]) == (1, 1, 0)
    (cohort,) = at(cells, COHORT).to_pylist()
    assert (cohort["month"], cohort["proposed_count"], cohort["paid_amount"]) == ("2023-03", 1, 90)


def test_what_was_settled_before_all_that_figures_reach_is_of_its_cohort_alone() -> None:
    given = {"sent_on": "2020-01-02", "conformity_on": "2020-01-03", "paid_on": "2020-01-04"}
    cells = rolled([certificate("2020-01-01", "pagado", **given)], "2024-03-15").cells
    assert set(cells["place"].to_pylist()) == {COHORT}


def test_costs_are_in_cells_of_their_own_by_invoice_and_by_payment() -> None:
    costs = [
        cost("2024-01-10", amount=100, paid_on="2024-02-10", supplier="A", category="K"),
        cost("2024-01-20", amount=-30, paid_on="2024-03-16", supplier="A", category="L"),
        cost("2024-01-30", amount=7, kind="capex", supplier="B", category="K"),
    ]
    found = rolled([certificate("2024-01-10")], costs=costs)
    cells = [row for row in at(found.cells, COHORT).to_pylist() if row["state"] == ""]
    assert {(row["amount_band"], row["issued_age"]) for row in cells} == {("", "")}
    assert [{name: row[name] for name in COMPONENT_NAMES if row[name]} for row in cells] == [
        {
            "cost_opex_amount": 70,
            "cost_capex_amount": 7,
            "cost_open_amount": -23,
            "cost_count": 3,
            "paid_out_amount": 100,
        }
    ]
    by_month = [
        (row["month"], {name: row[name] for name in MONTHLY_COMPONENTS if row[name]})
        for row in found.monthly.sort_by("month").to_pylist()
        if row["state"] == "" and any(row[name] for name in MONTHLY_COMPONENTS)
    ]
    assert sorted(by_month, key=str) == [
        ("2024-01", {"cost_capex_amount": 7}),
        ("2024-01", {"cost_opex_amount": 70}),
        ("2024-02", {"paid_out_amount": 100}),
    ]
    assert sorted(values(at(found.breakdowns, NOW), "breakdown", "key", "amount", "count")) == [
        ("cost_category", "K", 107, 2),
        ("cost_category", "L", -30, 1),
        ("supplier", "A", 70, 2),
        ("supplier", "B", 7, 1),
    ]


def test_reasons_are_of_the_returned_and_kinds_of_failure_of_what_came_back() -> None:
    notes = {"rejection_reason": "otros", "failure_kind": "error_tecnico"}
    rows = [
        certificate("2024-01-10", "rechazado", **notes),
        certificate("2024-01-11", "rechazado", sent_on="2024-03-16", **notes),
        certificate("2024-01-12", "validado", rework_count=2, amount_proposed=5, **notes),
        certificate("2024-01-13", "validado", **notes),
        certificate("2024-01-14", "rechazado"),
        certificate("2022-01-12", "validado", rework_count=2, amount_proposed=7, **notes),
    ]
    found = at(rolled(rows).breakdowns, NOW)
    assert sorted(values(found, "breakdown", "key", "amount", "count", "state")) == [
        ("failure_kind", "error_tecnico", 5, 1, "validado"),
        ("failure_kind", "error_tecnico", 100, 1, "rechazado"),
        ("rejection_reason", "otros", 100, 1, "rechazado"),
    ]


def test_payment_times_hold_what_is_paid_and_what_is_open() -> None:
    rows = [
        certificate("2024-01-01", "pagado", paid_on="2024-01-31"),
        certificate("2024-03-01", "validado"),
        certificate("2024-03-10", "pagado", paid_on="2024-03-01"),  # an advance
        certificate("2024-03-01", "pagado"),  # on an unknown day
        certificate("2024-03-01", amount_proposed=-5),
        certificate("2022-01-01", "pagado", paid_on="2024-01-31"),
    ]
    found = at(rolled(rows).payment_times, NOW)
    assert sorted(values(found, "days", "paid", "open")) == [(14, 0, 1), (30, 1, 0)]


def test_a_sum_that_does_not_fit_is_an_error_and_not_a_number() -> None:
    rows = [certificate("2024-03-01", amount_proposed=2**62) for _ in range(2)]
    with pytest.raises(SumTooLarge, match="more than 64 bits"):
        rolled(rows)


def by_others(rows: pa.Table, left_out: frozenset[str] = frozenset()) -> dict[tuple[str, ...], Counter[str]]:
    """Components by everything but the month; nothing where all are 0."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows.to_pylist():
        place = found.setdefault(tuple(row[name] for name in OTHERS), Counter())
        for name in COMPONENT_NAMES:
            if name not in left_out:
                place[name] += row[name]
    return {key: kept for key, of in found.items() if (kept := Counter({k: v for k, v in of.items() if v}))}


some_rows = st.lists(certificates(), max_size=15), st.lists(costs(), max_size=5)


@pytest.mark.slow
@settings(max_examples=examples(12), deadline=None)
@given(*some_rows)
def test_the_tables_agree_with_their_rows_and_with_one_another(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]]
) -> None:
    assert_tables_agree(rows, spent)


@pytest.mark.slow
@pytest.mark.sweep
@settings(max_examples=examples(200), deadline=None)
@given(*some_rows)
def test_many_tables_agree_with_their_rows_and_with_one_another(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]]
) -> None:
    assert_tables_agree(rows, spent)


def assert_tables_agree(rows: list[dict[str, Any]], spent: list[dict[str, Any]]) -> None:
    found = rolled(rows, costs=spent)
    assert reconcile_rollup(row_totals(table(rows), cost_table(spent), AS_OF), found) == []
    cells = values(found.cells, "place", *DIMENSION_NAMES, "currency")
    assert len(cells) == len(set(cells))


some_day = st.lists(certificates(), max_size=12), st.lists(costs(), max_size=4), st.integers(1, DAYS - 1)


@pytest.mark.slow
@settings(max_examples=examples(12), deadline=None)
@given(*some_day)
def test_a_day_is_the_roll_up_of_that_day(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]], place: int
) -> None:
    assert_the_day_is_its_roll_up(rows, spent, place)


@pytest.mark.slow
@pytest.mark.sweep
@settings(max_examples=examples(100), deadline=None)
@given(*some_day)
def test_of_many_rows_a_day_is_the_roll_up_of_that_day(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]], place: int
) -> None:
    assert_the_day_is_its_roll_up(rows, spent, place)


def assert_the_day_is_its_roll_up(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]], place: int
) -> None:
    day = EvaluationDays(AS_OF, 12).days[place]
    then, now = rolled(rows, AS_OF, spent), rolled(rows, day, spent)
    assert by_others(at(then.cells, place), frozenset(SNAPSHOTS)) == by_others(
        at(now.cells, NOW), frozenset(SNAPSHOTS)
    )
    times = ("days", "paid", "open", *OTHERS)
    assert sorted(values(at(then.payment_times, place), *times)) == sorted(
        values(at(now.payment_times, NOW), *times)
    )
    assert sorted(at(then.losses, place).drop_columns(["place"]).to_pylist(), key=str) == sorted(
        at(now.losses, NOW).drop_columns(["place"]).to_pylist(), key=str
    )
