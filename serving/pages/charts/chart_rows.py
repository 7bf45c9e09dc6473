"""The rows of one chart in one currency, written out: names, values in full, and what its marks say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

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
        # A number leads to the same list from its mark and from the table.
        self._list_urls: dict[tuple[str, int], str] = {}
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
        row, category = rows[0], self.drawing.category
        lines = [line for own in rows for line in self._lines(own)]
        numbers = self._numbers(rows)
        if self._has_one(numbers) and (url := self._list_url(*numbers[0][1:])):
            return self._list_mark(row, lines, url)
        return Mark(mark_label(self._title(row), lines), self.writer.drill_down_url(category, row[category]))

    def series_marks(self, rows: Sequence[Row]) -> dict[str, Mark]:
        """By series, the mark of each number of a category that a list sums to; none where it has one alone.

        Args:
            rows: Those of the category.
        """
        numbers = self._numbers(rows)
        if self._has_one(numbers):
            return {}
        return {
            series: self._list_mark(row, [(self._series_label(name, row), self._exact(name, row))], url)
            for series, name, row in numbers
            if (url := self._list_url(name, row))
        }

    def _numbers(self, rows: Sequence[Row]) -> list[tuple[str, str, Row]]:
        """Each number that is drawn of a category, zeros left out: its series, its column and its row."""
        split, value = self.drawing.split, self.drawing.value
        names = [value] if value else self.drawing.series
        return [(row[split] if split else name, name, row) for row in rows for name in names if row[name]]

    def _has_one(self, numbers: Sequence[tuple[str, str, Row]]) -> bool:
        """Whether the mark of a category is of one number alone, and not of one of several series."""
        return len(numbers) == 1 and (bool(self.drawing.value) or len(self.drawing.series) == 1)

    def _title(self, row: Row) -> str:
        """What the mark of a row is about."""
        title, across = self.text(self.drawing.category, row), self.drawing.across
        return f"{title} · {self.text(across, row)}" if across else title

    def _list_mark(self, row: Row, lines: Iterable[tuple[str, str]], url: str) -> Mark:
        """A mark that leads to a list, and says so."""
        texts = self.writer.texts
        leads = (texts["leads_to"], texts["leads_to_list"])
        return Mark(mark_label(self._title(row), [*lines, leads]), url)

    def _series_label(self, name: str, row: Row) -> str:
        """What a number is called: a row of a split chart names its series."""
        is_split = self.drawing.split and name == self.drawing.value
        return self.text(self.drawing.split, row) if is_split else self._labels[name]

    def _list_url(self, name: str, row: Row) -> str:
        """The list that sums to a number; empty where none does, or where there is nothing."""
        series = LISTED_CHARTS.get((self._name, name))
        if series is None or not row[name]:
            return ""
        key = (name, id(row))
        if key not in self._list_urls:
            self._list_urls[key] = self._to_lists.of_series(series, {**row}, self.currency)
        return self._list_urls[key]

    def _columns_of_marks(self) -> list[str]:
        """The columns whose values marks tell by their names."""
        drawing = self.drawing
        ends = {end for band in drawing.bands for end in (band.low, band.high)}
        named = {drawing.category, drawing.across, drawing.split, *drawing.span, *ends}
        return [
            name for name, column in self._columns.items() if name not in named and column.kind != "currency"
        ]

    def _lines(self, row: Row) -> Iterator[tuple[str, str]]:
        """The values of a row in full, each with its name."""
        for name in self._shown:
            if name in row:
                yield self._series_label(name, row), self._exact(name, row)
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
