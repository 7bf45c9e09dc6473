"""The geometry of the trend's drawings: where columns, grid lines and labels stand in an SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 4, 12, 26
_GRID_LINES: Final = 4
_FILLED: Final = 0.72  # of a month's width; the rest is the gap to the next

SPARK_WIDTH: Final = 120
SPARK_HEIGHT: Final = 28
_SPARK_MARGIN: Final = 2


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
class GridLine:
    """One horizontal line and the amount at its height."""

    amount: int
    y: float


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Grouped columns, one group a month.

    Attributes:
        columns: Every column that is not empty.
        grid: Horizontal lines, the lowest first.
        months: Middle of each month.
        baseline: Height of zero.
    """

    columns: list[Column]
    grid: list[GridLine]
    months: list[float]
    baseline: float


def column_chart(series: Mapping[str, Sequence[int]], months: int) -> ColumnChart:
    """Lay out grouped columns in a box of `WIDTH` x `HEIGHT`.

    Args:
        series: Amounts by month of each series, in the order of the columns of a group.
        months: How many months there are, from 1.
    """
    amounts = [amount for values in series.values() for amount in values]
    low, high = min(0, *amounts), max(0, *amounts)
    step = _step(high - low)
    lowest, highest = floor(low / step), max(ceil(high / step), 1)

    def y(amount: float) -> float:
        share = (amount - lowest * step) / ((highest - lowest) * step)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP), 2)

    slot = (WIDTH - _LEFT - _RIGHT) / months
    width = slot * _FILLED / len(series)
    columns = [
        Column(
            name,
            month,
            amount,
            x=round(_LEFT + slot * (month + (1 - _FILLED) / 2) + width * place, 2),
            y=min(y(amount), y(0)),
            width=round(width, 2),
            height=round(abs(y(amount) - y(0)), 2),
        )
        for place, (name, values) in enumerate(series.items())
        for month, amount in enumerate(values)
        if amount
    ]
    return ColumnChart(
        columns=columns,
        grid=[GridLine(number * step, y(number * step)) for number in range(lowest, highest + 1)],
        months=[round(_LEFT + slot * (month + 0.5), 2) for month in range(months)],
        baseline=y(0),
    )


def spark_line(amounts: Sequence[int]) -> str:
    """The points of a small line in a box of `SPARK_WIDTH` x `SPARK_HEIGHT`, zero at its foot.

    Args:
        amounts: One amount a month.

    Returns:
        The `points` of an SVG polyline.
    """
    low, high = min(0, *amounts), max(0, *amounts)
    reach = (high - low) or 1
    across = (SPARK_WIDTH - 2 * _SPARK_MARGIN) / max(len(amounts) - 1, 1)
    down = SPARK_HEIGHT - 2 * _SPARK_MARGIN
    return " ".join(
        f"{_SPARK_MARGIN + place * across:.1f},{_SPARK_MARGIN + down * (1 - (amount - low) / reach):.1f}"
        for place, amount in enumerate(amounts)
    )


def _step(reach: int) -> int:
    """A round amount, of which about `_GRID_LINES` cover what is to be shown."""
    if reach == 0:
        return 1
    least = max(reach / _GRID_LINES, 1)
    power = int(10 ** floor(log10(least)))
    return next(step for one in (1, 2, 5, 10) if (step := one * power) >= least)
