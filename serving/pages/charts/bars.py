"""Drawings by name: rows of bars, Pareto diagrams and waterfalls."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kpi_pipeline.model.drawings import Shape
from serving.pages.charts import geometry
from serving.pages.charts.chart_rows import ChartRows, mark_label
from serving.pages.charts.geometry import FULL, Scale
from serving.pages.charts.plots import number_text
from serving.pages.charts.shapes import Bar, BarRow, Bars, Join, Mark, Tick
from serving.pages.writing import Cell

_MIDDLE: Final = FULL / 2
_SHARE_TICKS: Final = (0, 50, 100)


def bars(chart: ChartRows) -> Bars:
    """Bars by name, as long as the room allows: their values stand beside them."""
    series = chart.drawing.series
    values = [0, *(chart.amount(row, name) for row in chart.rows for name in series)]
    low, reach = min(values), (max(values) - min(values)) or 1

    def x(value: float) -> float:
        return round((value - low) / reach * FULL, 2)

    rows = []
    for row in chart.rows:
        own, marks = [], chart.series_marks([row])
        for place, name in enumerate(series):
            start, end = sorted((x(0), x(chart.amount(row, name))))
            middle = round((place + 0.5) / len(series) * FULL, 2)
            length, value = round(end - start, 2), chart.cell(name, row)
            own.append(Bar(chart.colour(name, row), start, length, middle, value, marks.get(name)))
        label = chart.text(chart.drawing.category, row)
        rows.append(BarRow(label, chart.mark([row]), own, chart.details(row)))
    if chart.drawing.shape is Shape.PARETO:
        return _with_cumulative_line(chart, Bars(rows, chart.legend(), x(0)))
    return Bars(rows, chart.legend() if len(series) > 1 else [], x(0))


def waterfall(chart: ChartRows) -> Bars:
    """Bars each of which begins where the one before it ends, over an axis of days, and their sum."""
    drawing, writer = chart.drawing, chart.writer
    (name,), (first, last) = drawing.series, drawing.span
    ends = [(row[first] or 0.0, row[last] or 0.0) for row in chart.rows]
    whole = float(max(end for _, end in ends))
    scale = geometry.scale([whole])
    rows = []
    for at, (row, (start, end)) in enumerate(zip(chart.rows, ends, strict=True)):
        joins = [Join(scale.x(end), _MIDDLE, scale.x(end), FULL)]
        if at:
            joins.append(Join(scale.x(start), 0, scale.x(start), _MIDDLE))
        days = "" if row[name] is None else chart.text(name, row)
        bar = _day_bar(name, scale, (start, end), days)
        rows.append(
            BarRow(chart.text(drawing.category, row), chart.mark([row]), [bar], chart.details(row), joins)
        )
    total, days = writer.texts["total"], writer.text("days", whole, "")
    rows.append(
        BarRow(
            total,
            Mark(mark_label(total, [(chart.label(name), days)]), ""),
            [_day_bar("others", scale, (0.0, whole), days)],
            "",
            [Join(scale.x(whole), 0, scale.x(whole), _MIDDLE)],
        )
    )
    ticks = [Tick(scale.x(value), number_text(value, writer.formats)) for value in scale.ticks]
    return Bars(rows, [], 0.0, ticks, "join")


def _with_cumulative_line(chart: ChartRows, drawn: Bars) -> Bars:
    """The bars of a Pareto diagram joined by the line of the cumulative share where that is known."""
    name = chart.drawing.line
    points = [None if row[name] is None else round(row[name] * FULL, 2) for row in chart.rows]
    rows = [
        row._replace(joins=_joins(points, at), point=points[at], share=chart.text(name, chart.rows[at]))
        for at, row in enumerate(drawn.rows)
    ]
    percent = [Tick(part, f"{part}%") for part in _SHARE_TICKS]
    return replace(drawn, rows=rows, ticks=percent, line=name)


def _joins(points: Sequence[float | None], at: int) -> list[Join]:
    """The parts of a line within one row: from the row above, and to the one below."""
    above, own, below = ([None, *points, None])[at : at + 3]
    if own is None:
        return []
    joins = [] if above is None else [Join((above + own) / 2, 0, own, _MIDDLE)]
    return joins if below is None else [*joins, Join(own, _MIDDLE, (own + below) / 2, FULL)]


def _day_bar(series: str, scale: Scale, span: tuple[float, float], days: str) -> Bar:
    start, end = (scale.x(day) for day in span)
    return Bar(series, start, round(max(end - start, 0), 2), _MIDDLE, Cell(days))
