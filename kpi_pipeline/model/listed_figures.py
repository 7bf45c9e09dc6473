"""Which figures are what a list of certificates sums to."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.components import COMPONENTS, Component, ComponentKind, Stretch
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import Sum, Total
from kpi_pipeline.model.listing import LIST_EVENTS, LIST_STANDINGS
from kpi_pipeline.model.tables import STATEMENT_FLOWS, TABLES, ByDimension
from kpi_pipeline.model.work_lists import WorkListName

_COUNT: Final = "1"
_COLUMNS: Final = {
    "amount_open": "open",
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
        return ListedFigure(standing.name, sums) if sums in ("", "open") else None
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
    if isinstance(formula, Total) and (listed := listed_total(formula.of)) is not None and listed.sums
}
"""By table and column whose amounts are what a list sums to: the dimension of its rows, and that list.

Counts are of one currency, and lists count those of all.
"""

LISTED_LINES: Final = {line: LISTED_COMPONENTS[component] for line, component in STATEMENT_FLOWS.items()}
"""By line of the statement whose months are what lists sum to, whatever months a filter names: that list."""

LISTED_WORK: Final = {
    WorkListName.COLLECT_TODAY.value: ("overdue", "critical"),
    WorkListName.CORRECT_AND_RESEND.value: ("unsent", "returned"),
}
"""By work list, the standings of its certificates; a list has all of them, credit notes counted apart."""
