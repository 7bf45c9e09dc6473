"""What clients owed at month ends as a generation holds it: an index, and documents of some clients each."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as validated

from kpi_pipeline.cache.codec import valid_data
from kpi_pipeline.model.account_statement import due_bucket
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.listing import FIRST_DAY

OPEN_ITEMS: Final = "open_items"
"""Variant name under which the index of open items is stored with a generation."""

_ACCEPTED: Final = "accepted"


@validated(frozen=True, slots=True)
class OpenItemsDay:
    """The open items of one day in the index.

    Attributes:
        day: The day.
        known_on: The later day on whose certificates they rest; None where they were read on the day.
        source: Digest of all that they come from.
        firsts: Of each document, the first client in it, folded, in ascending order.
    """

    day: date
    known_on: date | None
    source: str
    firsts: tuple[str, ...]

    def document_of(self, client: str) -> str | None:
        """The name of the document that has a client's items; None where none does."""
        at = bisect_right(self.firsts, fold(client)) - 1
        return None if at < 0 else document_name(self.source, at)

    @property
    def documents(self) -> list[str]:
        """The names of all its documents."""
        return [document_name(self.source, at) for at in range(len(self.firsts))]


@validated(frozen=True, slots=True)
class OpenItemsIndex:
    """The days of which a generation holds open items, the earliest first."""

    days: tuple[OpenItemsDay, ...]

    def as_dict(self) -> dict[str, object]:
        """The index as plain JSON."""
        return {"days": list(self.days)}

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Self:
        """Read an index from plain JSON.

        Raises:
            CorruptPayload: If it is none.
        """
        return valid_data(_INDEX, data, "index of open items")  # type: ignore[return-value]


_INDEX: Final = TypeAdapter(OpenItemsIndex)

NO_OPEN_ITEMS: Final = OpenItemsIndex(())


def document_name(source: str, number: int) -> str:
    """The name of a document, by its place among those of its day."""
    return f"open-{source}-{number}"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A certificate that a client owes on a day; amounts in minor units of its currency.

    Attributes:
        project: Its project.
        number: Its number there.
        currency: Of its amounts.
        issued_on: Day of issue.
        due_on: When it is due; None where there is no date.
        is_due_assumed: Whether that follows from the payment term alone.
        approved: What the client approved; None until then.
        open: What is unpaid of it.
        days_overdue: Days since it was due; None where it is not overdue.
    """

    project: str
    number: str
    currency: str
    issued_on: date
    due_on: date | None
    is_due_assumed: bool
    approved: int | None
    open: int
    days_overdue: int | None


@dataclass(frozen=True, slots=True)
class CurrencyBalance:
    """What a client owes in one currency.

    Attributes:
        currency: Its code.
        open: All of it.
        overdue: What of it is overdue.
        buckets: By days past due, of `STATEMENT_BUCKETS`: those in which there is something. They sum to all
            of it, and those past due to what is overdue.
    """

    currency: str
    open: int
    overdue: int
    buckets: Mapping[str, int]


def balances_of(items: Sequence[OpenItem], day: date) -> list[CurrencyBalance]:
    """What open items sum to, by currency in order of their codes.

    Args:
        items: The items.
        day: The day on which they are open.
    """
    found = []
    for code in sorted({item.currency for item in items}):
        own = [item for item in items if item.currency == code]
        buckets: dict[str, int] = {}
        for item in own:
            past = None if item.due_on is None else (day - item.due_on).days
            bucket = due_bucket(past, item.open)
            buckets[bucket] = buckets.get(bucket, 0) + item.open
        overdue = sum(item.open for item in own if item.days_overdue is not None)
        found.append(CurrencyBalance(code, sum(item.open for item in own), overdue, buckets))
    return found


def items_in(data: Mapping[str, Any], client: str, day: date) -> Iterator[OpenItem]:
    """The items of a client in a document, as `compute.bridge.open_items` publishes it.

    Args:
        data: The document.
        client: Whose; however it is spelled.
        day: The day that it is of.
    """
    texts, columns = data["texts"], data["columns"]
    asked = fold(client)
    own = {at for at, name in enumerate(texts["client"]) if fold(name) == asked}
    for row, at in enumerate(columns["client"]):
        if at not in own:
            continue
        due_on = _day(columns["due_on"][row])
        is_accepted = texts["standing"][columns["standing"][row]] == _ACCEPTED
        is_overdue = columns["is_overdue"][row]
        yield OpenItem(
            project=texts["project"][columns["project"][row]],
            number=columns["number"][row],
            currency=texts["currency"][columns["currency"][row]],
            issued_on=FIRST_DAY + timedelta(columns["issued_on"][row]),
            due_on=due_on,
            is_due_assumed=columns["is_due_assumed"][row],
            approved=columns["approved"][row] if is_accepted else None,
            open=columns["open"][row],
            days_overdue=(day - due_on).days if is_overdue and due_on is not None else None,
        )


def _day(number: int | None) -> date | None:
    return None if number is None else FIRST_DAY + timedelta(number)
