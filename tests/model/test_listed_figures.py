"""Every amount and every count leads to the list that it sums, or it is named here with the reason."""

from collections.abc import Iterator

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS, Unit
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listed_figures import (
    LISTED_CHARTS,
    LISTED_COLUMNS,
    LISTED_FORECASTS,
    LISTED_KPIS,
    LISTED_LINES,
    LISTED_REASONS,
    ListedFigure,
)
from kpi_pipeline.model.tables import TABLES

COSTS = "costs are no certificates"
MARGIN = "the difference of certificates and costs"
BAND = "the bound of an interval is no sum"
RATE = "a rate, no sum of certificates"
PROJECTS = "counts projects"
ROW = "the amount of a single certificate, to whose page its row leads"

UNLISTED_KPIS = {
    "average_certificate": RATE,
    "run_rate": RATE,
    "projects_delayed": PROJECTS,
    "projects_on_time": PROJECTS,
    "expected_loss": "weighs each certificate by a chance",
    **dict.fromkeys(("costs", "opex", "capex", "costs_paid", "costs_pending"), COSTS),
    **dict.fromkeys(("gross_margin", "cash_margin"), MARGIN),
}
UNLISTED_COLUMNS = {
    ("collect_today", "amount"): ROW,
    ("correct_and_resend", "amount"): ROW,
    ("oldest_open", "amount"): ROW,
    **{(table, "urgency"): "a rank, in amounts by days" for table in ("collect_today", "correct_and_resend")},
    **{("statement", name): COSTS for name in ("opex", "capex", "costs", "costs_paid_out")},
    ("statement", "margin"): MARGIN,
    **{(table, "costs"): COSTS for table in ("project", "client", "project_manager")},
    **{(table, "margin"): MARGIN for table in ("project", "client", "project_manager")},
    **{(table, name): COSTS for table in ("suppliers", "cost_categories") for name in ("amount", "count")},
    **{("working_capital", name): RATE for name in ("daily_billing", "cash_tied", "cash_tied_benchmark")},
    **{("forecast", name): BAND for name in ("low_50", "high_50", "low_90", "high_90")},
}
UNLISTED_CHARTS = {
    **{("cash_flow", name): BAND for name in ("low_50", "high_50", "low_90", "high_90")},
    **{("opex_capex", name): COSTS for name in ("opex", "capex")},
    ("margin_by_project", "cost"): COSTS,
    ("margin_by_project", "margin"): MARGIN,
    ("stages", "count"): "how many certificates a mean is of",
}


def columns_of_tables() -> Iterator[tuple[str, str]]:
    """The amounts and counts of tables."""
    for table in TABLES.values():
        for column in table.columns:
            if column.kind in (Kind.MONEY, Kind.COUNT):
                yield table.name, column.name


def test_every_card_leads_to_its_list_or_says_why_not() -> None:
    summed = {kpi.name for kpi in KPIS if kpi.unit in (Unit.MONEY, Unit.COUNT)}
    assert summed - LISTED_KPIS.keys() == UNLISTED_KPIS.keys()


def test_every_figure_of_a_table_leads_to_its_list_or_says_why_not() -> None:
    lines = {("statement", line) for line in LISTED_LINES}
    listed = {*LISTED_COLUMNS, *LISTED_FORECASTS, *LISTED_REASONS, *lines}
    assert set(columns_of_tables()) - listed == UNLISTED_COLUMNS.keys()


def test_every_mark_of_a_chart_leads_to_its_list_or_says_why_not() -> None:
    summed = {
        (chart.name, column.name)
        for chart in CHARTS.values()
        for column in chart.fields
        if column.kind in (Kind.MONEY, Kind.COUNT)
    }
    assert summed - LISTED_CHARTS.keys() == UNLISTED_CHARTS.keys()


def test_what_is_retained_leads_to_what_clients_retain() -> None:
    assert LISTED_KPIS["retained"] == ListedFigure("retained", "retained")
