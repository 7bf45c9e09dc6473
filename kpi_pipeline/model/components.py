"""Additive components: the sums from which every KPI is a formula.

A component is a sum over the certificates of a cell, so the component of any union of cells is the sum of
theirs. Values and conditions name columns of the as-of view, which `compute.rollup.as_of_view` derives from a
certificate and a date (all boolean unless stated otherwise):

    is_accepted      the client has accepted, and it may be paid
    is_decided       the client has answered: accepted or returned
    is_returned      the client refused it or asked for rework, and it has not been sent again
    is_cancelled     it has been annulled: it is in nothing but the count of such
    is_paid          paid: nothing is left open
    is_open          neither paid nor cancelled
    is_receivable    awaiting an answer, or accepted and not paid
    is_portfolio     unsent or receivable
    is_pending       unsent, or sent and not yet answered (the group "pendientes")
    is_counted       neither cancelled nor a credit note (a certificate of a negative amount)
    is_overdue       receivable and counted, and as_of is after the due date
    is_unsent        prepared or in revision, never sent
    is_fast          paid within `fast_days` days of issue
    is_critical      receivable and counted, and sent more than `critical_days` days before as_of
    is_due_assumed   receivable and counted, and due on acceptance or sending + payment term, for want of
                     an expected date
    is_high          the proposed amount reaches the currency's highest cut
    is_reworked      the client has asked for rework; null where nothing says
    is_first_pass    accepted with no rework and no return; null where nothing says
    was_rejected     the client has refused it at any time; null where nothing says
    state_as_of      (text) the state on as_of
    amount_claimed   (integer) the approved amount once accepted, else the proposed one
    amount_open      (integer) what of it is neither paid nor retained; 0 once paid
    amount_collected (integer) what has been paid of it
    amount_withheld  (integer) what the client retains of it
    age_days         (integer) as_of - issued
    overdue_days     (integer) as_of - due date, null where there is none
    sending_days     (integer) sent - issued, null unless known by as_of and in that order
    acceptance_days  (integer) acceptance - sent, null unless both are known by as_of
    settling_days    (integer) paid - acceptance, null unless both are known by as_of and in that order
    payment_days     (integer) paid - issued, 0 of an advance; null unless paid on a known day
    waiting_days     (integer) as_of - the last sending while the client's answer is outstanding, else null
    late_days        (integer) paid, or as_of where it is overdue, - due date; null unless positive
    returned_days    (integer) as_of - the last return, where it is returned and that is dated, else null
    unsent_days      (integer) as_of - issued of an unsent certificate, else null
    critical_age     (integer) as_of - sent of a critical certificate, else null
    idle_days        (integer) as_of - the last milestone of a portfolio certificate, else null
    forecast_<k>     (integer) what is expected of amount_open in month k from now, 0 to 11
    variance_<k>     (integer) its variance, in thousands of minor units squared
    forecast_next    (integer) what is expected of it in the next 30 days
    variance_next    (integer) its variance, likewise
    forecast_later   (integer) what is expected after those months
    forecast_unknown (integer) what cannot be estimated

All durations are null of what is not counted.

A flow is summed over the events of a window that ends on the day, by the date of the event, which is a
column of the view too:

    issued_on, sent_by_day, conformity_by_day, paid_by_day (null where not known by the day)
    accepted_on      acceptance; where it is not dated, sending, else issue
    answered_on      acceptance as above, or the return; where it is not dated, sending, else issue
    settled_on       payment; where it is not dated, accepted_on
    late_on          payment; the day itself where it is overdue

Costs are rows of their own in the same cells; they have `kind` ('opex', 'capex'), `is_paid` and `amount`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS, NOT_DUE, UNDATED
from kpi_pipeline.model.states import FIGURE_STATES, State

FORECAST_MONTHS: Final = 12
"""Months for which collections are forecast, beginning with that of the day after as_of."""

NEXT_DAYS: Final = 30
"""Days after as_of for which collections are forecast besides, whatever months they are in."""

HORIZONS: Final = (*map(str, range(FORECAST_MONTHS)), "next")
"""For what collections are forecast, as names of components end: each month, then the next days."""

IDLE_LEVELS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("notice", 7, 13),
    ("warning", 14, 20),
    ("urgent", 21, 29),
    ("critical", 30, None),
)
"""Levels of days without movement; only the highest counts."""


class ComponentKind(StrEnum):
    """Which rows a component sums."""

    FLOW = "flow"  # certificates whose event lies in the window that ends on the day
    STOCK = "stock"  # certificates as they stand on the day
    SNAPSHOT = "snapshot"  # the same, on as_of alone
    COST = "cost"  # costs whose event lies in the window
    COST_STOCK = "cost_stock"  # costs as they stand on the day


class Stretch(StrEnum):
    """Over which days a flow is summed; all but the first have no meaning for a cohort of billing months."""

    WINDOW = "window"  # the window that ends on the day
    MONTH = "month"  # its month, up to it
    YEAR = "year"  # its year, up to it
    LAST_MONTH = "last_month"  # the last month that is over on it
    MONTH_BEFORE = "month_before"  # the month before that
    MONTH_YEAR_BEFORE = "month_year_before"  # the same month a year earlier
    QUARTER = "quarter"  # the three months up to the last one that is over


@dataclass(frozen=True, slots=True)
class Component:
    """One additive sum.

    Attributes:
        name: Its column in the roll-up.
        value: SQL over the view for what is summed; `1` counts rows.
        when: SQL condition over the view; rows outside it add nothing.
        kind: Which rows.
        on: Column of the event's date, of a flow.
        over: Over which days, of a flow.
    """

    name: str
    value: str
    when: str = "true"
    kind: ComponentKind = ComponentKind.STOCK
    on: str = ""
    over: Stretch = Stretch.WINDOW

    def __post_init__(self) -> None:
        if (self.kind in (ComponentKind.FLOW, ComponentKind.COST)) != bool(self.on):
            raise ValueError(f"component {self.name!r}: a flow, and only a flow, has the date of an event")


def _flow(name: str, value: str, on: str, when: str = "true", over: Stretch = Stretch.WINDOW) -> Component:
    return Component(name, value, when, ComponentKind.FLOW, on, over)


def _flow_pair(stem: str, amount: str, on: str, when: str) -> tuple[Component, Component]:
    """An amount of events, and how many certificates it is of: credit notes are none."""
    return _flow(f"{stem}_amount", amount, on, when), _flow(
        f"{stem}_count", "1", on, f"is_counted AND {when}"
    )


def _flow_mean(column: str, on: str) -> tuple[Component, Component]:
    """The sum of days of events, and how many certificates have them."""
    known = f"{column} IS NOT NULL"
    return _flow(column, column, on, known), _flow(f"{column}_count", "1", on, known)


def _pair(
    stem: str, amount: str, when: str, kind: ComponentKind = ComponentKind.STOCK
) -> tuple[Component, Component]:
    """An amount, and how many certificates it is of: credit notes are none."""
    return (
        Component(f"{stem}_amount", amount, when, kind),
        Component(f"{stem}_count", "1", f"is_counted AND {when}", kind),
    )


def _mean(column: str) -> tuple[Component, Component]:
    """The sum of days and how many certificates have them."""
    known = f"{column} IS NOT NULL"
    return Component(column, column, known), Component(f"{column}_count", "1", known)


def between(column: str, first: int, last: int | None) -> str:
    """SQL: a column lies between two numbers; None is no end."""
    return f"{column} >= {first}" + ("" if last is None else f" AND {column} <= {last}")


def _due_condition(bucket: str) -> str:
    if bucket == NOT_DUE:
        return "is_receivable AND overdue_days < 1"
    if bucket == UNDATED:
        return "is_receivable AND overdue_days IS NULL"
    first, last = next((first, last) for label, first, last in AGEING_BUCKETS if label == bucket)
    return f"is_receivable AND {between('overdue_days', max(first, 1), last)}"


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


_SNAPSHOT = ComponentKind.SNAPSHOT
_ISSUED: Final = "issued_on"
_BILLED: Final = "is_receivable OR is_paid"

COMPONENTS: Final[tuple[Component, ...]] = (
    *_flow_pair("proposed", "amount_proposed", _ISSUED, "NOT is_cancelled"),
    _flow("cancelled_count", "1", _ISSUED, "is_cancelled"),
    *_flow_pair("approved", "amount_approved", "accepted_on", "is_accepted"),
    *_flow_pair("paid", "amount_collected", "settled_on", "amount_collected <> 0"),
    _flow("billed_amount", "amount_claimed", _ISSUED, _BILLED),
    _flow("billed_quarter", "amount_claimed", _ISSUED, _BILLED, Stretch.QUARTER),
    _flow("proposed_last_month", "amount_proposed", _ISSUED, "NOT is_cancelled", Stretch.LAST_MONTH),
    _flow("proposed_month_before", "amount_proposed", _ISSUED, "NOT is_cancelled", Stretch.MONTH_BEFORE),
    _flow(
        "proposed_month_year_before",
        "amount_proposed",
        _ISSUED,
        "NOT is_cancelled",
        Stretch.MONTH_YEAR_BEFORE,
    ),
    _flow("approved_month", "amount_approved", "accepted_on", "is_accepted", Stretch.MONTH),
    _flow("approved_year", "amount_approved", "accepted_on", "is_accepted", Stretch.YEAR),
    _flow("decided_proposed_amount", "amount_proposed", "answered_on", "is_decided"),
    _flow("decided_count", "1", "answered_on", "is_counted AND is_decided"),
    _flow("reworked_count", "1", _ISSUED, "is_counted AND is_reworked"),
    _flow("rework_known_count", "1", _ISSUED, "is_counted AND is_reworked IS NOT NULL"),
    _flow(
        "rejection_known_count", "1", "answered_on", "is_counted AND is_decided AND was_rejected IS NOT NULL"
    ),
    _flow("rejected_count", "1", "answered_on", "is_counted AND is_returned AND was_rejected IS NOT NULL"),
    _flow("first_pass_count", "1", "answered_on", "is_counted AND is_accepted AND is_first_pass"),
    _flow(
        "first_pass_known_count",
        "1",
        "answered_on",
        "is_counted AND is_decided AND is_first_pass IS NOT NULL",
    ),
    _flow("high_count", "1", _ISSUED, "is_counted AND NOT is_cancelled AND is_high"),
    _flow("approved_assumed_count", "1", "accepted_on", "is_counted AND is_accepted AND approved_assumed"),
    *_flow_mean("sending_days", "sent_by_day"),
    *_flow_mean("acceptance_days", "conformity_by_day"),
    *_flow_mean("settling_days", "paid_by_day"),
    *_flow_mean("payment_days", "paid_by_day"),
    _flow("timed_count", "1", _ISSUED, "payment_days IS NOT NULL AND paid_on >= issued_on"),
    *_flow_mean("late_days", "late_on"),
    _flow("fast_count", "1", "paid_by_day", "is_fast"),
    *_pair("receivable", "amount_open", "is_receivable"),
    *_pair("portfolio", "amount_open", "is_portfolio"),
    *_pair("pending", "amount_open", "is_pending"),
    *_pair("returned", "amount_open", "is_returned"),
    *_mean("returned_days"),
    *_pair("unsent", "amount_open", "is_unsent"),
    *_mean("unsent_days"),
    *_pair("overdue", "amount_open", "is_overdue"),
    *_pair("critical", "amount_open", "is_critical"),
    Component("current_amount", "amount_open", "is_receivable AND NOT is_overdue"),
    Component("credit_amount", "amount_open", "is_receivable AND amount_open < 0"),
    Component("receivable_age_amount", "amount_open * age_days", "is_receivable"),
    Component("critical_age", "critical_age", "is_critical"),
    Component("due_assumed_count", "1", "is_due_assumed"),
    Component("waiting_amount", "amount_open", "waiting_days IS NOT NULL"),
    *_mean("waiting_days"),
    *_mean("idle_days"),
    *(
        Component(f"idle_{level}_count", "1", between("idle_days", first, last))
        for level, first, last in IDLE_LEVELS
    ),
    *(
        component
        for label, first, last in AGEING_BUCKETS
        # Age is never negative here: certificates issued after as_of do not exist yet.
        for component in _pair(
            f"ageing_{label}", "amount_open", f"is_receivable AND {between('age_days', first, last)}"
        )
    ),
    *(
        component
        for label in DUE_BUCKETS
        for component in _pair(f"due_{label}", "amount_open", _due_condition(label), _SNAPSHOT)
    ),
    *(
        component
        for state in FIGURE_STATES
        if state is not State.PAID
        for component in _pair(
            f"state_{state.value}", "amount_proposed", f"state_as_of = '{state.value}'", _SNAPSHOT
        )
    ),
    *_flow_pair("state_pagado", "amount_proposed", "settled_on", "is_paid"),
    Component("retained_amount", "amount_withheld", "NOT is_cancelled AND amount_withheld <> 0"),
    *(
        Component(f"{what}_{month}", f"{what}_{month}", "is_receivable", _SNAPSHOT)
        for what in ("forecast", "variance")
        for month in HORIZONS
    ),
    Component("forecast_later", "forecast_later", "is_receivable", _SNAPSHOT),
    Component("forecast_unknown", "forecast_unknown", "is_receivable", _SNAPSHOT),
    Component("cost_opex_amount", "amount", "kind = 'opex'", ComponentKind.COST, "invoiced_on"),
    Component("cost_capex_amount", "amount", "kind = 'capex'", ComponentKind.COST, "invoiced_on"),
    Component("cost_count", "1", "true", ComponentKind.COST, "invoiced_on"),
    Component("paid_out_amount", "amount", "is_paid AND amount <> 0", ComponentKind.COST, "paid_on"),
    Component("cost_open_amount", "amount", "NOT is_paid", ComponentKind.COST_STOCK),
)
COMPONENT_NAMES: Final = tuple(component.name for component in COMPONENTS)
COMPONENT_INDEX: Final = {name: index for index, name in enumerate(COMPONENT_NAMES)}

MONTHLY_COMPONENTS: Final = (
    "proposed_amount",
    "approved_amount",
    "paid_amount",
    "cost_opex_amount",
    "cost_capex_amount",
    "paid_out_amount",
)
"""Flows that are kept by the month of their event as well."""

MOVEMENT_COMPONENTS: Final = (
    "proposed_count",
    "proposed_amount",
    "paid_count",
    "cost_count",
    "paid_out_amount",
)
"""Where all of these are zero, nothing was billed or spent: no such currency is shown."""

OCCURRENCE_COMPONENTS: Final = (*MOVEMENT_COMPONENTS, "cancelled_count")
"""Where all of these are zero, nothing has happened: no such combination of values is published."""

LOSS_COMPONENTS: Final[tuple[Component, ...]] = tuple(
    Component(f"{end}_{label}_amount", "amount_claimed", condition)
    for label, first, last in AGEING_BUCKETS
    for end, condition in zip(("reached", "rolled"), _rolls(first, last), strict=True)
)
"""Roll rates: of all certificates of a currency, on each day."""
