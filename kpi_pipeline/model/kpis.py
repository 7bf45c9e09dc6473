"""The KPI catalogue: each KPI is additive components and a formula."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpi_pipeline.model.components import COMPONENT_INDEX


class Unit(StrEnum):
    """What a KPI's value is measured in."""

    MONEY = "money"  # minor units of a currency
    COUNT = "count"
    DAYS = "days"
    SHARE = "share"  # 0.93 is 93 %


class Direction(StrEnum):
    """Which way is good."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Total:
    """A KPI that is one component summed over the filter."""

    component: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """A KPI that is one component over another; no value where the denominator is zero.

    Attributes:
        numerator: Component above the line, over the filter.
        denominator: Component below the line.
        over_window: Take the denominator over the DSO window (the filter's months, or else the
            trailing window of settings) and multiply by the days of that window.
    """

    numerator: str
    denominator: str
    over_window: bool = False


@dataclass(frozen=True, slots=True)
class Kpi:
    """One entry of the catalogue.

    Attributes:
        name: Key in payloads and in the API.
        label_es: Label in Spanish.
        label_en: Label in English.
        unit: What the value is measured in.
        formula: How components give the value.
        direction: Which way is good.
        per_currency: True when it is made of money: then there is one value a currency, never a sum.
        source: What the definition rests on.
    """

    name: str
    label_es: str
    label_en: str
    unit: Unit
    formula: Total | Ratio
    direction: Direction
    per_currency: bool
    source: str

    def __post_init__(self) -> None:
        formula = self.formula
        names = (
            (formula.component,) if isinstance(formula, Total) else (formula.numerator, formula.denominator)
        )
        unknown = [name for name in names if name not in COMPONENT_INDEX]
        if unknown:
            raise ValueError(f"KPI {self.name!r} names unknown components: {', '.join(unknown)}")
        if isinstance(formula, Ratio) and formula.over_window and not self.per_currency:
            raise ValueError(f"KPI {self.name!r} is taken over the DSO window: it must be per currency")


def _money(name: str, label_es: str, label_en: str, component: str, direction: Direction, source: str) -> Kpi:
    return Kpi(name, label_es, label_en, Unit.MONEY, Total(component), direction, True, source)


def _count(name: str, label_es: str, label_en: str, component: str, direction: Direction, source: str) -> Kpi:
    return Kpi(name, label_es, label_en, Unit.COUNT, Total(component), direction, False, source)


_CLAIM = "Sum over certificates issued by as_of."
_RECEIVABLE = "Claimed or accepted certificates not yet paid, validated ones included."

KPIS: Final[tuple[Kpi, ...]] = (
    _money("proposed", "Propuesto", "Proposed", "proposed_amount", Direction.UP, _CLAIM),
    _money(
        "approved",
        "Aprobado",
        "Approved",
        "approved_amount",
        Direction.UP,
        "Approved amount of certificates that the client has accepted by as_of.",
    ),
    _money("paid", "Pagado", "Paid", "paid_amount", Direction.UP, "Approved amount paid by as_of."),
    _money("receivable", "Por cobrar", "Receivable", "receivable_amount", Direction.DOWN, _RECEIVABLE),
    _money(
        "overdue",
        "Vencido",
        "Overdue",
        "overdue_amount",
        Direction.DOWN,
        "Not paid and as_of is after the expected payment date, or sent + payment term where there is none.",
    ),
    _money(
        "critical",
        "Crítico",
        "Critical",
        "critical_amount",
        Direction.DOWN,
        "Not paid and more than critical_days (60) days since sent.",
    ),
    _count("certificates", "Certificados", "Certificates", "proposed_count", Direction.NEUTRAL, _CLAIM),
    _count(
        "receivable_count",
        "Certificados por cobrar",
        "Receivable certificates",
        "receivable_count",
        Direction.DOWN,
        _RECEIVABLE,
    ),
    _count(
        "overdue_count",
        "Certificados vencidos",
        "Overdue certificates",
        "overdue_count",
        Direction.DOWN,
        "As overdue, counted.",
    ),
    _count(
        "due_assumed_count",
        "Vencimientos supuestos",
        "Assumed due dates",
        "due_assumed_count",
        Direction.NEUTRAL,
        "Open certificates without an expected payment date: due = sent + payment term.",
    ),
    _count(
        "critical_count",
        "Certificados críticos",
        "Critical certificates",
        "critical_count",
        Direction.DOWN,
        "As critical, counted.",
    ),
    Kpi(
        "dso",
        "DSO",
        "DSO",
        Unit.DAYS,
        Ratio("receivable_amount", "approved_amount", over_window=True),
        Direction.DOWN,
        True,
        "Classic DSO: receivables / approved billing over the window x days of the window.",
    ),
    Kpi(
        "acceptance_days",
        "Tiempo de aceptación",
        "Acceptance time",
        Unit.DAYS,
        Ratio("acceptance_days", "acceptance_count"),
        Direction.DOWN,
        False,
        "Mean days from sent to conformity, where both are dated by as_of. It is not DSO.",
    ),
    Kpi(
        "waiting_days",
        "Espera de aceptación",
        "Waiting for acceptance",
        Unit.DAYS,
        Ratio("waiting_days", "waiting_count"),
        Direction.DOWN,
        False,
        "Mean days from sent to as_of, of certificates sent and not yet answered.",
    ),
    Kpi(
        "approval_rate",
        "Tasa de aprobación",
        "Approval rate",
        Unit.SHARE,
        Ratio("approved_amount", "decided_proposed_amount"),
        Direction.UP,
        True,
        "Approved amount / proposed amount of certificates that the client has accepted or rejected.",
    ),
    Kpi(
        "approval_rate_count",
        "Tasa de aprobación (n.º)",
        "Approval rate (count)",
        Unit.SHARE,
        Ratio("approved_count", "decided_count"),
        Direction.UP,
        False,
        "Accepted / accepted or rejected certificates.",
    ),
)
KPI_NAMES: Final = tuple(kpi.name for kpi in KPIS)

_FORMULAS: Final = tuple(kpi.formula for kpi in KPIS)

WINDOW_COMPONENTS: Final = tuple(
    sorted({one.denominator for one in _FORMULAS if isinstance(one, Ratio) and one.over_window})
)
"""Components that some KPI takes over the DSO window."""

TREND_COMPONENTS: Final[dict[str, str]] = {
    "proposed": "proposed_amount",
    "approved": "approved_amount",
    "paid": "paid_amount",
    "receivable": "receivable_amount",
    "collected": "collected_amount",
}
"""Series of the monthly trend, per currency, and the component of each."""

TREND_MONTHS: Final = 12
"""Points of the monthly trend; the last is the month of as_of, or the filter's last month."""

DASHBOARD_CARDS: Final = (
    "proposed",
    "approved",
    "paid",
    "receivable",
    "overdue",
    "critical",
    "dso",
    "acceptance_days",
    "approval_rate",
    "overdue_count",
    "critical_count",
    "certificates",
)
"""KPIs on the cards of the manager's page, in reading order."""
