"""A roll-up that lost or changed something is found out."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kpi_pipeline.compute.cube import Cube, Slice
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_rollup, reconcile_variants
from kpi_pipeline.compute.rollup import Rollup, roll_up
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENT_NAMES
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.thresholds import Thresholds

AS_OF = date(2024, 1, 31)
NAMES = dict.fromkeys(("client", "project", "project_manager", "administrator", "project_type"), "x")
CERTIFICATES = [
    {"issued_on": date(2023, 11, 30), "amount_proposed": 10, "sent_on": date(2023, 11, 30)},
    {"issued_on": date(2024, 1, 31), "amount_proposed": 20, "currency": "USD"},
    {"issued_on": date(2024, 1, 1), "amount_approved": 7, "state": "pagado", "paid_on": date(2024, 1, 31)},
    {"issued_on": date(2024, 2, 1), "amount_proposed": 40},
]
COSTS = [
    {"invoiced_on": date(2024, 1, 31), "amount": 5, "kind": "opex", "paid_on": date(2024, 1, 31)},
    {"invoiced_on": date(2024, 1, 30), "amount": 6, "kind": "capex", "paid_on": date(2024, 2, 1)},
    {"invoiced_on": date(2024, 2, 1), "amount": 50, "kind": "opex"},
]


@pytest.fixture(scope="module")
def rows(certificates_of) -> tuple[pa.Table, pa.Table]:
    """Certificates and costs, some of them of days to come."""
    plain = {**NAMES, "currency": "CLP", "supplier": "S", "category": "K", "month": AS_OF.replace(day=1)}
    costs = [
        {name: {**plain, "cost_id": str(number), **row}.get(name) for name in COST_SCHEMA.names}
        for number, row in enumerate(COSTS)
    ]
    return certificates_of(CERTIFICATES), pa.Table.from_pylist(costs, schema=COST_SCHEMA)


@pytest.fixture(scope="module")
def rollup(rows: tuple[pa.Table, pa.Table]) -> Rollup:
    return roll_up(*rows, AS_OF, Thresholds())


def changed(table: pa.Table, column: str, value: int) -> pa.Table:
    """A table in which the largest of a column is another number."""
    numbers = table[column].to_pylist()
    numbers[numbers.index(max(numbers))] = value
    return table.set_column(table.column_names.index(column), column, pa.array(numbers, pa.int64()))


def test_a_roll_up_of_its_rows_gives_no_problem(rows, rollup: Rollup) -> None:
    assert reconcile_rollup(*rows, rollup, AS_OF) == []


@pytest.mark.parametrize(
    ("name", "column", "problem"),
    [
        ("cells", "proposed_amount", "proposed_amount in USD: 20 straight from the rows, 1 in the cells"),
        ("cells", "collected_amount", "collected_amount in CLP: 7 straight from the rows, 1 in the cells"),
        ("cells", "cost_capex_amount", "cost_capex_amount in CLP: 6 straight from the rows, 1 in the cells"),
        ("cells", "cost_paid_amount", "cost_paid_amount in CLP: 5 straight from the rows, 1 in the cells"),
        ("cells", "paid_out_amount", "paid_out_amount in CLP: 5 straight from the rows, 1 in the cells"),
        ("cells", "overdue_amount", "overdue_amount in CLP: 1 in the cells, 10 in the positions"),
        (
            "cells",
            "payment_days_count",
            "payment_days_count in CLP: 9 in the cells, 1 in the days of payment",
        ),
        ("critical", "amount", "critical_amount in CLP: 10 in the cells, 1 in the critical certificates"),
    ],
)
def test_a_number_that_differs_is_named_with_its_currency(
    rows, rollup: Rollup, name: str, column: str, problem: str
) -> None:
    value = 9 if column == "payment_days_count" else 1
    tampered = replace(rollup, **{name: changed(getattr(rollup, name), column, value)})
    assert reconcile_rollup(*rows, tampered, AS_OF) == [problem]


@pytest.mark.parametrize("breakdown", ["supplier", "cost_category"])
def test_costs_that_a_breakdown_lost_are_found(rows, rollup: Rollup, breakdown: str) -> None:
    kept = rollup.breakdowns.filter(pc.not_equal(rollup.breakdowns["breakdown"], breakdown))
    assert reconcile_rollup(*rows, replace(rollup, breakdowns=kept), AS_OF) == [
        f"cost_amount in CLP: 11 straight from the rows, 0 in the costs by {breakdown}",
        f"cost_count in CLP: 2 straight from the rows, 0 in the costs by {breakdown}",
    ]


def test_a_lost_currency_is_found(rows, rollup: Rollup) -> None:
    kept = replace(
        rollup,
        **{
            name: (table := getattr(rollup, name)).filter(pc.not_equal(table["currency"], "USD"))
            for name in ("cells", "positions")
        },
    )
    assert reconcile_rollup(*rows, kept, AS_OF) == [
        "proposed_amount in USD: 20 straight from the rows, 0 in the cells",
        "proposed_count in USD: 1 straight from the rows, 0 in the cells",
    ]


def test_sums_that_json_readers_would_round_are_refused(rows, rollup: Rollup) -> None:
    tampered = replace(rollup, cells=changed(rollup.cells, "proposed_amount", 2**62))
    assert reconcile_rollup(*rows, tampered, AS_OF) == [
        "proposed_amount sums to about 4.61e+18, beyond 2**53: look for amounts in the wrong unit"
    ]


@pytest.fixture
def sums(cube_of):
    """A cube and the sums of its hot filters, of certificates of two clients in two months."""
    rows = [{"client": name, "issued_on": date(2024, month, 1)} for name in "AB" for month in (1, 2)]
    cube = cube_of(rows)
    return cube, list(cube.slices())


def rolled(cube: Cube, slices: list[Slice], **changed: int) -> pa.Table:
    """One cell that holds everything, but for what is changed."""
    totals = dict(zip(COMPONENT_NAMES, slices[0].totals[0, 0].tolist(), strict=True))
    return pa.table({"currency": ["CLP"], **{name: [value] for name, value in {**totals, **changed}.items()}})


def test_variants_that_sum_to_the_roll_up_give_no_problem(sums) -> None:
    cube, slices = sums
    assert reconcile_variants(rolled(cube, slices), cube, slices) == []


def test_a_variant_that_lost_something_is_found_in_its_dimension(sums) -> None:
    cube, slices = sums
    for piece in slices:
        for at, one in enumerate(piece.filters):
            if one == Filter.of({"client": "B"}):
                piece.totals[at, 0, COMPONENT_INDEX["proposed_amount"]] -= 1
    assert reconcile_variants(rolled(cube, slices), cube, slices) == [
        "proposed_amount in CLP: 40 in the roll-up, 39 over the variants of client"
    ]


def test_a_roll_up_that_the_variants_do_not_reach_is_found_in_every_dimension(sums) -> None:
    cube, slices = sums
    problems = reconcile_variants(rolled(cube, slices, open_count=5), cube, slices)
    assert len(problems) == 8
    assert all("open_count in CLP: 5 in the roll-up, 4 over" in problem for problem in problems)


def test_possible_sums_give_no_problem(sums) -> None:
    assert out_of_range(sums[1]) == []


@pytest.mark.parametrize(
    ("component", "value", "rule"),
    [
        ("acceptance_days", -1, "acceptance_days is negative"),
        ("critical_count", 99, "critical_count exceeds open_count"),
        ("ageing_31-60_amount", 5, "open_amount is not the sum of ageing_0-30_amount"),
        ("state_enviado_amount", 1, "proposed_amount is not the sum of state_revision_amount"),
    ],
)
def test_impossible_sums_are_told_with_their_variant(sums, component: str, value: int, rule: str) -> None:
    _, slices = sums
    slices[0].totals[0, 0, COMPONENT_INDEX[component]] = value
    (problem,) = out_of_range(slices)
    assert problem.startswith(rule)
    assert problem.endswith("in 1 variants, such as {}")
