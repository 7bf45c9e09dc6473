"""The roll-up's tables, by known answers and by what must agree among them."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.database import SumTooLarge
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup.rollup import (
    BREAKDOWNS_SCHEMA,
    CRITICAL_SCHEMA,
    POSITIONS_SCHEMA,
    ROLLUP_SCHEMA,
)
from kpi_pipeline.model.components import COMPONENT_NAMES, STOCK_COMPONENTS
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

OTHERS = (*DIMENSION_NAMES[1:], "currency")


def test_no_rows_give_empty_tables() -> None:
    found = rolled([])
    schemas = (ROLLUP_SCHEMA, POSITIONS_SCHEMA, BREAKDOWNS_SCHEMA, CRITICAL_SCHEMA)
    for one, schema in zip(
        (found.cells, found.positions, found.breakdowns, found.critical), schemas, strict=True
    ):
        assert one.num_rows == 0
        assert one.schema.equals(schema)


def test_what_is_issued_or_invoiced_after_the_date_does_not_exist_yet() -> None:
    certificates, costs = [certificate("2024-03-16")], [cost("2024-03-16")]
    assert rolled(certificates, "2024-03-15", costs).cells.num_rows == 0
    assert sums(rolled(certificates, "2024-03-16", costs).cells)[0]["cost_count"] == 1


def test_a_position_is_that_of_the_month_end_whatever_came_later() -> None:
    row = certificate("2024-02-29", sent_on="2024-03-30", expected_payment_on="2024-03-31")
    found = rolled([row], "2025-02-28").positions.sort_by("month")
    months = [f"2024-{month:02d}" for month in range(2, 13)] + ["2025-01", "2025-02"]
    assert found["month"].to_pylist() == months
    assert values(found.slice(0, 3), "issued_age", "overdue_count", "critical_count", "open_age_amount") == [
        ("0-6", 0, 0, 0),
        ("30-59", 0, 0, 100 * 31),
        ("60-89", 1, 0, 100 * 61),
    ]
    assert found["issued_age"].to_pylist()[-1] == "365-729"


def test_the_last_position_is_that_of_the_date_itself() -> None:
    row = certificate("2024-03-01", "pagado", paid_on="2024-03-16")
    assert values(rolled([row], "2024-03-15").positions, "month", "open_age_amount") == [("2024-03", 90 * 14)]
    assert rolled([row], "2024-03-16").positions.num_rows == 0


def test_costs_are_in_cells_of_their_own_by_invoice_and_by_payment() -> None:
    costs = [
        cost("2024-01-10", amount=100, paid_on="2024-02-10", supplier="A", category="K"),
        cost("2024-01-20", amount=-30, paid_on="2024-03-16", supplier="A", category="L"),
        cost("2024-01-30", amount=7, kind="capex", supplier="B", category="K"),
    ]
    found = rolled([certificate("2024-01-10")], costs=costs)
    cells = [row for row in found.cells.to_pylist() if row["state"] == ""]
    assert {(row["amount_band"], row["issued_age"]) for row in cells} == {("", "")}
    assert [{name: row[name] for name in COMPONENT_NAMES if row[name]} for row in cells] == [
        {
            "cost_opex_amount": 70,
            "cost_capex_amount": 7,
            "cost_paid_amount": 100,
            "cost_open_amount": -23,
            "cost_count": 3,
        },
        {"paid_out_amount": 100},
    ]
    assert [row["month"] for row in cells] == ["2024-01", "2024-02"]
    assert sorted(values(found.breakdowns, "breakdown", "key", "amount", "count")) == [
        ("cost_category", "K", 107, 2),
        ("cost_category", "L", -30, 1),
        ("supplier", "A", 70, 2),
        ("supplier", "B", 7, 1),
    ]


def test_reasons_are_of_the_rejected_and_kinds_of_failure_of_what_came_back() -> None:
    notes = {"rejection_reason": "otros", "failure_kind": "error_tecnico"}
    rows = [
        certificate("2024-01-10", "rechazado", **notes),
        certificate("2024-01-11", "rechazado", sent_on="2024-03-16", **notes),
        certificate("2024-01-12", "validado", rework_count=2, amount_proposed=5, **notes),
        certificate("2024-01-13", "validado", **notes),
        certificate("2024-01-14", "rechazado"),
    ]
    assert sorted(values(rolled(rows).breakdowns, "breakdown", "key", "amount", "count", "state")) == [
        ("failure_kind", "error_tecnico", 5, 1, "validado"),
        ("failure_kind", "error_tecnico", 100, 1, "rechazado"),
        ("rejection_reason", "otros", 100, 1, "rechazado"),
    ]


def test_critical_certificates_are_ordered_by_urgency() -> None:
    rows = [
        # Sent 63 days ago, due in 30: 14 for its age, 4 of 40 for its amount, 5 for the 33 days.
        certificate("2024-01-10", sent_on="2024-01-12", amount_proposed=1_000_000, certificate_id="b"),
        certificate("2024-01-10", sent_on="2024-01-12", amount_proposed=1_000_000, certificate_id="a"),
        # Sent long ago, large and long due: everything.
        certificate("2022-01-10", sent_on="2022-01-12", amount_proposed=20_000_000, certificate_id="c"),
        # A correction weighs nothing, nor does a due date to come.
        certificate(
            "2024-01-10",
            sent_on="2024-01-12",
            expected_payment_on="2024-04-01",
            amount_proposed=-9,
            certificate_id="d",
        ),
    ]
    assert values(rolled(rows).critical, "certificate_id", "urgency", "amount", "days", "overdue_days") == [
        ("c", 100, 20_000_000, 793, 763),
        ("a", 23, 1_000_000, 63, 33),
        ("b", 23, 1_000_000, 63, 33),
        ("d", 14, -9, 63, -17),
    ]


def test_a_sum_that_does_not_fit_is_an_error_and_not_a_number() -> None:
    rows = [certificate("2024-03-01", amount_proposed=2**62) for _ in range(2)]
    with pytest.raises(SumTooLarge, match="more than 64 bits"):
        rolled(rows)


def by_others(rows: pa.Table) -> dict[tuple[str, ...], Counter[str]]:
    """Stocks by everything but the month; nothing where all are 0."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows.to_pylist():
        stocks = Counter({name: row[name] for name in STOCK_COMPONENTS})
        place = found.setdefault(tuple(row[name] for name in OTHERS), Counter())
        for name, value in stocks.items():
            place[name] += value
    return {
        key: kept for key, sums in found.items() if (kept := Counter({k: v for k, v in sums.items() if v}))
    }


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(certificates(), max_size=15), st.lists(costs(), max_size=5))
def test_the_tables_agree_with_their_rows_and_with_one_another(
    rows: list[dict[str, Any]], spent: list[dict[str, Any]]
) -> None:
    found = rolled(rows, costs=spent)
    assert reconcile_rollup(table(rows), cost_table(spent), found, AS_OF) == []
    now = found.positions.filter(pc.equal(found.positions["month"], "2024-03"))
    assert by_others(now) == by_others(found.cells)
    cells = values(found.cells, *DIMENSION_NAMES, "currency")
    assert cells == sorted(set(cells))


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(certificates(), max_size=12), st.integers(0, 13))
def test_a_position_is_the_roll_up_of_that_day(rows: list[dict[str, Any]], months: int) -> None:
    end = AS_OF.replace(day=1)
    for _ in range(months):
        end = (end - timedelta(1)).replace(day=1)
    end -= timedelta(1)
    then = rolled(rows).positions
    then = then.filter(pc.equal(then["month"], f"{end:%Y-%m}"))
    assert by_others(then) == by_others(rolled(rows, end).cells)
