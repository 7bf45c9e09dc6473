"""A roll-up that lost or changed something is found out."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import COHORT
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_rollup, reconcile_variants
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.compute.rollup.totals import row_totals
from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.components import COMPONENT_INDEX
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.entries import certificate, cost
from tests.compute.rows import AS_OF as DAY
from tests.compute.rows import certificates as any_certificates
from tests.compute.rows import cost_table, table
from tests.compute.rows import costs as any_costs
from tests.examples import examples

AS_OF = date(2024, 1, 31)
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
def rows(certificates_of, costs_of) -> tuple[pa.Table, pa.Table]:
    """Certificates and costs, some of them of days to come."""
    return certificates_of(CERTIFICATES), costs_of(COSTS)


@pytest.fixture(scope="module")
def rollup(rows: tuple[pa.Table, pa.Table]) -> Rollup:
    return roll_up(*rows, AS_OF, Thresholds(), 12)


def changed(table: pa.Table, column: str, value: int, place: int | None = None) -> pa.Table:
    """A table in which the largest of a column, on one day where a place is given, is another number.

    Of work lists it is of one that sums to a component.
    """
    numbers = table[column].to_pylist()
    places = table["place"].to_pylist() if place is not None else [None] * len(numbers)
    lists = table["work_list"].to_pylist() if "work_list" in table.column_names else [""] * len(numbers)
    summed = [day == place and name != "oldest_open" for day, name in zip(places, lists, strict=True)]
    at = max((row for row, is_summed in enumerate(summed) if is_summed), key=numbers.__getitem__)
    numbers[at] = value
    return table.set_column(table.column_names.index(column), column, pa.array(numbers, pa.int64()))


def test_a_roll_up_of_its_rows_gives_no_problem(rows, rollup: Rollup) -> None:
    assert reconcile_rollup(row_totals(*rows, AS_OF), rollup) == []


@pytest.mark.parametrize(
    ("name", "place", "column", "problems"),
    [
        (
            "cells",
            COHORT,
            "proposed_amount",
            [
                "proposed_amount in USD: 20 straight from the rows, 1 in the cohorts",
                "proposed_amount in USD: 1 in the cohorts, 20 in the months",
            ],
        ),
        (
            "cells",
            COHORT,
            "cost_capex_amount",
            [
                "cost_capex_amount in CLP: 6 straight from the rows, 1 in the cohorts",
                "cost_capex_amount in CLP: 1 in the cohorts, 6 in the months",
            ],
        ),
        (
            "cells",
            COHORT,
            "paid_out_amount",
            [
                "paid_out_amount in CLP: 5 straight from the rows, 1 in the cohorts",
                "paid_out_amount in CLP: 1 in the cohorts, 5 in the months",
            ],
        ),
        ("monthly", None, "paid_amount", ["paid_amount in CLP: 7 straight from the rows, 1 in the months"]),
        (
            "cells",
            NOW,
            "overdue_amount",
            [
                "overdue_amount in CLP: 10 in the cohorts, 1 in the business date",
                "overdue_amount in CLP: 1 on the business date, 10 in the work lists",
            ],
        ),
        (
            "work_lists",
            NOW,
            "amount",
            [
                "critical_amount in CLP: 10 on the business date, 1 in the work lists",
                "overdue_amount in CLP: 10 on the business date, 1 in the work lists",
            ],
        ),
        (
            "payment_times",
            COHORT,
            "paid",
            ["timed_count in CLP: 1 in the cohorts, 4 in the days of payment"],
        ),
    ],
)
def test_a_number_that_differs_is_named_with_its_currency(
    rows, rollup: Rollup, name: str, place: int | None, column: str, problems: list[str]
) -> None:
    value = 4 if column == "paid" else 1
    tampered = replace(rollup, **{name: changed(getattr(rollup, name), column, value, place)})
    assert reconcile_rollup(row_totals(*rows, AS_OF), tampered) == problems


@pytest.mark.parametrize("breakdown", ["supplier", "cost_category"])
def test_costs_that_a_breakdown_lost_are_found(rows, rollup: Rollup, breakdown: str) -> None:
    kept = rollup.breakdowns.filter(pc.not_equal(rollup.breakdowns["breakdown"], breakdown))
    assert reconcile_rollup(row_totals(*rows, AS_OF), replace(rollup, breakdowns=kept)) == [
        f"cost_amount in CLP: 11 straight from the rows, 0 in the costs by {breakdown}",
        f"cost_count in CLP: 2 straight from the rows, 0 in the costs by {breakdown}",
    ]


def test_a_lost_currency_is_found(rows, rollup: Rollup) -> None:
    kept = replace(
        rollup,
        **{
            name: (table := getattr(rollup, name)).filter(pc.not_equal(table["currency"], "USD"))
            for name in ("cells", "monthly")
        },
    )
    assert reconcile_rollup(row_totals(*rows, AS_OF), kept) == [
        "proposed_amount in USD: 20 straight from the rows, 0 in the cohorts",
        "proposed_count in USD: 1 straight from the rows, 0 in the cohorts",
    ]


def test_sums_that_json_readers_would_round_are_refused(rows, rollup: Rollup) -> None:
    tampered = replace(rollup, cells=changed(rollup.cells, "proposed_amount", 2**62))
    assert reconcile_rollup(row_totals(*rows, AS_OF), tampered) == [
        "proposed_amount sums to about 4.61e+18, beyond 2**53: look for amounts in the wrong unit"
    ]


@pytest.mark.slow
@settings(max_examples=examples(10))
@given(st.lists(certificate(), max_size=8), st.lists(cost(), max_size=4))
def test_any_roll_up_reconciles_down_to_its_variants(certificates_of, costs_of, certificates, costs) -> None:
    tables = certificates_of(certificates), costs_of(costs)
    found = roll_up(*tables, DAY, Thresholds(), 12)
    slices = list(Cube(found, DAY, 12, Thresholds()).slices())
    assert reconcile_rollup(row_totals(*tables, DAY), found) == []
    assert reconcile_variants(found.cells, single_values(slices)) == []
    assert out_of_range(slices) == []


@pytest.mark.slow
@settings(max_examples=examples(10), deadline=None)
@given(st.lists(any_certificates(), max_size=8), st.lists(any_costs(), max_size=3))
def test_what_is_receivable_is_aged_and_due_in_every_variant(claims, spent) -> None:
    costs = [{**row, "cost_id": str(number)} for number, row in enumerate(spent)]
    found = roll_up(table(claims), cost_table(costs), DAY, Thresholds(), 12)
    for slice_ in Cube(found, DAY, 12, Thresholds()).slices():
        for unit in ("amount", "count"):
            receivable = slice_.on_each_day(f"receivable_{unit}")
            aged = sum(slice_.on_each_day(f"ageing_{label}_{unit}") for label, _, _ in AGEING_BUCKETS)
            assert (aged == receivable).all()
            due = sum(slice_.total(f"due_{label}_{unit}") for label in DUE_BUCKETS)
            assert (due == slice_.total(f"receivable_{unit}")).all()
        owed = slice_.on_each_day("receivable_amount") - slice_.on_each_day("credit_amount")
        for part in ("overdue", "critical"):
            assert (slice_.on_each_day(f"{part}_amount") <= owed).all()
            assert (slice_.on_each_day(f"{part}_count") <= slice_.on_each_day("receivable_count")).all()
        assert (slice_.on_each_day("credit_amount") <= 0).all()


def single_values(slices: list[Slice]) -> list[Slice]:
    """The part of some slices that is of everything or of one value."""
    wanted = {
        one
        for slice_ in slices
        for one in slice_.filters
        if len(one.terms) < 2 and all(len(values) == 1 and name != "issued_age" for name, values in one.terms)
    }
    return [slice_.only(wanted) for slice_ in slices]


@pytest.fixture
def sums(rollup_of) -> tuple[Rollup, list[Slice]]:
    """A roll-up and its sums by single values, of certificates of two clients in two months."""
    rows = [{"client": name, "issued_on": date(2024, month, 1)} for name in "AB" for month in (1, 2)]
    rollup = rollup_of(rows, costs=[{"client": "A"}])
    return rollup, single_values(list(Cube(rollup, DAY, 12, Thresholds()).slices()))


def test_variants_that_sum_to_the_roll_up_give_no_problem(sums) -> None:
    assert reconcile_variants(sums[0].cells, sums[1]) == []


def test_without_variants_there_is_nothing_to_compare(sums) -> None:
    assert reconcile_variants(sums[0].cells, []) == []


def test_a_variant_that_lost_something_is_found_in_its_dimension(sums) -> None:
    rollup, slices = sums
    tamper(slices, Filter.of({"client": "B"}), "proposed_amount", 19)
    assert reconcile_variants(rollup.cells, slices) == [
        "proposed_amount in CLP: 40 in the roll-up, 39 over the variants of client"
    ]


def test_a_dimension_that_costs_do_not_have_need_not_reach_them(sums) -> None:
    rollup, slices = sums
    tamper(slices, Filter.of({"client": "A"}), "cost_count", 0)
    assert reconcile_variants(rollup.cells, slices) == [
        "cost_count in CLP: 1 in the roll-up, 0 over the variants of client"
    ]


def test_a_roll_up_that_the_variants_do_not_reach_is_found_in_every_dimension(sums) -> None:
    rollup, slices = sums
    longer = replace(rollup, cells=pa.concat_tables([rollup.cells, rollup.cells]))
    problems = [one for one in reconcile_variants(longer.cells, slices) if one.startswith("receivable_count")]
    # Everything, and each dimension but the age.
    assert len(problems) == 9
    assert all("receivable_count in CLP: 8 in the roll-up, 4 over" in problem for problem in problems)


@pytest.mark.parametrize(
    ("component", "value", "rule"),
    [
        ("acceptance_days", -1, "acceptance_days is negative"),
        ("critical_count", 99, "critical_count exceeds receivable_count"),
        ("overdue_amount", 99, "overdue_amount exceeds the receivables that are no credit notes"),
        ("critical_amount", 99, "critical_amount exceeds the receivables that are no credit notes"),
        ("idle_notice_count", 99, "idle_notice_count exceeds idle_days_count"),
        ("ageing_31-60_count", 5, "receivable_count is not the sum of ageing_0-30_count"),
        ("ageing_120+_amount", 3, "receivable_amount is not the sum of ageing_0-30_amount"),
        ("due_31-60_count", 5, "receivable_count is not the sum of due_not_due_count"),
        ("due_not_due_amount", 5, "receivable_amount is not the sum of due_not_due_amount"),
        ("unsent_amount", 1, "portfolio_amount is not the sum of unsent_amount"),
    ],
)
def test_impossible_sums_are_told_with_their_variant(sums, component: str, value: int, rule: str) -> None:
    _, slices = sums
    assert out_of_range(slices) == []
    tamper(slices, Filter.of({"client": "A"}), component, value)
    (problem,) = out_of_range(slices)
    assert problem.startswith(rule)
    assert problem.endswith("in 1 variants, such as {'client': ['A']}")


def tamper(slices: list[Slice], requested: Filter, component: str, value: int) -> None:
    """Set a sum of one variant."""
    for slice_ in slices:
        if requested in slice_.filters:
            slice_.totals[COMPONENT_INDEX[component], slice_.filters.index(requested), 0] = value
