"""Where charts stand in a page: in two columns of about the same height, or across both.

A browser would balance columns by itself, at twice the time that it takes to lay out the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Final, assert_never

from serving.pages.charts.shapes import BarRow, Bars, Heat, Legend, Plot, Trends
from serving.pages.charts.view import ChartPart, ChartView

_LINE: Final = 18
"""Height of a line of text, in pixels, as all heights here."""

_FRAME: Final = 64  # the title and the edges of a panel
_DISCLOSURE: Final = 32  # the line that opens the data
_LEGEND: Final = 34
_AXIS: Final = 18
_ROW_GAP: Final = 8
_LETTERS: Final = 80  # of a sentence, in a line
_DETAIL_LETTERS: Final = 52
_LABEL_LETTERS: Final = 24
_TRENDS_ACROSS: Final = 2


@dataclass(frozen=True, slots=True)
class ChartPanels:
    """Charts that stand side by side: one column where a chart is alone or needs the whole width.

    Attributes:
        columns: The charts of each column, from above; they are read column by column.
    """

    columns: list[list[ChartView]]


def chart_panels(charts: Sequence[ChartView]) -> list[ChartPanels]:
    """The charts of a page in their order: wide ones alone, those between them in two columns.

    Args:
        charts: All of a page.
    """
    panels: list[ChartPanels] = []
    for is_wide, run in groupby(charts, key=lambda chart: chart.is_wide):
        if is_wide:
            panels += [ChartPanels([[chart]]) for chart in run]
        else:
            panels.append(ChartPanels(_columns(list(run))))
    return panels


def _columns(charts: list[ChartView]) -> list[list[ChartView]]:
    """The charts cut once, where the higher of both columns is lowest; the first has more if that is even."""
    heights = [estimated_height(chart) for chart in charts]
    cut = min(range(len(charts), 0, -1), key=lambda at: max(sum(heights[:at]), sum(heights[at:])))
    return [column for column in (charts[:cut], charts[cut:]) if column]


def estimated_height(chart: ChartView) -> int:
    """About the height of a chart in pixels in a column of a laptop's page."""
    return _FRAME + (sum(map(_part_height, chart.parts)) or _LINE)


def _part_height(part: ChartPart) -> int:
    text = sum(_lines(sentence, _LETTERS) for sentence in part.sentences) * _LINE
    return text + _drawing_height(part) + (_DISCLOSURE if part.table else 0)


def _drawing_height(part: ChartPart) -> int:
    drawing = part.drawing
    match drawing:
        case Plot():
            return _legend_height(drawing.legend) + drawing.height
        case Bars():
            axis = _AXIS if drawing.ticks else 0
            return _legend_height(drawing.legend) + sum(map(_row_height, drawing.rows)) + axis
        case Trends():
            return ceil(len(drawing.trends) / _TRENDS_ACROSS) * (drawing.height + 3 * _LINE)
        case Heat():
            return _LEGEND + (len(drawing.rows) + 1) * (_LINE + _ROW_GAP)
    assert_never(drawing)


def _legend_height(legend: Sequence[Legend]) -> int:
    return _LEGEND if legend else 0


def _row_height(row: BarRow) -> int:
    beside = max(_lines(row.label, _LABEL_LETTERS), len(row.bars) + bool(row.share))
    return _ROW_GAP + (beside + _lines(row.details, _DETAIL_LETTERS)) * _LINE


def _lines(text: str, letters: int) -> int:
    return ceil(len(text) / letters)
