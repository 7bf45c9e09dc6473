"""KPIs of amounts: what is claimed, approved, paid and out there, and how it grows."""

from typing import Final

from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    Herfindahl,
    Ratio,
    ShareOfAll,
    Term,
    TopShare,
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
            "Claimed amount of certificates issued in the period; credit notes reduce it, cancelled ones "
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
            "El cliente lo rechazó o pidió retrabajo y no se ha vuelto a enviar: la empresa debe corregirlo.",
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
            "Parte de certificados aceptados o pagados que el cliente retiene hasta que se libere.",
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
            "Por cobrar y pasada la fecha estimada de pago; sin ella, pasado el plazo de pago desde la "
            "conformidad o, si falta, desde el envío.",
            "Receivable and past the expected payment date; without one, past the payment term from "
            "acceptance, or else from sending.",
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
            "Vencido ÷ por cobrar.",
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
            "Certificates issued in the period; neither credit notes nor cancelled ones.",
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
            "Certificados vencidos.",
            "Overdue certificates.",
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
        "Cancelled certificates",
        "cancelled_count",
        _NEUTRAL,
        Text(
            "Certificados anulados, emitidos en el periodo: no están en ninguna otra cifra.",
            "Annulled certificates issued in the period: they are in no other figure.",
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
            "más el plazo de pago.",
            "Receivable certificates without an expected payment date: due = acceptance, or else sending, "
            "+ payment term.",
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
    Kpi(
        "average_certificate",
        Text("Certificado promedio", "Average certificate"),
        Unit.MONEY,
        Ratio(plain("proposed_amount"), plain("proposed_count")),
        _NEUTRAL,
        True,
        Text(
            "Propuesto ÷ certificados emitidos en el periodo.",
            "Proposed amount ÷ certificates issued in the period.",
        ),
        basis=Text(
            "{numerator} ÷ {count} {count:certificado|certificados}",
            "{numerator} ÷ {count} {count:certificate|certificates}",
        ),
    ),
    Kpi(
        "approval_rate",
        Text("Tasa de aprobación", "Approval rate"),
        Unit.SHARE,
        Ratio(plain("approved_amount"), plain("decided_proposed_amount")),
        _UP,
        True,
        Text(
            "Monto aprobado ÷ monto propuesto de lo que el cliente respondió en el periodo: aceptado o "
            "devuelto.",
            "Approved amount ÷ proposed amount of what the client answered in the period: accepted or "
            "returned.",
        ),
    ),
    Kpi(
        "approval_rate_count",
        Text("Tasa de aprobación (n.º)", "Approval rate (count)"),
        Unit.SHARE,
        Ratio(plain("approved_count"), plain("decided_count")),
        _UP,
        False,
        Text(
            "Aceptados ÷ aceptados o devueltos en el periodo.",
            "Accepted ÷ accepted or returned in the period.",
        ),
        is_part=True,
    ),
    Kpi(
        "recovery_rate",
        Text("Tasa de recuperación", "Recovery rate"),
        Unit.SHARE,
        Ratio(plain("paid_amount"), plain("approved_amount")),
        _UP,
        True,
        Text(
            "Cobrado ÷ aprobado en el periodo.",
            "Collected ÷ approved amount in the period.",
        ),
    ),
    Kpi(
        "collection_effectiveness",
        Text("Índice de efectividad de cobranza", "Collection effectiveness index"),
        Unit.SHARE,
        Ratio(plain("paid_amount"), plain("paid_amount", "overdue_amount")),
        _UP,
        True,
        Text(
            "CEI: cobrado en el periodo ÷ (cobrado en el periodo + vencido a la fecha).",
            "CEI: collected in the period ÷ (collected in the period + overdue on the date). It is "
            "(beginning receivables + billing - ending receivables) ÷ (beginning receivables + billing - "
            "ending receivables not yet overdue), as what leaves receivables is collected.",
        ),
    ),
    Kpi(
        "monthly_target",
        Text("Avance respecto de la meta mensual", "Progress to the monthly target"),
        Unit.SHARE,
        AgainstTarget("month"),
        _UP,
        True,
        Text(
            "Aprobado en el mes hasta la fecha ÷ meta mensual; solo de toda la empresa.",
            "Approved in the month up to the date ÷ monthly target; of the whole firm only.",
        ),
        target=1.0,
    ),
    Kpi(
        "annual_target",
        Text("Avance respecto de la meta anual", "Progress to the annual target"),
        Unit.SHARE,
        AgainstTarget("year"),
        _UP,
        True,
        Text(
            "Aprobado desde enero ÷ doce metas mensuales; solo de toda la empresa.",
            "Approved since January ÷ twelve monthly targets; of the whole firm only.",
        ),
        target=1.0,
    ),
    Kpi(
        "run_rate",
        Text("Ritmo anualizado", "Run rate"),
        Unit.MONEY,
        Total((Term("billed_quarter", 4),)),
        _UP,
        True,
        Text(
            "Facturado en los últimos tres meses completos, por cuatro: según el día de emisión, el monto "
            "aprobado si hay conformidad y, si no, el propuesto.",
            "Billed in the last three complete months, times four: by day of issue, the approved amount "
            "once accepted, else the claimed one.",
        ),
    ),
    Kpi(
        "growth_month",
        Text("Crecimiento mensual", "Growth month on month"),
        Unit.SHARE,
        Ratio(
            (Term("proposed_last_month"), Term("proposed_month_before", -1)),
            plain("proposed_month_before"),
        ),
        _UP,
        True,
        Text(
            "Monto propuesto de lo emitido en el último mes completo frente al mes anterior.",
            "Claimed amount of certificates issued in the last complete month against the month before it.",
        ),
    ),
    Kpi(
        "growth_year",
        Text("Crecimiento anual", "Growth year on year"),
        Unit.SHARE,
        Ratio(
            (Term("proposed_last_month"), Term("proposed_month_year_before", -1)),
            plain("proposed_month_year_before"),
        ),
        _UP,
        True,
        Text(
            "Monto propuesto de lo emitido en el último mes completo frente al mismo mes del año anterior.",
            "Claimed amount of certificates issued in the last complete month against the same month a "
            "year before.",
        ),
    ),
    Kpi(
        "revenue_share",
        Text("Participación en lo aprobado", "Share of all approved"),
        Unit.SHARE,
        ShareOfAll("approved_amount"),
        _NEUTRAL,
        True,
        Text(
            "Monto aprobado del filtro en el periodo ÷ el de todos los certificados.",
            "Approved amount of the filter in the period ÷ that of all certificates.",
        ),
        is_part=True,
    ),
    Kpi(
        "top_client_share",
        Text("Concentración en el mayor cliente", "Share of the largest client"),
        Unit.SHARE,
        TopShare("client", "approved_amount"),
        _DOWN,
        True,
        Text(
            "Parte del mayor cliente en el monto aprobado del periodo.",
            "Largest client's share of the amount approved in the period.",
        ),
        is_part=True,
    ),
    Kpi(
        "client_concentration",
        Text("Índice Herfindahl de clientes", "Client concentration (Herfindahl)"),
        Unit.SHARE,
        Herfindahl("client", "approved_amount"),
        _DOWN,
        True,
        Text(
            "Índice de Herfindahl-Hirschman: suma de los cuadrados de las partes de los clientes en el "
            "monto aprobado del periodo.",
            "Herfindahl-Hirschman index: sum of the squared shares of the clients in the amount approved "
            "in the period.",
        ),
        is_part=True,
        # Squares of amounts mean nothing to a reader.
        basis=Text("", ""),
    ),
)
"""In reading order."""
