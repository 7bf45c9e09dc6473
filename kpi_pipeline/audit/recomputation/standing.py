"""Where one certificate stands on a day, and what of its amounts is open, by the terms of the domain.

The day may be any from issue on: dates and the history are read up to the day, and a word of the row tells
only what no date does.
"""

from datetime import date
from functools import cached_property
from typing import Any

UNSENT, AWAITING, ACCEPTED = "unsent", "awaiting", "accepted"
RETURNED, PAID, CANCELLED = "returned", "paid", "cancelled"
STATE_OF_STANDING = {
    UNSENT: "revision",
    AWAITING: "enviado",
    ACCEPTED: "validado",
    RETURNED: "rechazado",
    PAID: "pagado",
    CANCELLED: "anulado",
}
RETURNS = {"rejected", "rework"}


class Standing:
    """Where a certificate stands on a day; what is told of it is worked out once.

    Attributes:
        row: The certificate.
        day: The day.
        events: Its dated events up to the day, the earliest first; none where it has no history.
        standing: unsent, awaiting, accepted, returned, paid or cancelled.
        claimed: The approved amount once accepted, else the proposed one.
        collected: What of it has been paid.
        withheld: What of it the client retains.
        outstanding: What of it is neither paid nor retained; 0 once paid or cancelled.
    """

    def __init__(self, row: dict[str, Any], day: date) -> None:
        self.row, self.day = row, day
        self.events = [event for event in row["history"] or () if event["day"] <= day]
        self.standing = self._standing()
        agreed = self.standing in {ACCEPTED, PAID}
        self.claimed: int = row["amount_approved"] if agreed else row["amount_proposed"]
        self.withheld: int = (row["amount_retained"] or 0) if agreed else 0
        self.collected = self._collected()
        open_amount = _without_change_of_sign(self.claimed, self.collected + self.withheld)
        self.outstanding = 0 if self.standing in {PAID, CANCELLED} else open_amount

    def _standing(self) -> str:
        row, last = self.row, self._last_event
        if last == "cancelled" or self._is_cancelled_by_word:
            return CANCELLED
        if self._has_payment and self._is_settled:
            return PAID
        if last is not None:
            # `paid` that is no payment: it was undone, or covers a part.
            after = {"rejected": RETURNED, "rework": RETURNED, "accepted": ACCEPTED, "paid": ACCEPTED}
            return after.get(last, AWAITING)
        if row["history"] is None and row["state"] == "rechazado" and self._was_sent:
            return ACCEPTED if self._passed("conformity_on") else RETURNED
        if self._was_accepted:
            return ACCEPTED
        return AWAITING if self._was_sent else UNSENT

    @cached_property
    def _last_event(self) -> str | None:
        return self.events[-1]["event"] if self.events else None

    @cached_property
    def _is_cancelled_by_word(self) -> bool:
        """It is cancelled, and no day says when: then it always was."""
        dated = any(event["event"] == "cancelled" for event in self.row["history"] or ())
        return self.row["state"] == "anulado" and not dated

    @cached_property
    def _was_sent(self) -> bool:
        """It had been sent, as far as no history tells; without a date, whatever is beyond revision was."""
        if self.row["sent_on"] is None:
            return self.row["state"] not in {"revision", "anulado"}
        return self._passed("sent_on")

    @cached_property
    def _was_accepted(self) -> bool:
        """It had been accepted; of what came back, the history alone tells."""
        if self.row["history"] is not None:
            return self._last_event in {"accepted", "paid"}
        if self.row["conformity_on"] is None:
            return self.row["state"] in {"validado", "pagado"} and self._was_sent
        return self._passed("conformity_on")

    @cached_property
    def _has_payment(self) -> bool:
        """Something had been paid of it."""
        if self.row["paid_on"] is None:
            return self.row["state"] == "pagado" and self._was_accepted
        return self._passed("paid_on")

    @cached_property
    def _is_settled(self) -> bool:
        """What had been paid leaves nothing open; where no part is named, the whole was paid."""
        row = self.row
        paid, retained = row["amount_paid"], row["amount_retained"] or 0
        return paid is None or _without_change_of_sign(row["amount_approved"], paid + retained) == 0

    def _collected(self) -> int:
        paid: int | None = self.row["amount_paid"]
        if self.standing == CANCELLED:
            return 0
        if paid is None:
            return self.claimed - self.withheld if self.standing == PAID else 0
        if self.row["paid_on"] is None:
            return paid if self.standing in {ACCEPTED, PAID} else 0
        return paid if self._passed("paid_on") else 0

    def _passed(self, milestone: str) -> bool:
        return self.row[milestone] is not None and self.row[milestone] <= self.day

    @cached_property
    def state(self) -> str:
        """Its state on the day."""
        if self.standing == AWAITING and self.row["state"] == "pendiente":
            return "pendiente"
        return STATE_OF_STANDING[self.standing]

    @cached_property
    def is_counted(self) -> bool:
        """It is one certificate in counts: neither cancelled nor a credit note."""
        return self.standing != CANCELLED and self.proposed >= 0

    @cached_property
    def is_accepted(self) -> bool:
        """The client has accepted, and may have paid."""
        return self.standing in {ACCEPTED, PAID}

    @cached_property
    def is_decided(self) -> bool:
        """The client has answered."""
        return self.standing in {ACCEPTED, PAID, RETURNED}

    @cached_property
    def is_paid(self) -> bool:
        """Nothing of it is open any more."""
        return self.standing == PAID

    @cached_property
    def is_open(self) -> bool:
        """It is neither paid nor cancelled."""
        return self.standing not in {PAID, CANCELLED}

    @cached_property
    def is_receivable(self) -> bool:
        """The client owes it."""
        return self.standing in {AWAITING, ACCEPTED}

    @cached_property
    def is_portfolio(self) -> bool:
        """The client owes it, or will once it is sent."""
        return self.standing in {UNSENT, AWAITING, ACCEPTED}

    @cached_property
    def is_pending(self) -> bool:
        """It waits for being sent or for an answer."""
        return self.standing in {UNSENT, AWAITING}

    @cached_property
    def currency(self) -> str:
        """Code of its currency."""
        return str(self.row["currency"])

    @cached_property
    def proposed(self) -> int:
        """Amount claimed from the client."""
        return int(self.row["amount_proposed"])

    @cached_property
    def accepted_amount(self) -> int:
        """Amount that the client accepts, whether it has by the day or not."""
        return int(self.row["amount_approved"])


def _without_change_of_sign(whole: int, part: int) -> int:
    """What a part leaves of a whole; nothing where the part is the greater."""
    return max(whole - part, 0) if whole >= 0 else min(whole - part, 0)
