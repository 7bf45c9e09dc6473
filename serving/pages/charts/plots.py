"""Drawings over months: columns with whiskers and a line, small lines, and cells of heat."""

from collections.abc import Sequence
from typing import Final

from kpi_pipeline.model.drawings import Shape
from kpi_pipeline.model.palette import HEAT
from serving.pages.charts import geometry
from serving.pages.charts.chart_rows import ChartRows, mark_label
from serving.pages.charts.geometry import Number, Rect, Scale, Slot
from serving.pages.charts.shapes import Axis, Heat, HeatCell, Line, Mark, Month, Plot, Tick, Trend, Trends
from serving.pages.formats import Formats
from serving.pages.published.chart_data import Row

_LABEL_STEPS: Final = (2, 3)


def plot(chart: ChartRows) -> Plot:
    """Columns by month. A line has an axis of its own, and the grid lines of the columns."""
    drawing, formats = chart.drawing, chart.writer.formats
    months = sorted(chart.categories())
    series = {name: _values(chart, name, months) for name in drawing.series}
    stacked = drawing.shape is Shape.STACKED
    bands = _bands(chart, months, [sum(values) for values in zip(*series.values(), strict=True)])
    ends = [pair for pairs in geometry.spans(series, stacked=stacked).values() for pair in pairs]
    ends += [pair for pairs in bands.values() for pair in pairs if pair is not None]
    scale, places = geometry.scale(value for pair in ends for value in pair), geometry.slots(len(months))
    rects: list[list[Rect]] = [[] for _ in months]
    for rect in geometry.columns(series, places, scale, stacked=stacked):
        rects[rect.place].append(rect)
    line, second_axis = _line(chart, months, places, scale)
    drawn = []
    for place, (month, slot, rows) in enumerate(zip(months, places, chart.rows_of(months), strict=True)):
        marks = chart.series_marks(rows)
        drawn.append(
            Month(
                slot,
                chart.mark(rows),
                formats.month_name(month),
                year_below(months, place),
                [step for step in _LABEL_STEPS if (len(months) - 1 - place) % step == 0],
                [rect for rect in rects[place] if rect.series not in marks],
                [(rect, marks[rect.series]) for rect in rects[place] if rect.series in marks],
            )
        )
    return Plot(
        drawn,
        _axis([Tick(scale.y(value), formats.tick(value, chart.currency)) for value in scale.ticks]),
        second_axis,
        scale.y(0),
        [(name, geometry.whiskers(pairs, places, scale)) for name, pairs in bands.items()],
        line,
        chart.legend(),
    )


def trends(chart: ChartRows) -> Trends:
    """A line for each category and currency that has a value."""
    name = chart.drawing.category
    several = len({row["currency"] for row in chart.rows if row["currency"]}) > 1
    drawn = []
    for category, currency in dict.fromkeys((row[name], row["currency"]) for row in chart.rows):
        rows = [row for row in chart.rows if (row[name], row["currency"]) == (category, currency)]
        if any(row[chart.drawing.value] is not None for row in rows):
            label = chart.text(name, rows[0])
            drawn.append(_trend(chart, f"{label} ({currency})" if several and currency else label, rows))
    return Trends(drawn)


def heat(chart: ChartRows) -> Heat:
    """Cells by name and month; those without a row are zero."""
    drawing = chart.drawing
    months = sorted({row[drawing.across] for row in chart.rows})
    held = {(row[drawing.category], row[drawing.across]): row for row in chart.rows}
    most = max(chart.amount(row, drawing.value) for row in chart.rows)
    rows = []
    for name in chart.categories():
        cells = []
        for month in months:
            nothing = {drawing.category: name, drawing.across: month, drawing.value: 0}
            row = held.get((name, month), nothing)
            level = _level(chart.amount(row, drawing.value), most)
            cells.append(HeatCell(chart.cell(drawing.value, row).text, chart.mark([row]), level))
        rows.append((chart.text(drawing.category, {drawing.category: name}), cells))
    return Heat(
        chart.label(drawing.category),
        [chart.writer.formats.month_and_year(month) for month in months],
        rows,
        chart.cell(drawing.value, {drawing.value: most}).text,
    )


def number_text(value: Number, formats: Formats) -> str:
    """A number on an axis."""
    return formats.count(value) if value == int(value) else formats.days(float(value))


def _values(chart: ChartRows, name: str, months: Sequence[str]) -> list[int]:
    """The values of a series by month, zero where it has none."""
    drawing = chart.drawing
    rows = [row for row in chart.rows if not drawing.split or row[drawing.split] == name]
    column = drawing.value if drawing.split else name
    held = {row[drawing.category]: chart.amount(row, column) for row in rows}
    return [held.get(month, 0) for month in months]


def _bands(
    chart: ChartRows, months: Sequence[str], tops: Sequence[int]
) -> dict[str, list[tuple[int, int] | None]]:
    """The bands that rows have, around the tops of the columns of their months."""
    drawing, top = chart.drawing, dict(zip(months, tops, strict=True))
    bands: dict[str, list[tuple[int, int] | None]] = {}
    for place, band in enumerate(drawing.bands, 1):
        ends: dict[str, tuple[int, int]] = {}
        for row in chart.rows:
            if row[band.low] is not None and row[band.high] is not None:
                # What is still expected of a month stands on what was collected.
                below = top[row[drawing.category]] - chart.amount(row, drawing.value)
                ends[row[drawing.category]] = (below + row[band.low], below + row[band.high])
        if ends:
            bands[f"band-{place}"] = [ends.get(month) for month in months]
    return bands


def _line(
    chart: ChartRows, months: Sequence[str], places: Sequence[Slot], first: Scale
) -> tuple[Line | None, Axis | None]:
    name = chart.drawing.line
    held = {row[chart.drawing.category]: row[name] for row in chart.rows} if name else {}
    known = [value for value in held.values() if value is not None]
    if not known:
        return None, None
    second = geometry.second_scale(first, known)
    ticks = [Tick(second.y(value), number_text(value, chart.writer.formats)) for value in second.ticks]
    parts = geometry.line([held.get(month) for month in months], places, second)
    return _as_line(name, parts), _axis(ticks)


def _trend(chart: ChartRows, label: str, rows: Sequence[Row]) -> Trend:
    drawing, writer = chart.drawing, chart.writer
    places = geometry.slots(len(rows))
    parts = geometry.trend([row[drawing.value] for row in rows], places)
    known = [(row, slot) for row, slot in zip(rows, places, strict=True) if row[drawing.value] is not None]

    def value(row: Row) -> str:
        return writer.text("reading", row[drawing.value], row["currency"], row[drawing.category])

    months = []
    for (row, slot), (_, height) in zip(known, (point for part in parts for point in part), strict=True):
        month = row[drawing.across]
        name = mark_label(writer.formats.month(month), [(label, value(row))])
        months.append((slot, Mark(name, writer.drill_down_url(drawing.across, month)), height))
    ends = [
        (writer.formats.month_and_year(row[drawing.across]), value(row))
        for row in (known[0][0], known[-1][0])
    ]
    return Trend(label, months, _as_line("", parts), ends)


def _as_line(series: str, parts: list[list[geometry.Point]]) -> Line:
    return Line(
        series, [geometry.points_text(part) for part in parts], [point for part in parts for point in part]
    )


def _axis(ticks: list[Tick]) -> Axis:
    return Axis(ticks, geometry.tick_width(tick.label for tick in ticks))


def year_below(months: Sequence[str], place: int) -> str:
    """The year below a month's label: below the first month, unless the next year begins too near to it."""
    is_near = any(month.endswith("-01") for month in months[1:3])
    return months[place][:4] if months[place].endswith("-01") or (place == 0 and not is_near) else ""


def _level(amount: int, most: int) -> int:
    """How strong: 0 is nothing, the highest level the largest fifth of the largest amount."""
    return -(-amount * len(HEAT) // most) if amount > 0 else 0
