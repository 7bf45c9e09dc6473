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


@dataclass(frozen=True, slots=True)
class Stage:
    """What a state means for the money.

    Attributes:
        accepted: The client has accepted: its approved amount counts as approved billing.
        decided: The client has answered: accepted or rejected.
        receivable: Claimed or accepted and not yet paid.
    """

    accepted: bool
    decided: bool
    receivable: bool


STAGES: Final[dict[State, Stage]] = {
    State.REVISION: Stage(accepted=False, decided=False, receivable=False),  # not claimed yet
    State.SENT: Stage(accepted=False, decided=False, receivable=True),
    State.PENDING: Stage(accepted=False, decided=False, receivable=True),
    State.VALIDATED: Stage(accepted=True, decided=True, receivable=True),
    State.PAID: Stage(accepted=True, decided=True, receivable=False),
    State.REJECTED: Stage(accepted=False, decided=True, receivable=False),  # the claim was refused
}
