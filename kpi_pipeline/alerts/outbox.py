"""Messages on their way: which are due, when a failed one is tried again, and when it is given up."""

from collections.abc import Callable, Hashable, Iterable
from typing import Final, Protocol, TypeVar

FIRST_RETRY_S: Final = 30.0
LONGEST_RETRY_S: Final = 3600.0
"""How long a failed delivery waits: twice as long after each attempt, up to this."""

GIVEN_UP_S: Final = 3 * 86_400.0
"""A message that cannot be delivered for so long is given up, with an alarm."""

DELIVERING_S: Final = 20.0
"""No delivery is begun after so many seconds of one turn: a sensor must not hang."""

LARGEST_OUTBOX: Final = 500
"""Messages that wait at most; beyond it the latest are given up, with an alarm."""


class Queued(Protocol):
    """A message that is to be delivered."""

    @property
    def due_at(self) -> float:
        """When the next attempt is due, in seconds since the epoch."""

    @property
    def attempts(self) -> int:
        """How many have failed."""


Queueing = TypeVar("Queueing", bound=Queued)
Receiver = TypeVar("Receiver", bound=Hashable)


def due_by_receiver(
    outbox: Iterable[Queueing], receiver: Callable[[Queueing], Receiver], now: float
) -> dict[Receiver, list[Queueing]]:
    """The messages that are due, by receiver, in their order.

    What is new waits with what has failed: one attempt serves both, and the order stays.

    Args:
        outbox: All messages.
        receiver: To whom a message goes.
        now: Seconds since the epoch.
    """
    waiting = list(outbox)
    held_up = {receiver(one) for one in waiting if one.attempts and one.due_at > now}
    due: dict[Receiver, list[Queueing]] = {}
    for one in waiting:
        if one.due_at <= now and receiver(one) not in held_up:
            due.setdefault(receiver(one), []).append(one)
    return due


def next_attempt_at(since: float, attempts: int, now: float) -> float | None:
    """When a message is tried again whose delivery has failed; None where it is given up.

    Args:
        since: From when it could be delivered, in seconds since the epoch.
        attempts: How many attempts had failed before.
        now: The present, likewise.
    """
    return None if now - since > GIVEN_UP_S else now + retry_wait_s(attempts)


def retry_wait_s(attempts: int) -> float:
    """Seconds until the next attempt, after so many that had failed before this one."""
    return float(min(FIRST_RETRY_S * 2 ** min(attempts, 20), LONGEST_RETRY_S))
