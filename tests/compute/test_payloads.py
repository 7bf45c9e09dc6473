"""What a variant says: readings, buckets, months and columns in their shapes."""

from datetime import date

import orjson
import pytest

from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import DASHBOARD_CARDS, KPI_NAMES

ROWS = [
    {"client": "A", "issued_on": date(2024, 1, 5), "amount_proposed": 100},
    {"client": "A", "issued_on": date(2023, 9, 5), "state": "validado", "amount_approved": 80},
    {
        "client": "B",
        "issued_on": date(2024, 3, 1),
        "currency": "USD",
        "amount_proposed": 7,
        "state": "revision",
    },
    {
        "client": "B",
        "issued_on": date(2023, 11, 1),
        "state": "pagado",
        "paid_on": date(2024, 2, 2),
        "amount_approved": 50,
    },
]


@pytest.fixture
def data(cube_of):
    """What a product says of a filter."""
    cube = cube_of(ROWS)

    def of(product: str, asked: Filter = EVERYTHING):
        ((answered, said),) = payloads(product, cube, [cube.select([asked])])
        assert answered == asked
        return said

    return of


def test_money_has_a_reading_a_currency_and_counts_have_one(data) -> None:
    said = data("kpis")
    assert tuple(said["kpis"]) == KPI_NAMES
    assert said["currencies"] == ["CLP", "USD"]
    assert said["kpis"]["proposed"] == [
        {"currency": "CLP", "value": 120},
        {"currency": "USD", "value": 7},
    ]
    assert said["kpis"]["certificates"] == [{"value": 4}]


def test_a_ratio_tells_what_it_is_made_of_and_is_none_without_a_denominator(data) -> None:
    assert data("kpis")["kpis"]["approval_rate_count"] == [{"value": 1.0, "numerator": 2, "denominator": 2}]
    none = data("kpis", Filter.of({"state": "revision"}))["kpis"]["approval_rate"]
    assert none == [{"currency": "USD", "value": None, "numerator": 0, "denominator": 0}]


def test_dso_is_receivables_over_approved_billing_times_days(data) -> None:
    (clp, usd) = data("kpis")["kpis"]["dso"]
    assert clp == {
        "currency": "CLP",
        "value": 180 * 350 / 130,
        "numerator": 180,
        "denominator": 130,
        "window_days": 350,
    }
    assert usd["value"] is None


def test_dso_of_months_that_have_not_begun_has_no_value(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2024, 3, 1), "month": date(2024, 5, 1), "state": "validado"}])
    ((_, said),) = payloads("kpis", cube, [cube.select([Filter.of({"month": "2024-05"})])])
    assert said["kpis"]["dso"][0]["window_days"] == 0
    assert said["kpis"]["dso"][0]["value"] is None


def test_a_currency_that_a_filter_does_not_have_is_left_out(data) -> None:
    said = data("dashboards", Filter.of({"client": "A"}))
    assert said["currencies"] == ["CLP"]
    assert [one["currency"] for one in said["ageing"]] == ["CLP"]
    assert tuple(said["kpis"]) == DASHBOARD_CARDS


def test_ageing_holds_open_items_only_and_its_shares_make_one(data) -> None:
    clp = data("dashboards")["ageing"][0]
    assert [bucket["count"] for bucket in clp["buckets"]] == [0, 0, 1, 0, 1]
    assert [bucket["amount"] for bucket in clp["buckets"]] == [0, 0, 100, 0, 80]
    assert sum(bucket["share"] for bucket in clp["buckets"]) == pytest.approx(1)


def test_collected_belongs_to_the_month_of_payment(data) -> None:
    said = data("financials")
    months, line = said["statement"]["months"], said["statement"]["lines"][0]
    assert months[0] == "2023-04"
    assert months[-1] == "2024-03"
    assert line["collected"][months.index("2024-02")] == 50
    assert line["approved"][months.index("2023-11")] == 50
    assert said["totals"][0] == {
        "currency": "CLP",
        "proposed": 120,
        "approved": 130,
        "collected": 50,
        "receivable": 180,
    }


def test_a_chart_has_its_columns_and_says_when_there_is_nothing_to_draw(data, cube_of) -> None:
    said = data("charts")["charts"]
    assert tuple(said) == tuple(CHARTS)
    for name, chart in said.items():
        assert tuple(chart["columns"]) == CHARTS[name].columns
        assert len({len(column) for column in chart["columns"].values()}) == 1
        assert chart["empty"] is False
    nothing = cube_of([])
    ((_, empty),) = payloads("charts", nothing, nothing.slices())
    assert all(chart["empty"] for chart in empty["charts"].values())


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_answer_is_plain_json(data, product: str) -> None:
    said = data(product)
    assert orjson.loads(orjson.dumps(said)) == said


def test_no_other_product_is_made_up(cube_of) -> None:
    with pytest.raises(KeyError):
        next(payloads("weather", cube_of([]), []))
