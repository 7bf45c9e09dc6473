"""What the template of charts shows: marks, axes and shapes, laid out and written out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kpi_pipeline.model.palette import HEAT
from serving.pages.charts import geometry
from serving.pages.charts.geometry import Point, Rect, Slot, Whisker
from serving.pages.writing import Cell


class Mark(NamedTuple):
    """What a reader can point at, focus and follow.

    Attributes:
        label: All its values in full: a line for its name, and one for each value, `name:<tab>value`.
        url: Where it leads; empty where it leads nowhere.
    """

    label: str
    url: str


class Legend(NamedTuple):
    """What one colour stands for, and the shape that has it."""

    series: str
    label: str
    shape: Literal["column", "line", "whisker"] = "column"


class Tick(NamedTuple):
    """A label of an axis, and where it stands."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of values: its labels, and the room that they need in pixels."""

    ticks: list[Tick]
    width: int


class Month(NamedTuple):
    """One month of a plot.

    Attributes:
        slot: Its place.
        mark: Its values.
        label: Its short name.
        year: Its year, where it is the first one of it.
        steps: 2 and 3 where its label stays when only every second or third has one; the last one's does.
        columns: Its columns that have no mark of their own.
        parts: Those that have one, with it.
    """

    slot: Slot
    mark: Mark
    label: str
    year: str
    steps: list[int]
    columns: list[Rect]
    parts: Sequence[tuple[Rect, Mark]] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line over months: its parts as SVG takes them, and its points."""

    series: str
    parts: list[str]
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Plot:
    """Columns by month, with whiskers and a line.

    Attributes:
        months: Its months.
        axis: The axis of the columns, whose ticks have a grid line each.
        second_axis: That of the line; None without one.
        zero: The height of zero.
        whiskers: Those of each band, by its name, the wider first.
        line: Its line.
        legend: Its series.
    """

    months: list[Month]
    axis: Axis
    second_axis: Axis | None
    zero: float
    whiskers: list[tuple[str, list[Whisker]]]
    line: Line | None
    legend: list[Legend]
    height: int = geometry.PLOT_HEIGHT
    kind: Literal["plot"] = "plot"


class Bar(NamedTuple):
    """One bar from 0 to 100 across, in the middle of its part of the row, and its value.

    Attributes:
        mark: Its own, beside that of its row; None without one.
    """

    series: str
    x: float
    width: float
    middle: float
    value: Cell
    mark: Mark | None = None


class Join(NamedTuple):
    """A part of a line from one row to the next, all in percent of the row."""

    x1: float
    y1: float
    x2: float
    y2: float


class BarRow(NamedTuple):
    """The bars of one category.

    Attributes:
        label: Its name.
        mark: Its values.
        bars: Its bars.
        details: What else is known of it.
        joins: Lines to the rows above and below.
        point: Where the line of a Pareto diagram is; None in other bars.
        share: The cumulative share; empty in other bars.
    """

    label: str
    mark: Mark
    bars: list[Bar]
    details: str
    joins: Sequence[Join] = ()
    point: float | None = None
    share: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Rows of bars.

    Attributes:
        rows: From above.
        legend: Its series, where there are several.
        zero: Where zero is, from 0 to 100.
        ticks: Labels of the axis below the rows.
        line: The series of the line that joins the rows, or "join"; empty where there is none.
    """

    rows: list[BarRow]
    legend: list[Legend]
    zero: float = 0.0
    ticks: Sequence[Tick] = ()
    line: str = ""
    thickness: int = geometry.BAR_THICKNESS
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True)
class Trend:
    """One small line.

    Attributes:
        label: Its name.
        months: The place and the values of each month that has a value.
        line: Where it runs.
        ends: First and last month that have a value, each with it.
    """

    label: str
    months: list[tuple[Slot, Mark, float]]
    line: Line
    ends: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Trends:
    """Small lines."""

    trends: list[Trend]
    height: int = geometry.TREND_HEIGHT
    kind: Literal["trends"] = "trends"


class HeatCell(NamedTuple):
    """One cell: its text, its values, and how strong it is, from 0."""

    text: str
    mark: Mark
    level: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Cells by name and month, which is a table of its own.

    Attributes:
        corner: Head of the names.
        heads: Of the months.
        rows: Names with their cells.
        most: The largest amount.
    """

    corner: str
    heads: list[str]
    rows: list[tuple[str, list[HeatCell]]]
    most: str
    levels: int = len(HEAT)
    kind: Literal["heat"] = "heat"


Drawn = Plot | Bars | Trends | Heat
