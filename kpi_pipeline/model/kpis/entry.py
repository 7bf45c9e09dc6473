"""One entry of the KPI catalogue."""

from dataclasses import dataclass
from enum import StrEnum

from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    ExpectedLoss,
    Formula,
    Herfindahl,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    TopShare,
    Total,
    ValuesWhere,
)
from kpi_pipeline.model.labels import Text

_OF_ONE_CURRENCY = (ShareOfAll, CountBack, AgainstTarget, ExpectedLoss, TopShare, Herfindahl)
_OF_ALL_CURRENCIES = (PaymentQuantile, ValuesWhere)


class Unit(StrEnum):
    """What a KPI's value is measured in."""

    MONEY = "money"  # minor units of a currency
    COUNT = "count"
    DAYS = "days"
    SHARE = "share"  # 0.93 is 93%


class Direction(StrEnum):
    """Which way is good."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One entry of the catalogue.

    Attributes:
        name: Key in payloads and in the API.
        label: Its name for readers.
        unit: What the value is measured in.
        formula: How components give the value.
        direction: Which way is good.
        per_currency: True when it is made of money: then there is one value a currency, never a sum.
        meaning: What it measures, for readers; places in it name thresholds.
        target: The value aimed at: a number, or the name of a threshold that holds it; None without one.
        count: The KPI that counts the certificates behind it, shown on its card; empty where none does.
        basis: How its card writes the quotient; None leaves it to the formula. See `basis_text`.
        is_part: Whether it is a part of a whole: it has no value outside 0 to 1, where credit notes outweigh
            what they correct.
    """

    name: str
    label: Text
    unit: Unit
    formula: Formula
    direction: Direction
    per_currency: bool
    meaning: Text
    target: str | float | None = None
    count: str = ""
    basis: Text | None = None
    is_part: bool = False

    def __post_init__(self) -> None:
        formula = self.formula
        if isinstance(formula, _OF_ONE_CURRENCY) or self.unit is Unit.MONEY or _windowed(formula):
            if not self.per_currency:
                raise ValueError(f"KPI {self.name!r} is made of money: it must be per currency")
        elif isinstance(formula, _OF_ALL_CURRENCIES) and self.per_currency:
            raise ValueError(f"KPI {self.name!r} counts what has no currency: it must not be per currency")
        if self.unit is Unit.COUNT and not isinstance(formula, (Total, ValuesWhere)):
            raise ValueError(f"KPI {self.name!r} is no whole number: its unit cannot be a count")


def _windowed(formula: Formula) -> bool:
    return isinstance(formula, Ratio) and formula.times_days
