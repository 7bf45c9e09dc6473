"""Values of dimensions in words."""

from typing import Final

from kpi_pipeline.model.labels import Text

STATE_TEXTS: Final[dict[str, Text]] = {
    "revision": Text("En revisión", "In revision"),
    "enviado": Text("Enviado", "Sent"),
    "pendiente": Text("Pendiente", "Pending"),
    "validado": Text("Validado", "Validated"),
    "pagado": Text("Pagado", "Paid"),
    "rechazado": Text("Rechazado", "Rejected"),
}
"""The stages of a certificate, by their values in the data."""

AMOUNT_BAND_TEXTS: Final[dict[str, Text]] = {
    "bajo": Text("Bajo", "Low"),
    "medio": Text("Medio", "Medium"),
    "alto": Text("Alto", "High"),
    "muy alto": Text("Muy alto", "Very high"),
}
"""The ranges of the proposed amount, by their values in the data."""

VALUE_TEXTS: Final = {"state": STATE_TEXTS, "amount_band": AMOUNT_BAND_TEXTS}
"""By dimension, the values that have a text."""

UNASSIGNED_VALUE: Final = "sin asignar"
"""The value of a dimension where the source names none."""

UNASSIGNED_TEXT: Final = Text("Sin asignar", "Unassigned")
