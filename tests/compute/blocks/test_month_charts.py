"""Charts by month: billing and DSO, costs, cash flow, and the way of KPIs."""

from kpi_pipeline.compute.blocks.month_charts import (
    KPIS_READ,
    cash_flow,
    kpi_trend,
    monthly_trend,
    opex_capex,
)
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.model.kpis import KPIS
from tests.compute.blocks.conftest import basis
from tests.compute.rows import AS_OF

READ = [kpi for kpi in KPIS if kpi.name in KPIS_READ]


def rows_of(chart, **wanted):
    """The rows of a chart in which some columns hold some values."""
    columns = chart["columns"]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_billing_by_month_with_dso_at_its_end(slice_of) -> None:
    slice_ = slice_of()
    (found,) = monthly_trend(slice_, kpi_values(slice_, READ))
    assert [row["month"] for row in rows_of(found, currency="CLP")][::11] == ["2023-04", "2024-03"]
    # 80 and 50 were owed, all that was billed in the 87 days since 5 September.
    assert rows_of(found, currency="CLP", month="2023-11") == [
        {"month": "2023-11", "currency": "CLP", "proposed": 50, "approved": 50, "paid": 0, "dso": 87.0}
    ]
    assert rows_of(found, currency="CLP", month="2024-02")[0]["paid"] == 50
    # 100 and 80 of 230 in 193 days.
    assert rows_of(found, month="2024-03") == [
        {"month": "2024-03", "currency": "CLP", "proposed": 0, "approved": 0, "paid": 0, "dso": 151.0},
        {"month": "2024-03", "currency": "USD", "proposed": 700, "approved": 0, "paid": 0, "dso": None},
    ]
    # The last of the months goes up to the business date only.
    period = {"since": "2023-04", "until": AS_OF.isoformat()}
    sums = {**period, "proposed": 270, "approved": 130, "paid": 50}
    assert found["says"] == [
        {"currency": "CLP", "sentence": "totals_and_dso", "values": {**sums, "dso": 151.0}},
        {
            "currency": "USD",
            "sentence": "totals",
            "values": {**period, "proposed": 700, "approved": 0, "paid": 0},
        },
    ]


def test_costs_by_month_of_invoice(slice_of) -> None:
    everything, paid = opex_capex(slice_of({}, {"state": "pagado"}))
    assert rows_of(everything, currency="CLP", month="2024-01")[0]["opex"] == 130
    assert sum(row["capex"] for row in rows_of(everything, currency="CLP")) == 15
    assert {row["opex"] for row in rows_of(everything, currency="USD")} == {None}
    values = {"since": "2023-04", "until": AS_OF.isoformat(), "share": 130 / 145, "opex": 130, "capex": 15}
    assert everything["says"] == [{"currency": "CLP", "sentence": "split", "values": values}]
    assert (paid["empty"], paid["says"]) == (True, [])
    assert {(row["opex"], row["capex"]) for row in rows_of(paid)} == {(None, None)}


def test_cash_flow_goes_from_what_came_in_to_what_is_expected(slice_of) -> None:
    everything, paid, autumn = cash_flow(
        slice_of({}, {"state": "pagado"}, {"month": "2023-11"}, bases={"CLP": basis(whole=0)})
    )
    pesos = rows_of(everything, currency="CLP")
    assert [row["kind"] for row in pesos] == ["collected"] * 6 + ["expected"] * 12
    assert [row["month"] for row in pesos][:7] == [
        "2023-10",
        "2023-11",
        "2023-12",
        "2024-01",
        "2024-02",
        "2024-03",
        "2024-03",
    ]
    assert [(row["month"], row["amount"]) for row in pesos if row["amount"]] == [
        ("2024-02", 50),
        ("2024-04", 50),
    ]
    assert rows_of(everything, currency="CLP", month="2024-02", kind="collected")[0]["low_50"] is None
    assert rows_of(everything, currency="CLP", month="2024-04")[0]["high_90"] == 50
    expected = {"month": "2024-04", "amount": 50, "low": 50, "high": 50, "total": 50}
    assert everything["says"][0] == {"currency": "CLP", "sentence": "expected", "values": expected}
    assert paid["says"] == [{"currency": "CLP", "sentence": "nothing_expected", "values": {"collected": 50}}]
    # The months that a filter names do not matter.
    assert rows_of(autumn)[5]["month"] == "2024-03"
    assert rows_of(autumn)[6]["month"] == "2024-03"


def test_cash_flow_without_a_forecast_is_what_came_in(slice_of) -> None:
    everything, autumn = cash_flow(slice_of({}, {"month": "2023-11"}))
    assert {row["kind"] for row in [*rows_of(everything), *rows_of(autumn)]} == {"collected"}
    assert everything["says"][0] == {
        "currency": "CLP",
        "sentence": "no_forecast",
        "values": {"collected": 50},
    }


def test_the_way_of_kpis(slice_of) -> None:
    slice_ = slice_of()
    given = kpi_values(slice_, READ)
    (found,) = kpi_trend(slice_, given)
    assert list(dict.fromkeys(found["columns"]["kpi"])) == list(KPIS_READ)
    assert {row["currency"] for row in rows_of(found, kpi="acceptance_days")} == {""}
    for name in KPIS_READ:
        for one in given[0][name]:
            trend = rows_of(found, kpi=name, currency=one.get("currency", ""))
            assert [row["value"] for row in trend] == one["spark"]
    values = {"since": "2023-09", "before": 26.0, "now": 151.0}
    assert found["says"] == [{"currency": "CLP", "sentence": "dso_worse", "values": values}]


def test_a_cohort_has_no_trend_of_kpis(slice_of) -> None:
    slice_ = slice_of({"month": "2023-11"})
    given = kpi_values(slice_, READ)
    (found,) = kpi_trend(slice_, given)
    assert (found["empty"], found["says"]) == (True, [])
    (billing,) = monthly_trend(slice_, given)
    assert {row["dso"] for row in rows_of(billing)} == {None}
    assert [row["approved"] for row in rows_of(billing, month="2023-09")] == [80]


def test_dso_gets_better_or_stays(slice_of) -> None:
    slice_ = slice_of()
    (given,) = kpi_values(slice_, READ)

    def said(*values):
        spark = [None] * (12 - len(values)) + list(values)
        (found,) = kpi_trend(slice_, [{**given, "dso": [{"currency": "CLP", "spark": spark}]}])
        return found["says"]

    better = {"since": "2024-01", "before": 40.0, "now": 30.0}
    assert said(40.0, 50.0, 30.0) == [{"currency": "CLP", "sentence": "dso_better", "values": better}]
    level = {"since": "2024-02", "now": 30.0}
    assert said(30.0, 30.0) == [{"currency": "CLP", "sentence": "dso_level", "values": level}]
    alone = {"since": "2024-03", "now": 30.0}
    assert said(30.0) == [{"currency": "CLP", "sentence": "dso_level", "values": alone}]
    assert said(30.0, None) == []
