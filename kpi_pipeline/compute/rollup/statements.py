"""The statements of the roll-up, in SQL."""
# ruff: noqa: S608 - the statements are built from the model's own names

from typing import Final

from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.forecasting.expected_payments import FORECAST_COMPONENTS, expected_payments
from kpi_pipeline.compute.rollup.as_of_view import as_of_view
from kpi_pipeline.compute.rollup.cells import (
    CELL_COLUMNS,
    FIRST_INVOICED,
    FIRST_ISSUED,
    FIRST_STANDING,
    NEVER,
)
from kpi_pipeline.compute.rollup.work_lists import work_lists
from kpi_pipeline.model.components import (
    COMPONENTS,
    LOSS_COMPONENTS,
    MONTHLY_COMPONENTS,
    Component,
    ComponentKind,
    Stretch,
)
from kpi_pipeline.model.dimensions import NOT_OF_COSTS

_STRETCHES: Final[dict[Stretch, tuple[str, str]]] = {
    Stretch.WINDOW: ("window_first", "day"),
    Stretch.MONTH: ("month_first", "day"),
    Stretch.YEAR: ("year_first", "day"),
    Stretch.LAST_MONTH: ("last_month_first", "last_month_last"),
    Stretch.MONTH_BEFORE: ("month_before_first", "month_before_last"),
    Stretch.MONTH_YEAR_BEFORE: ("month_year_before_first", "month_year_before_last"),
    Stretch.QUARTER: ("quarter_first", "last_month_last"),
}
"""Columns of the first and the last day of each stretch."""

_COST_KINDS: Final = (ComponentKind.COST, ComponentKind.COST_STOCK)


def _sum(component: Component) -> str:
    """SQL: a component."""
    when = f"({component.when})"
    if component.on:
        first, last = _STRETCHES[component.over]
        when += f" AND {component.on} BETWEEN {first} AND {last}"
    elif component.kind is ComponentKind.STOCK:
        when += " AND issued_on <= day"
    elif component.kind is ComponentKind.SNAPSHOT:
        when += f" AND issued_on <= day AND place <= {AS_OF}"
    # FILTER would be equal, and takes DuckDB three times as long.
    return f'sum(CASE WHEN {when} THEN {component.value} ELSE 0 END)::BIGINT AS "{component.name}"'


def _sums(*, of_costs: bool) -> str:
    """SQL: the components of certificates, or of costs, but for those of the forecast."""
    return ", ".join(
        _sum(component)
        for component in COMPONENTS
        if (component.kind in _COST_KINDS) == of_costs and component.name not in FORECAST_COMPONENTS
    )


def _cell(**given: str) -> str:
    """SQL: the columns of a cell; those given are not of the same name in the rows."""
    return ", ".join(f"{given[name]} AS {name}" if name in given else name for name in CELL_COLUMNS)


def _text(month: str) -> str:
    """SQL: the text of a date's month."""
    return f"strftime({month}, '%Y-%m')"


_WITHOUT_COSTS: Final = dict.fromkeys(NOT_OF_COSTS, "''")
_CELL: Final = _cell(
    month=f"CASE WHEN place = {COHORT} THEN {_text('month')} ELSE {_text('issued_on')} END",
    state="state_as_of",
)
_COST_CELL: Final = _cell(
    month=f"CASE WHEN place = {COHORT} THEN {_text('month')} ELSE {_text('invoiced_on')} END",
    **_WITHOUT_COSTS,
)

_SETTLED: Final = """CASE WHEN amount_paid IS NULL AND coalesce(amount_retained, 0) = 0 THEN
    CASE WHEN state = 'anulado' AND history IS NULL THEN issued_on
        WHEN paid_on IS NOT NULL OR state = 'pagado' AND history IS NULL
            THEN greatest(issued_on, sent_on, conformity_on, paid_on, history[-1]['day']) END
END"""
"""SQL: the last event of a certificate that nothing can happen to any more; null of others."""

_ON_DAYS: Final = f"""(
    SELECT * FROM certificates JOIN cuts USING (currency)
    JOIN days ON least(issued_on, paid_on) <= day
        AND (place = {COHORT} OR coalesce({_SETTLED} >= reach_first, true))
)"""
"""Certificates on each day: those that exist, and stand open or had an event that a figure reaches."""

EVALUATED: Final = f"CREATE TEMP TABLE evaluated AS {as_of_view(_ON_DAYS)}"
"""Every certificate on each day; with the parameters of `as_of_view.view_settings`."""

EVALUATED_COSTS: Final = """
    CREATE TEMP TABLE evaluated_costs AS
    SELECT costs.*, days.*, coalesce(paid_on <= day, false) AS is_paid
    FROM costs JOIN days ON invoiced_on <= day
        AND (invoiced_on >= window_first OR coalesce(paid_on >= window_first, true))
"""
"""Every cost on each day: those that are open, or had an event in the window."""

STANDING: Final = f"""
    CREATE TEMP VIEW standing AS SELECT * FROM evaluated WHERE place = {COHORT} AND issued_on <= day
"""
"""Every certificate once, as of the business date."""

EXPECTED: Final = f"""
    SELECT * FROM ({expected_payments(_CELL)})
    UNION ALL
    SELECT {AS_OF}::BIGINT AS place, * EXCLUDE place FROM ({
    expected_payments(_cell(month=_text("issued_on"), state="state_as_of"))
})
"""
"""What is expected of each cell, by month ahead."""


def _first(column: str, name: str, when: str = "true") -> str:
    """SQL: the first of some days."""
    return f"coalesce(min(CASE WHEN {when} THEN {column} - DATE '1970-01-01' END), {NEVER}) AS {name}"


_SETTLED_BEFORE: Final = f"""
    NOT is_open AND last_event_on < (SELECT window_first FROM days WHERE place = {AS_OF})
"""
_IS_FIRST: Final = f"NOT is_cancelled AND (place <> {COHORT} OR {_SETTLED_BEFORE})"
_IS_STANDING: Final = "NOT is_cancelled AND (is_open OR last_event_on >= window_first)"

CERTIFICATES: Final = f"""
    SELECT {_CELL}, {_sums(of_costs=False)}, {_first("issued_on", FIRST_ISSUED, _IS_FIRST)},
        {_first("issued_on", FIRST_STANDING, _IS_STANDING)}
    FROM evaluated GROUP BY ALL
"""

COSTS: Final = f"""
    SELECT {_COST_CELL}, {_sums(of_costs=True)}, {_first("invoiced_on", FIRST_INVOICED)}
    FROM evaluated_costs GROUP BY ALL
"""

_MONTHLY: Final = {
    name: next(part for part in COMPONENTS if part.name == name) for name in MONTHLY_COMPONENTS
}


def _by_month(component: Component) -> str:
    """SQL: one flow by the month of its event."""
    of_costs = component.kind is ComponentKind.COST
    values = _cell(
        month=_text(component.on), **(_WITHOUT_COSTS if of_costs else {"state": "state_as_of"})
    ).removeprefix("place, ")
    columns = ", ".join(
        f"sum({component.value})::BIGINT AS {name}" if name == component.name else f"0::BIGINT AS {name}"
        for name in MONTHLY_COMPONENTS
    )
    return f"""
        SELECT {values}, {columns} FROM {"evaluated_costs" if of_costs else "evaluated"}
        WHERE place = {COHORT} AND ({component.when}) AND {component.on} <= day GROUP BY ALL
    """


MONTHLY: Final = " UNION ALL ".join(_by_month(component) for component in _MONTHLY.values())
"""Flows by the month of their event."""

_OLD_ENOUGH: Final = """(
    SELECT * FROM certificates JOIN cuts USING (currency)
    JOIN days ON place >= 0 AND issued_on + $loss_days::INTEGER <= day
)"""
_LOSS_SUMS: Final = ", ".join(_sum(component) for component in LOSS_COMPONENTS)
LOSSES: Final = f"SELECT place, currency, {_LOSS_SUMS} FROM ({as_of_view(_OLD_ENOUGH)}) GROUP BY ALL"
"""The sums of the roll rates; with the parameters of `as_of_view.view_settings` and `loss_days`."""

PAYMENT_TIMES: Final = f"""
    SELECT {_CELL}, coalesce(payment_days, age_days) AS days,
        count(payment_days) AS paid, count(*) - count(payment_days) AS open
    FROM evaluated
    WHERE is_counted AND issued_on BETWEEN window_first AND day
        AND (is_open OR payment_days IS NOT NULL AND paid_by_day >= issued_on)
    GROUP BY ALL
"""
"""Days of payment; advances are left out."""

_NOW: Final = f"place <= {AS_OF} AND issued_on <= day"
_INVOICED: Final = f"place <= {AS_OF} AND invoiced_on BETWEEN window_first AND day"

BREAKDOWNS: Final = f"""
    SELECT {_CELL}, 'rejection_reason' AS breakdown, rejection_reason AS key,
        sum(amount_proposed)::BIGINT AS amount, count(*) AS count
    FROM evaluated WHERE {_NOW} AND is_returned AND rejection_reason IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_CELL}, 'failure_kind', failure_kind, sum(amount_proposed)::BIGINT, count(*)
    FROM evaluated
    WHERE {_NOW} AND NOT is_cancelled AND (is_returned OR is_reworked AND issued_on >= window_first)
        AND failure_kind IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_COST_CELL}, 'supplier', supplier, sum(amount)::BIGINT, count(*)
    FROM evaluated_costs WHERE {_INVOICED} GROUP BY ALL
    UNION ALL
    SELECT {_COST_CELL}, 'cost_category', category, sum(amount)::BIGINT, count(*)
    FROM evaluated_costs WHERE {_INVOICED} GROUP BY ALL
"""

WORK_LISTS: Final = work_lists(_CELL, _NOW)
"""The certificates of every work list, on as_of and of their cohorts."""
