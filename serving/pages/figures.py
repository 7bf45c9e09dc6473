"""The figures of a dashboard as they are published, checked before a page relies on their shape."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from kpi_pipeline.cache.codec import CorruptPayload

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class Reading(BaseModel, strict=True, frozen=True):
    """One value of a KPI; amounts are in minor units of the currency."""

    value: int | float | None
    currency: CurrencyCode | None = None
    numerator: int | None = None
    denominator: int | None = None
    window_days: int | None = None


class Bucket(BaseModel, strict=True, frozen=True):
    """Unpaid certificates of one range of ages."""

    bucket: str
    amount: int
    count: int
    share: int | float | None


class Ageing(BaseModel, strict=True, frozen=True):
    """Every range of ages in one currency."""

    currency: CurrencyCode
    buckets: list[Bucket]


class Series(BaseModel, strict=True, frozen=True):
    """Amounts by month in one currency."""

    currency: CurrencyCode
    proposed: list[int]
    approved: list[int]
    paid: list[int]
    receivable: list[int]
    collected: list[int]

    def named(self) -> dict[str, list[int]]:
        """The amounts of each series by its name, in reading order."""
        return {
            "proposed": self.proposed,
            "approved": self.approved,
            "paid": self.paid,
            "receivable": self.receivable,
            "collected": self.collected,
        }


class Trend(BaseModel, strict=True, frozen=True):
    """The monthly trend."""

    months: Annotated[list[MonthText], Field(min_length=1)]
    series: list[Series]

    @model_validator(mode="after")
    def _one_amount_a_month(self) -> Self:
        for one in self.series:
            if any(len(amounts) != len(self.months) for amounts in one.named().values()):
                raise ValueError("a series has not one amount a month")
        return self


class StateTotal(BaseModel, strict=True, frozen=True):
    """Certificates in one state."""

    state: str
    amount: int
    count: int


class States(BaseModel, strict=True, frozen=True):
    """Every state in one currency."""

    currency: CurrencyCode
    states: list[StateTotal]


class Figures(BaseModel, strict=True, frozen=True):
    """All that one dashboard shows."""

    currencies: list[CurrencyCode]
    kpis: dict[str, list[Reading]]
    ageing: list[Ageing]
    trend: Trend
    states: list[States]


def read_figures(data: dict[str, Any]) -> Figures:
    """Check the data of a payload.

    Args:
        data: What `Payload.data` gave.

    Raises:
        CorruptPayload: If they are not those of a dashboard.
    """
    try:
        return Figures.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise CorruptPayload(f"a dashboard's payload is none: {where}: {problem['msg']}") from None
