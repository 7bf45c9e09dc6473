"""Additive components: the sums from which every KPI is a formula.

A component is a sum over the certificates of a cell, so the component of any union of cells is the sum of
theirs. Values and conditions name columns of the as-of view, which `compute.rollup.as_of_view` derives from a
certificate and a date (all boolean unless stated otherwise):

    is_accepted      the client has accepted by as_of
    is_decided       the client has accepted or rejected by as_of
    is_rejected      the client's answer by as_of is a rejection
    is_paid          paid by as_of
    is_open          not paid by as_of, whatever the state
    is_receivable    claimed or accepted, and not paid by as_of
    is_portfolio     not paid and not rejected by as_of
    is_pending       in revision, or sent and not yet answered (the group "pendientes")
    is_overdue       open, and as_of is after the due date
    is_critical      open, and sent more than `critical_days` days before as_of
    is_due_assumed   the due date is sent + payment term, for want of an expected payment date
    is_fast          paid in less than `fast_days` days from issue, or accepted
    is_high          the proposed amount reaches the currency's first cut
    state_as_of      (text) the state on as_of
    amount_open      (integer) the approved amount once accepted, else the proposed one
    age_days         (integer) as_of - issued
    overdue_days     (integer) as_of - due date, null where there is none
    acceptance_days  (integer) acceptance - sent, null unless both are known by as_of
    waiting_days     (integer) as_of - sent while the client's answer is outstanding, else null
    sending_days     (integer) sent - issued, null unless known by as_of and in that order
    settling_days    (integer) paid - acceptance, null unless both are known by as_of and in that order
    payment_days     (integer) paid - issued, null unless paid on a known day
    cycle_days       (integer) the same, where all three stages are known
    late_days        (integer) paid, or as_of where it is overdue, - due date; null unless positive
    critical_age     (integer) as_of - sent of a critical certificate, else null
    idle_days        (integer) as_of - the last milestone of a portfolio certificate, else null
    forecast_<k>     (integer) what is expected of amount_open in month k from now, 0 to 11
    variance_<k>     (integer) its variance, in thousands of minor units squared
    forecast_later   (integer) what is expected after those months
    forecast_unknown (integer) what cannot be estimated

Costs are rows of their own in the same cells; they have `kind` ('opex', 'capex'), `is_paid` and `amount`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpi_pipeline.model.states import State

AGEING_BUCKETS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("0-30", 0, 30),
    ("31-60", 31, 60),
    ("61-90", 61, 90),
    ("91-120", 91, 120),
    ("120+", 121, None),
)
"""Ageing buckets of open items: label, first and last day of age (inclusive; None is no end)."""

NOT_DUE: Final = "not_due"
UNDATED: Final = "undated"
DUE_BUCKETS: Final = (NOT_DUE, *(label for label, _, _ in AGEING_BUCKETS), UNDATED)
"""Buckets of open items by days past their due date; an item is past it from the day after."""

FORECAST_MONTHS: Final = 12
"""Months for which collections are forecast, beginning with that of the day after as_of."""

IDLE_LEVELS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("notice", 7, 13),
    ("warning", 14, 20),
    ("urgent", 21, 29),
    ("critical", 30, None),
)
"""Levels of days without movement; only the highest counts."""


class ComponentKind(StrEnum):
    """Which rows a component sums, and by which month."""

    FLOW = "flow"  # certificates by billing month
    STOCK = "stock"  # certificates by billing month; and, at each month end, as they stood then
    SNAPSHOT = "snapshot"  # certificates by billing month; only its sum over a filter is used
    CASH = "cash"  # payments by month of payment
    COST = "cost"  # costs by month of invoice
    COST_CASH = "cost_cash"  # payments to suppliers by month of payment


@dataclass(frozen=True, slots=True)
class Component:
    """One additive sum.

    Attributes:
        name: Its column in the roll-up.
        value: SQL over the view for what is summed; `1` counts rows.
        when: SQL condition over the view; rows outside it add nothing.
        kind: Which rows, by which month.
    """

    name: str
    value: str
    when: str = "true"
    kind: ComponentKind = ComponentKind.FLOW


def _pair(
    stem: str, amount: str, when: str, kind: ComponentKind = ComponentKind.FLOW
) -> tuple[Component, Component]:
    return Component(f"{stem}_amount", amount, when, kind), Component(f"{stem}_count", "1", when, kind)


def _mean(column: str, kind: ComponentKind = ComponentKind.FLOW) -> tuple[Component, Component]:
    """The sum of days and how many certificates have them."""
    known = f"{column} IS NOT NULL"
    return Component(column, column, known, kind), Component(f"{column}_count", "1", known, kind)


def _between(column: str, first: int, last: int | None) -> str:
    return f"{column} >= {first}" + ("" if last is None else f" AND {column} <= {last}")


def _due_condition(bucket: str) -> str:
    if bucket == NOT_DUE:
        return "is_open AND overdue_days < 1"
    if bucket == UNDATED:
        return "is_open AND overdue_days IS NULL"
    first, last = next((first, last) for label, first, last in AGEING_BUCKETS if label == bucket)
    return f"is_open AND {_between('overdue_days', max(first, 1), last)}"


def _rolls(first: int, last: int | None) -> tuple[str, str]:
    """Conditions: was unpaid when it reached a bucket; and still was when it left it.

    Only certificates issued `loss_days` ago or earlier count: they have gone through every bucket.
    """
    end = "$loss_days" if last is None else str(last + 1)
    reached = (
        "(is_receivable OR payment_days IS NOT NULL) AND age_days >= $loss_days "
        f"AND coalesce(payment_days >= {first}, true)"
    )
    return reached, f"{reached} AND coalesce(payment_days >= {end}, true)"


_STOCK, _SNAPSHOT = ComponentKind.STOCK, ComponentKind.SNAPSHOT

COMPONENTS: Final[tuple[Component, ...]] = (
    *_pair("proposed", "amount_proposed", "true"),
    *_pair("approved", "amount_approved", "is_accepted"),
    *_pair("paid", "amount_approved", "is_paid"),
    Component("decided_proposed_amount", "amount_proposed", "is_decided"),
    Component("decided_count", "1", "is_decided"),
    *_pair("rejected", "amount_proposed", "is_rejected"),
    Component("reworked_count", "1", "rework_count > 0"),
    Component("first_pass_count", "1", "is_accepted AND rework_count = 0 AND rejection_count = 0"),
    Component("fast_count", "1", "is_fast"),
    Component("high_count", "1", "is_high"),
    *_mean("sending_days"),
    *_mean("acceptance_days"),
    *_mean("settling_days"),
    *_mean("payment_days"),
    *_mean("cycle_days"),
    *_mean("late_days"),
    *_pair("receivable", "amount_open", "is_receivable", _STOCK),
    *_pair("portfolio", "amount_open", "is_portfolio", _STOCK),
    *_pair("pending", "amount_open", "is_pending", _STOCK),
    *_pair("open", "amount_open", "is_open", _STOCK),
    *_pair("overdue", "amount_open", "is_overdue", _STOCK),
    *_pair("critical", "amount_open", "is_critical", _STOCK),
    Component("current_amount", "amount_open", "is_receivable AND NOT is_overdue", _STOCK),
    Component("open_age_amount", "amount_open * age_days", "is_open", _STOCK),
    Component("critical_age", "critical_age", "is_critical", _STOCK),
    Component("due_assumed_count", "1", "is_open AND is_due_assumed", _STOCK),
    Component("waiting_amount", "amount_open", "waiting_days IS NOT NULL", _STOCK),
    *_mean("waiting_days", _STOCK),
    *_mean("idle_days", _STOCK),
    *(
        Component(f"idle_{level}_count", "1", _between("idle_days", first, last), _STOCK)
        for level, first, last in IDLE_LEVELS
    ),
    *(
        Component(
            f"receivable_{label}_amount",
            "amount_open",
            f"is_receivable AND {_between('age_days', first, last)}",
            _STOCK,
        )
        for label, first, last in AGEING_BUCKETS
    ),
    *(
        component
        for label, first, last in AGEING_BUCKETS
        # Age is never negative here: certificates issued after as_of do not exist yet.
        for component in _pair(
            f"ageing_{label}", "amount_open", f"is_open AND {_between('age_days', first, last)}", _SNAPSHOT
        )
    ),
    *(
        component
        for label in DUE_BUCKETS
        for component in _pair(f"due_{label}", "amount_open", _due_condition(label), _SNAPSHOT)
    ),
    *(
        component
        for state in State
        for component in _pair(
            f"state_{state.value}", "amount_proposed", f"state_as_of = '{state.value}'", _SNAPSHOT
        )
    ),
    *(
        Component(f"{end}_{label}_amount", "amount_open", condition, _SNAPSHOT)
        for label, first, last in AGEING_BUCKETS
        for end, condition in zip(("reached", "rolled"), _rolls(first, last), strict=True)
    ),
    *(
        Component(f"{what}_{month}", f"{what}_{month}", "is_receivable", _SNAPSHOT)
        for what in ("forecast", "variance")
        for month in range(FORECAST_MONTHS)
    ),
    Component("forecast_later", "forecast_later", "is_receivable", _SNAPSHOT),
    Component("forecast_unknown", "forecast_unknown", "is_receivable", _SNAPSHOT),
    Component("collected_amount", "amount_approved", "is_paid", ComponentKind.CASH),
    Component("collected_count", "1", "is_paid", ComponentKind.CASH),
    Component("cost_opex_amount", "amount", "kind = 'opex'", ComponentKind.COST),
    Component("cost_capex_amount", "amount", "kind = 'capex'", ComponentKind.COST),
    Component("cost_paid_amount", "amount", "is_paid", ComponentKind.COST),
    Component("cost_open_amount", "amount", "NOT is_paid", ComponentKind.COST),
    Component("cost_count", "1", "true", ComponentKind.COST),
    Component("paid_out_amount", "amount", "is_paid", ComponentKind.COST_CASH),
)
COMPONENT_NAMES: Final = tuple(component.name for component in COMPONENTS)
COMPONENT_INDEX: Final = {name: index for index, name in enumerate(COMPONENT_NAMES)}

STOCK_COMPONENTS: Final = tuple(
    component.name for component in COMPONENTS if component.kind is ComponentKind.STOCK
)
"""Components that are kept at each month end, in addition to those over a filter."""

MONTHLY_COMPONENTS: Final = tuple(
    component.name for component in COMPONENTS if component.kind is not ComponentKind.SNAPSHOT
)
"""Components that have a value a month: what flowed in it, or what stood at its end."""

OCCURRENCE_COMPONENTS: Final = ("proposed_count", "collected_count", "cost_count", "paid_out_amount")
"""Where all of these are zero, nothing has happened: no such combination of values is published."""
