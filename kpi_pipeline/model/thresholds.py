"""The thresholds on which KPI definitions rest."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days that definitions refer to.

    Attributes:
        critical_days: An open certificate is critical when sent more than this many days ago.
        payment_term_days: Days after sending on which a certificate without an expected payment
            date falls due.
    """

    critical_days: int = 60
    payment_term_days: int = 30
