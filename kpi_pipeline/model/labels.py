"""Texts in every language, kinds of values, and the labels of values: their only home."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, assert_never

from kpi_pipeline.model.ageing import AGEING_BUCKETS, NOT_DUE, UNDATED
from kpi_pipeline.model.states import State
from kpi_pipeline.model.work_lists import COLLECT_REASON, Arrears, Lying, Waiting

Language = Literal["es", "en"]
"""A language of the pages."""

LANGUAGES: Final[tuple[Language, ...]] = ("es", "en")
"""Every language, the default first."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in every language."""

    es: str
    en: str

    def into(self, language: Language) -> str:
        """The text in one language."""
        match language:
            case "es":
                return self.es
            case "en":
                return self.en
        assert_never(language)


DAY_PATTERN: Final = Text("d MMM y", "MMM d, y")
"""How a day is written in each language, as a pattern of the Unicode CLDR."""

DAY_OF_YEAR_PATTERN: Final = Text("d MMM", "MMM d")
"""The same of a day without its year."""


class Counted(str):
    """A written number for a text: `{count}` writes it, `{count:día|días}` the noun that agrees with it."""

    __slots__ = ()

    def __format__(self, forms: str) -> str:
        if "|" not in forms:
            return super().__format__(forms)
        singular, plural = forms.split("|")
        return singular if self == "1" else plural


class Kind(StrEnum):
    """What a value is: it decides how the value is checked and written."""

    MONEY = "money"  # integer, minor units of the currency of its row
    SHARE = "share"  # 0.93 is 93%
    DAYS = "days"
    COUNT = "count"
    READING = "reading"  # a value in the unit of the KPI of its row: days or a share
    MONTH = "month"  # YYYY-MM
    DAY = "day"  # YYYY-MM-DD
    CURRENCY = "currency"  # ISO 4217; empty: not money
    NAME = "name"  # of a client, project or manager; empty: all the others together
    STATE = "state"  # one of model.states.State
    WHY = "why"  # names a sentence of LABELS, whose places are columns of its row
    BUCKET = "bucket"  # one of model.components.DUE_BUCKETS
    AGE = "age"  # one of model.dimensions.ISSUED_AGES
    AMOUNT_BAND = "amount_band"  # one of model.dimensions.AMOUNT_BANDS
    STAGE = "stage"  # one of STAGES
    FLOW = "flow"  # collected or expected
    KPI = "kpi"  # a KPI's name
    REASON = "reason"  # a reason for return or a kind of failure
    TEXT = "text"  # as it stands


NUMBERS: Final = frozenset(
    {Kind.MONEY, Kind.SHARE, Kind.DAYS, Kind.COUNT, Kind.READING},
)
"""Kinds whose values are numbers."""

UNASSIGNED: Final = "sin asignar"
"""The name of a certificate's client, project or person where the source has none."""

OTHERS: Final = ""
"""The name of all the others together, beyond the first ten."""

STAGES: Final = ("issue_to_sent", "sent_to_conformity", "conformity_to_payment")
"""The stages of a certificate from issue to payment, in order."""

KPIS_DRAWN: Final[dict[str, Kind]] = {
    "dso": Kind.DAYS,
    "overdue_share": Kind.SHARE,
    "approval_rate": Kind.SHARE,
    "acceptance_days": Kind.DAYS,
}
"""The KPIs of the KPI trend, in order, each with what its values are."""

_ARREARS: Final = {
    Arrears.OVERDUE: Text("Venció hace {overdue_days:days}", "Overdue for {overdue_days:days}"),
    Arrears.CRITICAL: Text("Enviado hace {days:days} y aún no vence", "Sent {days:days} ago and not due yet"),
    Arrears.BOTH: Text(
        "Enviado hace {days:days} y vencido hace {overdue_days:days}",
        "Sent {days:days} ago and overdue for {overdue_days:days}",
    ),
}
_WAITING: Final = {
    Waiting.OF_CLIENT: Text(
        "por sus pagos anteriores, el cliente tardaría alrededor de {expected_days:days} más.",
        "based on its earlier payments, the client would take about {expected_days:days} more.",
    ),
    Waiting.OF_ALL: Text(
        "por los pagos de todos los clientes, tardaría alrededor de {expected_days:days} más.",
        "based on the payments of all clients, it would take about {expected_days:days} more.",
    ),
    Waiting.UNKNOWN: Text(
        "ningún pago ha tardado tanto: se supone que falta otro tanto.",
        "no payment has ever taken as long: as much again is assumed.",
    ),
}
_WHY: Final = {
    **{
        COLLECT_REASON.format(arrears=arrears, waiting=waiting): Text(
            f"{late.es}; {more.es}", f"{late.en}; {more.en}"
        )
        for arrears, late in _ARREARS.items()
        for waiting, more in _WAITING.items()
    },
    Lying.UNSENT.value: Text(
        "Emitido hace {age_days:days} y aún sin enviar.", "Issued {age_days:days} ago and not sent yet."
    ),
    Lying.RETURNED.value: Text(
        "Devuelto hace {returned_days:days}, sin motivo registrado.",
        "Returned {returned_days:days} ago, for no recorded reason.",
    ),
    Lying.RETURNED_FOR.value: Text(
        "Devuelto hace {returned_days:days}: {rejection_reason:reason}.",
        "Returned {returned_days:days} ago: {rejection_reason:reason}.",
    ),
    Lying.UNDATED.value: Text(
        "Devuelto en fecha desconocida, sin motivo registrado; emitido hace {age_days:days}.",
        "Returned on an unknown date, for no recorded reason; issued {age_days:days} ago.",
    ),
    Lying.UNDATED_FOR.value: Text(
        "Devuelto en fecha desconocida: {rejection_reason:reason}; emitido hace {age_days:days}.",
        "Returned on an unknown date: {rejection_reason:reason}; issued {age_days:days} ago.",
    ),
}

LABELS: Final[Mapping[Kind, Mapping[str, Text]]] = {
    Kind.STATE: {
        State.REVISION.value: Text("En revisión", "In revision"),
        State.SENT.value: Text("Enviado", "Sent"),
        State.PENDING.value: Text("Pendiente", "Pending"),
        State.VALIDATED.value: Text("Validado", "Validated"),
        State.PAID.value: Text("Pagado", "Paid"),
        State.REJECTED.value: Text("Devuelto por el cliente", "Returned by client"),
        State.CANCELLED.value: Text("Anulado", "Canceled"),
    },
    Kind.WHY: _WHY,
    Kind.BUCKET: {
        NOT_DUE: Text("Por vencer", "Not yet due"),
        **{
            label: Text(f"{first}\N{EN DASH}{last} días", f"{first}\N{EN DASH}{last} days")
            if last is not None
            else Text(f"más de {first - 1} días", f"over {first - 1} days")
            for label, first, last in AGEING_BUCKETS
        },
        UNDATED: Text("Sin fecha", "Undated"),
    },
    Kind.AMOUNT_BAND: {
        "bajo": Text("Bajo", "Low"),
        "medio": Text("Medio", "Medium"),
        "alto": Text("Alto", "High"),
        "muy alto": Text("Muy alto", "Very high"),
    },
    Kind.STAGE: {
        "issue_to_sent": Text("Emisión a envío", "Issue to sending"),
        "sent_to_conformity": Text("Envío a conformidad", "Sending to acceptance"),
        "conformity_to_payment": Text("Conformidad a pago", "Acceptance to payment"),
    },
    Kind.KPI: {
        "dso": Text("DSO (días)", "DSO (days)"),
        "overdue_share": Text("% vencido", "Overdue share"),
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
    Kind.REASON: {
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
    },
}
"""Labels of the values of each kind; a value without one stands for itself."""
