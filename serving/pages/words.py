"""The words for values that stand in the data; a value without one stands for itself."""

from collections.abc import Mapping
from typing import Final

from kpi_pipeline.model.labels import Text
from serving.catalogue import Kind
from serving.pages.texts.values import STATE_TEXTS, UNASSIGNED_TEXT, UNASSIGNED_VALUE

OTHERS: Final = ""
"""The name of all the others together, beyond those that are named."""

_BUCKETS: Final = {
    "not_due": Text("Por vencer", "Not yet due"),
    "0-30": Text("0\N{EN DASH}30 días", "0\N{EN DASH}30 days"),
    "31-60": Text("31\N{EN DASH}60 días", "31\N{EN DASH}60 days"),
    "61-90": Text("61\N{EN DASH}90 días", "61\N{EN DASH}90 days"),
    "91-120": Text("91\N{EN DASH}120 días", "91\N{EN DASH}120 days"),
    "120+": Text("más de 120 días", "over 120 days"),
    "undated": Text("Sin fecha", "Undated"),
}
_STAGES: Final = {
    "issue_to_sent": Text("Emisión a envío", "Issue to sending"),
    "sent_to_conformity": Text("Envío a conformidad", "Sending to acceptance"),
    "conformity_to_payment": Text("Conformidad a pago", "Acceptance to payment"),
}
_FLOWS: Final = {
    "collected": Text("Cobrado", "Collected"),
    "expected": Text("Esperado", "Expected"),
}

WORDS: Final[Mapping[Kind, Mapping[str, Text]]] = {
    "state": STATE_TEXTS,
    "bucket": _BUCKETS,
    "stage": _STAGES,
    "flow": _FLOWS,
    "name": {OTHERS: Text("Los demás", "All others"), UNASSIGNED_VALUE: UNASSIGNED_TEXT},
}
"""By the kind of the value."""

REASON_TEXTS: Final[Mapping[str, Text]] = {
    "documentacion_incompleta": Text("Documentación incompleta", "Incomplete documents"),
    "inconsistencia_montos": Text("Inconsistencia de montos", "Inconsistent amounts"),
    "fuera_alcance": Text("Fuera de alcance", "Out of scope"),
    "requisitos_tecnicos": Text("Requisitos técnicos", "Technical requirements"),
    "falta_aprobacion": Text("Falta de aprobación", "Approval missing"),
    "error_formato": Text("Error de formato", "Wrong format"),
    "incumplimiento_plazo": Text("Incumplimiento de plazo", "Deadline missed"),
    "objeciones_cliente": Text("Objeciones del cliente", "Client's objections"),
    "cambio_requerimientos": Text("Cambio de requerimientos", "Changed requirements"),
    "error_proceso_interno": Text("Error de proceso interno", "Internal process error"),
    "error_planificacion": Text("Error de planificación", "Planning error"),
    "falla_control_calidad": Text("Falla de control de calidad", "Quality control failure"),
    "error_comunicacion": Text("Error de comunicación", "Communication error"),
    "coord_cliente": Text("Coordinación con el cliente", "Coordination with the client"),
    "coord_interna": Text("Coordinación interna", "Internal coordination"),
    "error_tecnico": Text("Error técnico", "Technical error"),
    "error_requisitos": Text("Error de requisitos", "Requirements error"),
    "retraso_documental": Text("Retraso documental", "Late documents"),
    "otros": Text("Otros", "Other"),
}
"""Why certificates come back: reasons of rejection and kinds of failure."""
