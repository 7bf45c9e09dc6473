"""What a product says of a filter: its parts in their shapes."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads, shared_inputs
from kpi_pipeline.model.access import PRODUCT_PERMISSIONS, Permission
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import COMPOSED, charts_of_product, kpis_of_product
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import AS_OF

ROWS: list[dict[str, Any]] = [
    {"client": "A", "issued_on": date(2024, 1, 5), "sent_on": date(2024, 1, 5), "amount_proposed": 100},
    {
        "client": "A",
        "issued_on": date(2023, 9, 5),
        "sent_on": date(2023, 9, 6),
        "conformity_on": date(2023, 9, 9),
        "state": "validado",
        "amount_approved": 80,
    },
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
SPENT = [{"client": "A", "amount": 30, "supplier": "S1"}, {"client": "B", "amount": 5, "supplier": "S2"}]
MONTHS = [f"2023-{month:02d}" for month in range(4, 13)] + ["2024-01", "2024-02", "2024-03"]

REQUESTED = [
    EVERYTHING,
    *(Filter.of(one) for one in ({"client": "A"}, {"client": "B"}, {"state": "revision"})),
]

HEAD = ["currencies", "months", "comparison", "cohort"]
PARTS = {
    "kpis": ["options", "kpis", "ageing", "stages"],
    "dashboards": ["options", "kpis", "expected", "charts", "tables"],
    "charts": ["options", "kpis", "charts", "tables"],
    "financials": [
        "options",
        "kpis",
        "expected",
        "charts",
        "statement",
        "totals",
        "profitability",
        "suppliers",
        "cost_categories",
        "working_capital",
        "forecast",
    ],
}


@pytest.fixture(scope="module")
def cube(cube_of) -> Cube:
    return cube_of(ROWS, costs=SPENT)


def said(cube: Cube, product: str, **terms: Any) -> dict[str, Any]:
    """What a product says of one filter."""
    requested = Filter.of(terms)
    ((answered, found),) = payloads(product, [cube.select([requested])])
    assert answered == requested
    return found


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"client": "A", "month": ["2023-12", "2024-01"]},
        {"state": "revision"},
        {"issued_age": ["0-6", "7-13", "14-29"]},
        {"client": "nobody"},
    ],
    ids=str,
)
def test_every_answer_is_plain_json_and_whole(cube: Cube, product: str, terms: dict[str, Any]) -> None:
    found = said(cube, product, **terms)
    assert orjson.loads(orjson.dumps(found)) == found
    assert list(found) == [*HEAD, *PARTS[product]]
    assert tuple(found["kpis"]) == kpis_of_product(product)


@pytest.mark.parametrize("product", PRODUCTS)
def test_nothing_has_happened_is_an_answer_too(cube_of, product: str) -> None:
    answers = dict(payloads(product, cube_of([]).slices()))
    assert Filter.of({"amount_band": "bajo"}) in answers
    found = answers[EVERYTHING]
    assert found["currencies"] == []
    assert list(found) == [*HEAD, *PARTS[product]]
    assert all(chart["empty"] for chart in found.get("charts", {}).values())


def test_an_answer_begins_with_its_currencies_its_months_and_what_it_compares(cube: Cube) -> None:
    found = said(cube, "dashboards")
    assert found["currencies"] == ["CLP", "USD"]
    assert found["months"] == MONTHS
    assert found["comparison"] == {"day": "2024-03-15", "previous_day": "2023-03-15"}
    assert found["cohort"] is None
    recent = said(cube, "dashboards", issued_age=["0-6"])
    assert (recent["comparison"], recent["cohort"]) == (found["comparison"], None)


def test_months_are_a_cohort_that_tells_how_much_of_it_is_open(cube: Cube) -> None:
    found = said(cube, "dashboards", client="A", month=["2023-09", "2024-01"])
    assert found["currencies"] == ["CLP"]
    assert found["months"] == MONTHS
    assert found["comparison"] is None
    assert found["cohort"] == {"certificates": 2, "open": 2}
    assert said(cube, "dashboards", month="2023-11")["cohort"] == {"certificates": 1, "open": 0}
    nothing = said(cube, "dashboards", client="A", month="2023-12")
    assert (nothing["currencies"], nothing["cohort"]) == ([], {"certificates": 0, "open": 0})


@pytest.mark.parametrize("product", PRODUCTS)
def test_options_are_of_the_dimensions_that_the_filter_leaves_open(cube: Cube, product: str) -> None:
    options = said(cube, product, client="A", state=["validado", "enviado"])["options"]
    assert list(options) == [name for name in DIMENSION_NAMES if name not in ("client", "state")]
    assert [len(options[name]) for name in options] == [len(cube.frame.values[name]) for name in options]
    # September to March; one each in the first and in January.
    assert options["month"] == [1, 0, 0, 0, 1, 0, 0]
    assert said(cube, product)["options"]["client"] == [2, 2]


def test_a_page_finds_all_that_it_shows_in_one_answer(cube: Cube) -> None:
    for page in COMPOSED:
        found = said(cube, page.product)
        assert set(page.kpis) <= set(found["kpis"])
        assert set(page.charts) <= set(found.get("charts", ()))
        held = set(found.get("tables", ())) | set(found)
        assert set(page.tables) <= held, page.name


@pytest.mark.parametrize("product", ["dashboards", "charts", "financials"])
def test_a_chart_has_its_columns(cube: Cube, product: str) -> None:
    found = said(cube, product)["charts"]
    assert list(found) == list(charts_of_product(product))
    for name, chart in found.items():
        assert list(chart["columns"]) == list(CHARTS[name].columns)
        assert len({len(column) for column in chart["columns"].values()}) == 1


@pytest.mark.parametrize(
    "product", [name for name, demanded in PRODUCT_PERMISSIONS.items() if demanded == Permission.FIGURES]
)
def test_who_may_not_read_costs_is_told_nothing_of_them(cube_of, product: str) -> None:
    spent = [
        {"client": "A", "amount": 987_654_321, "supplier": "S3"},
        {"client": "B", "amount": -3, "currency": "USD", "invoiced_on": date(2023, 11, 2), "nature": "capex"},
    ]
    answers = [
        [
            orjson.dumps([one.as_dict(), answer])
            for one, answer in payloads(product, [cube_of(ROWS, costs=costs).select(REQUESTED)])
        ]
        for costs in ([], SPENT, spent)
    ]
    assert len(answers[0]) == len(REQUESTED)
    assert answers[0] == answers[1] == answers[2]


def test_a_kpi_says_the_same_in_every_product(cube: Cube) -> None:
    every = said(cube, "kpis", client="A")["kpis"]
    for product in ("dashboards", "charts", "financials"):
        for name, kpi_values in said(cube, product, client="A")["kpis"].items():
            assert kpi_values == every[name]


def test_slices_are_answered_in_their_order(cube: Cube) -> None:
    requested = [Filter.of({"client": "B"}), EVERYTHING, Filter.of({"client": "A"})]
    found = list(payloads("kpis", [cube.select(requested[:2]), cube.select(requested[2:])]))
    assert [one for one, _ in found] == requested


def test_no_other_product_is_made_up(cube: Cube) -> None:
    with pytest.raises(KeyError):
        next(payloads("weather", cube.slices()))


def changed(rows: list[dict[str, Any]], at: int, **given: Any) -> list[dict[str, Any]]:
    return [{**row, **given} if number == at else row for number, row in enumerate(rows)]


@pytest.mark.slow
@pytest.mark.parametrize("product", PRODUCTS)
def test_what_all_answers_share_is_all_that_was_approved_and_how_debts_were_lost(
    cube_of, product: str
) -> None:
    long_ago = AS_OF - timedelta(500)
    rows = [*ROWS, {"issued_on": long_ago, "sent_on": long_ago, "amount_proposed": 40}]
    same, approved, lost = (
        shared_inputs(product, cube_of(one))
        for one in (
            changed(rows, 0, amount_proposed=99),
            changed(rows, 1, amount_approved=81),
            changed(
                rows,
                4,
                state="pagado",
                conformity_on=long_ago,
                paid_on=long_ago + timedelta(50),
            ),
        )
    )
    before = shared_inputs(product, cube_of(rows))
    assert same == before
    assert (approved != before) == ("revenue_share" in said(cube_of(rows), product)["kpis"])
    assert (lost != before) == ("expected_loss" in said(cube_of(rows), product)["kpis"])


def test_a_cube_answers_by_the_thresholds_it_is_given(rollup_of) -> None:
    rollup = rollup_of(ROWS)
    plain, other = (Cube(rollup, AS_OF, 12, replace(Thresholds(), dso_target_days=days)) for days in (35, 10))
    assert said(plain, "financials")["working_capital"][0]["target_days"] == 35
    assert said(other, "financials")["working_capital"][0]["target_days"] == 10
