"""The pages: each a declared composition of KPIs, charts and tables, read as one payload of one product."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.descriptions import rests_on_all
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.tables import TABLES

CHARTS_PRODUCT: Final = "charts"
"""The product that holds each chart which needs no costs, whether a page of the product shows it or not."""

EXPECTED: Final = "expected"
"""The figure that is no KPI: what is expected to be collected in the next days."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A figure that leads a page.

    Attributes:
        figure: A KPI of the page, or `EXPECTED`.
        parts: KPIs of the page that stand beneath it, as what it is made of.
    """

    figure: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        name: Key in the catalogue, and the end of its address.
        label: Title.
        product: The product whose payload holds all of it: one read gives one page.
        kpis: KPIs on its cards, in reading order.
        charts: Its charts, in reading order.
        tables: Its tables, in reading order.
        leads: The figures that stand first and large; the KPIs that are not among them have compact cards.
    """

    name: str
    label: Text
    product: str
    kpis: tuple[str, ...]
    charts: tuple[str, ...]
    tables: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()

    def __post_init__(self) -> None:
        if self.product not in PRODUCTS:
            raise ValueError(f"page {self.name!r} names no product: {self.product!r}")
        led = [name for lead in self.leads for name in (lead.figure, *lead.parts) if name != EXPECTED]
        if strange := sorted({*led} - {*self.kpis}):
            raise ValueError(f"page {self.name!r} leads with what is not among its KPIs: {strange[0]!r}")
        if len(set(led)) != len(led):
            raise ValueError(f"page {self.name!r} leads with a KPI twice")


PAGES: Final[tuple[Page, ...]] = (
    Page(
        "manager",
        Text("Gestión", "Management"),
        "dashboards",
        (
            "receivable",
            "overdue",
            "overdue_share",
            "dso",
            "proposed",
            "approved",
            "paid",
            "certificates",
            "critical",
            "critical_count",
            "acceptance_days",
            "approval_rate",
        ),
        (
            "monthly_trend",
            "cash_flow",
            "ageing",
            "concentration",
            "states",
            "client_performance",
            "manager_performance",
        ),
        leads=(
            Lead("receivable", ("overdue", "overdue_share")),
            Lead(EXPECTED),
            Lead("dso"),
        ),
    ),
    Page(
        "operational",
        Text("Operación", "Operations"),
        "dashboards",
        (
            "certificates",
            "pending",
            "conformity_pending",
            "conformity_pending_count",
            "waiting_days",
            "acceptance_days",
            "sending_days",
            "idle_days",
            "idle_notice_count",
            "idle_warning_count",
            "idle_urgent_count",
            "idle_critical_count",
        ),
        ("states", "stages", "ageing"),
        ("collect_today", "correct_and_resend"),
        (
            Lead("pending"),
            Lead("conformity_pending", ("conformity_pending_count",)),
            Lead("waiting_days"),
        ),
    ),
    Page(
        "critical",
        Text("Certificados críticos", "Critical certificates"),
        "dashboards",
        (
            "critical",
            "critical_count",
            "critical_days",
            "overdue",
            "overdue_count",
            "overdue_share",
            "expected_loss",
            "projects_delayed",
            "projects_on_time",
        ),
        ("ageing",),
        ("collect_today",),
        (
            Lead("overdue", ("overdue_share", "overdue_count")),
            Lead("critical", ("critical_count",)),
            Lead("expected_loss"),
        ),
    ),
    Page(
        "analytics",
        Text("Análisis", "Analytics"),
        "charts",
        (
            "growth_month",
            "growth_year",
            "run_rate",
            "average_certificate",
            "high_amount_count",
            "revenue_share",
            "top_client_share",
            "client_concentration",
            "payment_days_median",
            "payment_days_p90",
            "fast_collection_rate",
            "recovery_rate",
        ),
        (
            "kpi_trend",
            "monthly_trend",
            "payment_heatmap",
            "concentration",
            "stages",
            "client_performance",
        ),
        leads=(
            Lead("run_rate"),
            Lead("payment_days_median", ("payment_days_p90",)),
            Lead("top_client_share"),
        ),
    ),
    Page(
        "project_managers",
        Text("Jefes de proyecto", "Project managers"),
        "charts",
        ("approved", "receivable", "overdue", "dso", "approval_rate", "projects_delayed", "projects_on_time"),
        ("manager_performance", "states"),
        ("project_managers",),
        (Lead("receivable", ("overdue",)), Lead("approved"), Lead("dso")),
    ),
    Page(
        "cash_flow",
        Text("Flujo de caja", "Cash flow"),
        "financials",
        (
            "paid",
            "receivable",
            "cash_margin",
            "dso",
            "dso_count_back",
            "dso_best_possible",
            "receivable_age",
            "late_days",
            "collection_effectiveness",
            "monthly_target",
            "annual_target",
        ),
        ("cash_flow", "monthly_trend"),
        ("forecast", "working_capital"),
        (Lead(EXPECTED), Lead("paid"), Lead("dso", ("dso_count_back", "dso_best_possible"))),
    ),
    Page(
        "costs",
        Text("Costos", "Costs"),
        "financials",
        ("costs", "opex", "capex", "costs_paid", "costs_pending", "gross_margin", "gross_margin_share"),
        ("opex_capex", "margin_by_project"),
        ("statement", "profitability", "suppliers", "cost_categories"),
        (Lead("costs", ("opex", "capex")), Lead("gross_margin", ("gross_margin_share",))),
    ),
    Page(
        "rework",
        Text("Retrabajo", "Rework"),
        "charts",
        ("rework_rate", "first_pass_rate", "rejection_rate", "approval_rate_count", "certificates"),
        ("states", "kpi_trend"),
        ("rejection_reasons", "failure_kinds"),
        (Lead("rework_rate"), Lead("first_pass_rate"), Lead("rejection_rate")),
    ),
    Page(
        "indicators",
        Text("Indicadores", "Indicators"),
        "kpis",
        # All of them: a new entry of the catalogue is here at once.
        tuple(kpi.name for kpi in KPIS),
        (),
    ),
)
"""Every page, in the order of the navigation."""

PROFILE: Final = Page(
    "profile",
    Text("Ficha", "Profile"),
    "dashboards",
    (
        "receivable",
        "overdue",
        "overdue_share",
        "payment_days_median",
        "payment_days_p90",
        "late_days",
        "dso",
        "critical",
        "approved",
        "paid",
    ),
    ("ageing", "cash_flow", "monthly_trend"),
    ("oldest_open",),
    (Lead("receivable", ("overdue", "overdue_share")), Lead(EXPECTED), Lead("payment_days_median")),
)
"""What is shown of a single value: it has an address for each value, and is not in the navigation."""

PROFILED: Final = {"client": "clients", "project": "projects"}
"""By dimension whose values have a profile, the part of addresses that stands for it."""

NOT_RECEIVABLE: Final = ("returned", "returned_count", "unsent", "unsent_count")
"""KPIs beside the cards of every page: what is issued and not receivable, so that no page hides it."""

REFERENCE: Final = "indicators"
"""The page that explains every KPI: what is said of one on other pages leads there."""

COMPOSED: Final = (*PAGES, PROFILE)
"""All that is composed of what products hold."""


def kpis_of_product(product: str) -> tuple[str, ...]:
    """KPIs on the pages of a product and beside them, each once, in reading order."""
    on_cards = (name for page in COMPOSED if page.product == product for name in page.kpis)
    return tuple(dict.fromkeys((*on_cards, *NOT_RECEIVABLE)))


@cache
def kpis_resting_on_all(product: str) -> tuple[str, ...]:
    """Those of `kpis_of_product` whose values rest on certificates too that their filter does not admit."""
    of_product = set(kpis_of_product(product))
    return tuple(kpi.name for kpi in KPIS if rests_on_all(kpi) and kpi.name in of_product)


def leads_with_expected(product: str) -> bool:
    """Whether a page of a product leads with what is expected in the next days."""
    return any(lead.figure == EXPECTED for page in COMPOSED if page.product == product for lead in page.leads)


def charts_of_product(product: str) -> tuple[str, ...]:
    """The charts that a product holds, each once: those on its pages, in reading order."""
    on_pages = (name for page in COMPOSED if page.product == product for name in page.charts)
    needing_no_costs = (chart.name for chart in CHARTS.values() if not chart.needs_costs)
    return tuple(dict.fromkeys((*on_pages, *(needing_no_costs if product == CHARTS_PRODUCT else ()))))


def tables_of_product(product: str) -> tuple[str, ...]:
    """Tables on the pages of a product, each once, in the order of their declarations."""
    shown = {name for page in COMPOSED if page.product == product for name in page.tables}
    return tuple(dict.fromkeys(table.held_in for table in TABLES.values() if table.held_in in shown))
