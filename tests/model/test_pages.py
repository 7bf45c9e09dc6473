"""Pages are composed of what their product says."""

import pytest

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.labels import LANGUAGES, Text
from kpi_pipeline.model.pages import (
    COMPOSED,
    NOT_RECEIVABLE,
    PAGES,
    Page,
    charts_of_product,
    kpis_of_product,
)

TABLES: dict[str, set[str]] = {
    "kpis": set(),
    "dashboards": {"collect_today", "correct_and_resend", "oldest_open"},
    "charts": {"project_managers", "rejection_reasons", "failure_kinds"},
    "financials": {
        "statement",
        "profitability",
        "suppliers",
        "cost_categories",
        "working_capital",
        "forecast",
    },
}


def test_names_and_labels_are_unique() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)
    for language in LANGUAGES:
        assert len({page.label.into(language) for page in PAGES}) == len(PAGES)


def test_a_page_shows_kpis_charts_and_tables_that_there_are_each_once() -> None:
    known = {kpi.name for kpi in KPIS}
    for page in COMPOSED:
        assert page.kpis, page.name
        assert set(page.kpis) <= known
        assert set(page.charts) <= set(CHARTS)
        assert set(page.tables) <= TABLES[page.product], page.name
        for shown in (page.kpis, page.charts, page.tables):
            assert len(set(shown)) == len(shown), page.name


def test_every_chart_and_table_is_on_a_page() -> None:
    assert {chart for page in COMPOSED for chart in page.charts} == set(CHARTS)
    assert {table for page in COMPOSED for table in page.tables} == set().union(*TABLES.values())


def test_a_product_holds_what_its_pages_show_each_once() -> None:
    def needing_no_costs(product: str) -> list[str]:
        return [name for name, chart in CHARTS.items() if product == "charts" and not chart.needs_costs]

    for product in PRODUCTS:
        for found, attribute, beside in (
            (kpis_of_product(product), "kpis", lambda _: NOT_RECEIVABLE),
            (charts_of_product(product), "charts", needing_no_costs),
        ):
            shown = [
                name for page in COMPOSED if page.product == product for name in getattr(page, attribute)
            ]
            assert set(found) == {*shown, *beside(product)}
            assert len(found) == len(set(found))
    manager, *_ = PAGES
    assert kpis_of_product("dashboards")[: len(manager.kpis)] == manager.kpis


def test_what_is_beside_every_page_is_an_amount_and_its_count() -> None:
    by_name = {kpi.name: kpi for kpi in KPIS}
    amounts = [name for name in NOT_RECEIVABLE if by_name[name].per_currency]
    assert [(name, by_name[name].count) for name in amounts] == list(
        zip(NOT_RECEIVABLE[::2], NOT_RECEIVABLE[1::2], strict=True)
    )


def test_every_kpi_is_on_the_page_of_all_indicators() -> None:
    assert kpis_of_product("kpis") == tuple(kpi.name for kpi in KPIS)


def test_a_page_of_no_product_is_refused() -> None:
    with pytest.raises(ValueError, match="page 'moods' names no product: 'weather'"):
        Page("moods", Text("Ánimos", "Moods"), "weather", (), ())
