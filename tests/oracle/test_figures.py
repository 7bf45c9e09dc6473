"""The oracle's own figures, against four certificates worked out by hand."""

from datetime import date

import pytest

from .both_ways import BothWays, certificate
from .figures import Oracle, Variant

AS_OF = date(2024, 3, 15)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return BothWays.of_certificates(
        [
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
    ).oracle(AS_OF)


@pytest.fixture(scope="module")
def everything(oracle: Oracle) -> Variant:
    return oracle.variant({})


def test_money_is_told_by_currency(everything: Variant) -> None:
    names = ("proposed", "approved", "paid", "receivable", "overdue", "critical")
    pesos, dollars = ([everything.kpis[name][at]["value"] for name in names] for at in (0, 1))
    assert everything.currencies == ["CLP", "USD"]
    assert pesos == [1700, 1300, 900, 400, 400, 0]
    assert dollars == [300, 0, 0, 300, 0, 300]


def test_counts_are_of_all_currencies(everything: Variant) -> None:
    names = ("certificates", "receivable_count", "overdue_count", "due_assumed_count", "critical_count")
    assert [everything.kpis[name] for name in names] == [[{"value": value}] for value in (4, 2, 1, 1, 1)]


def test_ratios_are_exact_or_absent(everything: Variant) -> None:
    # From 1 April 2023 to 15 March 2024, a leap year: 366 - 16 days.
    assert everything.kpis["dso"] == [
        {
            "currency": "CLP",
            "value": 400 * 350 / 1300,
            "numerator": 400,
            "denominator": 1300,
            "window_days": 350,
        },
        {"currency": "USD", "value": None, "numerator": 300, "denominator": 0, "window_days": 350},
    ]
    assert everything.kpis["acceptance_days"] == [{"value": 15.0, "numerator": 30, "denominator": 2}]
    assert everything.kpis["waiting_days"] == [{"value": 96.0, "numerator": 96, "denominator": 1}]
    assert everything.kpis["approval_rate"] == [
        {"currency": "CLP", "value": 13 / 17, "numerator": 1300, "denominator": 1700},
        {"currency": "USD", "value": None, "numerator": 0, "denominator": 0},
    ]
    assert everything.kpis["approval_rate_count"] == [{"value": 2 / 3, "numerator": 2, "denominator": 3}]


def test_ageing_holds_what_is_not_paid(everything: Variant) -> None:
    pesos, dollars = (
        [(one["amount"], one["count"], one["share"]) for one in line["buckets"]] for line in everything.ageing
    )
    assert pesos == [(200, 1, 1 / 3), (400, 1, 2 / 3), (0, 0, 0.0), (0, 0, 0.0), (0, 0, 0.0)]
    assert dollars == [(0, 0, 0.0), (0, 0, 0.0), (0, 0, 0.0), (300, 1, 1.0), (0, 0, 0.0)]


def test_states_hold_everything(everything: Variant) -> None:
    pesos, dollars = (
        {one["state"]: (one["amount"], one["count"]) for one in line["states"] if one["count"]}
        for line in everything.states
    )
    assert pesos == {"validado": (500, 1), "pagado": (1000, 1), "rechazado": (200, 1)}
    assert dollars == {"enviado": (300, 1)}


def test_the_trend_ends_with_the_month_of_the_date(everything: Variant) -> None:
    assert (everything.months[0], everything.months[-1]) == ("2023-04", "2024-03")
    pesos, dollars = (
        {name: line[name][-4:] for name in line if name != "currency"} for line in trend_of(everything)
    )
    assert pesos == {
        "proposed": [0, 1000, 500, 200],
        "approved": [0, 900, 400, 0],
        "paid": [0, 900, 0, 0],
        "receivable": [0, 0, 400, 0],
        "collected": [0, 0, 900, 0],
    }
    assert dollars["proposed"] == dollars["receivable"] == [300, 0, 0, 0]


def test_totals_of_the_statement_are_of_its_months(everything: Variant) -> None:
    assert everything.statement_totals == [
        {"currency": "CLP", "proposed": 1700, "approved": 1300, "collected": 900, "receivable": 400},
        {"currency": "USD", "proposed": 300, "approved": 0, "collected": 0, "receivable": 300},
    ]


def test_a_month_is_the_window_and_the_end_of_the_trend(oracle: Oracle) -> None:
    february = oracle.variant({"month": ["2024-02"]})
    assert february.months[-1] == "2024-02"
    assert february.kpis["certificates"] == [{"value": 1}]
    # Dollars are there for the trend, which heeds no month.
    assert february.kpis["dso"] == [
        {"currency": "CLP", "value": 29.0, "numerator": 400, "denominator": 400, "window_days": 29},
        {"currency": "USD", "value": None, "numerator": 0, "denominator": 0, "window_days": 29},
    ]
    assert trend_of(february)[0]["collected"][-2:] == [0, 900]


@pytest.mark.parametrize(("month", "days"), [("2024-02", 29), ("2024-03", 15), ("2024-04", 0)])
def test_days_of_a_month_are_cut_at_the_date(oracle: Oracle, month: str, days: int) -> None:
    assert oracle.variant({"month": [month]}).kpis["dso"][0]["window_days"] == days


def test_a_payment_makes_its_month_occur(oracle: Oracle) -> None:
    months = {terms[0][1][0] for terms in oracle.hot() if len(terms) == 1 and terms[0][0] == "month"}
    assert months == {"2023-12", "2024-01", "2024-02", "2024-03"}
    # Nothing paid is billed in February, but something paid is paid then.
    assert (("month", ("2024-02",)), ("state", ("pagado",))) in oracle.hot()
    assert (("client", ("Sur",)), ("month", ("2024-01",))) not in oracle.hot()


def test_charts_are_the_same_figures_in_columns(everything: Variant) -> None:
    trend = everything.charts["monthly_trend"]
    assert len(trend["columns"]["amount"]) == 2 * 5 * 12
    assert sum(trend["columns"]["amount"]) == 1700 + 1300 + 900 + 400 + 900 + 300 + 300
    assert not trend["empty"]
    nothing = Oracle([], AS_OF).variant({}).charts["ageing"]
    assert nothing == {"columns": {"bucket": [], "currency": [], "amount": [], "count": []}, "empty": True}


def trend_of(variant: Variant) -> list[dict]:
    return variant.trend["series"]
