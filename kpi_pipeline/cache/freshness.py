"""Whether figures are fresh, stale or expired."""

from enum import StrEnum


class AnswerState(StrEnum):
    """The state of an answer relative to the present; that of a month end, `historic`, does not age."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    EXPIRED = "expired"
    HISTORIC = "historic"


def state_at(now: float, fresh_until: float, stale_until: float) -> AnswerState:
    """Fresh before the first moment, stale before the second, expired from then on.

    Args:
        now: Seconds since the epoch; so are both moments.
        fresh_until: Until when figures are fresh.
        stale_until: Until when they are still served.
    """
    if now < fresh_until:
        return AnswerState.FRESH
    return AnswerState.STALE if now < stale_until else AnswerState.EXPIRED
