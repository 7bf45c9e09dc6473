"""A KPI of several values: at month ends a column a value, side by side; of periods a column each."""

from collections.abc import Sequence
from typing import Final

from serving.pages.charts import geometry
from serving.pages.charts.chart_rows import mark_label
from serving.pages.charts.plots import number_text, year_below
from serving.pages.charts.shapes import Axis, Legend, Mark, Month, Plot, Tick
from serving.pages.compare.figures import ComparedKpi
from serving.pages.formats import NO_DATA
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Cell, Writer

_SERIES: Final = "compared-{}"
_STEPS: Final = (2, 3)


def side_by_side(
    compared: ComparedKpi, labels: Sequence[str], months: Sequence[str], writer: Writer
) -> Plot | None:
    """Draw a KPI; None where no value has any point.

    Args:
        compared: The KPI.
        labels: The name of each value.
        months: The months of its points.
        writer: Writes its values.
    """
    points = list(map(list, zip(*points_of(compared, len(months)), strict=True)))
    if not any(point is not None for held in points for point in held):
        return None
    series = {_SERIES.format(place): [point or 0 for point in held] for place, held in enumerate(points, 1)}
    scale = geometry.scale(value for held in series.values() for value in held)
    places = geometry.slots(len(months))
    rects: list[list[geometry.Rect]] = [[] for _ in months]
    for rect in geometry.columns(series, places, scale, stacked=False):
        rects[rect.place].append(rect)
    drawn = []
    for at, (month, slot) in enumerate(zip(months, places, strict=True)):
        lines = [
            (label, _text(held[at], compared, writer)) for label, held in zip(labels, points, strict=True)
        ]
        drawn.append(
            Month(
                slot,
                Mark(mark_label(writer.formats.month(month), lines), ""),
                writer.formats.month_name(month),
                year_below(months, at),
                [step for step in _STEPS if (len(months) - 1 - at) % step == 0],
                rects[at],
            )
        )
    legend = [Legend(name, label) for name, label in zip(series, labels, strict=True)]
    return _plot(drawn, scale, legend, compared, writer)


def of_each(compared: ComparedKpi, labels: Sequence[str], writer: Writer) -> Plot | None:
    """Draw a KPI of periods, which have no points at month ends: a column each; None where none has a value.

    Args:
        compared: The KPI.
        labels: The name of each period.
        writer: Writes its values.
    """
    values = [compared.number(at) for at in range(len(labels))]
    if all(value is None for value in values):
        return None
    series = {_SERIES.format(1): [value or 0 for value in values]}
    scale = geometry.scale(series[_SERIES.format(1)])
    places = geometry.slots(len(labels))
    # Each has the colour of its name.
    rects = {
        rect.place: rect._replace(series=_SERIES.format(rect.place + 1))
        for rect in geometry.columns(series, places, scale, stacked=False)
    }
    drawn = [
        Month(
            slot,
            Mark(mark_label(label, [(writer.label(compared.kpi), _text(value, compared, writer))]), ""),
            label,
            "",
            list(_STEPS),
            [rects[at]] if at in rects else [],
        )
        for at, (slot, label, value) in enumerate(zip(places, labels, values, strict=True))
    ]
    return _plot(drawn, scale, [], compared, writer)


def _plot(
    drawn: list[Month], scale: geometry.Scale, legend: list[Legend], compared: ComparedKpi, writer: Writer
) -> Plot:
    ticks = [Tick(scale.y(value), _tick(value, compared, writer)) for value in scale.ticks]
    width = geometry.tick_width(tick.label for tick in ticks)
    return Plot(drawn, Axis(ticks, width), None, scale.y(0), [], None, legend)


def points_table(
    compared: ComparedKpi, labels: Sequence[str], months: Sequence[str], writer: Writer
) -> TableView:
    """The points of a drawing as a table: a row a month, a column a value; arguments of `side_by_side`."""
    points, unit = points_of(compared, len(months)), compared.kpi.unit
    return TableView(
        compared.currency,
        [
            Head(writer.texts["compare_month"], is_number=False),
            *(Head(label, is_number=True) for label in labels),
        ],
        [
            [
                writer.cell("month", month, ""),
                *(writer.cell(unit, point, compared.currency) for point in of_month),
            ]
            for month, of_month in zip(months, points, strict=True)
        ],
    )


def values_table(compared: ComparedKpi, labels: Sequence[str], writer: Writer) -> TableView:
    """What `of_each` draws as a table: a row a period."""
    heads = [
        Head(writer.texts["compare_period"], is_number=False),
        Head(writer.label(compared.kpi), is_number=True),
    ]
    rows = [
        [Cell(label), writer.cell(compared.kpi.unit, compared.number(at), compared.currency)]
        for at, label in enumerate(labels)
    ]
    return TableView(compared.currency, heads, rows)


def points_of(compared: ComparedKpi, months: int) -> list[tuple[int | float | None, ...]]:
    """By month, the point of each value; None where it has none."""
    held = [[None] * months if one is None else list(one.spark)[-months:] for one in compared.values]
    return list(zip(*held, strict=True))


def _text(value: int | float | None, compared: ComparedKpi, writer: Writer) -> str:
    if value is None:
        return NO_DATA
    if compared.kpi.unit == "money":
        return writer.formats.money(value, compared.currency).full
    return writer.text(compared.kpi.unit, value, compared.currency)


def _tick(value: int | float, compared: ComparedKpi, writer: Writer) -> str:
    if compared.kpi.unit == "money":
        return writer.formats.tick(value, compared.currency)
    return number_text(value, writer.formats)
