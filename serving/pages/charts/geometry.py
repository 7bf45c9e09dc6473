"""The geometry of drawings: across in percent of the width, down in pixels, so that text is never scaled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, log10
from typing import Final, NamedTuple

Number = int | float
Point = tuple[float, float]
"""Percent across, pixels or percent down."""


FULL: Final = 100.0
PLOT_HEIGHT: Final = 250
"""Height of a plot by month, its months included."""

TREND_HEIGHT: Final = 72
BAR_THICKNESS: Final = 9
SPARK_WIDTH, SPARK_HEIGHT = 120, 28

_TOP, _FOOT = 12, 38  # above the highest line; below zero, for months and years
_GRID_LINES: Final = 4
_FILLED: Final = 0.72  # of a category's width; the rest is the gap to the next
_FEWEST: Final = 6  # a column is no wider than where there are so many
_MARGIN: Final = 2
_NOTHING: Final = 1e-9  # what floats make of zero
_LETTER: Final = 6.7  # width of a digit of a tick, in pixels
_TICK_GAP: Final = 8


class Rect(NamedTuple):
    """One column: `place` is the index of its category, `amount` what it stands for."""

    series: str
    place: int
    amount: Number
    x: float
    y: float
    width: float
    height: float


class Slot(NamedTuple):
    """The place of one category: its left edge, its middle and its width."""

    x: float
    middle: float
    width: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale whose lines are at whole multiples of a round step.

    Attributes:
        step: Between two lines.
        lowest: Multiple of the lowest line, at most 0.
        highest: That of the highest one, at least 1.
    """

    step: Number
    lowest: int
    highest: int

    @property
    def ticks(self) -> list[Number]:
        """The value of each line, the lowest first."""
        return [multiple * self.step for multiple in range(self.lowest, self.highest + 1)]

    def y(self, value: Number) -> float:
        """The height of a value in a plot, from above."""
        share = (value / self.step - self.lowest) / (self.highest - self.lowest)
        return round(PLOT_HEIGHT - _FOOT - share * (PLOT_HEIGHT - _FOOT - _TOP), 2)

    def x(self, value: Number) -> float:
        """The place of a value across."""
        return round((value / self.step - self.lowest) / (self.highest - self.lowest) * FULL, 2)


def scale(values: Iterable[Number]) -> Scale:
    """The scale that holds zero and all values."""
    held = [0, *values]
    low, high = min(held), max(held)
    step = _round_step(max((high - low) / _GRID_LINES, 1), (1, 2, 5))
    return Scale(step, floor(low / step), max(ceil(high / step), 1))


def second_scale(first: Scale, values: Iterable[Number]) -> Scale:
    """The scale of values that share the lines and the zero of another one."""
    most = max((0, *values))
    step = _round_step(most / first.highest, (1, 2, 2.5, 5)) if most > _NOTHING else 1
    return Scale(step, first.lowest, first.highest)


def tick_width(labels: Iterable[str]) -> int:
    """The room that the labels of an axis need, in pixels."""
    return ceil(max(map(len, labels), default=0) * _LETTER) + _TICK_GAP


@lru_cache(maxsize=256)
def slots(count: int) -> Sequence[Slot]:
    """The places of categories beside one another; a few stand in the middle."""
    width = FULL / max(count, _FEWEST)
    start = (FULL - width * count) / 2
    return tuple(
        Slot(round(start + width * place, 3), round(start + width * (place + 0.5), 3), round(width, 3))
        for place in range(count)
    )


def spans(series: Mapping[str, Sequence[Number]], *, stacked: bool) -> dict[str, list[Point]]:
    """Where each value begins and ends: at zero, or where the ones below it of the same sign end."""
    if not stacked:
        return {name: [(0, value) for value in values] for name, values in series.items()}
    reached: dict[tuple[int, bool], Number] = {}
    ends: dict[str, list[Point]] = {}
    for name, values in series.items():
        ends[name] = []
        for place, value in enumerate(values):
            start = reached.get((place, value < 0), 0)
            reached[place, value < 0] = start + value
            ends[name].append((start, start + value))
    return ends


def columns(
    series: Mapping[str, Sequence[Number]], places: Sequence[Slot], own: Scale, *, stacked: bool
) -> list[Rect]:
    """Every column that is not empty.

    Args:
        series: Values by category of each series, in the order of the columns of a category.
        places: Of the categories.
        own: The scale, which holds all values.
        stacked: Whether the columns of a category stand on one another, and not side by side.
    """
    ends = spans(series, stacked=stacked)
    beside = 1 if stacked else len(series)
    rects = []
    for at, (name, values) in enumerate(series.items()):
        for place, value in enumerate(values):
            if not value:
                continue
            slot, (start, end) = places[place], sorted(ends[name][place])
            width = slot.width * _FILLED / beside
            x = slot.middle - slot.width * _FILLED / 2 + (0 if stacked else at * width)
            top = own.y(end)
            height = round(own.y(start) - top, 2)
            rects.append(Rect(name, place, value, round(x, 3), top, round(width, 3), height))
    return rects


def line(values: Sequence[Number | None], places: Sequence[Slot], own: Scale) -> list[list[Point]]:
    """A line through values, in parts between the categories that have none."""
    return _parts(
        None if value is None else (slot.middle, own.y(value))
        for value, slot in zip(values, places, strict=True)
    )


class Whisker(NamedTuple):
    """An upright line: how far across it stands, and the heights of its ends."""

    x: float
    top: float
    bottom: float


def whiskers(
    ends: Sequence[tuple[Number, Number] | None], places: Sequence[Slot], own: Scale
) -> list[Whisker]:
    """Where the band of each category that has one stands, in the middle of its column.

    Args:
        ends: Lower and upper value by category.
        places: Of the categories.
        own: The scale, which holds all values.
    """
    return [
        Whisker(slot.middle, own.y(pair[1]), own.y(pair[0]))
        for pair, slot in zip(ends, places, strict=True)
        if pair is not None
    ]


def trend(values: Sequence[Number | None], places: Sequence[Slot]) -> list[list[Point]]:
    """The parts of a small line from its least to its largest value; a level one is in the middle."""
    return _parts(
        None if height is None else (slot.middle, height)
        for height, slot in zip(_heights(values, TREND_HEIGHT, 8), places, strict=True)
    )


@dataclass(frozen=True, slots=True)
class SparkLine:
    """A line without marks: `path` is the `d` of an SVG path in a `view_box`, `end` its last point."""

    path: str
    end: Point
    view_box: str = f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"


def spark_line(values: Sequence[Number | None]) -> SparkLine | None:
    """Lay out a line over months, from its least to its largest value.

    Args:
        values: One a month.

    Returns:
        None where there are not two values to compare.
    """
    if sum(value is not None for value in values) < 2:
        return None
    across = (SPARK_WIDTH - 2 * _MARGIN) / (len(values) - 1)
    parts = _parts(
        None if height is None else (round(_MARGIN + place * across, 1), height)
        for place, height in enumerate(_heights(values, SPARK_HEIGHT, _MARGIN))
    )
    # A value between two gaps is a dot.
    drawn = (
        f"M{part[0][0]:g},{part[0][1]:g}h0" + "".join(f"L{x:g},{y:g}" for x, y in part[1:]) for part in parts
    )
    return SparkLine("".join(drawn), parts[-1][-1])


def points_text(points: Iterable[Point]) -> str:
    """Points as SVG takes them."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _heights(values: Sequence[Number | None], height: int, margin: int) -> list[float | None]:
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    reach, foot = (high - low) or 1, 0.5 if low == high else 0.0
    down = height - 2 * margin
    return [
        None if value is None else round(margin + down * (1 - foot - (value - low) / reach), 1)
        for value in values
    ]


def _parts(points: Iterable[Point | None]) -> list[list[Point]]:
    parts: list[list[Point]] = [[]]
    for point in points:
        if point is not None:
            parts[-1].append(point)
        elif parts[-1]:
            parts.append([])
    return parts if parts[-1] else parts[:-1]


def _round_step(least: float, factors: Sequence[Number]) -> Number:
    """The next round number: a factor of a power of ten."""
    power = floor(log10(least))
    base = int(10**power) if power >= 0 else 10.0**power
    return next((step for factor in factors if (step := factor * base) >= least), 10 * base)
