"""Additive components: the sums from which every KPI is a formula.

A component is a sum over the certificates of a cell, so the component of any union of cells is the
sum of theirs. Values and conditions name columns of the as-of view, which `compute.rollup` derives
from a certificate and a date (all boolean unless said otherwise):

    is_accepted     the client has accepted by as_of
    is_decided      the client has accepted or rejected by as_of
    is_rejected     the client's answer by as_of is a rejection
    is_paid         paid by as_of
    is_open         not paid by as_of, whatever the state
    is_receivable   claimed or accepted, and not paid by as_of
    is_overdue      open, and as_of is after the due date
    is_critical     open, and sent more than `critical_days` days before as_of
    is_due_assumed  the due date is sent + payment term, for want of an expected payment date
    state_as_of     (text) the state on as_of
    amount_open     (integer) the approved amount once accepted, else the proposed one
    age_days        (integer) as_of - issued
    acceptance_days (integer) conformity - sent, null unless both are known by as_of
    waiting_days    (integer) as_of - sent while the client's answer is outstanding, else null
"""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.certificates import State

AGEING_BUCKETS: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("0-30", 0, 30),
    ("31-60", 31, 60),
    ("61-90", 61, 90),
    ("91-120", 91, 120),
    ("120+", 121, None),
)
"""Ageing buckets of open items: label, first and last day of age (inclusive; None is no end)."""


@dataclass(frozen=True, slots=True)
class Component:
    """One additive sum.

    Attributes:
        name: Its column in the roll-up.
        value: SQL over the as-of view for what is summed; `1` counts certificates.
        when: SQL condition over the as-of view; certificates outside it add nothing.
        cash: True when it belongs to the month of payment, not to the billing month.
    """

    name: str
    value: str
    when: str = "true"
    cash: bool = False


def _amount_and_count(stem: str, amount: str, when: str) -> tuple[Component, Component]:
    return Component(f"{stem}_amount", amount, when), Component(f"{stem}_count", "1", when)


def _bucket_condition(first: int, last: int | None) -> str:
    # Age is never negative here: certificates issued after as_of do not exist yet.
    return f"is_open AND age_days >= {first}" + ("" if last is None else f" AND age_days <= {last}")


COMPONENTS: Final[tuple[Component, ...]] = (
    *_amount_and_count("proposed", "amount_proposed", "true"),
    *_amount_and_count("approved", "amount_approved", "is_accepted"),
    *_amount_and_count("paid", "amount_approved", "is_paid"),
    *_amount_and_count("receivable", "amount_open", "is_receivable"),
    *_amount_and_count("open", "amount_open", "is_open"),
    *_amount_and_count("overdue", "amount_open", "is_overdue"),
    *_amount_and_count("critical", "amount_open", "is_critical"),
    Component("decided_proposed_amount", "amount_proposed", "is_decided"),
    Component("decided_count", "1", "is_decided"),
    Component("rejected_count", "1", "is_rejected"),
    Component("due_assumed_count", "1", "is_open AND is_due_assumed"),
    Component("acceptance_days", "acceptance_days", "acceptance_days IS NOT NULL"),
    Component("acceptance_count", "1", "acceptance_days IS NOT NULL"),
    Component("waiting_days", "waiting_days", "waiting_days IS NOT NULL"),
    Component("waiting_count", "1", "waiting_days IS NOT NULL"),
    *(
        component
        for label, first, last in AGEING_BUCKETS
        for component in _amount_and_count(f"ageing_{label}", "amount_open", _bucket_condition(first, last))
    ),
    *(
        component
        for state in State
        for component in _amount_and_count(
            f"state_{state.value}", "amount_proposed", f"state_as_of = '{state.value}'"
        )
    ),
    Component("collected_amount", "amount_approved", "is_paid", cash=True),
    Component("collected_count", "1", "is_paid", cash=True),
)
COMPONENT_NAMES: Final = tuple(component.name for component in COMPONENTS)
COMPONENT_INDEX: Final = {name: index for index, name in enumerate(COMPONENT_NAMES)}
