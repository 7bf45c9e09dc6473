"""A comparison as its template shows it: what can be chosen, a table for each group of KPIs, and drawings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpi_pipeline.model.compare import (
    COMPARED_DIMENSIONS,
    DRAWN_SIDE_BY_SIDE,
    MOST_COMPARED,
    periods_in,
)
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.listed_figures import LISTED_KPIS
from serving.catalogue import Catalogue, Dimension, Kpi
from serving.compare.look_up import CompareResult
from serving.compare.parameters import CompareRequest, filter_of, taken_by
from serving.pages.addresses import HOME_PATH, PageAddress
from serving.pages.cards.cards import cohort_text
from serving.pages.cards.values import written_value
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.compare.drawing import of_each, points_table, side_by_side, values_table
from serving.pages.compare.figures import ComparedKpi, compared_kpis, shown_difference
from serving.pages.compare_links import value_label
from serving.pages.context import PageContext
from serving.pages.drill_down import ListScope
from serving.pages.filters.form import Option
from serving.pages.formats import NO_DATA
from serving.pages.published.figures import Published
from serving.pages.selection import Selection, parameters_of
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Cell, Writer


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A value that is compared.

    Attributes:
        label: Its name.
        url: Its profile, or the first page under its filter.
        notice: What to know of its figures; empty where there is nothing.
    """

    label: str
    url: str
    notice: str


@dataclass(frozen=True, slots=True)
class CompareView:
    """All that the template shows of a comparison.

    Attributes:
        dimensions: Those that can be chosen.
        choices: For each place, by heading, the values that can be chosen; none where no dimension is.
        columns: The values.
        groups: Headings and tables of KPIs.
        charts: Drawings of KPIs at month ends.
        workbook_url: The comparison as a workbook; empty where there is none yet.
        csv_url: The same as CSV.
    """

    dimensions: list[Option]
    choices: list[list[tuple[str, list[Option]]]]
    columns: list[ComparedColumn]
    groups: list[tuple[str, TableView]]
    charts: list[ChartView]
    workbook_url: str
    csv_url: str


class CompareWriter:
    """Writes a comparison.

    Args:
        request: What is compared.
        context: What the page is written with.
        files: The address of the files, to which the ending is added.
    """

    def __init__(self, request: CompareRequest, context: PageContext, files: str) -> None:
        self._request = request
        self._context = context
        self._writer = context.writer
        self._files = files

    def view(self, result: CompareResult | None, figures: Sequence[Published | None]) -> CompareView:
        """It as it is shown.

        Args:
            result: The figures of the values; None where not all are chosen yet.
            figures: Of each value, checked.
        """
        catalogue = self._context.catalogue
        parameters = parameters_of(catalogue, self._context.selection)
        files = PageAddress(self._files, self._context.language, kept=tuple(self._request.parameters()))
        labels = [value_label(self._request.dimension, one, self._writer) for one in self._request.values]
        return CompareView(
            dimensions=[
                Option(one.name, self._writer.label(one), "", one.name == self._request.dimension)
                for one in catalogue.dimensions
                if one.name in COMPARED_DIMENSIONS
                and self._context.selection.keys().isdisjoint(taken_by(one.name))
            ],
            choices=self._choices(),
            columns=[] if result is None else self._columns(result, figures, labels),
            groups=[] if result is None else list(self._groups(figures, labels)),
            charts=[] if result is None else list(self._charts(figures, labels)),
            workbook_url="" if result is None else _with_ending(files, "xlsx").of(parameters),
            csv_url="" if result is None else _with_ending(files, "csv").of(parameters),
        )

    def _choices(self) -> list[list[tuple[str, list[Option]]]]:
        dimensions = self._context.catalogue.dimensions
        dimension = next((one for one in dimensions if one.name == self._request.dimension), None)
        if dimension is None:
            return []
        chosen = [*self._request.values, *[""] * MOST_COMPARED][:MOST_COMPARED]
        return [self._options(dimension, value) for value in chosen]

    def _options(self, dimension: Dimension, chosen: str) -> list[tuple[str, list[Option]]]:
        texts = self._writer.texts
        held = [value.value for value in dimension.values]
        parts = [("", held)]
        if dimension.name == MONTH.name:
            names = ("compare_years", "compare_quarters", "compare_months")
            parts = [(texts[name], own) for name, own in zip(names, periods_in(held), strict=True)]
            if self._request.as_of is not None:
                parts = parts[-1:]  # month ends keep single months
        return [
            (
                heading,
                [
                    Option(value, value_label(dimension.name, value, self._writer), "", value == chosen)
                    for value in values
                ],
            )
            for heading, values in parts
        ]

    def _columns(
        self, result: CompareResult, figures: Sequence[Published | None], labels: Sequence[str]
    ) -> list[ComparedColumn]:
        found = []
        for one, own, label in zip(result.values, figures, labels, strict=True):
            link = self._writer.profile(self._request.dimension, one.value)
            own_filter = filter_of(self._request, one.value, self._context.catalogue)
            url = replace(self._context.address, path=HOME_PATH, kept=()).of(own_filter)
            # A profile is of all certificates.
            is_whole = not self._context.selection
            found.append(ComparedColumn(label, link.url if link and is_whole else url, self._notice(own)))
        return found

    def _notice(self, figures: Published | None) -> str:
        texts = self._writer.texts
        if figures is None:
            return texts["compare_missing"]
        if not figures.currencies:
            return texts["nothing_here"]
        if figures.cohort is None:
            return ""
        return cohort_text(figures.cohort, self._writer)

    def _groups(
        self, figures: Sequence[Published | None], labels: Sequence[str]
    ) -> "list[tuple[str, TableView]]":
        heads = [Head(self._writer.texts["compare_kpi"], is_number=False, name="kpi")]
        heads += [Head(labels[0], is_number=True, name="value")]
        for label in labels[1:]:
            difference = self._writer.texts["compare_difference"].format(value=label, first=labels[0])
            heads += [Head(label, is_number=True, name="value")]
            heads += [Head(difference, is_number=True, name="difference")]
        groups = []
        for heading, kpis in grouped_kpis(self._context.catalogue, self._writer):
            rows = [self._row(one, figures) for one in compared_kpis(figures, kpis)]
            if rows:
                groups.append((heading, TableView("", heads, rows, is_ordered=True)))
        return groups

    def _row(self, compared: ComparedKpi, figures: Sequence[Published | None]) -> list[Cell]:
        writer, url = self._writer, self._writer.meanings_url
        row = [
            Cell(
                kpi_label(compared, writer),
                url=f"{url}#meaning-{compared.kpi.name}" if url else "",
            )
        ]
        for at, own in enumerate(figures):
            row.append(self._value(compared, at, is_cohort=own is not None and own.cohort is not None))
            if at:
                difference = shown_difference(compared, at, writer)
                row.append(Cell(NO_DATA if difference is None else difference[1], is_number=True))
        return row

    def _value(self, compared: ComparedKpi, at: int, *, is_cohort: bool) -> Cell:
        value = compared.number(at)
        if value is None:
            return Cell(NO_DATA, is_number=True)
        written = written_value(compared.kpi.unit, value, compared.currency or None, self._writer)
        scope = ListScope(is_cohort=is_cohort, currency=compared.currency)
        listed = LISTED_KPIS.get(compared.kpi.name) if value else None
        url = self._writer.list_url(listed, self._selection_of(self._request.values[at]), scope)
        return Cell(written.with_unit, written.exact, is_number=True, url=url)

    def _selection_of(self, value: str) -> Selection:
        """The filter of a value."""
        chosen: dict[str, list[str]] = {}
        for name, one in filter_of(self._request, value, self._context.catalogue):
            chosen.setdefault(name, []).append(one)
        return chosen

    def _charts(self, figures: Sequence[Published | None], labels: Sequence[str]) -> "list[ChartView]":
        known = next((one for one in figures if one is not None), None)
        if known is None:
            return []
        texts, charts = self._writer.texts, []
        for name in DRAWN_SIDE_BY_SIDE:
            kpi = self._writer.kpi(name)
            if kpi is None:
                continue
            parts = [
                part
                for compared in compared_kpis(figures, [kpi])
                if (part := self._part(compared, labels, known)) is not None
            ]
            if parts:
                text = texts["compare_drawn" if known.cohort is None else "compare_drawn_periods"]
                description = text.format(values=self._writer.formats.together(labels))
                charts.append(
                    ChartView(
                        f"compare-{name}", self._writer.label(kpi), description, "", parts, is_wide=False
                    )
                )
        return charts

    def _part(self, compared: ComparedKpi, labels: Sequence[str], known: Published) -> ChartPart | None:
        """One drawing with its table; None where there is nothing to draw."""
        if known.cohort is not None:
            drawing = of_each(compared, labels, self._writer)
            table = values_table(compared, labels, self._writer)
        else:
            drawing = side_by_side(compared, labels, known.months, self._writer)
            table = points_table(compared, labels, known.months, self._writer)
        return None if drawing is None else ChartPart(compared.currency, [], drawing, table)


def kpi_label(compared: ComparedKpi, writer: Writer) -> str:
    """The label of a KPI, with its currency where it is of one."""
    label = writer.label(compared.kpi)
    return f"{label} ({compared.currency})" if compared.currency else label


def grouped_kpis(catalogue: Catalogue, writer: Writer) -> list[tuple[str, list[Kpi]]]:
    """The headings of KPIs, each with those beneath it; without those whose target is not set."""
    return [
        (writer.label(group), [kpi for kpi in catalogue.kpis if kpi.group == group.name and kpi.is_set])
        for group in catalogue.kpi_groups
    ]


def _with_ending(address: PageAddress, ending: str) -> PageAddress:
    return replace(address, path=f"{address.path}.{ending}")
