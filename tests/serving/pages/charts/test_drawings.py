"""Drawings: which one a chart gets by its columns, and what it shows."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.charts.figures import ChartFigures, chart_data
from serving.pages.charts.view import ChartView, chart_view
from serving.pages.filters.drill_down import DrillDown
from serving.pages.formats import Formats
from serving.pages.writing import Writer

HERE = PageAddress("/manager/analytics", "en")


@pytest.fixture
def catalogue(catalogue_of) -> Catalogue:
    return Catalogue.model_validate(catalogue_of())


@pytest.fixture
def chart_of(catalogue, data_of):
    """A chart as its template shows it, after a change of its columns."""
    formats = Formats("en", {"CLP": 0, "USD": 2}, ZoneInfo("UTC"))
    writer = Writer("en", formats, catalogue, DrillDown(catalogue, {"state": ["enviado"]}, HERE))

    def make(name: str, currencies=("CLP",), empty=False, **columns) -> ChartView:
        chart = next(one for one in catalogue.charts if one.name == name)
        published = data_of("charts", currencies=currencies)["charts"][name]
        published["columns"] |= columns
        published["empty"] = empty
        return chart_view(chart_data(chart, ChartFigures.model_validate(published)), writer)

    return make


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("monthly_trend", ["columns", "lines"]),
        ("opex_capex", ["columns"]),
        ("cash_flow", ["columns"]),
        ("ageing", ["bars"]),
        ("states", ["bars"]),
        ("concentration", ["bars"]),
        ("client_performance", ["bars"]),
        ("manager_performance", ["bars"]),
        ("margin_by_project", ["bars"]),
        ("stages", ["bars"]),
        ("payment_heatmap", ["heat"]),
        ("kpi_trend", ["lines"]),
    ],
)
def test_the_columns_decide_the_drawing(name, kinds, chart_of) -> None:
    (part,) = chart_of(name).parts
    assert [one.kind for one in part.drawings] == kinds
    assert (part.table is None) == (kinds == ["heat"])


def test_an_empty_chart_says_so(chart_of) -> None:
    chart = chart_of("ageing", empty=True)
    assert (chart.parts, chart.nothing) == ([], "Nothing is unpaid.")


def test_currencies_are_drawn_apart(chart_of) -> None:
    for name in ("ageing", "cash_flow", "payment_heatmap"):
        assert [part.currency for part in chart_of(name, ("CLP", "USD")).parts] == ["CLP", "USD"]
    assert [part.currency for part in chart_of("stages", ("CLP", "USD")).parts] == [""]
    (trend,) = chart_of("kpi_trend", ("CLP", "USD")).parts
    (lines,) = trend.drawings
    labels = [line.label for line in lines.lines]
    assert labels[:2] == ["DSO (CLP)", "DSO (USD)"]
    assert labels[-1] == "Acceptance time"


def test_a_negative_margin_points_left_of_zero(chart_of) -> None:
    (bars,) = chart_of("margin_by_project").parts[0].drawings
    gain, loss = bars.rows
    assert bars.zero > 0
    for bar in (*gain.bars, *loss.bars[:2]):
        assert bar.x == bars.zero
    margin = loss.bars[2]
    assert margin.x + margin.width == pytest.approx(bars.zero, abs=0.02)
    assert margin.value.text == "\N{MINUS SIGN}25.0\xa0M"


def test_stages_begin_where_the_one_before_ends(chart_of) -> None:
    (bars,) = chart_of("stages").parts[0].drawings
    found = [row.bars[0] for row in bars.rows]
    for before, after in pairwise(found):
        assert after.x == pytest.approx(before.x + before.width, abs=0.02)
    assert found[-1].x + found[-1].width == pytest.approx(100, abs=0.02)
    (unknown,) = chart_of("stages", days=[None] * 3, start=[None] * 3, end=[None] * 3).parts
    assert [row.bars[0].width for row in unknown.drawings[0].rows] == [0, 0, 0]


def test_expected_months_have_ranges_and_collected_ones_none(chart_of) -> None:
    (columns,) = chart_of("cash_flow").parts[0].drawings
    assert [one.series for one in columns.legend] == ["collected", "expected"]
    assert [one.label for one in columns.ranges] == ["90% interval", "50% interval"]
    assert len(columns.chart.bands) == 2 * 12
    assert {one.month for one in columns.chart.columns if one.series == "collected"} == set(range(6))


def test_what_is_still_expected_of_a_month_stands_on_what_was_collected(chart_of) -> None:
    months = ["2024-06", "2024-06", "2024-07"]
    (columns,) = (
        chart_of(
            "cash_flow",
            month=months,
            currency=["CLP"] * 3,
            kind=["collected", "expected", "expected"],
            amount=[70, 20, 50],
            **{name: [None, *ends] for name, ends in {"low_50": (15, 40), "high_50": (25, 60)}.items()},
            **{name: [None] * 3 for name in ("low_90", "high_90")},
        )
        .parts[0]
        .drawings
    )
    assert columns.months == ["Jun", "Jul"]
    collected, rest, _ = sorted(columns.chart.columns, key=lambda one: (one.month, one.series))
    assert (collected.amount, rest.amount) == (70, 20)
    assert rest.y + rest.height == pytest.approx(collected.y, abs=0.02)
    june, _ = columns.chart.bands
    assert june.top < rest.y < june.foot < collected.y


def test_the_strongest_cell_is_the_largest_amount(chart_of) -> None:
    (heat,) = chart_of("payment_heatmap").parts[0].drawings
    levels = {name.text: [cell.level for cell in cells] for name, cells in heat.rows}
    assert levels["Constructora Árbol & Cía."] == [0] * 12
    assert levels["Minera Ñandú"] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]


def test_what_is_drawn_leads_to_the_page_narrowed_to_it(chart_of) -> None:
    (part,) = chart_of("client_performance").parts
    mine = "/manager/analytics?client=Minera+%C3%91and%C3%BA&state=enviado&lang=en"
    assert (part.column, part.addresses["Minera Ñandú"]) == ("client", mine)
    # In the drawing, in the table beside it, and in a script's hands it is one address; others have none.
    rows = part.drawings[0].rows
    assert [row.label.url for row in rows] == [cells[0].url for cells in part.table.rows]
    assert [row.label.text for row in rows if row.label.url] == [*part.addresses]
    assert (rows[-1].label.text, rows[-1].label.url) == ("All others", "")


def test_where_nothing_narrows_nothing_leads(chart_of) -> None:
    # Ranges of ageing are no values of a filter, and a state that is chosen already is not chosen again.
    assert chart_of("ageing").parts[0].addresses == {}
    assert "enviado" not in chart_of("states").parts[0].addresses
    assert "pagado" in chart_of("states").parts[0].addresses


def test_months_lead_too(chart_of) -> None:
    for name in ("monthly_trend", "kpi_trend", "cash_flow"):
        (part,) = chart_of(name).parts
        assert part.column == "month"
        assert part.addresses["2024-05"] == "/manager/analytics?month=2024-05&state=enviado&lang=en"
        assert part.table.rows[0][0].url
    assert "2024-07" not in chart_of("cash_flow").parts[0].addresses
    (heat,) = chart_of("payment_heatmap").parts[0].drawings
    assert [name.url != "" for name, _ in heat.rows] == [True, True]


def test_values_are_written_by_their_kind(chart_of) -> None:
    (part,) = chart_of("client_performance").parts
    assert [head.label for head in part.table.heads] == [
        "Client",
        "Approved",
        "Receivable",
        "Overdue",
        "Days to payment",
    ]
    assert [cell.text for cell in part.table.rows[-1]] == [
        "All others",
        "30.0\xa0M",
        "10.0\xa0M",
        "6.7\xa0M",
        "41.2",
    ]
    (trend,) = chart_of("kpi_trend").parts
    assert [cell.text for cell in trend.table.rows[0]] == [
        "Jul 2023",
        "30.0\xa0days",
        "20.0%",
        "90.0%",
        "12.0\xa0days",
    ]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"amount": None}, "validation error"),
        ({"amount": ["1"] * 5}, "amount has what is no money"),
        ({"amount": [1.5] * 5}, "amount has what is no money"),
        ({"currency": ["clp"] * 5}, "currency has what is no currency"),
        ({"bucket": [None] * 5}, "bucket has what is no bucket"),
        ({"count": [1] * 4}, "columns differ in length"),
    ],
)
def test_columns_of_another_kind_are_refused(columns, fault, chart_of) -> None:
    with pytest.raises(ValueError, match=fault):
        chart_of("ageing", **columns)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"sentence": "nothing", "values": {}}, "no sentence 'nothing'"),
        ({"sentence": "oldest", "values": {"share": 0.2}}, "no money 'amount'"),
        ({"sentence": "oldest", "values": {"share": "x", "amount": 1}}, "no share 'share'"),
    ],
)
def test_a_sentence_that_cannot_be_said_is_refused(said, fault, catalogue, data_of) -> None:
    published = data_of("charts")["charts"]["ageing"] | {"says": [said]}
    chart = next(one for one in catalogue.charts if one.name == "ageing")
    with pytest.raises(ValueError, match=fault):
        chart_data(chart, ChartFigures.model_validate(published))
