"""The words for values that stand in the columns of charts."""

from typing import Final

from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.components import AGEING_BUCKETS
from kpi_pipeline.model.dimensions import UNASSIGNED
from kpi_pipeline.model.labels import Kind, Text

STAGES: Final = ("issue_to_sent", "sent_to_conformity", "conformity_to_payment")
"""The stages of a certificate's way, in order."""

KPIS_DRAWN: Final[dict[str, Kind]] = {
    "dso": Kind.DAYS,
    "overdue_share": Kind.SHARE,
    "approval_rate": Kind.SHARE,
    "acceptance_days": Kind.DAYS,
}
"""The KPIs of the KPI trend, in order, each with what its values are."""

OTHERS: Final = ""
"""The name of all the others together, beyond the first ten."""

WORDS: Final[dict[Kind, dict[str, Text]]] = {
    Kind.STATE: {
        State.REVISION.value: Text("En revisión", "In revision"),
        State.SENT.value: Text("Enviado", "Sent"),
        State.PENDING.value: Text("Pendiente", "Pending"),
        State.VALIDATED.value: Text("Validado", "Validated"),
        State.PAID.value: Text("Pagado", "Paid"),
        State.REJECTED.value: Text("Rechazado", "Rejected"),
    },
    Kind.BUCKET: {
        label: Text(f"{label} días", f"{label} days")
        if last is not None
        else Text(f"más de {first - 1} días", f"over {first - 1} days")
        for label, first, last in AGEING_BUCKETS
    },
    Kind.STAGE: {
        "issue_to_sent": Text("Emisión a envío", "Issue to sending"),
        "sent_to_conformity": Text("Envío a conformidad", "Sending to acceptance"),
        "conformity_to_payment": Text("Conformidad a pago", "Acceptance to payment"),
    },
    Kind.KPI: {
        "dso": Text("DSO (días)", "DSO (days)"),
        "overdue_share": Text("Vencido", "Overdue share"),
        "approval_rate": Text("Tasa de aprobación", "Approval rate"),
        "acceptance_days": Text("Días hasta la conformidad", "Days to acceptance"),
    },
    Kind.FLOW: {
        "collected": Text("Cobrado", "Collected"),
        "expected": Text("Esperado", "Expected"),
    },
    Kind.NAME: {
        OTHERS: Text("Los demás", "All others"),
        UNASSIGNED: Text("Sin asignar", "Unassigned"),
    },
}
"""Words for the values of each kind; a value without one stands for itself."""
