"""The tables of pages: what each is called, which columns it has and where its rows come from.

A table of `ByDimension`, `ByKey` or `WorkList` is computed from its declaration alone. Any other has a
builder of its own in `compute.blocks.tables`.
"""

from typing import Final

from kpi_pipeline.model.columns import (
    AMOUNT,
    APPROVED,
    CERTIFICATES,
    CURRENCY,
    MONTH,
    OVERDUE,
    RECEIVABLE,
    Column,
    count,
    days,
    money,
    name_of,
    share,
)
from kpi_pipeline.model.kpis.formulas import Ratio, Term, Total, plain
from kpi_pipeline.model.labels import Kind, Text
from kpi_pipeline.model.tables.entry import ByDimension, ByKey, Table, WorkList
from kpi_pipeline.model.work_lists import FEWEST_LONGER_PAYMENTS, WorkListName

__all__ = [
    "STATEMENT_FLOWS",
    "TABLES",
    "URGENCY_MEANINGS",
    "ByDimension",
    "ByKey",
    "Table",
    "WorkList",
    "tables_in",
]

STATEMENT_FLOWS: Final = {
    "billed": "proposed_amount",
    "approved": "approved_amount",
    "collected": "paid_amount",
}
"""By line of the statement, the component of which it is the flow by the month of its event."""

_NO_COSTS: Final = Text("No hay costos con este filtro.", "There are no costs under this filter.")
_COSTS: Final = plain("cost_opex_amount", "cost_capex_amount")
_CERTIFICATE: Final = (
    Column("certificate_id", Text("Certificado", "Certificate"), Kind.TEXT),
    name_of("project", "Proyecto", "Project"),
    name_of("client", "Cliente", "Client"),
    name_of("project_manager", "Jefe de proyecto", "Project manager"),
    Column("state", Text("Estado", "State"), Kind.STATE, "state"),
)
_WHY: Final = Column("why", Text("Por qué", "Why"), Kind.WHY)
_URGENCY: Final = money("urgency", "Urgencia (monto × días)", "Urgency (amount × days)")
URGENCY_MEANINGS: Final = {
    WorkListName.COLLECT_TODAY: Text(
        "La urgencia es el monto por los días de espera adicional: cuánto más tardaron, en promedio, los "
        "pagos del cliente que demoraron más que los días que lleva emitido el certificado. Con menos de "
        f"{FEWEST_LONGER_PAYMENTS} pagos así, se promedian los de todos los clientes; sin ninguno, se "
        "cuentan los días que lleva emitido.",
        "Urgency is the amount times the expected further days: how much longer, on average, those of the "
        "client's payments took that took longer than the certificate's days since issue. With fewer than "
        f"{FEWEST_LONGER_PAYMENTS} such payments, those of all clients are averaged; with none, the days "
        "since its issue count.",
    ),
    WorkListName.CORRECT_AND_RESEND: Text(
        "La urgencia es el monto por los días desde la devolución o, si no hubo o no se conoce su fecha, "
        "desde la emisión; como mínimo, un día.",
        "Urgency is the amount times the days since the return or, where there was none or its date is "
        "unknown, since issue; at least one day.",
    ),
}
"""What ranks the certificates of the work lists that are acted upon, for readers."""

_MARGIN: Final = (Term("approved_amount"), *(Term(term.component, factor=-1) for term in _COSTS))


def _profitability(dimension: str, es: str, en: str, nothing: Text) -> Table:
    return Table(
        dimension,
        Text(f"Rentabilidad por {es.lower()}", f"Profitability by {en.lower()}"),
        Text("Los quince con mayor monto aprobado.", "The fifteen with the largest approved amounts."),
        nothing,
        (
            name_of(dimension, es, en, name="value"),
            CURRENCY,
            APPROVED,
            money("costs", "Costos", "Costs"),
            money("margin", "Margen", "Margin"),
            share("margin_share", "Margen (%)", "Margin (%)"),
        ),
        ByDimension(
            dimension,
            {
                "approved": Total(plain("approved_amount")),
                "costs": Total(_COSTS),
                "margin": Total(_MARGIN),
                "margin_share": Ratio(_MARGIN, plain("approved_amount")),
            },
            ranked_by="approved",
            top=15,
            by_size=True,
        ),
        block="profitability",
        needs_costs=True,
    )


TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        Table(
            WorkListName.COLLECT_TODAY.value,
            Text("Cobrar hoy", "Collect today"),
            Text(
                "Los veinte certificados por cobrar más urgentes, de los vencidos o críticos. "
                + URGENCY_MEANINGS[WorkListName.COLLECT_TODAY].es,
                "The twenty most urgent receivable certificates that are overdue or critical. "
                + URGENCY_MEANINGS[WorkListName.COLLECT_TODAY].en,
            ),
            Text(
                "Ningún certificado por cobrar está vencido o es crítico.",
                "No receivable certificate is overdue or critical.",
            ),
            (
                *_CERTIFICATE,
                _WHY,
                CURRENCY,
                AMOUNT,
                Column("sent_on", Text("Enviado el", "Sent on"), Kind.DAY),
                days("days", "Días desde el envío", "Days since sending"),
                days("overdue_days", "Días de atraso", "Days overdue"),
                days("expected_days", "Días de espera adicional", "Expected further days"),
                _URGENCY,
            ),
            WorkList(),
        ),
        Table(
            WorkListName.CORRECT_AND_RESEND.value,
            Text("Corregir y reenviar", "Correct and resend"),
            Text(
                "Los veinte certificados más urgentes, de los devueltos por el cliente o aún sin enviar. "
                + URGENCY_MEANINGS[WorkListName.CORRECT_AND_RESEND].es,
                "The twenty most urgent certificates that the client returned or that were not sent yet. "
                + URGENCY_MEANINGS[WorkListName.CORRECT_AND_RESEND].en,
            ),
            Text("Ningún certificado está devuelto o sin enviar.", "No certificate is returned or unsent."),
            (
                *_CERTIFICATE,
                _WHY,
                CURRENCY,
                AMOUNT,
                Column("rejection_reason", Text("Motivo de devolución", "Reason for return"), Kind.REASON),
                days("returned_days", "Días desde la devolución", "Days since return"),
                days("age_days", "Días desde la emisión", "Days since issue"),
                _URGENCY,
            ),
            WorkList(),
        ),
        Table(
            WorkListName.OLDEST_OPEN.value,
            Text("Partida abierta más antigua", "Oldest open item"),
            Text(
                "El certificado por cobrar que se emitió hace más tiempo.",
                "The receivable certificate that was issued the longest ago.",
            ),
            Text("No hay cuentas por cobrar.", "There are no receivables."),
            (
                *_CERTIFICATE[:3],
                CURRENCY,
                AMOUNT,
                days("age_days", "Días desde la emisión", "Days since issue"),
                days("overdue_days", "Días de atraso", "Days overdue"),
            ),
            WorkList(top=1),
        ),
        Table(
            "project_managers",
            Text("Jefes de proyecto", "Project managers"),
            Text("Los treinta con mayor monto aprobado.", "The thirty with the largest approved amounts."),
            Text("Ningún jefe de proyecto tiene montos.", "No project manager has any amount."),
            (
                name_of("project_manager", "Jefe de proyecto", "Project manager"),
                CURRENCY,
                count("certificates", "Certificados", "Certificates"),
                APPROVED,
                RECEIVABLE,
                OVERDUE,
                money("critical", "Crítico", "Critical"),
                share("approval_rate", "Tasa de aprobación", "Approval rate"),
                days("dso", "DSO (días)", "DSO (days)"),
            ),
            ByDimension(
                "project_manager",
                {
                    "certificates": Total(plain("proposed_count")),
                    "approved": Total(plain("approved_amount")),
                    "receivable": Total(plain("receivable_amount")),
                    "overdue": Total(plain("overdue_amount")),
                    "critical": Total(plain("critical_amount")),
                    "approval_rate": Ratio(plain("approved_amount"), plain("decided_proposed_amount")),
                    "dso": Ratio(plain("receivable_amount"), plain("billed_amount"), times_days=True),
                },
                ranked_by="approved",
                top=30,
            ),
        ),
        Table(
            "rejection_reasons",
            Text("Motivos de devolución", "Reasons for return"),
            Text(
                "De los certificados devueltos con motivo registrado; monto propuesto.",
                "Returned certificates with a recorded reason; proposed amount.",
            ),
            Text("Ninguna devolución tiene motivo registrado.", "No return has a recorded reason."),
            (Column("reason", Text("Motivo", "Reason"), Kind.REASON), CURRENCY, CERTIFICATES, AMOUNT),
            ByKey("rejection_reason", ("count", "amount")),
        ),
        Table(
            "failure_kinds",
            Text("Tipos de falla", "Kinds of failure"),
            Text(
                "De los certificados devueltos o con retrabajo y falla registrada; monto propuesto.",
                "Returned or reworked certificates with a recorded failure; proposed amount.",
            ),
            Text("Ningún certificado tiene falla registrada.", "No certificate has a recorded failure."),
            (
                Column("kind", Text("Tipo de falla", "Kind of failure"), Kind.REASON),
                CURRENCY,
                CERTIFICATES,
                AMOUNT,
            ),
            ByKey("failure_kind", ("count", "amount")),
        ),
        Table(
            "statement",
            Text("Estado financiero", "Financial statement"),
            Text(
                "Facturado por mes de emisión y aprobado por mes de conformidad; costos por mes de "
                "factura; cobrado y pagado a proveedores, por mes de pago.",
                "Billed by month of issue and approved by month of acceptance; costs by month of invoice; "
                "collected and paid to suppliers, by month of payment.",
            ),
            Text("No hay movimientos en estos meses.", "Nothing happened in these months."),
            (
                MONTH,
                CURRENCY,
                money("billed", "Facturado", "Billed"),
                APPROVED,
                money("collected", "Cobrado", "Collected"),
                money("opex", "OPEX", "OPEX"),
                money("capex", "CAPEX", "CAPEX"),
                money("costs", "Costos", "Costs"),
                money("costs_paid_out", "Pagado a proveedores", "Paid to suppliers"),
                money("margin", "Margen", "Margin"),
                share("margin_share", "Margen (%)", "Margin (%)"),
            ),
            layout="statement",
            needs_costs=True,
        ),
        _profitability(
            "project",
            "Proyecto",
            "Project",
            Text("Ningún proyecto tiene montos.", "No project has any amount."),
        ),
        _profitability(
            "client", "Cliente", "Client", Text("Ningún cliente tiene montos.", "No client has any amount.")
        ),
        _profitability(
            "project_manager",
            "Jefe de proyecto",
            "Project manager",
            Text("Ningún jefe de proyecto tiene montos.", "No project manager has any amount."),
        ),
        Table(
            "suppliers",
            Text("Proveedores", "Suppliers"),
            Text("Los diez con mayores costos; monto neto.", "The ten with the largest costs; net amount."),
            _NO_COSTS,
            (
                Column("supplier", Text("Proveedor", "Supplier"), Kind.NAME),
                CURRENCY,
                AMOUNT,
                count("count", "Facturas", "Invoices"),
            ),
            ByKey("supplier", ("amount",)),
            needs_costs=True,
        ),
        Table(
            "cost_categories",
            Text("Categorías de costo", "Cost categories"),
            Text("Las diez con mayores costos; monto neto.", "The ten with the largest costs; net amount."),
            _NO_COSTS,
            (
                Column("category", Text("Categoría", "Category"), Kind.NAME),
                CURRENCY,
                AMOUNT,
                count("count", "Facturas", "Invoices"),
            ),
            ByKey("cost_category", ("amount",)),
            needs_costs=True,
        ),
        Table(
            "working_capital",
            Text("Capital de trabajo", "Working capital"),
            Text(
                "Caja que se liberaría al cobrar en los días de la meta o de la industria.",
                "Cash that could be released by collecting within the target's or the industry's days.",
            ),
            Text("No hay cuentas por cobrar.", "There are no receivables."),
            (
                CURRENCY,
                days("dso", "DSO (días)", "DSO (days)"),
                days("target_days", "Meta (días)", "Target (days)"),
                days("benchmark_days", "Industria (días)", "Industry (days)"),
                days("gap_days", "Brecha (días)", "Gap (days)"),
                money("daily_billing", "Facturación diaria", "Daily billing"),
                money("cash_tied", "Caja liberable (meta)", "Cash that could be released (target)"),
                money(
                    "cash_tied_benchmark",
                    "Caja liberable (industria)",
                    "Cash that could be released (industry)",
                ),
            ),
        ),
        Table(
            "forecast",
            Text("Cobros esperados", "Expected collections"),
            Text(
                "Cobros de los certificados ya enviados y por cobrar; no incluye lo que se envíe después. "
                "Los intervalos del 50% y del 90% se calibran con los errores de pronósticos anteriores.",
                "Collections of receivable certificates that were already sent; what is sent later is not "
                "included. The 50% and 90% intervals are calibrated on the errors of past forecasts.",
            ),
            Text(
                "No se esperan cobros: no hay cuentas por cobrar.",
                "No collections are expected: there are no receivables.",
            ),
            (
                MONTH,
                CURRENCY,
                money("expected", "Esperado", "Expected"),
                money("low_50", "Mínimo (50%)", "Low (50%)"),
                money("high_50", "Máximo (50%)", "High (50%)"),
                money("low_90", "Mínimo (90%)", "Low (90%)"),
                money("high_90", "Máximo (90%)", "High (90%)"),
            ),
            layout="forecast",
        ),
    )
}
"""Every table, by its name."""


def tables_in(block: str) -> list[Table]:
    """The tables that pages and payloads hold under a name, in order."""
    return [table for table in TABLES.values() if table.held_in == block]
