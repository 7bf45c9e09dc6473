"""The rows of one chart in one currency, written out: names, values in full, and what its marks say."""

from collections.abc import Iterable, Mapping, Sequence

from kpi_pipeline.model.drawings import Shape
from kpi_pipeline.model.labels import OTHERS
from kpi_pipeline.model.listed_figures import LISTED_CHARTS
from serving.catalogue import Column
from serving.pages.charts.shapes import Legend, Mark
from serving.pages.formats import NO_DATA
from serving.pages.list_links import ListLinks
from serving.pages.published.chart_data import ChartData, Row
from serving.pages.writing import Cell


class ChartRows:
    """Rows of a chart, and how they are written.

    Args:
        data: The chart.
        rows: Its rows in that currency; at least one.
        currency: Its code; empty where it is not of money.
        to_lists: Where its numbers lead, and what writes them.
    """

    def __init__(self, data: ChartData, rows: Sequence[Row], currency: str, to_lists: ListLinks) -> None:
        writer = to_lists.writer
        self._columns: Mapping[str, Column] = {column.name: column for column in data.chart.columns}
        self._labels = {column.name: writer.label(column) for column in data.chart.columns}
        self.drawing = data.chart.drawing
        self.rows = rows
        self.currency = currency
        self.writer = writer
        self._to_lists = to_lists
        self._name = data.chart.name
        self._shown = self._columns_of_marks()
        self._bands = [(band.label.into(writer.language), band.low, band.high) for band in self.drawing.bands]

    def categories(self) -> list[str]:
        """The categories in the order of the rows."""
        return list(dict.fromkeys(row[self.drawing.category] for row in self.rows))

    def amount(self, row: Row, name: str) -> int:
        """A value to be drawn: nothing is drawn of one that is not known."""
        return row[name] or 0

    def label(self, name: str) -> str:
        """The label of a column."""
        return self._labels[name]

    def rows_of(self, categories: Sequence[str]) -> list[list[Row]]:
        """The rows of each of some categories."""
        held: dict[str, list[Row]] = {category: [] for category in categories}
        for row in self.rows:
            held[row[self.drawing.category]].append(row)
        return list(held.values())

    def text(self, name: str, row: Row) -> str:
        """A value on its own."""
        if row[name] is None:
            return NO_DATA
        return self.writer.text(self._columns[name].kind, row[name], self.currency)

    def cell(self, name: str, row: Row) -> Cell:
        """A value beside its bar."""
        return self.writer.cell(self._columns[name].kind, row[name], self.currency)

    def linked_cell(self, column: Column, row: Row) -> Cell:
        """A value in a table: a name leads to the page of it, a number to the list that sums to it."""
        cell = self.writer.cell(column.kind, row[column.name], self.currency, dimension=column.name)
        return cell._replace(url=url) if (url := self._list_url(column.name, row)) else cell

    def details(self, row: Row) -> str:
        """What else is known of a category."""
        known = [name for name in self.drawing.details if row[name] is not None]
        return " · ".join(f"{self.label(name)}: {self.text(name, row)}" for name in known)

    def colour(self, name: str, row: Row) -> str:
        """What a bar has its colour from: its series or, of a single series, what its category is."""
        if len(self.drawing.series) > 1:
            return name
        category = row[self.drawing.category]
        if category in self.drawing.ages:
            return f"age-{self.drawing.ages.index(category) + 1}"
        return "others" if category == OTHERS else name

    def legend(self) -> list[Legend]:
        """What is drawn, in the order in which it is drawn."""
        drawing, texts = self.drawing, self.writer.texts
        if drawing.split:
            kind = self._columns[drawing.split].kind
            entries = [Legend(name, self.writer.text(kind, name, "")) for name in drawing.series]
        else:
            entries = [Legend(name, self.label(name)) for name in drawing.series]
        if drawing.line:
            label = self.label(drawing.line)
            if drawing.shape is not Shape.PARETO:
                label = texts["line_axis"].format(line=label)
            entries.append(Legend(drawing.line, label, "line"))
        for place, band in enumerate(drawing.bands, 1):
            entries.append(Legend(f"band-{place}", band.label.into(self.writer.language), "whisker"))
        return entries

    def mark(self, rows: Sequence[Row]) -> Mark:
        """What is known of a category, from its rows: one, or one for each of its series."""
        row, drawing = rows[0], self.drawing
        title = self.text(drawing.category, row)
        if drawing.across:
            title = f"{title} · {self.text(drawing.across, row)}"
        lines = [line for own in rows for line in self._lines(own)]
        if url := self._list_of_mark(rows):
            lines.append((self.writer.texts["leads_to"], self.writer.texts["leads_to_list"]))
        url = url or self.writer.drill_down_url(drawing.category, row[drawing.category])
        return Mark(mark_label(title, lines), url)

    def _list_of_mark(self, rows: Sequence[Row]) -> str:
        """The list that is the only number of a mark; empty where it has several, or no list sums to it."""
        drawing = self.drawing
        names = [drawing.value] if drawing.value else drawing.series
        numbers = [(name, row) for row in rows for name in names if row[name]]
        return self._list_url(*numbers[0]) if len(names) == len(numbers) == 1 else ""

    def _list_url(self, name: str, row: Row) -> str:
        """The list that sums to a number; empty where none does, or where there is nothing."""
        series = LISTED_CHARTS.get((self._name, name))
        return self._to_lists.of_series(series, {**row}, self.currency) if row[name] else ""

    def _columns_of_marks(self) -> list[str]:
        """The columns whose values marks tell by their names."""
        drawing = self.drawing
        ends = {end for band in drawing.bands for end in (band.low, band.high)}
        named = {drawing.category, drawing.across, drawing.split, *drawing.span, *ends}
        return [
            name for name, column in self._columns.items() if name not in named and column.kind != "currency"
        ]

    def _lines(self, row: Row) -> Iterable[tuple[str, str]]:
        """The values of a row in full, each with its name."""
        drawing = self.drawing
        for name in self._shown:
            if name in row:
                is_split = drawing.split and name == drawing.value
                yield (
                    self.text(drawing.split, row) if is_split else self._labels[name],
                    self._exact(name, row),
                )
        for label, low, high in self._bands:
            if row[low] is not None and row[high] is not None:
                yield label, f"{self._exact(low, row)} \N{EN DASH} {self._exact(high, row)}"

    def _exact(self, name: str, row: Row) -> str:
        """A value in full."""
        if row[name] is not None and self._columns[name].kind == "money":
            return self.writer.formats.money(row[name], self.currency).full
        return self.text(name, row)


def mark_label(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """The label of a mark: a line for its name, and `name:<tab>value` for each of its values."""
    return "\n".join([title, *(f"{name}:\t{value}" for name, value in lines)])
