"""Which figures are what a list of certificates sums to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kpi_pipeline.model.components import COMPONENTS, Component, ComponentKind, Stretch
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import Sum, Total
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listing import EXPECTED, LIST_EVENTS
from kpi_pipeline.model.states import FIGURE_STATES, State
from kpi_pipeline.model.tables import STATEMENT_FLOWS, TABLES, ByDimension

_COUNT: Final = "1"
_COLUMNS: Final = {
    "amount_open": "open",
    "amount_withheld": "retained",
    "amount_proposed": "proposed",
    "amount_approved": "approved",
    "amount_collected": "collected",
    _COUNT: "",
}
"""By what a component sums, the column of the list that has it; empty of a count."""

_COUNTED: Final = "is_counted AND "


@dataclass(frozen=True, slots=True)
class ListedFigure:
    """A figure that sums certificates of one standing.

    Attributes:
        standing: Name of the standing.
        sums: The column that it sums; empty where it counts certificates, credit notes left out.
        event: The event that lies in the window; empty of certificates as they stand on the business date.
    """

    standing: str
    sums: str
    event: str = ""


def _listed(component: Component) -> ListedFigure | None:
    """What a component sums, where a standing has just its certificates."""
    sums, when = _COLUMNS.get(component.value), component.when.removeprefix(_COUNTED)
    standing = next((one for one in LIST_STANDINGS if one.when == when), None)
    if sums is None or standing is None:
        return None
    if component.kind is ComponentKind.STOCK:
        return ListedFigure(standing.name, sums) if sums in ("", "open", "retained") else None
    if component.kind is not ComponentKind.FLOW or component.over is not Stretch.WINDOW:
        return None
    event = next((one for one in LIST_EVENTS if component.on == (one.value or one.column)), None)
    return None if event is None else ListedFigure(standing.name, sums, event.name)


LISTED_COMPONENTS: Final = {
    component.name: listed for component in COMPONENTS if (listed := _listed(component)) is not None
}
"""By component that is what a list sums to: that list."""


def listed_total(of: Sum) -> ListedFigure | None:
    """The list that a sum of terms is; None where it is none."""
    return LISTED_COMPONENTS.get(of[0].component) if [term.factor for term in of] == [1] else None


LISTED_KPIS: Final = {
    kpi.name: listed
    for kpi in KPIS
    if isinstance(kpi.formula, Total) and (listed := listed_total(kpi.formula.of)) is not None
}
"""By KPI whose value is what a list sums to: that list."""

LISTED_COLUMNS: Final = {
    (table.name, column): (table.rows.dimension, listed)
    for table in TABLES.values()
    if isinstance(table.rows, ByDimension)
    for column, formula in table.rows.values.items()
    if isinstance(formula, Total) and (listed := listed_total(formula.of)) is not None
}
"""By table and column whose values are what a list sums to: the dimension of its rows, and that list."""

LISTED_LINES: Final = {line: LISTED_COMPONENTS[component] for line, component in STATEMENT_FLOWS.items()}
"""By line of the statement whose months are what lists sum to, whatever months a filter names: that list."""


@dataclass(frozen=True, slots=True)
class ListedReason:
    """A figure that sums certificates of which the source says the same.

    Attributes:
        reason: One of `LIST_REASONS`.
        named_by: The table's column that has what the source says.
        listed: The list without it.
        of_cohort: The same under a filter by billing months.
    """

    reason: str
    named_by: str
    listed: ListedFigure
    of_cohort: ListedFigure


LISTED_REASONS: Final = {
    (table, column): ListedReason(reason, named_by, *(ListedFigure(standing, sums) for standing in standings))
    for table, reason, named_by, standings in (
        ("rejection_reasons", "reason", "reason", ("returned", "returned")),
        ("failure_kinds", "failure", "kind", ("went_wrong_lately", "went_wrong")),
    )
    for column, sums in (("amount", "proposed"), ("count", ""))
}
"""By table and column whose values are of certificates with the reason of the row: that list."""


EXPECTED_LIST: Final = ListedFigure(LISTED_COMPONENTS["receivable_amount"].standing, EXPECTED.name)
"""What a forecast month is the sum of: all that is receivable, whenever it was issued."""

LISTED_FORECASTS: Final = frozenset({("forecast", "expected")})
"""Tables and their columns whose values are of forecast months: `EXPECTED_LIST` sums to each."""


@dataclass(frozen=True, slots=True)
class ListedSeries:
    """Values of a chart each of which is what a list sums to.

    Attributes:
        listed: That list.
        dimension: The column by whose value, of a filter's dimension, a row narrows it; empty of none.
        month: The column that says in which month its event is, whatever months a filter names, or in which
            payment is expected; likewise.
        ages: The column that says which of `AGEING_BUCKETS` its days since issue are in; likewise.
        by: The column of which only some values have a list; likewise.
        lists: These lists by its values.
    """

    listed: ListedFigure | None = None
    dimension: str = ""
    month: str = ""
    ages: str = ""
    by: str = ""
    lists: Mapping[str, ListedFigure] = field(default_factory=dict)


def _of(component: str, dimension: str = "", month: str = "", ages: str = "") -> ListedSeries:
    return ListedSeries(LISTED_COMPONENTS[component], dimension, month, ages)


def _of_states(sums: str) -> ListedSeries:
    """By state: of paid certificates those paid in the window, of others all."""
    paid = LISTED_COMPONENTS[f"state_{State.PAID.value}_{'amount' if sums else 'count'}"]
    others = ListedFigure("not_cancelled", sums)
    lists = {state.value: paid if state is State.PAID else others for state in FIGURE_STATES}
    return ListedSeries(dimension="state", by="state", lists=lists)


LISTED_CHARTS: Final[Mapping[tuple[str, str], ListedSeries]] = {
    **{
        ("monthly_trend", name): _of(f"{name}_amount", month="month")
        for name in ("proposed", "approved", "paid")
    },
    ("ageing", "amount"): _of("receivable_amount", ages="bucket"),
    ("ageing", "count"): _of("receivable_count", ages="bucket"),
    ("states", "amount"): _of_states("proposed"),
    ("states", "count"): _of_states(""),
    **{
        (chart, name): _of(f"{name}_amount", dimension=dimension)
        for chart, dimension in (
            ("client_performance", "client"),
            ("manager_performance", "project_manager"),
        )
        for name in ("approved", "receivable", "overdue")
    },
    ("concentration", "receivable"): _of("receivable_amount", dimension="client"),
    ("margin_by_project", "revenue"): _of("approved_amount", dimension="project"),
    ("payment_heatmap", "amount"): _of("paid_amount", dimension="client", month="month"),
    ("cash_flow", "amount"): ListedSeries(
        month="month",
        by="kind",
        lists={"collected": LISTED_COMPONENTS["paid_amount"], "expected": EXPECTED_LIST},
    ),
}
"""By chart and column whose values are what lists sum to."""
