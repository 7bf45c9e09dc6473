"""Quick periods: periods named by their length; with as_of each selects values of a dimension."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from kpi_pipeline.model.dimensions import ISSUED_AGE, ISSUED_AGES, MONTH
from kpi_pipeline.model.labels import Text

TIME_DIMENSIONS: Final = (MONTH.name, ISSUED_AGE.name)
"""Dimensions of time; the others are attributes."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period that ends on as_of, or with the quarter before.

    Attributes:
        name: Canonical name, the value of a query parameter.
        spellings: Other spellings of it.
        label: Its name for readers.
        unit: What `length` counts: days since issue; months, or years from their January on, up to the
            month of as_of, that one included; quarters before that of as_of. None for all time.
        length: How many of these.
    """

    name: str
    spellings: tuple[str, ...]
    label: Text
    unit: Literal["day", "month", "quarter", "year"] | None
    length: int = 0

    @property
    def dimension(self) -> str | None:
        """The dimension whose values it stands for; None for all time."""
        if self.unit is None:
            return None
        return ISSUED_AGE.name if self.unit == "day" else MONTH.name

    def values(self, as_of: date, held_months: Collection[str]) -> tuple[str, ...]:
        """The values that it stands for, by time.

        Args:
            as_of: The business date.
            held_months: The months that there are, as 'YYYY-MM'.
        """
        if self.unit is None:
            return ()
        if self.unit == "day":
            return tuple(label for label, _, last in ISSUED_AGES if last is not None and last < self.length)
        return _months_between(as_of, self._months_back(as_of), held_months)

    def _months_back(self, as_of: date) -> tuple[int, int]:
        """How many months before that of as_of its first and its last one are."""
        if self.unit == "quarter":
            return _quarter_back(as_of, self.length)
        months = self.length if self.unit == "month" else (self.length - 1) * 12 + as_of.month
        return months - 1, 0


PERIODS: Final = (
    Period("7d", ("7_dias", "7_days"), Text("Últimos 7 días", "Last 7 days"), "day", 7),
    Period("30d", ("30_dias", "30_days"), Text("Últimos 30 días", "Last 30 days"), "day", 30),
    Period("90d", ("90_dias", "90_days"), Text("Últimos 90 días", "Last 90 days"), "day", 90),
    Period("365d", ("365_dias", "365_days"), Text("Últimos 365 días", "Last 365 days"), "day", 365),
    Period("this_month", ("este_mes",), Text("Este mes", "This month"), "month", 1),
    Period("3m", ("3_meses", "3_months"), Text("Últimos 3 meses", "Last 3 months"), "month", 3),
    Period("this_quarter", ("este_trimestre",), Text("Este trimestre", "This quarter"), "quarter", 0),
    Period("last_quarter", ("trimestre_anterior",), Text("Trimestre anterior", "Last quarter"), "quarter", 1),
    Period("6m", ("6_meses", "6_months"), Text("Últimos 6 meses", "Last 6 months"), "month", 6),
    Period("12m", ("12_meses", "12_months"), Text("Últimos 12 meses", "Last 12 months"), "month", 12),
    Period("ytd", ("año", "year_to_date", "year to date"), Text("Año en curso", "Year to date"), "year", 1),
    Period("all", ("todo",), Text("Todo", "All time"), None),
)
"""Every quick period, from the shortest to the longest of its kind.

Days are counted from issue, months are billing months.
"""


def quick_periods(as_of: date, held_months: Collection[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What each quick period selects on a date.

    Args:
        as_of: The business date.
        held_months: The months that there are, as 'YYYY-MM'.

    Returns:
        By the name of the period, what `Filter.of` takes; of all time, nothing. A period of which there
        is no month is left out: naming none would select everything.
    """
    selections: dict[str, dict[str, tuple[str, ...]]] = {}
    for period in PERIODS:
        values = period.values(as_of, held_months)
        if period.dimension is None:
            selections[period.name] = {}
        elif values:
            selections[period.name] = {period.dimension: values}
    return selections


def compared_quarters(as_of: date, held_months: Collection[str]) -> list[tuple[str, ...]]:
    """The quarters that those of `PERIODS` are compared with: the one before, and that of the year before.

    Args:
        as_of: The business date.
        held_months: The months that there are, as 'YYYY-MM'.

    Returns:
        The months of each that has any and is none of `PERIODS`, the latest first.
    """
    own = {period.length for period in PERIODS if period.unit == "quarter"}
    lengths = {length + back for length in own for back in (1, 4)} - own
    quarters = (_quarter_back(as_of, length) for length in sorted(lengths))
    return [months for one in quarters if (months := _months_between(as_of, one, held_months))]


def _quarter_back(as_of: date, length: int) -> tuple[int, int]:
    """How many months before that of as_of the first and the last of an earlier quarter are."""
    begun = (as_of.month - 1) % 3 + 3 * length
    return begun, max(begun - 2, 0)


def _months_between(as_of: date, back: tuple[int, int], held_months: Collection[str]) -> tuple[str, ...]:
    """The months that there are from one so many before that of as_of to another."""
    first, last = (_month(as_of, months) for months in back)
    return tuple(month for month in sorted(held_months) if first <= month <= last)


def _month(as_of: date, back: int) -> str:
    """The month so many before that of a date."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1 - back, 12)
    return f"{year:04d}-{month + 1:02d}"
