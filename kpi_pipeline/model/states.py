"""The states of a certificate, and what each means for the money."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The stage a certificate has reached. A source's spellings are mapped to these."""

    REVISION = "revision"
    SENT = "enviado"
    PENDING = "pendiente"
    VALIDATED = "validado"
    PAID = "pagado"
    REJECTED = "rechazado"
    CANCELLED = "anulado"


class Event(StrEnum):
    """What happened to a certificate on a day, as its history keeps it."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REWORK = "rework"
    CANCELLED = "cancelled"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a state means for the money.

    Attributes:
        accepted: The client has accepted: its approved amount counts as approved billing.
        decided: The client has answered: it has accepted the certificate or returned it.
        receivable: Claimed from the client or accepted, and not yet paid.
        open: Neither paid nor cancelled.
    """

    accepted: bool
    decided: bool
    receivable: bool
    open: bool


STAGES: Final[dict[State, Stage]] = {
    State.REVISION: Stage(accepted=False, decided=False, receivable=False, open=True),  # not claimed yet
    State.SENT: Stage(accepted=False, decided=False, receivable=True, open=True),
    State.PENDING: Stage(accepted=False, decided=False, receivable=True, open=True),
    State.VALIDATED: Stage(accepted=True, decided=True, receivable=True, open=True),
    State.PAID: Stage(accepted=True, decided=True, receivable=False, open=False),
    # Returned: it must be corrected and sent again before the client owes anything.
    State.REJECTED: Stage(accepted=False, decided=True, receivable=False, open=True),
    State.CANCELLED: Stage(accepted=False, decided=False, receivable=False, open=False),
}

FIGURE_STATES: Final = tuple(state for state in State if state is not State.CANCELLED)
"""The states whose certificates are in figures: a cancelled one is in none but the count of such."""
