"""How certificates stand: the standings by which the list of certificates is narrowed.

Names of conditions are columns of the as-of view, which `model.components` describes.
"""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.certificate_details import APPROVED_ASSUMED
from kpi_pipeline.model.components import IDLE_LEVELS, between
from kpi_pipeline.model.labels import Text

WENT_WRONG: Final = "(is_returned OR NOT is_cancelled AND is_reworked)"
"""SQL: the client returned it, or asked for rework."""


def _days_es(first: int, last: int | None) -> str:
    return f"{first} días o más" if last is None else f"{first} a {last} días"


def _days_en(first: int, last: int | None) -> str:
    return f"{first} days or more" if last is None else f"{first} to {last} days"


@dataclass(frozen=True, slots=True)
class ListStanding:
    """One way to narrow the list by how certificates stand.

    Attributes:
        name: Its value in addresses.
        label: Its name for readers.
        when: SQL condition over the as-of view.
        is_of_issued: Whether what is not issued yet, and paid already, is left out.
    """

    name: str
    label: Text
    when: str
    is_of_issued: bool = True


LIST_STANDINGS: Final[tuple[ListStanding, ...]] = (
    ListStanding("receivable", Text("Por cobrar", "Receivable"), "is_receivable"),
    ListStanding("overdue", Text("Vencidos", "Overdue"), "is_overdue"),
    ListStanding("critical", Text("Críticos", "Critical"), "is_critical"),
    ListStanding(
        "awaiting", Text("Enviados sin respuesta", "Awaiting an answer"), "is_receivable AND NOT is_accepted"
    ),
    ListStanding(
        "accepted", Text("Con conformidad, sin pagar", "Accepted, unpaid"), "is_receivable AND is_accepted"
    ),
    ListStanding("pending", Text("Pendientes", "Pending"), "is_pending"),
    ListStanding("portfolio", Text("Cartera total", "Total portfolio"), "is_portfolio"),
    ListStanding("unsent", Text("No enviados", "Not sent"), "is_unsent"),
    ListStanding("returned", Text("Devueltos", "Returned"), "is_returned"),
    ListStanding("went_wrong", Text("Devueltos o con retrabajo", "Returned or reworked"), WENT_WRONG),
    ListStanding(
        "went_wrong_lately",
        Text(
            "Devueltos, o emitidos en el periodo con retrabajo",
            "Returned, or issued in the period and reworked",
        ),
        f"{WENT_WRONG} AND (is_returned OR issued_on >= window_first)",
    ),
    ListStanding("paid", Text("Pagados", "Paid"), "is_paid", False),
    ListStanding("cancelled", Text("Anulados", "Canceled"), "is_cancelled", False),
    ListStanding(
        "conformity_pending", Text("Conformidad pendiente", "Awaiting acceptance"), "waiting_days IS NOT NULL"
    ),
    *(
        ListStanding(
            f"idle_{level}",
            Text(f"Sin movimiento, {_days_es(first, last)}", f"Without movement, {_days_en(first, last)}"),
            between("idle_days", first, last),
        )
        for level, first, last in IDLE_LEVELS
    ),
    ListStanding("due_assumed", Text("Vencimiento supuesto", "Due date assumed"), "is_due_assumed"),
    ListStanding("not_cancelled", Text("Sin los anulados", "Not canceled"), "NOT is_cancelled"),
    ListStanding(
        "approved", Text("Con conformidad, pagados o no", "Accepted, paid or not"), "is_accepted", False
    ),
    ListStanding("collected", Text("Con cobros", "With collections"), "amount_collected <> 0", False),
    ListStanding(
        "retained", Text("Con retención", "With retention"), "NOT is_cancelled AND amount_withheld <> 0"
    ),
    ListStanding("high_amount", Text("De monto alto", "High amount"), "NOT is_cancelled AND is_high"),
    ListStanding(
        APPROVED_ASSUMED,
        Text("Monto aprobado supuesto", "Approved amount assumed"),
        "is_accepted AND approved_assumed",
        False,
    ),
)
"""The standings, in their order; a row has a bit for each."""
