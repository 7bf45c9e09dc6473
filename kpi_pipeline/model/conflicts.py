"""Conflicts: what the log, the dates and the state of a certificate disagree on."""

from enum import StrEnum
from typing import Final

from kpi_pipeline.model.labels import Text


class Conflict(StrEnum):
    """What disagrees. The log goes before dates, and dates go before the state's word."""

    LOG_PAID = "log_paid_state_unpaid"
    DATE_PAID = "date_paid_state_unpaid"
    LOG_DIFFERS = "log_and_date_of_payment_differ"
    DATE_ACCEPTED = "date_accepted_state_not"


CONFLICT_TEXTS: Final[dict[Conflict, Text]] = {
    Conflict.LOG_PAID: Text(
        "Pagado según el historial, impago según su estado: vale el historial",
        "Paid by the log, unpaid by its state: the log counts",
    ),
    Conflict.DATE_PAID: Text(
        "Con fecha de pago, impago según su estado: vale la fecha",
        "Paid by its date, unpaid by its state: the date counts",
    ),
    Conflict.LOG_DIFFERS: Text(
        "Pagado en otro día según el historial que según su fecha: vale el historial",
        "Paid on another day by the log than by its date: the log counts",
    ),
    Conflict.DATE_ACCEPTED: Text(
        "Con fecha de conformidad, sin conformidad según su estado: vale la fecha",
        "Accepted by its date, not accepted by its state: the date counts",
    ),
}
"""Each conflict in plain words, with what counts."""
