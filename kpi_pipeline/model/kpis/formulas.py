"""The ways in which a KPI's value comes from additive components.

A formula is evaluated at an *anchor*: the filter itself, a window of months, or one month. A component's
sum is taken over a *span* relative to that anchor. At a window or a month, a stock component means what
stood at its end; over the filter it means what its certificates amount to on as_of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kpi_pipeline.model.components import (
    COMPONENT_INDEX,
    COMPONENTS,
    MONTHLY_COMPONENTS,
    STOCK_COMPONENTS,
    ComponentKind,
)

_FLOWS = frozenset(component.name for component in COMPONENTS if component.kind is ComponentKind.FLOW)


class Span(StrEnum):
    """Months over which a component is summed, relative to the anchor's first and last month."""

    SELF = "self"  # the anchor itself
    WINDOW = "window"  # the DSO window: the filter's months or the trailing ones; for a month, those up to it
    END = "end"  # the last month of the window
    START = "start"  # the month before the window: where it began
    LAST = "last"  # the last complete month, not after the window
    BEFORE = "before"  # the month before LAST
    YEAR_BEFORE = "year_before"  # twelve months before LAST
    QUARTER = "quarter"  # the three months up to LAST
    YEAR = "year"  # January up to the last month of the window


@dataclass(frozen=True, slots=True)
class Term:
    """A component over a span, times a whole number."""

    component: str
    span: Span = Span.SELF
    factor: int = 1

    def __post_init__(self) -> None:
        if self.component not in COMPONENT_INDEX:
            raise ValueError(f"no such component: {self.component!r}")
        if self.span is not Span.SELF and self.component not in MONTHLY_COMPONENTS:
            raise ValueError(f"component {self.component!r} has no values by month: it has only span SELF")


Sum = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of terms."""

    of: Sum


@dataclass(frozen=True, slots=True)
class Ratio:
    """A sum over another; no value where the lower one is zero.

    Attributes:
        above: The sum above the line.
        below: The sum below it.
        times_days: Multiply by the days of the DSO window that have passed; no value where none have.
    """

    above: Sum
    below: Sum
    times_days: bool = False


@dataclass(frozen=True, slots=True)
class PaymentQuantile:
    """The least number of days by which at least this percentage of the payments was made (nearest rank)."""

    percent: int


@dataclass(frozen=True, slots=True)
class TopShare:
    """The largest value's part of a component's sum over the values of a dimension."""

    dimension: str
    component: str

    def __post_init__(self) -> None:
        _must_flow(self.component)


@dataclass(frozen=True, slots=True)
class Herfindahl:
    """The sum of the squared parts of a component over the values of a dimension: 1 is one value alone."""

    dimension: str
    component: str

    def __post_init__(self) -> None:
        _must_flow(self.component)


@dataclass(frozen=True, slots=True)
class ValuesWhere:
    """How many values of a dimension have something open, and some or none of a stock component."""

    dimension: str
    component: str
    some: bool

    def __post_init__(self) -> None:
        if self.component not in STOCK_COMPONENTS:
            raise ValueError(
                f"component {self.component!r} is no stock: name one of the kind {ComponentKind.STOCK}"
            )


@dataclass(frozen=True, slots=True)
class ShareOfAll:
    """A component's part of that of all certificates at the same anchor."""

    component: str

    def __post_init__(self) -> None:
        _must_flow(self.component)


@dataclass(frozen=True, slots=True)
class CountBack:
    """Days of billing, counted back from the end, that the receivables amount to."""


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """Receivables of each ageing bucket times the share of such that historically ended as lost."""


@dataclass(frozen=True, slots=True)
class AgainstTarget:
    """Approved billing over a span, against the target of its months."""

    span: Span


Formula = (
    Total
    | Ratio
    | PaymentQuantile
    | TopShare
    | Herfindahl
    | ValuesWhere
    | ShareOfAll
    | CountBack
    | ExpectedLoss
    | AgainstTarget
)


def terms_of(formula: Formula) -> Iterator[Term]:
    """The terms that a formula names."""
    if isinstance(formula, Total):
        yield from formula.of
    elif isinstance(formula, Ratio):
        yield from formula.above
        yield from formula.below


def plain(*components: str, span: Span = Span.SELF) -> Sum:
    """The sum of some components over one span."""
    return tuple(Term(component, span) for component in components)


def _must_flow(component: str) -> None:
    if component not in _FLOWS:
        raise ValueError(
            f"component {component!r} is no flow of certificates: name one of the kind {ComponentKind.FLOW}"
        )
