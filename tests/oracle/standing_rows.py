"""Certificates that came back, were cancelled, or were paid in part, in advance or not after all.

What happens to one is told in days after its issue.
"""

from datetime import date, timedelta
from typing import Any

from kpi_pipeline.audit.recomputation.rows import Row

from .both_ways import certificate
from .source_rows import with_log

ISSUED = date(2024, 1, 10)
COME_AND_GONE = (
    date(2024, 1, 25),
    date(2024, 2, 10),
    date(2024, 2, 29),
    date(2024, 3, 15),
    date(2024, 6, 30),
)
"""Days between what happens to them, and one long after."""

_UNPAID = {"sent", "accepted", "rejected", "cancelled"}


def made(
    state: str, *log: tuple[int, str], proposed: int = 100, approved: int | None = 90, **others: Any
) -> Row:
    """A certificate of `ISSUED` with what its log tells: days after issue, and events.

    Args:
        state: Its word today.
        log: Its dated events, in order.
        proposed: What is claimed.
        approved: What is approved; None where that is missing.
        others: Other columns; of days, days after issue.
    """
    issued = others.pop("issued_on", ISSUED)
    dates = {
        name: issued + timedelta(value) if name.endswith("_on") and value is not None else value
        for name, value in others.items()
    }
    assumed = {"approved_assumed": approved is None}
    row = certificate(state, issued, proposed, proposed if approved is None else approved, **assumed, **dates)
    return with_log(row, [(issued + timedelta(day), event, event in _UNPAID) for day, event in log])


def _every_state(**others: Any) -> list[Row]:
    words = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado")
    return [made(state, **others) for state in words]


STANDING_ROWS: dict[str, list[Row]] = {
    "returned": [
        made("rechazado", sent_on=5),
        made("rechazado"),
        made("rechazado", (20, "rejected"), sent_on=5),
        made("rechazado", (20, "rejected"), client="Sur", expected_payment_on=10),
        made("enviado", (20, "rework"), sent_on=5),
        made("rechazado", (12, "rework"), (18, "sent"), (40, "rejected"), sent_on=5),
        made("rechazado", (40, "rejected"), sent_on=5, conformity_on=15),
        made("rechazado", sent_on=5, conformity_on=15),
        made("rechazado", rejection_count=None, rework_count=None, sent_on=5),
    ],
    "returned and sent again": [
        made("enviado", (20, "rejected"), (33, "sent"), sent_on=5),
        made("pendiente", (20, "rework"), (33, "sent"), (40, "sent"), sent_on=5, client="Sur"),
        made("enviado", (20, "rejected"), (20, "sent"), sent_on=5),
        made("enviado", (20, "rejected"), (33, "sent")),
        made("enviado", (3, "sent"), (20, "rejected"), (33, "sent"), sent_on=5),
        made("validado", (20, "rejected"), (33, "sent"), (50, "accepted"), sent_on=5),
        made("validado", (20, "rework"), (33, "sent"), sent_on=5, conformity_on=45, project="Túnel"),
        made("validado", (20, "rework"), sent_on=5),
        made("pagado", (20, "rejected"), (33, "sent"), (40, "accepted"), (60, "paid"), sent_on=5),
    ],
    "accepted, returned and accepted again": [
        made("validado", (8, "accepted"), (20, "rejected"), (30, "sent"), (45, "accepted"), sent_on=5),
        made("validado", (20, "rejected"), (30, "sent"), (45, "accepted"), sent_on=5, conformity_on=8),
        made("validado", (20, "rework"), (45, "accepted"), (47, "accepted"), sent_on=5, conformity_on=8),
        made("pagado", (8, "accepted"), (20, "rework"), (45, "accepted"), (60, "paid"), sent_on=5),
        made("pagado", (8, "accepted"), (20, "rework"), (45, "accepted"), sent_on=5),
        made("rechazado", (8, "accepted"), (20, "rejected"), (30, "accepted"), (52, "rejected"), sent_on=5),
        made("validado", (8, "rejected"), (8, "accepted"), sent_on=5),
        made("validado", (8, "rejected"), sent_on=5, conformity_on=8),
    ],
    "cancelled": [
        made("anulado"),
        made("anulado", sent_on=5, conformity_on=8, paid_on=20, client="Este"),
        made("anulado", (40, "cancelled"), sent_on=5),
        made("anulado", (8, "accepted"), (40, "cancelled"), sent_on=5, client="Sur"),
        made("anulado", (15, "rejected"), (40, "cancelled"), sent_on=5, rejection_reason="otros"),
        made("anulado", (15, "rejected"), sent_on=5),
        made("anulado", (8, "accepted"), (25, "paid"), (40, "cancelled"), sent_on=5),
        made("anulado", sent_on=5, paid_on=20, proposed=-50, approved=-50),
        made("enviado", (20, "cancelled"), (40, "sent"), sent_on=5),
        made("anulado", (0, "cancelled"), proposed=10_000_000, approved=None, currency="USD"),
    ],
    "only cancelled": [made("anulado", sent_on=5, currency="USD")],
    "credit notes": [
        made("validado", sent_on=5, conformity_on=8),
        made("validado", proposed=-30, approved=-30, sent_on=5, conformity_on=8),
        made("enviado", proposed=-20, sent_on=5, expected_payment_on=10),
        made("enviado", proposed=-700, sent_on=5, client="Sur"),
        made("pagado", proposed=-10, approved=-10, sent_on=5, conformity_on=8, paid_on=20),
        made("pagado", proposed=-10, approved=-10, client="Este"),
        made("revision", proposed=-5),
        made("rechazado", (20, "rejected"), proposed=-5, sent_on=5),
        made("validado", proposed=-5, approved=None, sent_on=5),
        made("validado", proposed=50, approved=-40, sent_on=5),
        made("validado", proposed=-50, approved=40, sent_on=5),
    ],
    "nothing but credit notes": [
        made("enviado", proposed=-20, sent_on=5, client="Sur"),
        made("validado", proposed=-30, approved=-20, sent_on=5),
    ],
    "credit notes larger than what they correct": [
        made("validado", sent_on=5, conformity_on=8),
        made("validado", proposed=-95, approved=-80, sent_on=5, conformity_on=8, client="Sur"),
        made("enviado", proposed=60, sent_on=-70, issued_on=ISSUED - timedelta(80)),
    ],
    "paid in part": [
        made("validado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=40),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=40, client="Sur"),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=90),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=95),
        made("validado", sent_on=5, conformity_on=8, amount_paid=40),
        made("validado", sent_on=5, conformity_on=8, amount_paid=90),
        made("validado", sent_on=5, conformity_on=8, amount_paid=200),
        made("pagado", sent_on=5, conformity_on=8, amount_paid=90),
        made("pagado", sent_on=5, conformity_on=8, amount_paid=50, project="Túnel"),
        made("enviado", sent_on=5, paid_on=30, amount_paid=40),
        made("enviado", sent_on=5, amount_paid=40),
        made("revision", paid_on=30, amount_paid=40),
        made("rechazado", (20, "rejected"), sent_on=5, paid_on=30, amount_paid=40),
        made("validado", (20, "rejected"), (25, "accepted"), sent_on=5, paid_on=30, amount_paid=40),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=0),
        made("pagado", proposed=-50, approved=-40, sent_on=5, conformity_on=8, paid_on=30, amount_paid=-10),
        made("pagado", proposed=-50, approved=-40, sent_on=5, conformity_on=8, paid_on=30, amount_paid=-40),
        made("pagado", approved=0, sent_on=5, conformity_on=8, paid_on=30, amount_paid=0),
    ],
    "paid in part and no other payment": [
        made("validado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=40),
        made("enviado", sent_on=5, client="Sur"),
    ],
    "retained": [
        made("validado", sent_on=5, conformity_on=8, amount_retained=9),
        made("enviado", sent_on=5, amount_retained=9),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_retained=9),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=81, amount_retained=9),
        made("pagado", sent_on=5, conformity_on=8, paid_on=30, amount_paid=80, amount_retained=9),
        made("pagado", sent_on=5, conformity_on=8, amount_paid=81, amount_retained=9, client="Sur"),
        made("validado", sent_on=5, conformity_on=8, amount_retained=95),
        made("anulado", sent_on=5, amount_retained=9),
        made("rechazado", (20, "rejected"), sent_on=5, conformity_on=8, amount_retained=9),
    ],
    "paid in advance": [
        made("pagado", sent_on=5, conformity_on=8, paid_on=-20),
        made("pagado", paid_on=-20, client="Sur"),
        made("pagado", paid_on=0),
        made("validado", sent_on=5, conformity_on=8, paid_on=-20, amount_paid=30),
        made("pagado", paid_on=30, issued_on=ISSUED + timedelta(200)),
        made("pagado", paid_on=-180, issued_on=ISSUED + timedelta(200), client="Oeste"),
        made("enviado", paid_on=-180, issued_on=ISSUED + timedelta(200), amount_paid=30),
        made("pagado", proposed=-30, approved=-30, paid_on=-180, issued_on=ISSUED + timedelta(200)),
        made("anulado", paid_on=-180, issued_on=ISSUED + timedelta(200)),
    ],
    "without approved amount": [
        made(state, approved=None, sent_on=5)
        for state in ("enviado", "validado", "pagado", "rechazado", "anulado")
    ],
    "without dates": _every_state(),
    "sent alone": _every_state(sent_on=5),
    "words behind the dates": _every_state(sent_on=5, conformity_on=8, paid_on=40),
    "accepted without sending": _every_state(conformity_on=8),
    "undated and yet returned": [
        made("rechazado", (20, "rejected")),
        made("enviado", (20, "rejected"), (30, "sent")),
        made("validado", (20, "rejected"), (30, "sent")),
        made("pagado", (20, "rejected"), (30, "sent")),
        made("pagado", (20, "rejected"), (30, "accepted")),
        made("revision", (20, "rework")),
    ],
    "payments undone": [
        made("validado", (25, "paid"), (40, "accepted"), sent_on=5, conformity_on=8),
        made("pagado", (25, "paid"), (40, "accepted"), (50, "paid"), sent_on=5, conformity_on=8),
        made("pagado", (25, "paid"), (40, "paid"), sent_on=5, conformity_on=8),
        made("validado", (15, "rework"), (20, "accepted"), (25, "paid"), (40, "accepted"), sent_on=5),
        made("rechazado", (25, "paid"), (40, "rejected"), sent_on=5, conformity_on=8),
        made("pagado", (15, "rework"), (25, "paid"), (40, "sent"), sent_on=5),
    ],
    "nothing says of rework": [
        made("validado", sent_on=5, rework_count=None, rejection_count=None),
        made("validado", sent_on=5, rework_count=1, rejection_count=None),
        made("validado", sent_on=5, rework_count=None, rejection_count=1),
        made("rechazado", sent_on=5, rework_count=None, rejection_count=1),
        made("pagado", sent_on=5, rework_count=0, rejection_count=None),
        made("validado", sent_on=5, rework_count=2, rejection_count=0, client="Sur"),
    ],
    "sent before it was issued": [
        made("enviado", (12, "rework"), (18, "sent"), sent_on=-3),
        made("validado", sent_on=-3, conformity_on=-1),
    ],
}
