"""Charts as their template shows them: what they say, their drawings, and their data as a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.drawings import Shape
from serving.catalogue import Column
from serving.pages.charts import bars, plots
from serving.pages.charts.chart_rows import ChartRows
from serving.pages.charts.shapes import Drawn
from serving.pages.list_links import ListLinks
from serving.pages.published.chart_data import ChartData, Row
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Writer

_DRAWERS: Final[Mapping[Shape, Callable[[ChartRows], Drawn]]] = {
    Shape.COLUMNS: plots.plot,
    Shape.STACKED: plots.plot,
    Shape.LINES: plots.trends,
    Shape.HEAT: plots.heat,
    Shape.BARS: bars.bars,
    Shape.PARETO: bars.bars,
    Shape.WATERFALL: bars.waterfall,
}
_NUMBERS: Final = ("money", "share", "days", "count", "reading")


@dataclass(frozen=True, slots=True)
class ChartPart:
    """A chart in one currency.

    Attributes:
        currency: Its code; empty where the chart is not of one.
        sentences: Its sentences, written out.
        drawing: Its drawing.
        table: Its data; None where the drawing is a table.
    """

    currency: str
    sentences: list[str]
    drawing: Drawn
    table: TableView | None


@dataclass(frozen=True, slots=True)
class ChartView:
    """One chart.

    Attributes:
        name: Unique in the page.
        title: Its title.
        description: What it shows, for those who do not see it.
        nothing: Said instead where it has no parts.
        parts: One a currency.
        is_wide: Whether it needs the width of the page.
    """

    name: str
    title: str
    description: str
    nothing: str
    parts: list[ChartPart]
    is_wide: bool


def chart_view(data: ChartData, to_lists: ListLinks) -> ChartView:
    """Write out one chart.

    Args:
        data: What was published of it.
        to_lists: Where its numbers lead, and what writes them.
    """
    chart, language = data.chart, to_lists.writer.language
    return ChartView(
        chart.name,
        chart.title.into(language),
        chart.description.into(language),
        chart.nothing.into(language),
        [_part(data, currency, to_lists) for currency in _currencies(data)],
        is_wide=chart.drawing.shape is Shape.HEAT,
    )


def _currencies(data: ChartData) -> list[str]:
    """The currencies of its parts; one that is none where it is not parted by currency."""
    if not data.rows:
        return []
    if data.columns("kpi") or not data.columns("currency"):
        return [""]
    return list(dict.fromkeys(row["currency"] for row in data.rows))


def _part(data: ChartData, currency: str, to_lists: ListLinks) -> ChartPart:
    writer = to_lists.writer
    rows = [row for row in data.rows if not currency or row["currency"] == currency]
    chart_rows = ChartRows(data, rows, currency, to_lists)
    drawing = _DRAWERS[data.chart.drawing.shape](chart_rows)
    return ChartPart(
        currency,
        [
            writer.sentence(
                data.chart.sentences[sentence.sentence].into(writer.language),
                sentence.values,
                sentence.currency or "",
            )
            for sentence in data.sentences
            if not currency or sentence.currency == currency
        ],
        drawing,
        None if drawing.kind == "heat" else _table(data, chart_rows, writer),
    )


def _table(data: ChartData, rows: ChartRows, writer: Writer) -> TableView:
    if data.columns("kpi"):
        return _kpi_values_by_month(data, rows.rows, writer)
    shown = [column for column in data.chart.columns if column.kind != "currency"]
    return TableView(
        rows.currency,
        [_head(column, writer) for column in shown],
        [[rows.linked_cell(column, row) for column in shown] for row in rows.rows],
    )


def _kpi_values_by_month(data: ChartData, rows: Sequence[Row], writer: Writer) -> TableView:
    """A row a month, a column for each KPI and currency."""
    month, kpi, value = (data.columns(kind)[0] for kind in ("month", "kpi", "reading"))
    measured = list(dict.fromkeys((row[kpi.name], row["currency"]) for row in rows))
    held = {(row[month.name], row[kpi.name], row["currency"]): row[value.name] for row in rows}
    heads = [_head(month, writer)]
    for name, currency in measured:
        label = writer.text("kpi", name, "")
        heads.append(Head(f"{label} ({currency})" if currency else label, True))
    return TableView(
        "",
        heads,
        [
            [
                writer.cell("month", text, "", dimension=month.name),
                *(
                    writer.cell("reading", held.get((text, name, currency)), currency, kpi=name)
                    for name, currency in measured
                ),
            ]
            for text in dict.fromkeys(row[month.name] for row in rows)
        ],
    )


def _head(column: Column, writer: Writer) -> Head:
    return Head(writer.label(column), column.kind in _NUMBERS)
