"""The readings of KPIs and what they are compared with, checked as they are published."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
DayText = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Number = int | float


class KpiValue(BaseModel, strict=True, frozen=True):
    """One value of a KPI; amounts are in minor units of the currency.

    Attributes:
        value: Of the filter; None where there is none.
        currency: Of which currency it is; None when of all certificates.
        numerator: What was divided.
        denominator: By what.
        window_days: Days that the quotient was multiplied by.
        payments: How many it is estimated from; None where it is no estimate.
        previous: As it stood on the day compared with; None without a comparison.
        change: What it has over that.
        change_share: The same as part of that.
        trend: Whether that is good.
        spark: As it stood at the end of each of some months, and on the day.
    """

    value: Number | None
    currency: CurrencyCode | None = None
    numerator: int | None = None
    denominator: int | None = None
    window_days: int | None = None
    payments: int | None = None
    previous: Number | None
    change: Number | None
    change_share: Number | None
    trend: Literal["improving", "stable", "declining"] | None
    spark: Annotated[list[Number | None], Field(min_length=1)]


class Comparison(BaseModel, strict=True, frozen=True):
    """The day of the figures and the one that they are compared with."""

    day: DayText
    previous_day: DayText


class Cohort(BaseModel, strict=True, frozen=True):
    """The certificates of some billing months: how many there are, and how many of them are still open."""

    certificates: Annotated[int, Field(ge=0)]
    open: Annotated[int, Field(ge=0)]


class NextDays(BaseModel, strict=True, frozen=True):
    """What is expected in so many days after the business date, and the share of such bands that held.

    Under a filter it is the share of those of single clients; None where it was not measured.
    """

    currency: CurrencyCode
    days: Annotated[int, Field(ge=1)]
    until: DayText
    amount: int
    low_90: int
    high_90: int
    coverage_90: float | None
