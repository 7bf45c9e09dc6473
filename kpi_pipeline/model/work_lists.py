"""The work lists: certificates to act upon today, the most urgent first.

Urgency is an amount times days, in minor units of the currency times days:

- Of what is to be collected, the days are the client's expected further days of waiting: the mean of how much
  longer than the certificate's age, in days since issue, those of the client's payments until as_of took that
  took longer at all. Where these are fewer than `FEWEST_LONGER_PAYMENTS`, those of all clients count; where
  there are none either, as many days are expected as have passed since issue: what has waited longer than
  anything was ever waited for is no less urgent for it.
- Of what is to be corrected and sent, the days are those since its return; since issue where it has not been
  returned or nobody knows when. They are at least `LEAST_DAYS`, so that amounts rank what came back today.

- Of what is owed the longest, it is the days since issue alone.

Credit notes are in no list. Amounts of different currencies are not compared: each has its own ranking, by
urgency, then by amount, then by certificate.
"""

from enum import StrEnum
from typing import Final


class WorkListName(StrEnum):
    """The work lists."""

    COLLECT_TODAY = "collect_today"
    """Receivable certificates that are overdue or critical."""

    CORRECT_AND_RESEND = "correct_and_resend"
    """Certificates that the client returned or that were never sent."""

    OLDEST_OPEN = "oldest_open"
    """Receivable certificates by days since issue; of those of equal dimensions the oldest alone."""

    WATCHED = "watched"
    """Certificates that alerts watch one by one: without movement, or newly overdue. On no page."""


class Waiting(StrEnum):
    """Whose payments say how much longer a certificate is expected to wait."""

    OF_CLIENT = "client"
    OF_ALL = "all"
    UNKNOWN = "longest"
    """Nobody's: it has waited longer than any payment took."""


class Lying(StrEnum):
    """Why a certificate is to be corrected and sent."""

    UNSENT = "unsent"
    RETURNED = "returned"
    RETURNED_FOR = "returned_for_reason"
    UNDATED = "returned_undated"
    UNDATED_FOR = "returned_undated_for_reason"


class Arrears(StrEnum):
    """Why a certificate is to be collected."""

    OVERDUE = "overdue"
    CRITICAL = "critical"
    BOTH = "overdue_and_critical"


COLLECT_REASON: Final = "{arrears}_{waiting}"
"""Why a certificate is to be collected now: `Arrears` and `Waiting`."""

FEWEST_LONGER_PAYMENTS: Final = 5
"""With fewer payments that took longer than a certificate's age, a client is judged by all clients."""

WATCHED_IDLE_DAYS: Final = (7, 59)
"""A certificate of the portfolio is watched while it has had no movement for so many days."""

WATCHED_OVERDUE_DAYS: Final = (1, 7)
"""A certificate is newly overdue, and watched, for so many days."""

WATCHED_MOST: Final = 500
"""Of each currency, those with the largest amounts are watched."""

LEAST_DAYS: Final = 1
"""Days by which an amount is multiplied at least."""

LARGEST_URGENCY: Final = 2**53 - 1
"""The largest integer that a reader of JSON keeps exactly; no sum of money in use comes near it."""
