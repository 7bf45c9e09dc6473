"""The oracle's own figures, against a few certificates and costs worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.certificate_states import Limits
from kpi_pipeline.audit.recomputation.finances import statement, totals, working_capital
from kpi_pipeline.audit.recomputation.kpi_values import KpiValues
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.products import Products
from kpi_pipeline.audit.recomputation.quotients import Data
from kpi_pipeline.audit.recomputation.tables import ageing
from kpi_pipeline.audit.recomputation.variant import Variant

from .both_ways import BothWays, certificate, cost

AS_OF = date(2024, 3, 15)
MONTH_AGES = ["0-6", "7-13", "14-29"]
"""Days since issue of the last thirty days."""

CERTIFICATES = [
    certificate(
        "pagado",
        date(2024, 1, 10),
        1000,
        900,
        sent_on=date(2024, 1, 12),
        conformity_on=date(2024, 1, 22),
        expected_payment_on=date(2024, 2, 12),
        paid_on=date(2024, 2, 20),
    ),
    certificate(
        "validado",
        date(2024, 2, 1),
        500,
        400,
        sent_on=date(2024, 2, 3),
        conformity_on=date(2024, 2, 23),
    ),
    certificate(
        "enviado",
        date(2023, 12, 5),
        300,
        sent_on=date(2023, 12, 10),
        expected_payment_on=date(2024, 4, 1),
        currency="USD",
        client="Sur",
    ),
    certificate(
        "rechazado",
        date(2024, 3, 1),
        200,
        sent_on=date(2024, 3, 5),
        expected_payment_on=AS_OF,
        client="Sur",
    ),
]
COSTS = [
    cost(300, date(2024, 2, 5), paid_on=date(2024, 3, 1)),
    cost(100, date(2024, 1, 20), kind="capex"),
    cost(5000, date(2024, 3, 16)),
]


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    targets = Limits(monthly_targets={"CLP": 800})
    return BothWays.of_certificates(CERTIFICATES, COSTS, limits=targets).oracle(AS_OF)


@pytest.fixture(scope="module")
def everything(oracle: Oracle) -> Variant:
    return oracle.variant({})


def told(variant: Variant, name: str, *fields: str) -> list[Any]:
    """Some fields of each reading of a KPI; one by itself."""
    readings = KpiValues(variant)[name]
    return [one[fields[0]] if len(fields) == 1 else tuple(one[field] for field in fields) for one in readings]


def values(variant: Variant, name: str) -> list[Any]:
    return told(variant, name, "value")


def quotients(variant: Variant, name: str) -> list[Any]:
    return told(variant, name, "value", "numerator", "denominator")


def sparks(variant: Variant, name: str) -> list[Any]:
    """The last four months of the trend of each reading."""
    return [spark[-4:] for spark in told(variant, name, "spark")]


def test_money_is_told_by_currency(everything: Variant) -> None:
    names = ("proposed", "approved", "paid", "receivable", "returned", "overdue", "critical")
    assert everything.currencies == ["CLP", "USD"]
    found = zip(*(values(everything, name) for name in names), strict=True)
    assert list(found) == [(1700, 1300, 900, 400, 200, 0, 0), (300, 0, 0, 300, 0, 0, 300)]


def test_counts_are_of_all_currencies(everything: Variant) -> None:
    names = ("certificates", "receivable_count", "overdue_count", "due_assumed_count", "critical_count")
    assert [values(everything, name) for name in names] == [[4], [2], [0], [1], [1]]
    assert (values(everything, "projects_delayed"), values(everything, "projects_on_time")) == ([0], [1])


def test_ratios_are_exact_or_absent(everything: Variant) -> None:
    # From the first issue, on 5 December 2023, to 15 March 2024: 27 + 31 + 29 + 15 days.
    assert told(everything, "dso", "window_days") == [102, 102]
    assert quotients(everything, "dso") == [(400 * 102 / 1300, 400, 1300), (102.0, 300, 300)]
    assert quotients(everything, "dso_best_possible") == [(400 * 102 / 1300, 400, 1300), (102.0, 300, 300)]
    assert quotients(everything, "approval_rate") == [(13 / 17, 1300, 1700), (None, 0, 0)]
    assert quotients(everything, "approval_rate_count") == [(2 / 3, 2, 3)]
    assert quotients(everything, "collection_effectiveness") == [(1.0, 900, 900), (None, 0, 0)]


def test_days_are_means_of_what_has_them(everything: Variant) -> None:
    assert quotients(everything, "acceptance_days") == [(15.0, 30, 2)]
    assert quotients(everything, "waiting_days") == [(96.0, 96, 1)]
    assert quotients(everything, "late_days") == [(8.0, 8, 1)]
    assert quotients(everything, "idle_days") == [((21 + 96) / 2, 117, 2)]
    assert [values(everything, f"idle_{level}_count") for level in ("urgent", "critical")] == [[1], [1]]


def test_the_count_back_goes_through_the_days_of_months(oracle: Oracle, everything: Variant) -> None:
    # All 15 days of March, in which nothing was billed, and the whole of February; of dollars, back to
    # the whole of December.
    assert quotients(everything, "dso_count_back") == [(44.0, 400, 400), (106.0, 300, 300)]
    assert sparks(everything, "dso_count_back")[0] == [None, 31.0, 29.0, 44.0]
    assert values(oracle.variant({"month": ["2024-02"]}), "dso_count_back") == [None]


def test_positions_are_as_they_stood_at_month_ends(everything: Variant) -> None:
    assert (everything.months[0], everything.months[-1]) == (2023 * 12 + 3, 2024 * 12 + 2)
    assert sparks(everything, "receivable") == [[0, 900, 400, 400], [300, 300, 300, 300]]
    assert sparks(everything, "overdue") == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert sparks(everything, "critical") == [[0, 0, 0, 0], [0, 0, 300, 300]]
    # Paid in the twelve months that end with each.
    assert sparks(everything, "paid") == [[0, 0, 900, 900], [0, 0, 0, 0]]


def test_growth_is_of_complete_months(everything: Variant) -> None:
    assert quotients(everything, "growth_month")[0] == (-1 / 2, -500, 1000)
    assert quotients(everything, "growth_year")[0] == (None, 500, 0)
    # Billed from December to February.
    assert values(everything, "run_rate") == [4 * 1300, 4 * 300]


def test_targets_are_of_everything(oracle: Oracle, everything: Variant) -> None:
    assert quotients(everything, "monthly_target") == [(0.0, 0, 800), (None, 0, None)]
    assert quotients(everything, "annual_target")[0] == (13 / 96, 1300, 9600)
    north = oracle.variant({"client": ["Norte"]})
    assert quotients(north, "annual_target") == [(None, 1300, None)]
    for asked in ({"month": ["2024-02"]}, {"state": ["validado"]}):
        assert values(oracle.variant(asked), "annual_target") == [None]


def test_quantiles_are_days_that_occur() -> None:
    issued = date(2024, 1, 1)
    paid = [
        certificate("pagado", issued, 10, 10, paid_on=issued + timedelta(days)) for days in range(50, 0, -5)
    ]
    variant = BothWays.of_certificates(paid).oracle(AS_OF).variant({})
    assert (values(variant, "payment_days_median"), values(variant, "payment_days_p90")) == ([25], [45])
    nothing = Oracle([], AS_OF).variant({})
    assert values(nothing, "payment_days_median") == [None]


def test_the_expected_loss_is_of_what_rolled_on() -> None:
    issued = date(2023, 1, 1)
    old = [
        certificate("pagado", issued, 100, 100, paid_on=issued + timedelta(days)) for days in (20, 45, 200)
    ]
    young = [
        certificate("enviado", AS_OF - timedelta(10), 1000, currency=currency) for currency in ("CLP", "USD")
    ]
    both = BothWays.of_certificates([*old, certificate("validado", issued, 100, 100), *young])
    oracle = both.oracle(AS_OF)
    # Of 200 past 120 days, 100 were lost; of 300 past 30, 200 went on; of 400, 300.
    assert oracle.loss_rates[0]["CLP"] == {
        "0-30": 249_999,
        "31-60": 333_333,
        "61-90": 500_000,
        "91-120": 500_000,
        "120+": 500_000,
    }
    assert set(oracle.loss_rates[0]["USD"].values()) == {None}
    assert values(oracle.variant({}), "expected_loss") == [249 + 50, None]


def test_ageing_holds_what_is_owed(everything: Variant) -> None:
    def filled(buckets: list[Data]) -> dict[str, tuple[int, int, float]]:
        return {one["bucket"]: (one["amount"], one["count"], one["share"]) for one in buckets if one["count"]}

    pesos, dollars = ageing(everything)
    assert filled(pesos["by_issue"]) == {"31-60": (400, 1, 1.0)}
    assert filled(pesos["by_due"]) == {"not_due": (400, 1, 1.0)}
    assert filled(dollars["by_issue"]) == {"91-120": (300, 1, 1.0)}
    assert filled(dollars["by_due"]) == {"not_due": (300, 1, 1.0)}
    assert [(one["amount"], one["share"]) for one in dollars["by_issue"][:3]] == [(0, 0.0)] * 3


def test_the_statement_is_by_month_and_its_totals_over_them(everything: Variant) -> None:
    pesos, dollars = statement(everything)["lines"]
    assert {name: line[-4:] for name, line in pesos.items() if name != "currency"} == {
        "billed": [0, 1000, 500, 200],
        "approved": [0, 900, 400, 0],
        "collected": [0, 0, 900, 0],
        "opex": [0, 0, 300, 0],
        "capex": [0, 100, 0, 0],
        "costs": [0, 100, 300, 0],
        "costs_paid_out": [0, 0, 0, 300],
        "margin": [0, 800, 100, 0],
        "margin_share": [None, 8 / 9, 1 / 4, None],
    }
    assert dollars["billed"][-4:] == [300, 0, 0, 0]
    assert totals(everything)[0] == {
        "currency": "CLP",
        "billed": 1700,
        "approved": 1300,
        "collected": 900,
        "opex": 300,
        "capex": 100,
        "costs": 400,
        "costs_paid_out": 300,
        "margin": 900,
        "margin_share": 9 / 13,
    }


def test_costs_are_those_until_the_date(everything: Variant) -> None:
    names = ("costs", "opex", "capex", "costs_paid", "costs_pending", "gross_margin", "cash_margin")
    assert [values(everything, name)[0] for name in names] == [400, 300, 100, 300, 100, 900, 600]


def test_costs_have_no_state(oracle: Oracle) -> None:
    paid = oracle.variant({"state": ["pagado"]})
    assert (values(paid, "approved"), values(paid, "costs"), values(paid, "gross_margin")) == (
        [900],
        [None],
        [None],
    )
    (total,) = totals(paid)
    assert (total["approved"], total["costs"], total["margin"]) == (900, None, None)
    # A client without costs has none, which is known of the currency in which there are any.
    assert values(oracle.variant({"client": ["Sur"]}), "costs") == [0, None]


def test_working_capital_is_the_distance_to_the_target(everything: Variant) -> None:
    pesos, _ = working_capital(everything, KpiValues(everything))
    assert pesos["daily_billing"] == {"value": 1300 / 102, "numerator": 1300, "denominator": 102}
    assert pesos["cash_tied"] == (400 * 102 - 35 * 1300) // 102 == -47
    assert pesos["gap_days"] == 400 * 102 / 1300 - 35


def test_a_month_is_a_cohort(oracle: Oracle) -> None:
    january = oracle.variant({"month": ["2024-01"]})
    # Issued in January, and paid in February: whenever it was, it is the cohort's.
    names = ("certificates", "proposed", "approved", "paid", "receivable")
    assert [values(january, name) for name in names] == [[1], [1000], [900], [900], [0]]
    assert [told(january, name, "previous", "trend")[0] for name in names] == [(None, None)] * 5
    assert sparks(january, "paid") == [[None] * 4]
    february = oracle.variant({"month": ["2024-02"]})
    assert quotients(february, "dso") == [(29.0, 400, 400)]
    assert february.comparison is None


def test_a_change_compares_with_what_stood_a_window_before() -> None:
    # Paid on the day after the one that is compared with.
    old = certificate(
        "pagado", date(2023, 2, 1), 100, 100, sent_on=date(2023, 2, 2), paid_on=date(2023, 3, 16)
    )
    older = certificate(
        "pagado", date(2021, 2, 1), 70, 70, sent_on=date(2021, 2, 2), paid_on=date(2022, 5, 1)
    )
    everything = BothWays.of_certificates([old, older, CERTIFICATES[1]]).oracle(AS_OF).variant({})
    assert everything.comparison == {"day": "2024-03-15", "previous_day": "2023-03-15"}
    fields = ("value", "previous", "change", "change_share", "trend")
    assert told(everything, "receivable", *fields) == [(400, 100, 300, 3.0, "declining")]
    assert told(everything, "proposed", *fields) == [(500, 100, 400, 4.0, "improving")]
    assert told(everything, "paid", *fields) == [(100, 70, 30, 30 / 70, "improving")]


def test_what_the_data_do_not_cover_is_compared_with_nothing(everything: Variant) -> None:
    fields = ("previous", "change", "change_share", "trend")
    for name in ("proposed", "receivable", "payment_days"):
        assert told(everything, name, *fields)[0] == (None,) * 4


def test_quick_days_are_of_what_was_issued_in_them(oracle: Oracle) -> None:
    days = oracle.variant({"issued_age": MONTH_AGES})
    assert (values(days, "certificates"), values(days, "proposed")[0]) == ([1], 200)
    assert values(days, "returned")[0] == 200


@pytest.mark.parametrize(("month", "days"), [("2024-02", 29), ("2024-03", 15)])
def test_days_of_a_month_are_cut_at_the_date(oracle: Oracle, month: str, days: int) -> None:
    assert told(oracle.variant({"month": [month]}), "dso", "window_days")[0] == days


def test_a_month_occurs_where_anything_is_billed_in_it(oracle: Oracle) -> None:
    precomputed = oracle.precomputed()
    months = {terms[0][1] for terms in precomputed if len(terms) == 1 and terms[0][0] == "month"}
    single = {values[0] for values in months if len(values) == 1}
    assert single == {"2023-12", "2024-01", "2024-02", "2024-03"}
    assert (("month", ("2024-01",)), ("state", ("pagado",))) in precomputed
    assert (("month", ("2024-02",)), ("state", ("pagado",))) not in precomputed
    assert (("client", ("Sur",)), ("month", ("2024-03",))) in precomputed
    assert (("client", ("Sur",)), ("month", ("2024-01",))) not in precomputed


def test_quick_periods_are_published_where_anything_is_in_them(oracle: Oracle) -> None:
    precomputed, ages = oracle.precomputed(), ("0-6", "14-29", "7-13")
    assert (("month", ("2024-01", "2024-02", "2024-03")),) in precomputed
    assert (("issued_age", ages),) in precomputed
    assert (("client", ("Sur",)), ("issued_age", ages)) in precomputed
    assert (("client", ("Norte",)), ("issued_age", ages)) not in precomputed
    assert (("issued_age", ("0-6",)),) in precomputed
    assert (("client", ("Sur",)), ("issued_age", ("0-6",))) not in precomputed


def test_charts_are_the_same_figures_in_columns(everything: Variant) -> None:
    drawn = Products(everything).of("charts", [], ["monthly_trend", "states"])["charts"]
    trend, states = drawn["monthly_trend"]["columns"], drawn["states"]["columns"]
    assert [sum(trend[name]) for name in ("proposed", "approved", "paid")] == [2000, 1300, 900]
    rows = zip(states["state"], states["currency"], states["amount"], states["count"], strict=True)
    assert {row for row in rows if row[-1]} == {
        ("validado", "CLP", 500, 1),
        ("pagado", "CLP", 1000, 1),
        ("rechazado", "CLP", 200, 1),
        ("enviado", "USD", 300, 1),
    }
    assert not drawn["monthly_trend"]["empty"]


def test_the_chart_of_nothing_is_empty() -> None:
    nothing = Products(Oracle([], AS_OF).variant({})).of("charts", [], ["ageing"])["charts"]["ageing"]
    columns: Data = {"bucket": [], "currency": [], "amount": [], "count": [], "share": []}
    assert nothing == {"columns": columns, "empty": True, "says": []}
