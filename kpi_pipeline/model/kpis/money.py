"""KPIs of amounts: what is claimed, approved, paid and out there."""

from typing import Final

from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import (
    Ratio,
    Total,
    plain,
)
from kpi_pipeline.model.labels import Text

_UP, _DOWN, _NEUTRAL = Direction.UP, Direction.DOWN, Direction.NEUTRAL


def money(
    name: str, es: str, en: str, component: str, direction: Direction, meaning: Text, count: str = ""
) -> Kpi:
    """A KPI that is one amount; `count` is the KPI that counts the certificates behind it."""
    return Kpi(name, Text(es, en), Unit.MONEY, Total(plain(component)), direction, True, meaning, count=count)


def count(name: str, es: str, en: str, component: str, direction: Direction, meaning: Text) -> Kpi:
    """A KPI that is one number of certificates."""
    return Kpi(name, Text(es, en), Unit.COUNT, Total(plain(component)), direction, False, meaning)


MONEY: Final[tuple[Kpi, ...]] = (
    money(
        "proposed",
        "Propuesto",
        "Proposed",
        "proposed_amount",
        _UP,
        Text(
            "Monto propuesto de los certificados emitidos en el periodo; las notas de crédito lo reducen y "
            "los anulados no cuentan.",
            "Claimed amount of certificates issued in the period; credit notes reduce it, canceled ones "
            "are left out.",
        ),
        "certificates",
    ),
    money(
        "approved",
        "Aprobado",
        "Approved",
        "approved_amount",
        _UP,
        Text(
            "Monto aprobado de los certificados con conformidad dada en el periodo.",
            "Approved amount of certificates accepted in the period.",
        ),
    ),
    money(
        "paid",
        "Cobrado",
        "Collected",
        "paid_amount",
        _UP,
        Text(
            "Lo que los clientes pagaron en el periodo, según el día de pago, con pagos parciales y "
            "anticipos.",
            "What clients paid in the period, by the day of payment, part payments and advances included.",
        ),
        "paid_count",
    ),
    money(
        "receivable",
        "Por cobrar",
        "Receivables",
        "receivable_amount",
        _DOWN,
        Text(
            "Presentado al cliente y no pagado: enviado y sin respuesta, o con conformidad.",
            "Claimed from the client and unpaid: sent and not answered, or accepted.",
        ),
        "receivable_count",
    ),
    money(
        "pending",
        "Pendiente",
        "Pending",
        "pending_amount",
        _DOWN,
        Text(
            "En revisión, o enviado y sin respuesta.",
            "In revision, or sent and not answered.",
        ),
    ),
    money(
        "portfolio",
        "Cartera total",
        "Total portfolio",
        "portfolio_amount",
        _NEUTRAL,
        Text(
            "Lo que está por cobrar y lo que aún no se envía; sin lo devuelto ni lo pagado.",
            "Receivables and what is not sent yet; neither what was returned nor what is paid.",
        ),
    ),
    money(
        "returned",
        "Devuelto",
        "Returned",
        "returned_amount",
        _DOWN,
        Text(
            "El cliente lo devolvió o pidió retrabajo, y no se ha vuelto a enviar: la empresa debe "
            "corregirlo.",
            "Refused by the client or sent back for rework, and not sent again: the firm must correct it.",
        ),
        "returned_count",
    ),
    money(
        "unsent",
        "Sin enviar",
        "Not sent",
        "unsent_amount",
        _DOWN,
        Text(
            "Preparado o en revisión, nunca enviado al cliente.",
            "Prepared or in revision, never sent to the client.",
        ),
        "unsent_count",
    ),
    money(
        "retained",
        "Retenido",
        "Retained",
        "retained_amount",
        _NEUTRAL,
        Text(
            "Parte de lo que tiene conformidad o está pagado que el cliente retiene hasta que se libere.",
            "Part of accepted or paid certificates that clients keep back until it is released.",
        ),
    ),
    money(
        "overdue",
        "Vencido",
        "Overdue",
        "overdue_amount",
        _DOWN,
        Text(
            "Por cobrar y pasada la fecha estimada de pago; sin ella, pasado el plazo de pago de "
            "{payment_term_days} días desde la conformidad o, si falta, desde el envío.",
            "Receivable and past the expected payment date; without one, past the payment term of "
            "{payment_term_days} days from acceptance, or else from sending.",
        ),
        "overdue_count",
    ),
    Kpi(
        "overdue_share",
        Text("% vencido", "Overdue share"),
        Unit.SHARE,
        Ratio(plain("overdue_amount"), plain("receivable_amount")),
        _DOWN,
        True,
        Text(
            "Monto vencido ÷ cuentas por cobrar.",
            "Overdue ÷ receivables.",
        ),
        is_part=True,
    ),
    count(
        "certificates",
        "Certificados",
        "Certificates",
        "proposed_count",
        _NEUTRAL,
        Text(
            "Certificados emitidos en el periodo, sin notas de crédito ni anulados.",
            "Certificates issued in the period; neither credit notes nor canceled ones.",
        ),
    ),
    count(
        "paid_count",
        "Certificados cobrados",
        "Collected certificates",
        "paid_count",
        _UP,
        Text(
            "Certificados con cobros en el periodo.",
            "Certificates collected in the period.",
        ),
    ),
    count(
        "receivable_count",
        "Certificados por cobrar",
        "Receivable certificates",
        "receivable_count",
        _DOWN,
        Text(
            "Certificados por cobrar: enviados y sin respuesta, o con conformidad.",
            "Receivable certificates: sent and not answered, or accepted.",
        ),
    ),
    count(
        "overdue_count",
        "Certificados vencidos",
        "Overdue certificates",
        "overdue_count",
        _DOWN,
        Text(
            "Certificados por cobrar cuyo vencimiento ya pasó.",
            "Receivable certificates whose due date has passed.",
        ),
    ),
    count(
        "returned_count",
        "Certificados devueltos",
        "Returned certificates",
        "returned_count",
        _DOWN,
        Text(
            "Certificados devueltos que la empresa debe corregir y reenviar.",
            "Returned certificates, which the firm must correct and send again.",
        ),
    ),
    count(
        "unsent_count",
        "Certificados sin enviar",
        "Certificates not sent",
        "unsent_count",
        _DOWN,
        Text(
            "Certificados que aún no se envían.",
            "Certificates not sent yet.",
        ),
    ),
    count(
        "cancelled_count",
        "Certificados anulados",
        "Canceled certificates",
        "cancelled_count",
        _NEUTRAL,
        Text(
            "Certificados anulados, emitidos en el periodo: no están en ninguna otra cifra.",
            "Canceled certificates issued in the period: they are in no other figure.",
        ),
    ),
    count(
        "due_assumed_count",
        "Vencimientos supuestos",
        "Assumed due dates",
        "due_assumed_count",
        _NEUTRAL,
        Text(
            "Certificados por cobrar sin fecha estimada de pago: se supone conformidad, o si falta envío, "
            "más el plazo de pago de {payment_term_days} días.",
            "Receivable certificates without an expected payment date: due = acceptance, or else sending, "
            "+ the payment term of {payment_term_days} days.",
        ),
    ),
    count(
        "approved_assumed_count",
        "Montos aprobados supuestos",
        "Assumed approved amounts",
        "approved_assumed_count",
        _NEUTRAL,
        Text(
            "Certificados con conformidad en el periodo y sin monto aprobado: se usa el propuesto.",
            "Certificates accepted in the period without an approved amount: the proposed one stands in.",
        ),
    ),
    count(
        "high_amount_count",
        "Certificados de monto alto",
        "High-amount certificates",
        "high_count",
        _NEUTRAL,
        Text(
            "Emitidos en el periodo, desde el mayor corte de su moneda.",
            "Issued in the period, of at least the highest cut of its currency.",
        ),
    ),
)
"""In reading order."""
