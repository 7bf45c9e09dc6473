"""Drawings as HTML: nothing in a text ends it, and every mark can be reached."""

import re

import pytest

from serving.pages.charts import geometry
from serving.pages.charts.geometry import Rect
from serving.pages.charts.html import chart_drawing
from serving.pages.charts.shapes import (
    Axis,
    Bar,
    BarRow,
    Bars,
    Drawn,
    Heat,
    HeatCell,
    Legend,
    Line,
    Mark,
    Month,
    Plot,
    Tick,
    Trend,
    Trends,
)
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.writing import Cell

HOSTILE = "\"><script>alert(1)</script>&'"
LINKED, PLAIN = Mark(HOSTILE, HOSTILE), Mark(HOSTILE, "")
(SLOT,) = geometry.slots(1)
LINE = Line(HOSTILE, ["0,1"], [(0.0, 1.0)])
AXIS = Axis([Tick(1.0, HOSTILE)], 40)
LEGEND = [Legend(HOSTILE, HOSTILE, "line"), Legend(HOSTILE, HOSTILE)]
MONTHS = [Month(SLOT, mark, HOSTILE, HOSTILE, [2], []) for mark in (LINKED, PLAIN)]
BAR_ROWS = [
    BarRow(HOSTILE, mark, [Bar(HOSTILE, 0, 50, 50, Cell(HOSTILE))], HOSTILE, (), 5.0, HOSTILE)
    for mark in (LINKED, PLAIN)
]
DRAWINGS: list[Drawn] = [
    Plot(MONTHS, AXIS, AXIS, 0.0, [(HOSTILE, ["0,1"])], LINE, LEGEND),
    Bars(BAR_ROWS, LEGEND, 10.0, [Tick(1.0, HOSTILE)], HOSTILE),
    Trends(
        [Trend(HOSTILE, [(SLOT, LINKED, 1.0), (SLOT, PLAIN, 2.0)], LINE, [(HOSTILE, HOSTILE)] * 2)],
    ),
    Heat(
        HOSTILE,
        [HOSTILE, HOSTILE],
        [(HOSTILE, [HeatCell(HOSTILE, LINKED, 1), HeatCell(HOSTILE, PLAIN, 0)])],
        HOSTILE,
    ),
]


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.kind)
def test_every_text_is_escaped(drawing: Drawn) -> None:
    part = ChartPart(HOSTILE, [], drawing, None)
    text = chart_drawing(ChartView("states", HOSTILE, HOSTILE, "", [part], is_wide=False), part, "states-1")
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") >= 8


BARS_OF_SERIES = [Bar(HOSTILE, 0, 50, 50, Cell(HOSTILE), mark) for mark in (LINKED, None)]
COLUMN = (Rect(HOSTILE, 0, 1, 0, 0, 1, 1), LINKED)
OF_SERIES = {
    "plot": Plot([Month(SLOT, LINKED, "", "", [], [], [COLUMN])] * 2, AXIS, None, 0.0, [], None, []),
    "bars": Bars([BarRow(HOSTILE, LINKED, BARS_OF_SERIES, "")] * 2, []),
}


@pytest.mark.parametrize("kind", OF_SERIES)
def test_marks_of_series_stand_beside_those_of_their_categories(kind) -> None:
    part = ChartPart(HOSTILE, [], OF_SERIES[kind], None)
    text = chart_drawing(ChartView("states", HOSTILE, HOSTILE, "", [part], is_wide=False), part, "states-1")
    assert "<script>" not in text
    mark = r'<a class="chart-mark([^"]*)"(?:[^>]|\n)*?data-focus="states-1 (\d)([^"]*)" tabindex="(-?\d)"'
    marks = re.findall(mark, text)
    assert [(" part" in kinds, at, stop) for kinds, at, _, stop in marks] == [
        (False, "0", "0"),
        (True, "0", "-1"),
        (False, "1", "-1"),
        (True, "1", "-1"),
    ]
    assert [bool(series) for _, _, series, _ in marks] == [False, True] * 2
    # A link within another one would end it.
    assert re.findall(r"<a |</a>", text) == ["<a ", "</a>"] * 4


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.kind)
def test_marks_are_reached_by_one_stop_and_arrow_keys(drawing: Drawn) -> None:
    part = ChartPart("", [], drawing, None)
    text = chart_drawing(ChartView("states", "States", "", "", [part], is_wide=False), part, "states-1")
    group = "states-1-1" if drawing.kind == "trends" else "states-1"
    assert re.findall(r'data-focus="([^"]+)" tabindex="(-?\d)"', text) == [
        (f"{group} 0", "0"),
        (f"{group} 1", "-1"),
    ]
    linked, plain = re.findall(r'<(\w+) class="chart-mark[^"]*" (href|role)=', text)
    assert linked == ("a", "href")
    assert plain[1] == "role"
    assert text.count("</a>") == 1
