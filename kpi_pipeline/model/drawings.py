"""How a chart is drawn: which shape it has, and which columns of its data that shape shows."""

from dataclasses import dataclass
from enum import StrEnum

from kpi_pipeline.model.labels import Text


class Shape(StrEnum):
    """The shape of a drawing."""

    COLUMNS = "columns"  # a group of columns side by side for each category
    STACKED = "stacked"  # columns on one another, negative amounts below zero
    BARS = "bars"  # a row of bars for each category
    PARETO = "pareto"  # bars from the largest down, and the cumulative share as a line
    WATERFALL = "waterfall"  # bars each of which begins where the one before it ends
    HEAT = "heat"  # a cell for each pair of categories
    LINES = "lines"  # a small line for each category, each on a scale of its own


@dataclass(frozen=True, slots=True)
class Band:
    """A range around the expected amounts.

    Attributes:
        low: Column of its lower ends.
        high: Column of its upper ends.
        label: What it is called.
    """

    low: str
    high: str
    label: Text


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a chart is drawn. Every name is that of a column of its data, unless stated otherwise.

    Attributes:
        shape: Its shape.
        category: What its marks are about, in the order of the data.
        series: What is drawn of each category, in order; a series has one colour in all charts. With
            `split`, values of that column.
        value: The values where `series` does not name their columns; empty where it does.
        split: Says of which series a row is.
        across: The second category of cells, and of lines.
        line: Drawn as a line: on an axis of its own, or from 0 to 1 in a Pareto diagram.
        span: First and last day of a bar of a waterfall.
        bands: Ranges around the values, the wider first.
        details: Written next to a category's bars.
        ages: Categories that have the colours of ages, the youngest first.
    """

    shape: Shape
    category: str
    series: tuple[str, ...] = ()
    value: str = ""
    split: str = ""
    across: str = ""
    line: str = ""
    span: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    details: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names."""
        own = () if self.split else self.series
        ends = (end for band in self.bands for end in (band.low, band.high))
        named = (self.category, *own, self.value, self.split, self.across, self.line, *self.span, *ends)
        return frozenset(name for name in (*named, *self.details) if name)
