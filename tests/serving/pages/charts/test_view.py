"""Charts as their template shows them: the drawing that each declares, and what it says."""

import html
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from kpi_pipeline.model.charts import CHARTS
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.charts.view import ChartView, chart_view
from serving.pages.drill_down import DrillDown
from serving.pages.formats import NO_DATA, Formats
from serving.pages.list_links import ListLinks
from serving.pages.published.chart_data import ChartFigures, chart_data
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
        product = "financials" if CHARTS[name].needs_costs else "charts"
        published = data_of(product, currencies=currencies)["charts"][name]
        published["columns"] |= columns
        published["empty"] = empty
        return chart_view(
            chart_data(chart, ChartFigures.model_validate(published)),
            ListLinks({"state": ["enviado"]}, is_cohort=False, writer=writer),
        )

    return make


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("monthly_trend", "plot"),
        ("opex_capex", "plot"),
        ("cash_flow", "plot"),
        ("ageing", "bars"),
        ("states", "bars"),
        ("concentration", "bars"),
        ("client_performance", "bars"),
        ("manager_performance", "bars"),
        ("margin_by_project", "bars"),
        ("stages", "bars"),
        ("payment_heatmap", "heat"),
        ("kpi_trend", "trends"),
    ],
)
def test_the_declaration_decides_the_drawing(name, kind, chart_of) -> None:
    (part,) = chart_of(name).parts
    assert part.drawing.kind == kind
    assert (part.table is None) == (kind == "heat")


def test_an_empty_chart_says_so(chart_of) -> None:
    chart = chart_of("ageing", empty=True)
    assert (chart.parts, chart.nothing) == ([], "There are no unpaid balances.")


def test_currencies_are_drawn_apart(chart_of) -> None:
    for name in ("ageing", "cash_flow", "payment_heatmap"):
        assert [part.currency for part in chart_of(name, ("CLP", "USD")).parts] == ["CLP", "USD"]
    assert [part.currency for part in chart_of("stages", ("CLP", "USD")).parts] == [""]
    (trend,) = chart_of("kpi_trend", ("CLP", "USD")).parts
    labels = [one.label for one in trend.drawing.trends]
    assert labels[:2] == ["DSO (CLP)", "DSO (USD)"]
    assert labels[-1] == "Acceptance time"


def test_a_line_has_an_axis_of_its_own_on_the_same_grid(chart_of) -> None:
    drawing = chart_of("monthly_trend").parts[0].drawing
    assert [(one.label, one.shape) for one in drawing.legend] == [
        ("Proposed", "column"),
        ("Approved", "column"),
        ("Collected", "column"),
        ("DSO (right axis)", "line"),
    ]
    assert [tick.at for tick in drawing.axis.ticks] == [tick.at for tick in drawing.second_axis.ticks]
    assert len(drawing.line.points) == 11  # the first month has none
    without = chart_of("monthly_trend", dso=[None] * 12).parts[0].drawing
    assert (without.line, without.second_axis) == (None, None)


def test_months_are_in_order_whatever_that_of_the_rows(chart_of) -> None:
    months = ["2024-02", "2023-12", "2024-01"]
    rows = {"proposed": [2, 12, 1], "approved": [0] * 3, "paid": [0] * 3, "dso": [2.0, 12.0, 1.0]}
    drawing = chart_of("monthly_trend", month=months, currency=["CLP"] * 3, **rows).parts[0].drawing
    assert [month.label for month in drawing.months] == ["Dec", "Jan", "Feb"]
    assert [month.year for month in drawing.months] == ["", "2024", ""]
    assert [month.parts[0][0].amount for month in drawing.months] == [12, 1, 2]
    assert [month.slot.middle for month in drawing.months] == [x for x, _ in drawing.line.points]


def test_a_chart_of_one_month_is_drawn(chart_of) -> None:
    given = {"proposed": [5], "approved": [0], "paid": [None], "dso": [3.0]}
    drawing = chart_of("monthly_trend", month=["2024-06"], currency=["CLP"], **given).parts[0].drawing
    (((column, _),),) = [month.parts for month in drawing.months]
    assert column.x < 50 < column.x + 3 * column.width
    assert drawing.months[0].year == "2024"


def test_a_negative_margin_points_left_of_zero(chart_of) -> None:
    bars = chart_of("margin_by_project").parts[0].drawing
    gain, loss = bars.rows
    assert bars.zero > 0
    for bar in (*gain.bars, *loss.bars[:2]):
        assert bar.x == bars.zero
    margin = loss.bars[2]
    assert margin.x + margin.width == pytest.approx(bars.zero, abs=0.02)
    assert margin.value.text == "\N{MINUS SIGN}25.0\xa0M"


def test_stages_begin_where_the_one_before_ends_and_end_with_their_sum(chart_of) -> None:
    bars = chart_of("stages").parts[0].drawing
    *stages, total = bars.rows
    for before, after in pairwise([row.bars[0] for row in stages]):
        assert after.x == pytest.approx(before.x + before.width, abs=0.02)
    assert (total.label, total.bars[0].x, total.bars[0].value.text) == ("Total", 0, "52.0\xa0days")
    assert total.bars[0].width == pytest.approx(stages[-1].bars[0].x + stages[-1].bars[0].width, abs=0.02)
    for before, after in pairwise(bars.rows):
        assert before.joins[0].x2 == after.joins[-1].x1  # the end of a bar leads down to the next row
    assert [tick.label for tick in bars.ticks] == ["0", "20", "40", "60"]
    unknown = chart_of("stages", days=[None] * 3, start=[None] * 3, end=[None] * 3).parts[0].drawing
    assert [row.bars[0].width for row in unknown.rows] == [0, 0, 0, 0]


def test_the_cumulative_line_of_a_pareto_diagram_only_rises(chart_of) -> None:
    bars = chart_of("concentration").parts[0].drawing
    points = [row.point for row in bars.rows]
    assert points == sorted(points)
    assert points[-1] == 100
    for before, after in pairwise(bars.rows):
        leaving, arriving = before.joins[-1], after.joins[0]
        assert (leaving.x2, leaving.y2) == (arriving.x1, 100)
        assert arriving.y1 == 0
    assert [row.share for row in bars.rows] == ["60.0%", "100.0%"]
    alone = chart_of(
        "concentration", client=["A"], currency=["CLP"], receivable=[5], cumulative_share=[1.0]
    ).parts[0]
    assert (alone.drawing.rows[0].joins, alone.drawing.rows[0].point) == ([], 100)


def test_a_cumulative_share_that_is_unknown_has_no_point_and_no_line(chart_of) -> None:
    columns = {
        "client": ["A", "B", "C", "D"],
        "currency": ["CLP"] * 4,
        "receivable": [60, 30, 20, -10],
        "cumulative_share": [0.6, 0.9, None, None],
    }
    bars = chart_of("concentration", **columns).parts[0].drawing
    assert [row.point for row in bars.rows] == [60, 90, None, None]
    assert [len(row.joins) for row in bars.rows] == [1, 1, 0, 0]
    assert [row.share for row in bars.rows][-2:] == [NO_DATA, NO_DATA]


def test_expected_months_have_bands_and_collected_ones_none(chart_of) -> None:
    drawing = chart_of("cash_flow").parts[0].drawing
    assert [one.label for one in drawing.legend] == [
        "Collected",
        "Expected",
        "90% interval",
        "50% interval",
    ]
    assert [name for name, _ in drawing.whiskers] == ["band-1", "band-2"]
    collected = [month for month in drawing.months if month.columns[0].series == "collected"]
    assert len(collected) == 6
    for _, whiskers in drawing.whiskers:
        assert [one.x for one in whiskers] == [month.slot.middle for month in drawing.months[6:]]


def test_what_is_still_expected_of_a_month_stands_on_what_was_collected(chart_of) -> None:
    drawing = (
        chart_of(
            "cash_flow",
            month=["2024-06", "2024-06", "2024-07"],
            currency=["CLP"] * 3,
            kind=["collected", "expected", "expected"],
            amount=[70, 20, 50],
            **{name: [None, *ends] for name, ends in {"low_50": (15, 40), "high_50": (25, 60)}.items()},
            **{name: [None] * 3 for name in ("low_90", "high_90")},
        )
        .parts[0]
        .drawing
    )
    june, july = drawing.months
    assert [june.label, july.label] == ["Jun", "Jul"]
    (collected, of_collected), (rest, of_rest) = june.parts
    assert (collected.amount, rest.amount) == (70, 20)
    assert rest.y + rest.height == pytest.approx(collected.y, abs=0.02)
    ((_, (whisker, _)),) = drawing.whiskers
    assert whisker.x == june.slot.middle
    assert whisker.top < rest.y < whisker.bottom < collected.y
    assert june.mark.label.split("\n") == [
        "Jun 2024",
        "Collected:\tCLP\xa070",
        "Expected:\tCLP\xa020",
        "50% interval:\tCLP\xa015 \N{EN DASH} CLP\xa025",
    ]
    # Each of both leads to its own certificates.
    assert of_collected.label == "Jun 2024\nCollected:\tCLP\xa070\nOpens:\tits certificates"
    assert "standing=collected&paid_from=2024-06-01&paid_to=2024-06-28" in of_collected.url
    assert "expected_in=2024-06" in of_rest.url
    assert "/analytics?" in june.mark.url
    assert (len(july.columns), july.parts) == (1, [])


def test_series_are_in_their_declared_order(chart_of) -> None:
    drawing = (
        chart_of(
            "cash_flow",
            month=["2024-06", "2024-06"],
            currency=["CLP"] * 2,
            kind=["expected", "collected"],
            amount=[20, 70],
            **{name: [None] * 2 for name in ("low_50", "high_50", "low_90", "high_90")},
        )
        .parts[0]
        .drawing
    )
    assert [column.series for column, _ in drawing.months[0].parts] == ["collected", "expected"]


def test_the_strongest_cell_is_the_largest_amount(chart_of) -> None:
    heat = chart_of("payment_heatmap").parts[0].drawing
    levels = {name: [cell.level for cell in cells] for name, cells in heat.rows}
    assert levels["Constructora Árbol & Cía."] == [0] * 12
    assert levels["Minera Ñandú"] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]
    assert heat.rows[1][1][11].mark.label.startswith("Minera Ñandú · Jun 2024\nAmount:\tCLP\xa077,000,000")


def test_a_bucket_has_the_colour_of_its_age_whatever_its_row(chart_of) -> None:
    given = {"amount": [5], "count": [1], "share": [1.0], "currency": ["CLP"]}
    (row,) = chart_of("ageing", bucket=["91-120"], **given).parts[0].drawing.rows
    assert row.bars[0].series == "age-4"
    *_, others = chart_of("concentration", client=["A", ""]).parts[0].drawing.rows
    assert others.bars[0].series == "others"


def test_marks_lead_to_the_page_narrowed_to_them(chart_of) -> None:
    (part,) = chart_of("client_performance").parts
    mine = "/manager/analytics?client=Minera+%C3%91and%C3%BA&state=enviado&lang=en"
    urls = {row.label: row.mark.url for row in part.drawing.rows}
    assert urls["Minera Ñandú"] == mine
    # In the drawing and in the table beside it is one address; others have none.
    assert list(urls.values()) == [cells[0].url for cells in part.table.rows]
    assert urls["All others"] == ""


LIST = "/manager/certificates"


def test_the_number_of_a_mark_leads_to_its_certificates(chart_of) -> None:
    of_states = {row.label: row.mark for row in chart_of("states").parts[0].drawing.rows}
    assert of_states["Sent"].url == f"{LIST}?state=enviado&standing=not_cancelled&currency=CLP&lang=en"
    paid = "standing=paid&paid_from=2023-06-29&paid_to=2024-06-28"
    assert of_states["Paid"].url == f"{LIST}?state=pagado&{paid}&currency=CLP&lang=en"
    assert of_states["Paid"].label.endswith("\nOpens:\tits certificates")
    ageing = {row.label: row.mark.url for row in chart_of("ageing").parts[0].drawing.rows}
    days = "issued_from=2024-04-29&issued_to=2024-05-28"
    assert ageing["31\N{EN DASH}60 days"] == (
        f"{LIST}?state=enviado&standing=receivable&{days}&currency=CLP&lang=en"
    )
    unknown = chart_of("ageing", bucket=["x"], amount=[1], count=[1], share=[1.0], currency=["CLP"])
    assert unknown.parts[0].drawing.rows[0].mark.url == ""
    _, (_, cells) = chart_of("payment_heatmap").parts[0].drawing.rows
    assert {cell.mark.url.partition("=")[0] for cell in cells[1:]} == {f"{LIST}?client"}


def test_each_series_that_has_a_list_has_marks_of_its_own(chart_of) -> None:
    month = chart_of("monthly_trend").parts[0].drawing.months[10]
    assert (month.columns, [rect.series for rect, _ in month.parts]) == ([], ["proposed", "approved", "paid"])
    assert "/analytics?" in month.mark.url
    (_, proposed), *_ = month.parts
    assert proposed.label.split("\n")[0] == "May 2024"
    days = "issued_from=2024-05-01&issued_to=2024-05-31"
    assert proposed.url == f"{LIST}?state=enviado&standing=not_cancelled&{days}&currency=CLP&lang=en"
    # What no list sums to has none, nor have several names together.
    revenue, cost, margin = chart_of("margin_by_project").parts[0].drawing.rows[0].bars
    assert revenue.mark is not None
    assert "standing=approved" in revenue.mark.url
    assert (cost.mark, margin.mark) == (None, None)
    assert {bar.mark for bar in chart_of("client_performance").parts[0].drawing.rows[-1].bars} == {None}
    # The table leads where the drawing does.
    (part,) = chart_of("client_performance").parts
    drawn = [[bar.mark.url if bar.mark else "" for bar in row.bars] for row in part.drawing.rows]
    assert drawn == [[cell.url for cell in row[1:4]] for row in part.table.rows]


def test_each_number_beneath_a_drawing_leads_to_its_certificates(chart_of) -> None:
    (part,) = chart_of("client_performance").parts
    standings = [cell.url.partition("standing=")[2].partition("&")[0] for cell in part.table.rows[0]]
    assert standings == ["", "approved", "receivable", "overdue", ""]
    assert {cell.url for cell in part.table.rows[-1]} == {""}  # all others together


def test_months_lead_too(chart_of) -> None:
    here = "/manager/analytics?month=2024-05&state=enviado&lang=en"
    urls = {}
    for name in ("monthly_trend", "cash_flow"):
        (part,) = chart_of(name).parts
        urls[name] = {month.mark.label.partition("\n")[0]: month.mark.url for month in part.drawing.months}
        assert part.table.rows[0][0].url
    # A month of several numbers narrows the page; the only one of another is that of its certificates.
    assert urls["monthly_trend"]["May 2024"] == here
    paid = "standing=collected&paid_from=2024-05-01&paid_to=2024-05-31"
    assert urls["cash_flow"]["May 2024"] == f"{LIST}?state=enviado&{paid}&currency=CLP&lang=en"
    # A forecast month is that of what is expected of what its filter has.
    expected = "standing=receivable&expected_in=2024-07"
    assert urls["cash_flow"]["Jul 2024"] == f"{LIST}?state=enviado&{expected}&currency=CLP&lang=en"
    trend = chart_of("kpi_trend").parts[0].drawing.trends[0]
    assert trend.months[10][1].url == here


def test_a_mark_says_all_its_values_in_full(chart_of) -> None:
    row = chart_of("client_performance").parts[0].drawing.rows[0]
    assert row.mark.label.split("\n") == [
        "Minera Ñandú",
        "Approved:\tCLP\xa090,000,000",
        "Receivables:\tCLP\xa030,000,000",
        "Overdue:\tCLP\xa020,000,000",
        "Average days to payment:\t41.2\xa0days",
    ]
    unknown = chart_of("manager_performance").parts[0].drawing.rows[0]
    assert unknown.mark.label.endswith("Approval rate:\t\N{EM DASH}")


def test_values_are_written_by_their_kind(chart_of) -> None:
    (part,) = chart_of("client_performance").parts
    assert [head.label for head in part.table.heads] == [
        "Client",
        "Approved",
        "Receivables",
        "Overdue",
        "Average days to payment",
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
        ({"amount": ["1"] * 5}, "amount has values that are no money"),
        ({"amount": [1.5] * 5}, "amount has values that are no money"),
        ({"currency": ["clp"] * 5}, "currency has values that are no currency"),
        ({"bucket": [None] * 5}, "bucket has values that are no bucket"),
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


def test_a_sum_of_months_names_them_and_the_day_up_to_which_the_last_one_goes(web, press) -> None:
    press.publish()
    texts = {
        language: html.unescape(web.get(f"/manager/dashboard?lang={language}").text).replace(
            "\N{NO-BREAK SPACE}", " "
        )
        for language in ("es", "en")
    }
    assert "Por meses calendario, de jul 2023 al 28 jun 2024, se propusieron" in texts["es"]
    assert "By calendar month, from Jul 2023 to Jun 28, 2024, " in texts["en"]
