"""Formulas at their anchors, by answers worked out by hand."""

from datetime import date

import pytest

from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.kpis import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import Ratio, Term, Total, plain
from kpi_pipeline.model.labels import Text
from tests.compute.rows import certificate

AS_OF = date(2024, 3, 15)


def accepted(issued: str, amount: int, **given) -> dict:
    """A certificate that the client accepted on the day of its issue."""
    dated = {"sent_on": issued, "conformity_on": issued}
    return certificate(
        issued, "validado", **{**dated, **given}, amount_proposed=amount, amount_approved=amount
    )


ROWS = [
    # Owed at the end of March 2023, paid in June.
    accepted("2023-03-01", 100, paid_on="2023-06-01") | {"state": "pagado"},
    accepted("2023-05-01", 60, expected_payment_on="2024-05-01"),
    accepted("2024-01-10", 40, expected_payment_on="2024-02-01"),
    accepted("2024-02-10", 50, paid_on="2024-02-20") | {"state": "pagado", "client": "y"},
]


def values(found: list[dict], *names: str) -> list[tuple]:
    return [tuple(one[name] for name in names) for one in found]


def test_dso_is_what_is_receivable_in_days_of_the_windows_billing(cube_of, read) -> None:
    # 60 + 40 is owed; 150 was approved from April on, of which 350 days have passed.
    (found,) = read(cube_of(ROWS), "dso")
    assert (found["numerator"], found["denominator"], found["window_days"]) == (100, 150, 350)
    assert found["value"] == 100 * 350 / 150


def test_dso_of_some_months_takes_their_own_days_and_certificates(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS), "dso", month=["2024-01", "2024-02"])
    assert (found["numerator"], found["denominator"], found["window_days"]) == (40, 90, 60)
    # At the end of February 100 stood against the 90 of two months; at that of December 60 against nothing.
    assert found["recent"] == 100 * 60 / 90
    assert found["previous"] is None


def test_dso_of_months_to_come_has_no_value(cube_of, read) -> None:
    cube = cube_of([accepted("2024-03-01", 5) | {"month": date(2024, 5, 1)}])
    (found,) = read(cube, "dso", month="2024-05")
    assert (found["value"], found["window_days"]) == (None, 0)


def test_best_possible_dso_leaves_out_what_is_overdue(cube_of, read) -> None:
    assert values(read(cube_of(ROWS), "dso_best_possible"), "value") == [(60 * 350 / 150,)]


def test_collection_effectiveness_is_of_the_window(cube_of, read) -> None:
    # 100 owed at the end of March 2023, 150 billed since, 100 owed now, of which 60 not yet due.
    (found,) = read(cube_of(ROWS), "collection_effectiveness")
    assert (found["numerator"], found["denominator"]) == (100 + 150 - 100, 100 + 150 - 60)
    assert found["value"] == 150 / 190


def test_count_back_uses_up_the_latest_billing_first(cube_of, read) -> None:
    # 50 of February, then 40 of January; the last 10 are a sixth of May's 60.
    days_whole = 15 + 29 + 31 + 31 + 30 + 31 + 30 + 31 + 31 + 30
    (found,) = read(cube_of(ROWS), "dso_count_back")
    assert found["value"] == (days_whole * 60 + 10 * 31) / 60
    assert (found["numerator"], found["denominator"]) == (100, 60)


def test_count_back_at_a_month_counts_from_it(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS), "dso_count_back", month="2024-01")
    # Over the filter 40 of January's own are owed: all its days.
    assert (found["value"], found["denominator"]) == (31.0, 40)
    # At the end of January 100 stood: January's 40, and then all of May's 60.
    assert found["recent"] == float(31 + 31 + 30 + 31 + 30 + 31 + 31 + 30 + 31)


@pytest.mark.parametrize(
    ("rows", "value", "numerator", "denominator"),
    [
        ([accepted("2024-03-01", 10)], 15.0, 10, 10),
        ([accepted("2024-03-01", 5, paid_on="2024-03-02") | {"state": "pagado"}], 0.0, 0, None),
        ([accepted("2024-03-01", -5)], None, -5, None),
        # All that was ever billed does not reach what is owed.
        ([accepted("2024-03-01", 10), certificate("2024-03-01", sent_on="2024-03-01")], None, 110, None),
        # A month of credit notes adds its days and takes nothing.
        (
            [accepted("2024-01-01", 10), accepted("2024-02-01", -4), accepted("2024-03-01", 2)],
            (44 * 10 + 6 * 31) / 10,
            8,
            10,
        ),
    ],
)
def test_count_back_at_its_edges(cube_of, read, rows, value, numerator, denominator) -> None:
    found = read(cube_of(rows), "dso_count_back")
    assert values(found, "value", "numerator", "denominator") == [(value, numerator, denominator)]


def test_growth_is_of_the_last_complete_month(cube_of, read) -> None:
    rows = [
        accepted("2023-02-01", 200),
        accepted("2023-12-01", 7),
        accepted("2024-01-01", 40),
        accepted("2024-02-01", 50),
        accepted("2024-03-01", 9000),
    ]
    cube = cube_of(rows)
    assert values(read(cube, "growth_month"), "value", "numerator", "denominator") == [(0.25, 10, 40)]
    assert values(read(cube, "growth_year"), "value", "numerator", "denominator") == [(-0.75, -150, 200)]
    assert values(read(cube, "run_rate"), "value") == [(4 * (7 + 40 + 50),)]
    # Of January alone, and of the month that is not over: February counts.
    assert values(read(cube, "growth_month", month="2024-01"), "value") == [((40 - 7) / 7,)]
    assert values(read(cube, "growth_month", month="2024-03"), "value", "recent") == [(0.25, None)]


def test_a_target_is_that_of_the_months_it_is_for(cube_of, read) -> None:
    rows = [accepted("2023-12-05", 30), accepted("2024-02-05", 90), accepted("2024-03-05", 50)]
    rows.append({**accepted("2024-03-05", 70), "currency": "USD"})
    cube = cube_of(rows, targets={"CLP": 100})
    shown = ("currency", "value", "numerator", "denominator")
    assert values(read(cube, "monthly_target"), *shown) == [
        ("CLP", 0.5, 50, 100),
        ("USD", None, 70, None),
    ]
    assert values(read(cube, "annual_target"), *shown)[0] == ("CLP", 140 / 300, 140, 300)
    december = {"month": "2023-12"}
    assert values(read(cube, "monthly_target", **december), *shown)[0] == ("CLP", 0.3, 30, 100)
    assert values(read(cube, "annual_target", **december), *shown)[0] == ("CLP", 30 / 1200, 30, 1200)
    assert read(cube, "monthly_target")[0]["spark"][-4:] == [0.3, 0.0, 0.9, 0.5]


def test_a_part_of_the_firm_has_no_target(cube_of, read) -> None:
    cube = cube_of([accepted("2024-03-05", 50)], targets={"CLP": 100})
    (found,) = read(cube, "monthly_target", client="x")
    assert (found["value"], found["numerator"], found["denominator"]) == (None, 50, None)
    assert found["spark"] == [None] * 12


def test_a_share_of_all_is_of_the_same_months(cube_of, read) -> None:
    cube = cube_of(ROWS)
    shown = ("value", "numerator", "denominator")
    assert values(read(cube, "revenue_share"), *shown) == [(1.0, 250, 250)]
    assert values(read(cube, "revenue_share", client="y"), *shown) == [(0.2, 50, 250)]
    months = ["2024-01", "2024-02"]
    assert values(read(cube, "revenue_share", client="y", month=months), *shown) == [(50 / 90, 50, 90)]
    assert values(read(cube, "revenue_share", month=["2023-03", "2024-02"]), *shown) == [(1.0, 150, 150)]
    (found,) = read(cube, "revenue_share", client="y")
    assert found["spark"] == [None, 0.0, *[None] * 7, 0.0, 1.0, None]


def test_a_stock_at_a_window_is_what_stood_at_its_end(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS, window=3), "receivable")
    assert (found["value"], found["recent"], found["previous"], found["change"]) == (100, 100, 60, 40)
    assert found["spark"] == [100, 160, *[60] * 7, 100, 100, 100]


@pytest.mark.parametrize("name", ["costs", "gross_margin", "gross_margin_share", "cash_margin", "costs_paid"])
@pytest.mark.parametrize("dimension", ["state", "amount_band", "issued_age"])
def test_what_costs_do_not_know_is_not_told(cube_of, read, name: str, dimension: str) -> None:
    cube = cube_of(ROWS, costs=[{"amount": 30, "paid_on": AS_OF}])
    requested = {"state": "validado", "amount_band": "bajo", "issued_age": "60-89"}[dimension]
    (found,) = read(cube, name, **{dimension: requested})
    told = {key: value for key, value in found.items() if key not in ("currency", "spark")}
    assert set(told.values()) == {None}
    assert found["spark"] == [None] * 12


def test_margin_is_what_was_approved_less_what_it_cost(cube_of, read) -> None:
    spent = [
        {"amount": 30, "invoiced_on": date(2024, 2, 1), "paid_on": date(2024, 3, 1)},
        {"amount": 25, "kind": "capex", "client": "y"},
    ]
    cube = cube_of(ROWS, costs=spent)
    assert values(read(cube, "gross_margin"), "value") == [(250 - 55,)]
    assert values(read(cube, "gross_margin_share", client="y"), "value", "numerator", "denominator") == [
        (0.5, 25, 50)
    ]
    assert values(read(cube, "cash_margin"), "value") == [(150 - 30,)]
    assert read(cube, "cash_margin")[0]["spark"] == [0, 0, 100, *[0] * 7, 50, -30]


def test_projects_are_delayed_by_any_overdue_certificate(cube_of, read) -> None:
    rows = [
        {**ROWS[2], "project": "late"},
        {**ROWS[1], "project": "late"},
        {**ROWS[1], "project": "in time"},
        {**ROWS[0], "project": "settled"},
    ]
    cube = cube_of(rows)
    assert values(read(cube, "projects_delayed"), "value") == [(1,)]
    assert values(read(cube, "projects_on_time"), "value") == [(1,)]
    assert values(read(cube, "projects_delayed", project="in time"), "value") == [(0,)]


def test_what_has_no_month_is_told_of_the_filter_alone(cube_of) -> None:
    kpis = [
        Kpi(
            "due",
            Text("V", "Due"),
            Unit.MONEY,
            Total(plain("due_31-60_amount")),
            Direction.DOWN,
            True,
            "Test.",
        ),
        Kpi(
            "part",
            Text("P", "Part"),
            Unit.SHARE,
            Ratio(plain("due_31-60_count"), plain("open_count")),
            Direction.DOWN,
            False,
            "Test.",
        ),
    ]
    ((due,), (part,)) = kpi_values(cube_of(ROWS).select([EVERYTHING]), kpis)[0].values()
    assert (due["value"], part["value"], part["numerator"], part["denominator"]) == (40, 0.5, 1, 2)
    for found in (due, part):
        assert found["recent"] is found["previous"] is found["trend"] is None
        assert found["spark"] == [None] * 12


def test_a_term_is_taken_as_often_as_its_factor_says(cube_of) -> None:
    formula = Total((Term("approved_amount", factor=3), Term("approved_count", factor=-1)))
    kpi = Kpi("odd", Text("R", "Odd"), Unit.MONEY, formula, Direction.UP, True, "Test.")
    ((found,),) = kpi_values(cube_of(ROWS).select([EVERYTHING]), [kpi])[0].values()
    assert found["value"] == 3 * 250 - 4
