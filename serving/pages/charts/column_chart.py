"""The geometry of columns by month: where columns, bands, grid lines and labels stand in an SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 4, 12, 26
_GRID_LINES: Final = 4
_FILLED: Final = 0.72  # of a month's width; the rest is the gap to the next


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the chart.

    Attributes:
        series: Name of its series.
        month: Index of its month.
        amount: What it stands for.
        x: Left edge.
        y: Upper edge.
        width: Its width.
        height: Its height.
    """

    series: str
    month: int
    amount: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Band:
    """The range of one month.

    Attributes:
        name: Which range it is.
        x: Where it stands.
        top: Height of its upper end.
        foot: Height of its lower end.
    """

    name: str
    x: float
    top: float
    foot: float


@dataclass(frozen=True, slots=True)
class GridLine:
    """One horizontal line and the amount at its height."""

    amount: int
    y: float


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Columns by month.

    Attributes:
        columns: Every column that is not empty.
        bands: Every range.
        grid: Horizontal lines, the lowest first.
        months: Middle of each month.
        baseline: Height of zero.
    """

    columns: list[Column]
    bands: list[Band]
    grid: list[GridLine]
    months: list[float]
    baseline: float


def column_chart(
    series: Mapping[str, Sequence[int]],
    months: int,
    *,
    ranges: Mapping[str, Sequence[tuple[int, int] | None]] | None = None,
    stacked: bool = False,
) -> ColumnChart:
    """Lay out columns in a box of `WIDTH` x `HEIGHT`.

    Args:
        series: Amounts by month of each series, in the order of the columns of a month.
        months: How many months there are, from 1.
        ranges: Lower and upper amount by month of each range, None where a month has none.
        stacked: Whether the series of a month stand on one another, negative amounts below zero, and not
            beside one another.
    """
    ranges = ranges or {}
    spans = _spans(series, stacked)
    ends = [end for one in (*ranges.values(), *spans.values()) for pair in one if pair for end in pair]
    low, high = min(0, *ends), max(0, *ends)
    step = _step(high - low)
    lowest, highest = floor(low / step), max(ceil(high / step), 1)

    def y(amount: float) -> float:
        share = (amount - lowest * step) / ((highest - lowest) * step)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP), 2)

    slot = (WIDTH - _LEFT - _RIGHT) / months
    width = slot * _FILLED / (1 if stacked else len(series))
    middles = [round(_LEFT + slot * (month + 0.5), 2) for month in range(months)]
    columns = [
        Column(
            name,
            month,
            amount,
            x=round(_LEFT + slot * (month + (1 - _FILLED) / 2) + width * (0 if stacked else place), 2),
            y=y(max(spans[name][month])),
            width=round(width, 2),
            height=round(y(min(spans[name][month])) - y(max(spans[name][month])), 2),
        )
        for place, (name, values) in enumerate(series.items())
        for month, amount in enumerate(values)
        if amount
    ]
    return ColumnChart(
        columns=columns,
        bands=[
            Band(name, middles[month], top=y(pair[1]), foot=y(pair[0]))
            for name, one in ranges.items()
            for month, pair in enumerate(one)
            if pair is not None
        ],
        grid=[GridLine(number * step, y(number * step)) for number in range(lowest, highest + 1)],
        months=middles,
        baseline=y(0),
    )


def _spans(series: Mapping[str, Sequence[int]], stacked: bool) -> dict[str, list[tuple[int, int]]]:
    """Where each amount begins and ends."""
    if not stacked:
        return {name: [(0, amount) for amount in values] for name, values in series.items()}
    found: dict[str, list[tuple[int, int]]] = {}
    reached: dict[tuple[int, bool], int] = {}
    for name, values in series.items():
        found[name] = []
        for month, amount in enumerate(values):
            start = reached.get((month, amount < 0), 0)
            reached[month, amount < 0] = start + amount
            found[name].append((start, start + amount))
    return found


def _step(reach: int) -> int:
    """A round amount, of which about `_GRID_LINES` cover what is to be shown."""
    if reach == 0:
        return 1
    least = max(reach / _GRID_LINES, 1)
    power = int(10 ** floor(log10(least)))
    return next(step for one in (1, 2, 5, 10) if (step := one * power) >= least)
