"""The statement of account of a client: its open items today, or at a month end that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.open_items import (
    OPEN_ITEMS,
    CurrencyBalance,
    OpenItem,
    OpenItemsDay,
    balances_of,
    items_in,
)
from kpi_pipeline.cache.reading.listing.certificates import is_marked, value_of
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.cache.reading.reader import NoMonthEnd
from kpi_pipeline.model.dimensions import CLIENT
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pages import PROFILED
from serving.access.control import require_product
from serving.as_of import requested_as_of
from serving.cache_access import Connection
from serving.listing.look_up import look_up_list
from serving.lookup import expired, live_lookup, live_result, unreadable
from serving.lookup_result import LookupResult
from serving.profile.look_up import open_parameters, value_named

_PART = PROFILED[CLIENT.name]


@dataclass(frozen=True)
class AccountStatement:
    """What a client owes on a day.

    Attributes:
        client: The client.
        day: The day.
        items: Its open items, the first due first.
        figures: The generation that they are published with, and its state.
    """

    client: str
    day: date
    items: tuple[OpenItem, ...]
    figures: LookupResult

    @cached_property
    def balances(self) -> list[CurrencyBalance]:
        """What they sum to, by currency."""
        return balances_of(self.items, self.day)


def statement_days(connection: Connection) -> Sequence[OpenItemsDay]:
    """The month ends of which there are statements, the latest first; none where they cannot be read.

    Raises:
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and they are not held.
    """
    try:
        _, index = connection.reader.live_list.open_items()
    except CorruptPayload:
        return ()
    return () if index is None else index.days[::-1]


def look_up_statement(
    connection: Connection, name: str, parameters: Sequence[tuple[str, str]]
) -> AccountStatement:
    """Look a statement of account up, and request newer figures from the pipeline where they are stale.

    Args:
        connection: The cache.
        name: The client, as an address has it.
        parameters: Query parameters: a date alone. Without one it is of today, and with one of the newest
            month end on or before it that is kept.

    Raises:
        Problem: If the reader may not read it, there is no such client, a parameter is not allowed, or
            figures have expired or are not there.
        InvalidDate: If the date is none.
        NoMonthEnd: If no month end is kept on or before the date.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and it is not held.
    """
    require_product(LISTED_WITH)
    as_of, others = requested_as_of(parameters)
    client = value_named(connection, _PART, name, others)
    if as_of is not None:
        past = _of_month_end(connection, client, as_of)
        if past is not None:
            return past
    listed = look_up_list(connection, [(CLIENT.name, client), *open_parameters()])
    return AccountStatement(
        client, listed.figures.entry.as_of, tuple(map(_item_of, listed.rows())), listed.figures
    )


def _of_month_end(connection: Connection, client: str, as_of: date) -> AccountStatement | None:
    """That of the newest month end on or before a date; None where the date is the business date."""
    reader = connection.reader
    lookup = live_lookup(connection, LISTED_WITH, [(CLIENT.name, client)])
    try:
        entry, index = reader.live_list.open_items()
        if as_of == entry.as_of:
            return None
        state = reader.state_of(entry)
        if state is AnswerState.EXPIRED:
            raise expired(connection, entry)
        days = () if index is None else index.days
        day = next((one for one in reversed(days) if one.day <= as_of), None)
        if day is None:
            raise NoMonthEnd(LISTED_WITH, as_of, tuple(one.day for one in days))
        name = day.document_of(client)
        payload = reader.live_list.document(entry, name or OPEN_ITEMS)
        if payload is None:
            raise unreadable(connection, LISTED_WITH)
        held = tuple(items_in(payload.data(), client, day.day)) if name is not None else ()
    except (CorruptPayload, KeyError, IndexError, TypeError) as error:
        raise unreadable(connection, LISTED_WITH) from error
    return AccountStatement(client, day.day, held, live_result(connection, lookup, entry, state, payload))


def _item_of(row: Row) -> OpenItem:
    """An open item of today from its row in the list."""
    late, approved, balance = (value_of(row, name) for name in ("days_late", "approved", "open"))
    due_on, issued_on = value_of(row, "due_on"), value_of(row, "issued_on")
    return OpenItem(
        project=str(value_of(row, "project")),
        number=str(value_of(row, "number")),
        currency=str(value_of(row, "currency")),
        issued_on=issued_on if isinstance(issued_on, date) else date.min,
        due_on=due_on if isinstance(due_on, date) else None,
        is_due_assumed=is_marked(row, "due_assumed"),
        approved=approved if isinstance(approved, int) else None,
        open=balance if isinstance(balance, int) else 0,
        days_overdue=late if isinstance(late, int) and is_marked(row, "overdue") else None,
    )
