"""A roll-up that lost or changed something is found out."""

from datetime import date

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube import Cube, Slice
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_rollup, reconcile_variants
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENT_NAMES
from kpi_pipeline.model.filters import Filter

AS_OF = date(2024, 1, 31)
CERTIFICATES = pa.table(
    {
        "issued_on": pa.array([date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 1)], pa.date32()),
        "currency": ["CLP", "USD", "CLP"],
        "amount_proposed": pa.array([10, 20, 40], pa.int64()),
    }
)


def rollup(amount: int) -> pa.Table:
    return pa.table({"currency": ["CLP", "USD"], "proposed_count": [1, 1], "proposed_amount": [amount, 20]})


def test_equal_totals_give_no_problem() -> None:
    assert reconcile_rollup(CERTIFICATES, rollup(10), AS_OF) == []


def test_a_different_amount_is_named_with_its_currency() -> None:
    assert reconcile_rollup(CERTIFICATES, rollup(11), AS_OF) == [
        "proposed in CLP: 10 straight from the rows, 11 in the roll-up"
    ]


def test_a_lost_currency_is_found() -> None:
    problems = reconcile_rollup(CERTIFICATES, rollup(10).slice(0, 1), AS_OF)
    assert problems == [
        "certificates in USD: 1 straight from the rows, 0 in the roll-up",
        "proposed in USD: 20 straight from the rows, 0 in the roll-up",
    ]


def test_sums_that_json_readers_would_round_are_refused() -> None:
    problems = reconcile_rollup(CERTIFICATES, rollup(2**62), AS_OF)
    assert problems == [
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
