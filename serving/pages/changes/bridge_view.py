"""What the template shows of a bridge."""

from dataclasses import dataclass

from serving.pages.changes.choices import DayChoice, Preset
from serving.pages.charts.view import ChartView
from serving.pages.filters.form import Option
from serving.pages.tables.view import TableView


@dataclass(frozen=True, slots=True)
class MovedList:
    """The certificates of a part.

    Attributes:
        title: What they are of.
        meaning: Which certificates the part has; empty for all parts.
        count: How many there are, and by how much they changed the figure, to the unit.
        table: Those that are shown.
        range: Which of them are shown.
        previous_url: Those before; empty where there are none.
        next_url: Those after.
        close_url: The page without the list.
        csv_url: All of them as CSV.
        workbook_url: All of them as a workbook.
    """

    title: str
    meaning: str
    count: str
    table: TableView
    range: str
    previous_url: str
    next_url: str
    close_url: str
    csv_url: str
    workbook_url: str


@dataclass(frozen=True, slots=True)
class BridgeView:
    """All that the template shows of a bridge.

    Attributes:
        days: From when to when.
        notes: What to know of its days.
        choices: The two days.
        presets: Those that lead to the business date.
        months: Those of single months.
        filters: By the label of a dimension, its values as `dimension=value`.
        charts: A waterfall for each figure, with its parts as a table.
        parts: Labels and meanings of the parts.
        listed: The certificates that are requested; None where none are.
        csv_url: The bridge as CSV.
        workbook_url: The same as a workbook.
    """

    days: str
    notes: list[str]
    choices: list[DayChoice]
    presets: list[Preset]
    months: list[Preset]
    filters: list[tuple[str, list[Option]]]
    charts: list[ChartView]
    parts: list[tuple[str, str]]
    listed: MovedList | None
    csv_url: str
    workbook_url: str
