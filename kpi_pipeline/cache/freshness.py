"""Whether figures are fresh, stale or expired."""

from enum import StrEnum
from typing import Final

CLOCKS_AGREE_S: Final = 60.0
"""By how much the clocks of publishers and readers may differ, in seconds.

Figures that were verified later than that from now are of a clock that was wrong, or is: they are not fresh.
"""


def clock_was_ahead(verified_at: float, now: float) -> bool:
    """Whether figures were verified so much later than now that one of both clocks is wrong.

    Args:
        verified_at: When the source last gave them, in seconds since the epoch.
        now: Likewise.
    """
    return verified_at > now + CLOCKS_AGREE_S


class AnswerState(StrEnum):
    """The state of an answer relative to the present; that of a month end, `historic`, does not age."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    EXPIRED = "expired"
    HISTORIC = "historic"


def state_at(now: float, verified_at: float, fresh_until: float, stale_until: float) -> AnswerState:
    """Fresh until one moment, stale until another, expired from then on; of another clock, never fresh.

    Args:
        now: Seconds since the epoch; so are all moments.
        verified_at: When the source last gave these figures: `CLOCKS_AGREE_S` after the present at most.
        fresh_until: Until when figures are fresh.
        stale_until: Until when they are still served.
    """
    if now >= stale_until:
        return AnswerState.EXPIRED
    is_fresh = now < fresh_until and not clock_was_ahead(verified_at, now)
    return AnswerState.FRESH if is_fresh else AnswerState.STALE
