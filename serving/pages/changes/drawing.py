"""The waterfall of a bridge: bars each of which begins where the one before it ends."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from serving.pages.charts import geometry
from serving.pages.charts.chart_rows import mark_label
from serving.pages.charts.geometry import FULL
from serving.pages.charts.shapes import Bar, BarRow, Bars, Join, Mark, Tick
from serving.pages.writing import Cell

_MIDDLE: Final = FULL / 2
_CUT: Final = 0.5
"""Where all that is drawn is above this share of the highest, the axis does not begin at zero."""

UP, DOWN, SUM = "paid", "capex", "others"
"""The series whose colours changes for the better, for the worse, and both ends have."""


class Step(NamedTuple):
    """One row of a bridge.

    Attributes:
        label: Its name.
        start: Where its bar begins; None for a sum, which begins at the foot.
        end: Where it ends.
        value: As it is written.
        details: What else is known of it.
        url: Where it leads; empty where it does not.
        series: Of its colour.
    """

    label: str
    start: int | None
    end: int
    value: Cell
    details: str
    url: str
    series: str


def foot_of(steps: Sequence[Step]) -> int:
    """Where the axis begins."""
    ends = [step.end for step in steps]
    low, high = min(ends), max(ends)
    if low <= high * _CUT or low == high:
        return 0
    step = int("1".ljust(len(str(high - low)), "0"))
    return max((low - (high - low)) // step * step, 0)


def waterfall_of(steps: Sequence[Step], tick: Callable[[int | float], str]) -> Bars:
    """Draw a bridge.

    Args:
        steps: Its rows.
        tick: Writes a value at a grid line.
    """
    foot = foot_of(steps)
    scale = geometry.scale(step.end - foot for step in steps)

    def x(value: int) -> float:
        return scale.x(value - foot)

    rows = []
    for at, step in enumerate(steps):
        start, end = sorted((x(foot if step.start is None else step.start), x(step.end)))
        bar = Bar(step.series, start, round(end - start, 2), _MIDDLE, step.value)
        joins = []
        if at + 1 < len(steps):
            joins.append(Join(x(step.end), _MIDDLE, x(step.end), FULL))
        if at:
            before = x(steps[at - 1].end)
            joins.append(Join(before, 0, before, _MIDDLE))
        label = mark_label(step.label, [(step.value.exact or step.value.text, step.details)])
        rows.append(BarRow(step.label, Mark(label, step.url), [bar], step.details, joins))
    ticks = [Tick(scale.x(value), tick(value + foot)) for value in scale.ticks]
    return Bars(rows, [], x(max(foot, 0)) if foot == 0 else 0.0, ticks, "join")
