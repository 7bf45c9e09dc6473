"""Drawings as HTML: nothing in a text ends it, and every mark can be reached."""

import re

import pytest

from serving.pages.charts import geometry
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
