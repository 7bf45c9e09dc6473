"""Formulas on their days, by answers worked out by hand."""

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
    # 60 + 40 is owed; 60, 40 and 50 were issued from 16 March 2023 on, and the firm is older than that.
    (found,) = read(cube_of(ROWS), "dso")
    assert (found["numerator"], found["denominator"], found["window_days"]) == (100, 150, 366)
    assert found["value"] == 100 * 366 / 150


def test_dso_of_a_new_firm_takes_the_days_since_it_began(cube_of, read) -> None:
    rows = [accepted(issued, 1_000_000) for issued in ("2024-02-01", "2024-03-01")]
    (found,) = read(cube_of(rows, date(2024, 3, 31)), "dso")
    # February and March of a leap year; all of it is still owed.
    assert (found["value"], found["window_days"], found["previous"]) == (60.0, 60, None)
    assert found["spark"] == [*[None] * 10, 29.0, 60.0]


def test_dso_of_a_new_client_takes_the_days_since_it_began(cube_of, read) -> None:
    old = [accepted(f"{year}-{month:02}-01", 100) for year in (2021, 2022, 2023) for month in (2, 6, 10)]
    new = [
        accepted("2024-01-16", 30, paid_on="2024-02-20") | {"state": "pagado", "client": "y"},
        accepted("2024-02-20", 30) | {"client": "y"},
    ]
    (found,) = read(cube_of([*old, *new]), "dso", client="y")
    # 30 of 60 are owed after 60 days; at the end of January 30 of 30 after 16.
    assert (found["value"], found["window_days"]) == (30.0, 60)
    assert found["spark"] == [*[None] * 9, 16.0, 30 * 45 / 60, 30.0]
    # Nothing was billed to it then.
    assert (found["previous"], found["change"], found["trend"]) == (None, None, None)


def test_billing_is_what_the_client_has_to_pay_once_it_is_claimed(cube_of, read) -> None:
    rows = [
        certificate("2024-03-01", "enviado", sent_on="2024-03-01"),
        certificate("2024-03-01", "validado", conformity_on="2024-03-05"),
        certificate("2024-03-01", "pagado", paid_on="2024-03-05"),
        certificate("2024-03-01", "enviado", amount_proposed=-7),
        *(certificate("2024-03-01", state) for state in ("revision", "rechazado", "anulado")),
    ]
    # Of each 100 are proposed and 90 approved.
    (found,) = read(cube_of(rows), "dso")
    assert (found["numerator"], found["denominator"]) == (100 + 90 - 7, 100 + 90 + 90 - 7)


def test_dso_of_some_months_takes_their_own_days_and_certificates(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS), "dso", month=["2024-01", "2024-02"])
    assert (found["numerator"], found["denominator"], found["window_days"]) == (40, 90, 60)
    assert found["value"] == 40 * 60 / 90
    assert found["previous"] is None
    assert found["spark"] == [None] * 12


def test_dso_of_months_to_come_has_no_value(cube_of, read) -> None:
    cube = cube_of([accepted("2024-03-01", 5) | {"month": date(2024, 5, 1)}])
    (found,) = read(cube, "dso", month="2024-05")
    assert (found["value"], found["window_days"]) == (None, 0)


def test_best_possible_dso_leaves_out_what_is_overdue(cube_of, read) -> None:
    assert values(read(cube_of(ROWS), "dso_best_possible"), "value") == [(60 * 366 / 150,)]


def test_collection_effectiveness_is_of_what_was_paid_and_what_is_overdue(cube_of, read) -> None:
    # 100 and 50 were paid in the window, of those issued before it too; 40 are overdue.
    (found,) = read(cube_of(ROWS), "collection_effectiveness")
    assert (found["numerator"], found["denominator"]) == (150, 190)
    assert found["value"] == 150 / 190
    # The 100 were overdue until they were paid on 1 June.
    assert found["spark"] == [0.0, 0.0, *[1.0] * 8, round(150 / 190, 4), round(150 / 190, 4)]


def test_recovery_is_of_what_was_paid_to_what_was_approved(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS), "recovery_rate")
    assert (found["value"], found["numerator"], found["denominator"]) == (1.0, 150, 150)


def test_a_part_of_a_whole_has_no_value_beyond_it(cube_of, read) -> None:
    rows = [ROWS[2], certificate("2024-03-01", "enviado", amount_proposed=-35)]
    (found,) = read(cube_of(rows), "overdue_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (None, 40, 5)
    rows[1]["amount_proposed"] = 40
    assert values(read(cube_of(rows), "overdue_share"), "value") == [(0.5,)]


def test_growth_is_of_the_last_complete_month(cube_of, read) -> None:
    rows = [
        # Settled before the window: it is a month of last year all the same.
        accepted("2023-02-01", 200, paid_on="2023-02-20") | {"state": "pagado"},
        accepted("2023-12-01", 7),
        accepted("2024-01-01", 40),
        accepted("2024-02-01", 50),
        accepted("2024-03-01", 9000),
    ]
    cube = cube_of(rows)
    (month,) = read(cube, "growth_month")
    assert (month["value"], month["numerator"], month["denominator"]) == (0.25, 10, 40)
    # November to December had nothing to grow from; then 7 to 40; on 15 March February is complete.
    assert month["spark"][-4:] == [None, round(33 / 7, 4), 0.25, 0.25]
    assert values(read(cube, "growth_year"), "value", "numerator", "denominator") == [(-0.75, -150, 200)]
    (pace,) = read(cube, "run_rate")
    assert pace["value"] == 4 * (7 + 40 + 50)
    assert pace["spark"][-4:] == [28, 4 * 47, 4 * 97, 4 * 97]


@pytest.mark.parametrize("window", [1, 6, 24])
def test_growth_and_targets_do_not_depend_on_the_window(cube_of, read, window: int) -> None:
    paid = {"state": "pagado", "paid_on": date(2023, 3, 1)}
    rows = [accepted("2023-02-01", 200) | paid, accepted("2024-01-05", 40), accepted("2024-02-01", 50)]
    cube = cube_of(rows, window=window, targets={"CLP": 100})
    assert values(read(cube, "growth_year"), "value") == [(-0.75,)]
    assert values(read(cube, "growth_month"), "value") == [(0.25,)]
    assert values(read(cube, "run_rate"), "value") == [(4 * 90,)]
    assert values(read(cube, "annual_target"), "value") == [(90 / 1200,)]


@pytest.mark.parametrize(
    "name", ["growth_month", "growth_year", "run_rate", "monthly_target", "annual_target", "dso_count_back"]
)
def test_a_cohort_has_no_figures_of_the_calendar(cube_of, read, name: str) -> None:
    cube = cube_of(ROWS, targets={"CLP": 100})
    (found,) = read(cube, name, month=["2023-02", "2024-01", "2024-02"])
    told = {key: value for key, value in found.items() if key not in ("currency", "spark")}
    assert set(told.values()) == {None}
    assert found["spark"] == [None] * 12


def test_a_target_is_that_of_the_month_and_year_of_the_day(cube_of, read) -> None:
    rows = [accepted("2023-12-05", 30), accepted("2024-02-05", 90), accepted("2024-03-05", 50)]
    rows.append({**accepted("2024-03-05", 70), "currency": "USD"})
    # Issued in December, accepted in February.
    rows.append(accepted("2023-12-06", 6, conformity_on="2024-02-06"))
    cube = cube_of(rows, targets={"CLP": 100})
    shown = ("currency", "value", "numerator", "denominator")
    assert values(read(cube, "monthly_target"), *shown) == [
        ("CLP", 0.5, 50, 100),
        ("USD", None, 70, None),
    ]
    assert values(read(cube, "annual_target"), *shown)[0] == ("CLP", 146 / 1200, 146, 1200)
    assert read(cube, "monthly_target")[0]["spark"][-4:] == [0.3, 0.0, 0.96, 0.5]
    assert read(cube, "annual_target")[0]["spark"][-4:] == [0.025, 0.0, 0.08, round(146 / 1200, 4)]


def test_a_part_of_the_firm_has_no_target(cube_of, read) -> None:
    cube = cube_of([accepted("2024-03-05", 50)], targets={"CLP": 100})
    (found,) = read(cube, "monthly_target", client="x")
    assert (found["value"], found["numerator"], found["denominator"]) == (None, 50, None)
    assert found["spark"] == [None] * 12


def test_a_share_of_all_is_of_the_same_window_or_months(cube_of, read) -> None:
    cube = cube_of(ROWS)
    shown = ("value", "numerator", "denominator")
    assert values(read(cube, "revenue_share"), *shown) == [(1.0, 150, 150)]
    assert values(read(cube, "revenue_share", client="y"), *shown) == [(50 / 150, 50, 150)]
    months = ["2024-01", "2024-02"]
    assert values(read(cube, "revenue_share", client="y", month=months), *shown) == [(50 / 90, 50, 90)]
    assert values(read(cube, "revenue_share", month=["2023-03", "2024-02"]), *shown) == [(1.0, 150, 150)]
    (found,) = read(cube, "revenue_share", client="y")
    # The window of 29 February begins on 1 March: it has the 100 of that day.
    assert found["spark"] == [*[0.0] * 10, 50 / 250, 0.3333]


def test_a_stock_of_an_earlier_day_is_what_stood_on_it(cube_of, read) -> None:
    (found,) = read(cube_of(ROWS), "receivable")
    assert found["spark"] == [100, 160, *[60] * 7, 100, 100, 100]
    assert (found["value"], found["previous"], found["change"], found["trend"]) == (100, 100, 0, "stable")
    # 15 December.
    (quarter,) = read(cube_of(ROWS, window=3), "receivable")
    assert (quarter["value"], quarter["previous"], quarter["change"]) == (100, 60, 40)
    assert quarter["trend"] == "declining"


@pytest.mark.parametrize("name", ["costs", "gross_margin", "gross_margin_share", "cash_margin", "costs_paid"])
@pytest.mark.parametrize("dimension", ["state", "amount_band", "issued_age"])
def test_what_costs_do_not_know_is_not_told(cube_of, read, name: str, dimension: str) -> None:
    cube = cube_of(ROWS, costs=[{"amount": 30, "paid_on": AS_OF}])
    requested = {"state": "validado", "amount_band": "bajo", "issued_age": "60-89"}[dimension]
    (found,) = read(cube, name, **{dimension: requested})
    told = {key: value for key, value in found.items() if key not in ("currency", "spark")}
    assert set(told.values()) == {None}
    assert found["spark"] == [None] * 12


@pytest.mark.parametrize("name", ["costs", "gross_margin", "gross_margin_share", "cash_margin", "costs_paid"])
def test_a_currency_without_any_cost_has_no_margin(cube_of, read, name: str) -> None:
    cube = cube_of(ROWS, costs=[{"amount": 30, "currency": "USD"}])
    pesos, dollars = read(cube, name)
    assert (pesos["value"], pesos["spark"]) == (None, [None] * 12)
    # Margins of no income are no quotients.
    assert (dollars["value"] is None) == (name == "gross_margin_share")


def test_margin_is_what_was_approved_less_what_it_cost(cube_of, read) -> None:
    spent = [
        {"amount": 30, "invoiced_on": date(2024, 2, 1), "paid_on": date(2024, 3, 1)},
        {"amount": 25, "kind": "capex", "client": "y"},
    ]
    cube = cube_of(ROWS, costs=spent)
    assert values(read(cube, "gross_margin"), "value") == [(150 - 55,)]
    assert values(read(cube, "gross_margin_share", client="y"), "value", "numerator", "denominator") == [
        (0.5, 25, 50)
    ]
    assert values(read(cube, "cash_margin"), "value") == [(150 - 30,)]
    # Before the first invoice the data held no cost at all.
    assert read(cube, "cash_margin")[0]["spark"] == [*[None] * 10, 150, 120]
    assert values(read(cube, "costs_pending"), "value") == [(25,)]
    assert read(cube, "costs_pending")[0]["spark"] == [*[None] * 10, 30, 25]


def test_costs_of_months_are_those_invoiced_in_them(cube_of, read) -> None:
    spent = [
        {"amount": 30, "invoiced_on": date(2022, 2, 1), "paid_on": date(2024, 3, 1)},
        {"amount": 25, "invoiced_on": date(2024, 2, 1)},
    ]
    cube = cube_of(ROWS, costs=spent)
    shown = {name: read(cube, name, month="2022-02") for name in ("costs", "costs_paid", "costs_pending")}
    assert {name: values(found, "value") for name, found in shown.items()} == {
        "costs": [(30,)],
        "costs_paid": [(30,)],
        "costs_pending": [(0,)],
    }
    assert values(read(cube, "costs"), "value") == [(25,)]
    assert values(read(cube, "costs_paid"), "value") == [(30,)]


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


def test_what_is_told_of_the_business_date_alone_has_no_other_day(cube_of) -> None:
    kpis = [
        Kpi(
            "due",
            Text("V", "Due"),
            Unit.MONEY,
            Total(plain("due_31-60_amount")),
            Direction.DOWN,
            True,
            Text("Prueba.", "Test."),
        ),
        Kpi(
            "part",
            Text("P", "Part"),
            Unit.SHARE,
            Ratio(plain("due_31-60_count"), plain("receivable_count")),
            Direction.DOWN,
            False,
            Text("Prueba.", "Test."),
        ),
    ]
    ((due,), (part,)) = kpi_values(cube_of(ROWS).select([EVERYTHING]), kpis)[0].values()
    assert (due["value"], part["value"], part["numerator"], part["denominator"]) == (40, 0.5, 1, 2)
    for found in (due, part):
        assert found["previous"] is found["trend"] is None
        assert found["spark"] == [None] * 11 + [found["value"]]


def test_a_term_is_taken_as_often_as_its_factor_says(cube_of) -> None:
    formula = Total((Term("approved_amount", factor=3), Term("approved_count", factor=-1)))
    kpi = Kpi("odd", Text("R", "Odd"), Unit.MONEY, formula, Direction.UP, True, Text("P.", "T."))
    ((found,),) = kpi_values(cube_of(ROWS).select([EVERYTHING]), [kpi])[0].values()
    assert found["value"] == 3 * 150 - 3
