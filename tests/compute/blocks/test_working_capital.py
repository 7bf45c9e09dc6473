"""Working capital: the cash that a better DSO would free."""

from datetime import date

from kpi_pipeline.compute.blocks.working_capital import working_capital


def test_the_gap_to_target_and_benchmark(slice_of) -> None:
    ((pesos, dollars),) = working_capital(slice_of())
    assert pesos == {
        "currency": "CLP",
        "dso": 180 * 193 / 230,
        "target_days": 35,
        "benchmark_days": 45,
        "gap_days": 180 * 193 / 230 - 35,
        "daily_billing": {"value": 230 / 193, "numerator": 230, "denominator": 193},
        "cash_tied": (180 * 193 - 35 * 230) // 193,
        "cash_tied_benchmark": (180 * 193 - 45 * 230) // 193,
    }
    assert (dollars["dso"], dollars["gap_days"], dollars["cash_tied"]) == (None, None, 0)


def test_a_better_dso_than_the_target_ties_less_than_nothing(slice_of) -> None:
    row = {"state": "validado", "issued_on": date(2024, 1, 2), "amount_approved": 10**6}
    paid = {**row, "state": "pagado", "amount_approved": 10**9, "paid_on": date(2024, 2, 2)}
    ((found,),) = working_capital(slice_of(certificates=[row, paid], costs=()))
    # Since 2 January.
    assert found["daily_billing"]["denominator"] == 30 + 29 + 15
    assert found["dso"] < 35
    assert found["cash_tied"] == (10**6 * 74 - 35 * (10**9 + 10**6)) // 74 < 0


def test_months_that_have_not_begun_have_no_days(slice_of) -> None:
    row = {"state": "validado", "month": date(2024, 5, 1), "amount_approved": 10}
    ((found,),) = working_capital(slice_of({"month": "2024-05"}, certificates=[row], costs=()))
    assert (found["dso"], found["gap_days"], found["cash_tied"]) == (None, None, None)
    assert found["daily_billing"] == {"value": None, "numerator": 10, "denominator": 0}
