"""A page as its template shows it: its cards, charts and tables, written out in one language."""

from collections.abc import Sequence
from dataclasses import dataclass

from kpi_pipeline.model.dimensions import MONTH
from serving.pages.cards.cards import (
    CardGroup,
    card_groups,
    comparison_text,
    definitions,
    lacking_costs,
    window_text,
)
from serving.pages.cards.not_receivable import NotReceivablePart, not_receivable_parts
from serving.pages.cards.values import CardContext
from serving.pages.charts.panels import ChartPanels, chart_panels
from serving.pages.charts.view import ChartView, chart_view
from serving.pages.list_links import ListLinks
from serving.pages.page_data import PageData
from serving.pages.published.figures import Figures
from serving.pages.tables.view import TableSection, table_section
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class PageView:
    """All that the template shows of one payload.

    Attributes:
        is_empty: Whether there is nothing under the filter.
        comparison: Why the cards show no changes; empty where they do.
        window: From which day to which cards sum flows; empty where none does.
        lacking_costs: Why there are no costs under the filter; empty where that does not matter.
        card_groups: Its figures: those that lead, then compact ones.
        not_receivable: What is issued and not receivable; empty where there is nothing of it.
        definitions: On the page that explains KPIs, the name, label, meaning and target of each.
        charts: Its charts, as they stand side by side.
        tables: Its tables.
        charts_note: That its charts by month have all months; empty where no months are chosen.
    """

    is_empty: bool
    comparison: str
    window: str
    lacking_costs: str
    card_groups: list[CardGroup]
    not_receivable: list[NotReceivablePart]
    definitions: list[tuple[str, str, str, str]]
    charts: list[ChartPanels]
    tables: list[TableSection]
    charts_note: str


def page_view(data: PageData, writer: Writer, charts: Sequence[ChartView] = ()) -> PageView:
    """Write out the figures of one page.

    Args:
        data: What it is written from.
        writer: Writes values in the language of the page.
        charts: Charts that come before those that its product holds.
    """
    page, figures = data.page, data.figures
    context = CardContext(figures, data.result.answered, writer, data.earlier)
    to_lists = ListLinks(context.selection, figures.cohort is not None, writer)
    return PageView(
        is_empty=not figures.currencies,
        comparison=comparison_text(page, figures, writer),
        window=window_text(page, figures, writer),
        lacking_costs=lacking_costs(page, context),
        card_groups=card_groups(page, context),
        not_receivable=not_receivable_parts(context),
        definitions=definitions(page, writer),
        charts=chart_panels([*charts, *(chart_view(chart, to_lists) for chart in figures.charts)]),
        tables=[table_section(table, to_lists) for table in figures.tables],
        charts_note=_charts_note(figures, writer),
    )


def _charts_note(figures: Figures, writer: Writer) -> str:
    """Months that a filter names choose certificates: sums by month are of those of all months."""
    if figures.cohort is None or all(one.chart.drawing.category != MONTH.name for one in figures.charts):
        return ""
    return writer.texts["charts_of_all_months"]
