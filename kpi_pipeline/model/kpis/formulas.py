"""The ways in which a KPI's value comes from additive components.

A formula is evaluated on each of the days of `compute.evaluation_days`: its stocks are what stood on the
day, its flows the events of the window that ends on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENTS, ComponentKind

_FLOWS = frozenset(component.name for component in COMPONENTS if component.kind is ComponentKind.FLOW)
_STOCKS = frozenset(component.name for component in COMPONENTS if component.kind is ComponentKind.STOCK)


@dataclass(frozen=True, slots=True)
class Term:
    """A component times a whole number."""

    component: str
    factor: int = 1

    def __post_init__(self) -> None:
        if self.component not in COMPONENT_INDEX:
            raise ValueError(f"no such component: {self.component!r}")


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
        times_days: Multiply by the days of the window, or those since the filter's first certificate where
            these are fewer.
    """

    above: Sum
    below: Sum
    times_days: bool = False


@dataclass(frozen=True, slots=True)
class PaymentQuantile:
    """The days from issue by which a percentage is paid: product-limit estimate (Kaplan and Meier, 1958).

    It is over the certificates issued in the window, those not paid yet included as such; there is no value
    where the estimate does not reach the percentage.
    """

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
    """How many values of a dimension have receivables, and some or none of a stock component."""

    dimension: str
    component: str
    some: bool

    def __post_init__(self) -> None:
        if self.component not in _STOCKS:
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
    """Days of billing, counted back from the day by month of issue, that the receivables amount to.

    There is no value where the billing of the window does not reach them.
    """


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """Receivables of each ageing bucket times the share of such that historically ended as lost."""


@dataclass(frozen=True, slots=True)
class AgainstTarget:
    """Approved billing of the month or of the year up to the day, against the target of the whole of it."""

    over: Literal["month", "year"]


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


def plain(*components: str) -> Sum:
    """The sum of some components."""
    return tuple(Term(component) for component in components)


def _must_flow(component: str) -> None:
    if component not in _FLOWS:
        raise ValueError(
            f"component {component!r} is no flow of certificates: name one of the kind {ComponentKind.FLOW}"
        )
