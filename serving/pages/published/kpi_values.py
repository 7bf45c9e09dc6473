"""The readings of KPIs and what they are compared with, checked as they are published."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Number = int | float


class KpiValue(BaseModel, strict=True, frozen=True):
    """One value of a KPI; amounts are in minor units of the currency.

    Attributes:
        value: Of the filter; None where there is none.
        currency: Of which currency it is; None when of all certificates.
        numerator: What was divided.
        denominator: By what.
        window_days: Days that the quotient was multiplied by.
        change: What the complete months have over those before them; None without a comparison.
        change_share: The same as part of those before.
        trend: Whether that is good.
        spark: One value a month, the last that of the trend's last month.
    """

    value: Number | None
    currency: CurrencyCode | None = None
    numerator: int | None = None
    denominator: int | None = None
    window_days: int | None = None
    change: Number | None
    change_share: Number | None
    trend: Literal["improving", "stable", "declining"] | None
    spark: Annotated[list[Number | None], Field(min_length=1)]


class MonthComparison(BaseModel, strict=True, frozen=True, populate_by_name=True):
    """Which months are compared with which."""

    first: Annotated[MonthText, Field(alias="from")]
    last: Annotated[MonthText, Field(alias="to")]
    previous_from: MonthText
    previous_to: MonthText

    @property
    def length(self) -> int:
        """How many months."""
        (first_year, first), (last_year, last) = (
            map(int, month.split("-")) for month in (self.first, self.last)
        )
        return (last_year - first_year) * 12 + last - first + 1


class AgeComparison(BaseModel, strict=True, frozen=True):
    """Which days since issue are compared with which."""

    issued_age: Annotated[list[str], Field(min_length=1)]
    previous_issued_age: Annotated[list[str], Field(min_length=1)]


Comparison = MonthComparison | AgeComparison
