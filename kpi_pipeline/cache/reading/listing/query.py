"""What a reader wants to see of the list of certificates."""

from dataclasses import dataclass
from datetime import date

from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.listed_work import URGENCY
from kpi_pipeline.model.listing import EXPECTED, USUAL_ORDER


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days in which an event lies.

    Attributes:
        event: One of `model.listing.LIST_EVENTS`.
        first: The first day; None where they have no beginning.
        last: The last day; None where they have no end.
    """

    event: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which certificates.

    Attributes:
        filter: They have one of its values in each of its dimensions.
        standings: They stand in one of these ways, of `model.list_standings.LIST_STANDINGS`; none: in any.
        search: Each of its words is part of their client, project or number.
        days: When each of some events was.
        currency: Code of the currency of their amounts; empty for any.
        reasons: By name of `model.listing.LIST_REASONS`, what the source says of them, as it writes it.
        expected: The forecast month of which expected amounts are wanted: then all are receivable; empty for
            none.
        work_list: They are in this one of `model.listed_work.LISTED_WORK`; empty for any.
    """

    filter: Filter = EVERYTHING
    standings: tuple[str, ...] = ()
    search: str = ""
    days: tuple[DayRange, ...] = ()
    currency: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    expected: str = ""
    work_list: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column they are sorted; those without a value are last.

    Attributes:
        column: Its name.
        descending: Whether the largest come first.
    """

    column: str
    descending: bool

    @classmethod
    def of(cls, text: str) -> "Order":
        """Read an order as addresses have it: a column, behind a minus where the largest come first."""
        return cls(text.removeprefix("-"), text.startswith("-"))

    def __str__(self) -> str:
        """The order as addresses have it."""
        return f"-{self.column}" if self.descending else self.column


STANDARD_ORDER = Order.of(USUAL_ORDER)

LARGEST_EXPECTED = Order(EXPECTED.name, descending=True)
"""How a list of what is expected is sorted unless otherwise requested."""

MOST_URGENT = Order(URGENCY, descending=True)
"""How a work list is."""
