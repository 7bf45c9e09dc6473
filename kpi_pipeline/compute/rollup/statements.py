"""The statements that sum the certificates and the costs of shards, in SQL.

They read `certificates` with histories, `facts`, `costs`, `cuts` and `days`. `shard` is the number of the
month of issue or invoice, `attributes` that of a combination of names and currency, `month` a number too.
"""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Iterable
from typing import Final

from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.forecasting.expected_payments import FORECAST_COMPONENTS
from kpi_pipeline.compute.rollup.as_of_view import as_of_view
from kpi_pipeline.compute.rollup.cells import FIRST_INVOICED, FIRST_ISSUED, FIRST_STANDING, NEVER
from kpi_pipeline.compute.rollup.work_lists import listed
from kpi_pipeline.model.certificate_details import DETAIL_STAGES
from kpi_pipeline.model.components import (
    COMPONENTS,
    LOSS_COMPONENTS,
    MONTHLY_COMPONENTS,
    Component,
    ComponentKind,
    Stretch,
)

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


def _sums(components: Iterable[Component]) -> str:
    """SQL: some components."""
    return ", ".join(map(_sum, components))


_OF_CERTIFICATES: Final = tuple(
    component
    for component in COMPONENTS
    if component.kind not in _COST_KINDS and component.name not in FORECAST_COMPONENTS
)
_OF_COSTS: Final = tuple(component for component in COMPONENTS if component.kind in _COST_KINDS)
_STOCKS: Final = tuple(
    component
    for component in _OF_CERTIFICATES
    if component.kind is not ComponentKind.FLOW and component.name != "retained_amount"
)
"""Of how certificates stand, those to which only open ones add anything."""

_EVER: Final = tuple(component for component in _OF_CERTIFICATES if component not in _STOCKS)


def _month(day: str) -> str:
    """SQL: the number of a date's month."""
    return f"(year({day}) * 12 + month({day}) - 1)"


def _cell(month: str) -> str:
    """SQL: what a cell of certificates is identified by within a shard."""
    return f"shard, place, {month} AS month, attributes, state_as_of AS state, amount_band, issued_age"


_CELL: Final = _cell(f"CASE WHEN place = {COHORT} THEN {_month('month')} ELSE shard END")
_COST_CELL: Final = (
    f"shard, place, CASE WHEN place = {COHORT} THEN {_month('month')} ELSE shard END AS month, attributes"
)

_SETTLED: Final = """CASE WHEN amount_paid IS NULL AND coalesce(amount_retained, 0) = 0 THEN
    CASE WHEN state = 'anulado' AND NOT has_history THEN issued_on
        WHEN paid_on IS NOT NULL OR state = 'pagado' AND NOT has_history
            THEN greatest(issued_on, sent_on, conformity_on, paid_on, history_ends_on) END
END"""
"""SQL: the last event of a certificate that nothing can happen to any more; null of others."""

_ON_DAYS: Final = f"""(
    SELECT * FROM (SELECT *, {_month("issued_on")} AS shard, {_SETTLED} AS settled_for_good FROM certificates)
    JOIN cuts USING (currency)
    JOIN days ON least(issued_on, paid_on) <= day
        AND (place = {COHORT} OR coalesce(settled_for_good >= reach_first, true))
    LEFT JOIN facts USING (row, place)
)"""
"""Certificates on each day: those that exist, and stand open or had an event that a figure reaches."""

_KEPT: Final = (
    *("shard", "row", "attributes", "client", "currency", "place", "month", "state_as_of", "amount_band"),
    *("issued_age", "settled_for_good"),
    *("is_cancelled", "is_paid", "is_accepted", "is_decided", "is_receivable", "is_open", "is_returned"),
    *("is_unsent", "is_portfolio", "is_pending", "is_counted", "is_overdue", "is_critical"),
    *("is_due_assumed", "is_reworked", "was_rejected", "is_fast", "is_high", "is_first_pass"),
    *("approved_assumed", "amount_proposed", "amount_approved", "amount_claimed", "amount_withheld"),
    *("amount_collected", "amount_open", "age_days", "overdue_days", "payment_days", "sending_days"),
    *("acceptance_days", "settling_days", "waiting_days", "idle_days", "returned_days", "unsent_days"),
    *("late_days", "critical_age", "issued_on", "sent_by_day", "conformity_by_day", "paid_on"),
    *("paid_by_day", "accepted_on", "answered_on", "settled_on", "late_on", "last_event_on", "day"),
    "window_first",
)
"""Columns of the view that a statement reads."""

EVALUATED: Final = f"CREATE TEMP TABLE evaluated AS SELECT {', '.join(_KEPT)} FROM ({as_of_view(_ON_DAYS)})"
"""Every certificate on each day; with the parameters of `as_of_view.view_settings`."""

EVALUATED_COSTS: Final = f"""
    CREATE TEMP TABLE evaluated_costs AS
    SELECT costs.*, days.*, coalesce(paid_on <= day, false) AS is_paid,
        {_month("invoiced_on")} AS shard
    FROM costs JOIN days ON invoiced_on <= day
        AND (invoiced_on >= window_first OR coalesce(paid_on >= window_first, true))
"""
"""Every cost on each day: those that are open, or had an event in the window."""

_STANDING: Final = f"place = {COHORT} AND issued_on <= day"
"""SQL: a row of every certificate, as of the business date."""

HISTORY: Final = f"""
    SELECT shard, client, CASE WHEN is_receivable THEN age_days ELSE payment_days END AS days,
        NOT is_receivable AS paid, count(*) AS count
    FROM evaluated WHERE {_STANDING} AND (is_receivable OR payment_days IS NOT NULL) GROUP BY ALL
"""
"""The payments and the open debts of each client, as `forecast.outlook` takes them."""

OPEN_ITEMS: Final = f"""
    SELECT {_CELL}, client, is_accepted, age_days, amount_open AS amount
    FROM evaluated WHERE {_STANDING} AND is_receivable
"""
"""Every receivable certificate, with its cell of the cohorts."""


def _first(column: str, name: str, when: str = "true") -> str:
    """SQL: the first of some days."""
    return f"coalesce(min(CASE WHEN {when} THEN {column} - DATE '1970-01-01' END), {NEVER})::BIGINT AS {name}"


_SETTLED_BEFORE: Final = f"""
    NOT is_open AND last_event_on < (SELECT window_first FROM days WHERE place = {AS_OF})
"""
_IS_FIRST: Final = f"NOT is_cancelled AND (place <> {COHORT} OR {_SETTLED_BEFORE})"
_IS_STANDING: Final = "NOT is_cancelled AND (is_open OR last_event_on >= window_first)"

STOCKS: Final = f"SELECT {_CELL}, {_sums(_STOCKS)} FROM evaluated WHERE is_open GROUP BY ALL"
"""The components to which only open certificates add anything."""

FLOWS: Final = f"""
    SELECT {_CELL}, {_sums(_EVER)}, {_first("issued_on", FIRST_ISSUED, _IS_FIRST)},
        {_first("issued_on", FIRST_STANDING, _IS_STANDING)}
    FROM (SELECT * EXCLUDE (day, window_first) FROM evaluated) JOIN days USING (place) GROUP BY ALL
"""
"""The other components of certificates: one row a cell."""

COSTS: Final = f"""
    SELECT {_COST_CELL}, {_sums(_OF_COSTS)}, {_first("invoiced_on", FIRST_INVOICED)}
    FROM evaluated_costs GROUP BY ALL
"""

_MONTHLY: Final = {
    name: next(part for part in COMPONENTS if part.name == name) for name in MONTHLY_COMPONENTS
}


def _monthly(*, of_costs: bool) -> str:
    """SQL: flows by the month of their event."""
    return " UNION ALL ".join(
        _by_month(component, of_costs=of_costs)
        for component in _MONTHLY.values()
        if (component.kind is ComponentKind.COST) == of_costs
    )


def _by_month(component: Component, *, of_costs: bool) -> str:
    """SQL: one flow by the month of its event."""
    values = ", state_as_of AS state, amount_band, issued_age"
    columns = ", ".join(
        f"sum({component.value})::BIGINT AS {name}" if name == component.name else f"0::BIGINT AS {name}"
        for name in MONTHLY_COMPONENTS
    )
    return f"""
        SELECT shard, place, {_month(component.on)} AS month, attributes{"" if of_costs else values},
            {columns}
        FROM {"evaluated_costs" if of_costs else "evaluated"}
        WHERE place = {COHORT} AND ({component.when}) AND {component.on} <= day GROUP BY ALL
    """


MONTHLY: Final = _monthly(of_costs=False)
"""Flows of certificates by the month of their event."""

COSTS_MONTHLY: Final = _monthly(of_costs=True)
"""The same of costs."""

_LOSS_SUMS: Final = ", ".join(_sum(component) for component in LOSS_COMPONENTS)
LOSSES: Final = f"""
    SELECT shard, place, currency, {_LOSS_SUMS} FROM evaluated
    WHERE place >= {AS_OF} AND issued_on + $loss_days::INTEGER <= day GROUP BY ALL
    UNION ALL
    -- What was settled before all that figures of a day reach stood then as it stands now.
    SELECT shard, days.place, currency, {_LOSS_SUMS.replace("issued_on <= day", "true")}
    FROM (
        SELECT * EXCLUDE (place, day) FROM evaluated
        WHERE place = {COHORT} AND settled_for_good IS NOT NULL
    ) JOIN (SELECT place, day, reach_first FROM days WHERE place >= {AS_OF}) AS days
        ON settled_for_good < reach_first AND issued_on + $loss_days::INTEGER <= day
    GROUP BY ALL
"""
"""The sums of the roll rates, of certificates that are older than the parameter `loss_days`."""

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
    WITH now AS (
        SELECT * FROM evaluated
        JOIN (SELECT row, rejection_reason, failure_kind FROM certificates) USING (row)
        WHERE {_NOW} AND (is_returned OR NOT is_cancelled AND is_reworked AND issued_on >= window_first)
    )
    SELECT {_CELL}, 'rejection_reason' AS breakdown, rejection_reason AS key,
        sum(amount_proposed)::BIGINT AS amount, count(*) FILTER (is_counted) AS count
    FROM now WHERE is_returned AND rejection_reason IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT {_CELL}, 'failure_kind', failure_kind, sum(amount_proposed)::BIGINT,
        count(*) FILTER (is_counted)
    FROM now WHERE NOT is_cancelled AND failure_kind IS NOT NULL GROUP BY ALL
"""
"""Reasons and kinds of failure."""

COSTS_BREAKDOWNS: Final = f"""
    SELECT {_COST_CELL}, 'supplier' AS breakdown, supplier AS key, sum(amount)::BIGINT AS amount,
        count(*) AS count
    FROM evaluated_costs WHERE {_INVOICED} GROUP BY ALL
    UNION ALL
    SELECT {_COST_CELL}, 'cost_category', category, sum(amount)::BIGINT, count(*)
    FROM evaluated_costs WHERE {_INVOICED} GROUP BY ALL
"""
"""Suppliers and categories of costs."""

STAGE_TIMES: Final = " UNION ALL ".join(
    f"""
        SELECT shard, client, '{stage.name}' AS stage, {stage.done} AS days, count(*) AS count
        FROM evaluated
        WHERE place = {AS_OF} AND {stage.done} IS NOT NULL AND {stage.until} BETWEEN window_first AND day
        GROUP BY ALL
    """
    for stage in DETAIL_STAGES
)
"""How many certificates of each client took so many days for a stage that was over in the window."""

WORK_LISTS: Final = listed(_CELL, _NOW)
"""The certificates of every work list, on as_of and of their cohorts."""
