"""The statement of account of a client: what it owes on a day, certificate by certificate.

It goes to the client: it has nothing that the firm alone should know.
"""

from typing import Final

from kpi_pipeline.model.ageing import AGEING_BUCKETS, NOT_DUE, UNDATED
from kpi_pipeline.model.columns import APPROVED, CURRENCY, Column, days, money, name_of
from kpi_pipeline.model.labels import Kind, Text

PAST_DUE: Final = Text("Vencido", "Past due")

STATEMENT_COLUMNS: Final[tuple[Column, ...]] = (
    name_of("project", "Proyecto", "Project"),
    Column("number", Text("Certificado", "Certificate"), Kind.TEXT),
    CURRENCY,
    Column("issued_on", Text("Emisión", "Issued"), Kind.DAY),
    Column("due_on", Text("Vencimiento", "Due"), Kind.DAY),
    Column("due_assumed", Text("Vencimiento supuesto", "Due date assumed"), Kind.TEXT),
    APPROVED,
    money("open", "Saldo", "Balance"),
    days("days_overdue", "Días de atraso", "Days overdue"),
)
"""What is said of each open item, in order."""

CREDIT_NOTES: Final = "credit_notes"
"""The bucket of what the client is owed: it is never overdue."""

STATEMENT_BUCKETS: Final[dict[str, Text]] = {
    NOT_DUE: Text("Por vencer", "Not yet due"),
    **{
        label: Text(
            f"{max(first, 1)}\N{EN DASH}{last} días de atraso",
            f"{max(first, 1)}\N{EN DASH}{last} days overdue",
        )
        if last is not None
        else Text(f"más de {first - 1} días de atraso", f"over {first - 1} days overdue")
        for label, first, last in AGEING_BUCKETS
    },
    UNDATED: Text("Sin vencimiento", "No due date"),
    CREDIT_NOTES: Text("Notas de crédito", "Credit notes"),
}
"""Labels of `DUE_BUCKETS` in their order, then of credit notes."""

USUAL_BUCKETS: Final = tuple(name for name in STATEMENT_BUCKETS if name not in (UNDATED, CREDIT_NOTES))
"""Those that a statement shows also where nothing is in them."""


def due_bucket(days_past_due: int | None, amount: int) -> str:
    """The bucket of an item.

    Args:
        days_past_due: Days past its due date; None where it has none.
        amount: Its balance: a negative one is that of a credit note.
    """
    if amount < 0:
        return CREDIT_NOTES
    if days_past_due is None:
        return UNDATED
    for label, _, last in AGEING_BUCKETS:
        if days_past_due >= 1 and (last is None or days_past_due <= last):
            return label
    return NOT_DUE
