"""The drawings of charts: columns by month, bars by name, lines, and cells of heat. Plain and small.

Which of them a chart gets follows from the kinds of its columns, so that a new chart needs none of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from serving.catalogue import Column
from serving.pages.cards.spark_line import SparkLine, spark_line
from serving.pages.charts.column_chart import ColumnChart, column_chart
from serving.pages.charts.figures import ChartData, Row
from serving.pages.words import OTHERS
from serving.pages.writing import Cell, Writer

_FULL: Final = 100
_HEAT_LEVELS: Final = 5
_RANGES: Final = ("90", "50")
"""Ranges of a forecast, the wider first: the narrower is drawn over it."""


@dataclass(frozen=True, slots=True)
class Legend:
    """What one colour stands for."""

    series: str
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns by month.

    Attributes:
        chart: Where everything stands.
        titles: What each column stands for.
        grid_labels: Amount at each grid line.
        months: Short name of each month.
        legend: Its series.
        ranges: Its ranges, those drawn first first.
    """

    chart: ColumnChart
    titles: list[str]
    grid_labels: list[str]
    months: list[str]
    legend: list[Legend]
    ranges: list[Legend]
    kind: Literal["columns"] = "columns"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, from 0 to 100 across, and its value."""

    series: str
    x: float
    width: float
    value: Cell


@dataclass(frozen=True, slots=True)
class BarRow:
    """What has a name, its bars, and what else is known of it.

    Attributes:
        label: Its name, and where it leads.
        bars: Its bars, in the order of their series.
        note: What else is known.
    """

    label: Cell
    bars: list[Bar]
    note: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars by name.

    Attributes:
        rows: From above.
        legend: Its series, where there are several.
        zero: Where zero is, from 0 to 100.
    """

    rows: list[BarRow]
    legend: list[Legend]
    zero: float
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True)
class Line:
    """One small line over months: its name, its first and last value, and where it runs.

    Attributes:
        kpi: Which KPI it is of; empty where of none.
        currency: Of which currency it is; empty where of none.
        label: Its name.
        first: Its first value.
        last: Its last.
        first_month: When it begins.
        last_month: When it ends.
        line: Where it runs.
    """

    kpi: str
    currency: str
    label: str
    first: str
    last: str
    first_month: str
    last_month: str
    line: SparkLine


@dataclass(frozen=True, slots=True)
class Lines:
    """Small lines, each on a scale of its own."""

    lines: list[Line]
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: its value, and how strong it is from 0 to 5."""

    value: Cell
    level: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Cells by name and month, which is a table of its own.

    Attributes:
        corner: Head of the names.
        heads: Of the months.
        rows: Names with their cells.
    """

    corner: str
    heads: list[str]
    rows: list[tuple[Cell, list[HeatCell]]]
    kind: Literal["heat"] = "heat"


Drawing = Columns | Bars | Lines | Heat


def drawings(data: ChartData, rows: Sequence[Row], currency: str, writer: Writer) -> list[Drawing]:
    """The drawings of a chart in one currency.

    Args:
        data: The chart.
        rows: Its rows in that currency.
        currency: Its code; empty where it is not of money.
        writer: Writes its values.
    """
    months, names = data.columns("month"), data.columns("name")
    if data.columns("kpi"):
        return [_lines_by_kpi(data, rows, writer)]
    if months and names:
        return [_heat(data, rows, currency, writer)]
    if months:
        lines = [_line(column, rows, "month", currency, writer) for column in data.columns("days", "share")]
        found = [line for line in lines if line is not None]
        return [_columns(data, rows, currency, writer), *([Lines(found)] if found else [])]
    return [_bars(data, rows, currency, writer)]


def _columns(data: ChartData, rows: Sequence[Row], currency: str, writer: Writer) -> Columns:
    """Columns; those of one month are compared where a line follows, and are parts of a whole otherwise."""
    month, amounts = data.columns("month")[0].name, data.columns("money")
    months = list(dict.fromkeys(row[month] for row in rows))
    ranges: dict[str, list[tuple[int, int] | None]] = {}
    if flows := data.columns("flow"):
        # One amount a row, of the flow that the row tells; the other amounts are ends of ranges.
        flow, amount = flows[0].name, amounts[0].name
        held = {(row[flow], row[month]): _whole(row[amount]) for row in rows}
        words = list(dict.fromkeys(row[flow] for row in rows))
        series = {word: [held.get((word, one), 0) for one in months] for word in words}
        legend = [Legend(word, writer.text("flow", word, "")) for word in words]
        tops = {one: sum(values[at] for values in series.values()) for at, one in enumerate(months)}
        ranges = _ranges(rows, month, amount, tops)
    else:
        series = {column.name: [_whole(row[column.name]) for row in rows] for column in amounts}
        legend = [Legend(column.name, writer.label(column)) for column in amounts]
    chart = column_chart(series, len(months), ranges=ranges, stacked=not data.columns("days"))
    labels = {one.series: one.label for one in legend}
    return Columns(
        chart,
        [
            f"{writer.formats.month(months[one.month])}, {labels[one.series]}: "
            f"{writer.formats.money(one.amount, currency).full}"
            for one in chart.columns
        ],
        [writer.formats.tick(line.amount, currency) for line in chart.grid],
        [writer.formats.month_name(one) for one in months],
        legend,
        [Legend(part, writer.texts[f"range_{part}"]) for part in ranges],
    )


def _ranges(
    rows: Sequence[Row], month: str, amount: str, tops: Mapping[str, int]
) -> dict[str, list[tuple[int, int] | None]]:
    """The ranges that rows have, around the tops of the columns of their months."""
    found: dict[str, list[tuple[int, int] | None]] = {}
    for part in _RANGES:
        ends: dict[str, tuple[int, int]] = {}
        for row in rows:
            low, high = row.get(f"low_{part}"), row.get(f"high_{part}")
            if low is not None and high is not None:
                below = tops[row[month]] - _whole(row[amount])
                ends[row[month]] = (below + low, below + high)
        if ends:
            found[part] = [ends.get(one) for one in tops]
    return found


def _bars(data: ChartData, rows: Sequence[Row], currency: str, writer: Writer) -> Bars:
    about = data.chart.columns[0]
    amounts = data.columns("money")
    spans = {column.name: column for column in data.columns("days")} if not amounts else {}
    if spans.keys() >= {"start", "end", "days"}:
        return _waterfall(data, rows, writer)
    notes = data.columns("share", "days", "count") if len(amounts) == 1 else []
    values = [_whole(row[column.name]) for row in rows for column in amounts]
    low, high = min(0, *values), max(0, *values)
    reach = (high - low) or 1

    def place(amount: float) -> float:
        return (amount - low) / reach * _FULL

    found = []
    for at, row in enumerate(rows):
        bars = []
        for column in amounts:
            amount = _whole(row[column.name])
            start, end = sorted((place(0), place(amount)))
            series = column.name if len(amounts) > 1 else _series(column, about, row, at)
            value = writer.cell("money", row[column.name], currency)
            bars.append(Bar(series, round(start, 2), round(end - start, 2), value))
        found.append(BarRow(_named(about, row, writer), bars, _note(notes, row, writer)))
    legend = [Legend(column.name, writer.label(column)) for column in amounts] if len(amounts) > 1 else []
    return Bars(found, legend, round(place(0), 2))


def _waterfall(data: ChartData, rows: Sequence[Row], writer: Writer) -> Bars:
    """Bars each of which begins where the one before it ends."""
    about, counts = data.chart.columns[0], data.columns("count")
    whole = max((row["end"] or 0 for row in rows), default=0) or 1
    found = []
    for row in rows:
        start, end = ((row[name] or 0) / whole * _FULL for name in ("start", "end"))
        value = Cell(writer.text("days", row["days"], "")) if row["days"] is not None else Cell("")
        bar = Bar("days", round(start, 2), round(max(end - start, 0), 2), value)
        found.append(BarRow(_named(about, row, writer), [bar], _note(counts, row, writer)))
    return Bars(found, [], 0.0)


def _lines_by_kpi(data: ChartData, rows: Sequence[Row], writer: Writer) -> Lines:
    """A line for each KPI and currency."""
    kpi, value = data.columns("kpi")[0].name, data.columns("reading")[0]
    several = len({row["currency"] for row in rows if row["currency"]}) > 1
    found = []
    for name, currency in dict.fromkeys((row[kpi], row["currency"]) for row in rows):
        own = [row for row in rows if (row[kpi], row["currency"]) == (name, currency)]
        line = _line(value, own, "month", currency, writer, kpi=name)
        if line is not None:
            label = writer.text("kpi", name, "")
            found.append((f"{label} ({currency})" if several and currency else label, line))
    return Lines([replace(line, label=label) for label, line in found])


def _line(
    column: Column, rows: Sequence[Row], month: str, currency: str, writer: Writer, kpi: str = ""
) -> Line | None:
    known = [row for row in rows if row[column.name] is not None]
    line = spark_line([row[column.name] for row in rows])
    if line is None:
        return None
    first, last = (writer.text(column.kind, row[column.name], currency, kpi) for row in (known[0], known[-1]))
    begun, ended = (writer.formats.month_and_year(row[month]) for row in (known[0], known[-1]))
    return Line(kpi, currency, writer.label(column), first, last, begun, ended, line)


def _heat(data: ChartData, rows: Sequence[Row], currency: str, writer: Writer) -> Heat:
    about, month, amount = (data.columns(kind)[0] for kind in ("name", "month", "money"))
    months = list(dict.fromkeys(row[month.name] for row in rows))
    held: Mapping[tuple[str, str], int] = {
        (row[about.name], row[month.name]): _whole(row[amount.name]) for row in rows
    }
    most = max(held.values(), default=0)
    found = []
    for name in dict.fromkeys(row[about.name] for row in rows):
        amounts = [held.get((name, one), 0) for one in months]
        cells = [HeatCell(writer.cell("money", one, currency), _level(one, most)) for one in amounts]
        found.append((writer.cell("name", name, "", dimension=about.name), cells))
    return Heat(writer.label(about), [writer.formats.month_and_year(one) for one in months], found)


def _level(amount: int, most: int) -> int:
    """How strong: 0 is nothing, 5 the largest fifth of the largest amount."""
    return -(-amount * _HEAT_LEVELS // most) if amount > 0 else 0


def _series(column: Column, about: Column, row: Row, at: int) -> str:
    if about.kind == "bucket":
        return f"age-{at + 1}"
    return "others" if about.kind == "name" and row[about.name] == OTHERS else column.name


def _named(column: Column, row: Row, writer: Writer) -> Cell:
    return writer.cell(column.kind, row[column.name], "", dimension=column.name)


def _note(columns: Sequence[Column], row: Row, writer: Writer) -> str:
    written = [
        f"{writer.label(column)}: {writer.text(column.kind, row[column.name], '')}"
        for column in columns
        if row[column.name] is not None
    ]
    return " · ".join(written)


def _whole(value: int | None) -> int:
    return 0 if value is None else value
