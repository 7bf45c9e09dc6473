"""What makes up a kind of rule."""

from dataclasses import dataclass
from enum import StrEnum

from kpi_pipeline.model.health import Condition
from kpi_pipeline.model.labels import Text


class Severity(StrEnum):
    """How urgent an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Group(StrEnum):
    """Whom an alert concerns: those who run the system, or those who read its figures."""

    OPERATIONAL = "operational"
    BUSINESS = "business"


class Basis(StrEnum):
    """What a kind rests on; while that is not known, its alerts stay as they are."""

    SERVER = "server"
    """Whether Redis answers, which is always known."""

    CACHE = "cache"
    """What Redis holds."""

    PIPELINE = "pipeline"
    """What the pipeline reports of itself."""

    DAGSTER = "dagster"
    """The same, while Dagster answers."""

    FIGURES = "figures"
    """The published figures of a product, of all certificates."""


class Measure(StrEnum):
    """The unit of a measured value and of its thresholds."""

    SHARE = "share"
    DAYS = "days"
    COUNT = "count"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One kind of rule.

    Attributes:
        name: Its name, for the file of rules.
        group: Whom it concerns.
        basis: What it rests on.
        meaning: When it fires.
        conditions: Of the verdict: an alert lasts while one of them holds. Empty for what is measured.
        told_apart_by: Values of a finding that make an alert of its own.
        measure: The unit of what is measured; None with conditions.
        per_currency: Whether a rule names the currency of its threshold.
        has_target: Whether the published target stands in for a threshold that the rule does not name.
        product: Whose figures it rests on.
        reason: What is wrong; names `value`, `limit` and `subject` in braces. None with conditions.
        advice: What to do about it. None with conditions.
        page: The path of the page that shows it.
        is_event: Whether it is reported once and has no end.
        several: What several alerts of it, reported together, are headed with; names `limit`. None where each
            is reported by itself.
    """

    name: str
    group: Group
    basis: Basis
    meaning: Text
    conditions: tuple[Condition, ...] = ()
    told_apart_by: tuple[str, ...] = ()
    measure: Measure | None = None
    per_currency: bool = False
    has_target: bool = False
    product: str = ""
    reason: Text | None = None
    advice: Text | None = None
    page: str = "/manager/system"
    is_event: bool = False
    several: Text | None = None

    @property
    def watches_certificates(self) -> bool:
        """Whether it measures certificates one by one."""
        return self.several is not None
