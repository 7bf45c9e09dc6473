"""How urgent the certificates of a work list are, computed when it is requested; see `model.work_lists`.

A few in a hundred certificates are in one: only these are looked at.
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import compress
from typing import Any

from kpi_pipeline.cache.certificate_blocks import Block, Derived
from kpi_pipeline.cache.client_outlooks import ClientOutlooks, Wait
from kpi_pipeline.cache.reading.listing.matching import marked
from kpi_pipeline.model.listed_work import LISTED_WORK, URGENCY, WHY
from kpi_pipeline.model.work_lists import (
    COLLECT_REASON,
    LARGEST_URGENCY,
    LEAST_DAYS,
    Arrears,
    Lying,
    Waiting,
    WorkListName,
)


def urgent(block: Block, outlooks: ClientOutlooks, work_list: str) -> Block:
    """A block with the urgency of its certificates in a work list, and what else is said of them there.

    Args:
        block: The block.
        outlooks: How much longer clients are expected to take.
        work_list: One of `LISTED_WORK`.
    """
    is_collected = work_list == WorkListName.COLLECT_TODAY
    work = _Collecting(block, outlooks) if is_collected else _Correcting(block)
    masks = [marked(block.columns, standing) for standing in LISTED_WORK[work_list].standings]
    credit_notes = marked(block.columns, "credit_note")
    currency, owed = block.columns["currency"], block.columns["open"].values
    codes = currency.texts or ()
    keys = {
        row: (codes[currency.values[row]], min(work.urgency(row), LARGEST_URGENCY), owed[row])
        for row in dict.fromkeys(row for mask in masks for row in compress(range(block.count), mask))
        if not credit_notes[row]
    }
    order = array("I", sorted(keys, key=lambda row: (keys[row], row)))

    def value(row: int, name: str) -> str | int | float | None:
        return keys[row][1] if name == URGENCY else work.values[name](row)

    return replace(block, derived=Derived(URGENCY, keys, order, len(order), value))


class _Work:
    """What is said of the certificates of a work list.

    Attributes:
        values: By column, what gives its value of a row.
    """

    values: Mapping[str, Callable[[int], Any]]

    def __init__(self, block: Block) -> None:
        self._columns = block.columns
        self._owed = block.columns["open"].values

    def urgency(self, row: int) -> int:
        """The urgency of a row: amount times days."""
        raise NotImplementedError

    def _days(self, name: str, row: int) -> int | None:
        """The days of a row in a column; None where it has none."""
        # They are kept by one too many.
        value = self._columns[name].values[row]
        return value - 1 if value else None

    def _age(self, row: int) -> int:
        return self._days("age_days", row) or 0


class _Collecting(_Work):
    """What is to be collected."""

    def __init__(self, block: Block, outlooks: ClientOutlooks) -> None:
        super().__init__(block)
        self._outlooks = outlooks
        self._clients = [outlooks.clients.get(text, -1) for text in block.columns["client"].texts or ()]
        self._overdue, self._critical = (marked(block.columns, name) for name in ("overdue", "critical"))
        self.values = {
            WHY: self._why,
            "days": self._days_since_sending,
            "overdue_days": lambda row: self._days("days_late", row) if self._overdue[row] else None,
            "expected_days": self._expected_days,
        }

    def urgency(self, row: int) -> int:
        wait = self._wait(row)
        return max(self._owed[row], 0) * wait.further_days // wait.payments

    def _expected_days(self, row: int) -> float:
        wait = self._wait(row)
        return wait.further_days / wait.payments

    def _days_since_sending(self, row: int) -> int | None:
        issued_on, sent_on = (self._columns[name].values[row] for name in ("issued_on", "sent_on"))
        return issued_on + self._age(row) - sent_on if sent_on else None

    def _why(self, row: int) -> str:
        both = self._overdue[row] and self._critical[row]
        arrears = Arrears.BOTH if both else Arrears.OVERDUE if self._overdue[row] else Arrears.CRITICAL
        return COLLECT_REASON.format(arrears=arrears, waiting=self._wait(row).basis)

    def _wait(self, row: int) -> Wait:
        age = self._age(row)
        known = self._outlooks.wait(self._clients[self._columns["client"].values[row]], age)
        return known or Wait(max(age, LEAST_DAYS), 1, Waiting.UNKNOWN)


class _Correcting(_Work):
    """What is to be corrected and sent."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self._unsent = marked(block.columns, "unsent")
        self.values = {WHY: self._why, "returned_days": self._returned_days}

    def urgency(self, row: int) -> int:
        returned = self._returned_days(row)
        return max(self._owed[row], 0) * max(self._age(row) if returned is None else returned, LEAST_DAYS)

    def _returned_days(self, row: int) -> int | None:
        # Its days in correction are those since the return.
        return self._days("correction", row)

    def _why(self, row: int) -> str:
        if self._unsent[row]:
            return Lying.UNSENT
        has_reason = self._columns["rejection_reason"].text(row) is not None
        if self._returned_days(row) is None:
            return Lying.UNDATED_FOR if has_reason else Lying.UNDATED
        return Lying.RETURNED_FOR if has_reason else Lying.RETURNED
