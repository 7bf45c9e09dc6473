"""The tables of pages: what each is called and which columns it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.labels import Text
from serving.pages.kinds import TableKind


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table.

    Attributes:
        name: Its key in payloads.
        label: Its head.
        kind: What its values are.
        dimension: Of which dimension they are values, so that they lead to it; empty where of none.
    """

    name: str
    label: Text
    kind: TableKind
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, of rows as they are published.

    Attributes:
        name: Its key in payloads and in the catalogue's pages.
        title: Its title.
        note: What is to be known of it.
        nothing: Said instead where it has no rows.
        columns: Its columns, in order.
    """

    name: str
    title: Text
    note: Text
    nothing: Text
    columns: tuple[TableColumn, ...]


_CURRENCY: Final = TableColumn("currency", Text("Moneda", "Currency"), "currency")
_NO_COSTS: Final = Text("No hay costos con este filtro.", "There are no costs under this filter.")


def _money(name: str, es: str, en: str) -> TableColumn:
    return TableColumn(name, Text(es, en), "money")


def _share(name: str, es: str, en: str) -> TableColumn:
    return TableColumn(name, Text(es, en), "share")


def _days(name: str, es: str, en: str) -> TableColumn:
    return TableColumn(name, Text(es, en), "days")


def _count(name: str, es: str, en: str) -> TableColumn:
    return TableColumn(name, Text(es, en), "count")


def _name(name: str, es: str, en: str, dimension: str = "") -> TableColumn:
    return TableColumn(name, Text(es, en), "name", dimension)


_CERTIFICATES: Final = _count("count", "Certificados", "Certificates")
_AMOUNT: Final = _money("amount", "Monto", "Amount")
_APPROVED: Final = _money("approved", "Aprobado", "Approved")
_PROFIT: Final = (
    _CURRENCY,
    _APPROVED,
    _money("costs", "Costos", "Costs"),
    _money("margin", "Margen", "Margin"),
    _share("margin_share", "Margen (%)", "Margin (%)"),
)

CRITICAL_CERTIFICATES: Final = Table(
    "critical_certificates",
    Text("Certificados críticos", "Critical certificates"),
    Text(
        "Los veinte más urgentes. La urgencia, de 0 a 100, pesa los días desde el envío, el monto y los días "
        "de vencido.",
        "The twenty most urgent. Urgency, from 0 to 100, weighs days since sending, amount and days overdue.",
    ),
    Text("Ningún certificado es crítico.", "No certificate is critical."),
    (
        TableColumn("certificate_id", Text("Certificado", "Certificate"), "text"),
        _name("project", "Proyecto", "Project", "project"),
        _name("client", "Cliente", "Client", "client"),
        _name("project_manager", "Jefe de proyecto", "Project manager", "project_manager"),
        TableColumn("state", Text("Estado", "State"), "state", "state"),
        _CURRENCY,
        _AMOUNT,
        TableColumn("sent_on", Text("Enviado el", "Sent on"), "day"),
        _days("days", "Días desde el envío", "Days since sending"),
        _days("overdue_days", "Días de vencido", "Days overdue"),
        TableColumn("urgency", Text("Urgencia", "Urgency"), "urgency"),
    ),
)

PROJECT_MANAGERS: Final = Table(
    "project_managers",
    Text("Jefes de proyecto", "Project managers"),
    Text("Los treinta con más aprobado.", "The thirty with the largest approved amounts."),
    Text("Ningún jefe de proyecto tiene montos.", "No project manager has any amount."),
    (
        _name("project_manager", "Jefe de proyecto", "Project manager", "project_manager"),
        _CURRENCY,
        _count("certificates", "Certificados", "Certificates"),
        _APPROVED,
        _money("receivable", "Por cobrar", "Receivable"),
        _money("overdue", "Vencido", "Overdue"),
        _money("critical", "Crítico", "Critical"),
        _share("approval_rate", "Tasa de aprobación", "Approval rate"),
        _days("dso", "DSO (días)", "DSO (days)"),
    ),
)

REJECTION_REASONS: Final = Table(
    "rejection_reasons",
    Text("Motivos de rechazo", "Reasons of rejection"),
    Text(
        "De los certificados rechazados que dicen su motivo; monto propuesto.",
        "Of rejected certificates that state their reason; proposed amount.",
    ),
    Text("Ningún rechazo dice su motivo.", "No rejection states its reason."),
    (TableColumn("reason", Text("Motivo", "Reason"), "reason"), _CURRENCY, _CERTIFICATES, _AMOUNT),
)

FAILURE_KINDS: Final = Table(
    "failure_kinds",
    Text("Tipos de falla", "Kinds of failure"),
    Text(
        "De los certificados rechazados o con re-trabajo que dicen su falla; monto propuesto.",
        "Of rejected or reworked certificates that state their failure; proposed amount.",
    ),
    Text("Ningún certificado dice su falla.", "No certificate states a failure."),
    (
        TableColumn("kind", Text("Tipo de falla", "Kind of failure"), "reason"),
        _CURRENCY,
        _CERTIFICATES,
        _AMOUNT,
    ),
)

SUPPLIERS: Final = Table(
    "suppliers",
    Text("Proveedores", "Suppliers"),
    Text("Los diez con más costos; monto neto.", "The ten with the largest costs; net amount."),
    _NO_COSTS,
    (_name("supplier", "Proveedor", "Supplier"), _CURRENCY, _AMOUNT, _count("count", "Facturas", "Invoices")),
)

COST_CATEGORIES: Final = Table(
    "cost_categories",
    Text("Categorías de costo", "Cost categories"),
    Text("Las diez con más costos; monto neto.", "The ten with the largest costs; net amount."),
    _NO_COSTS,
    (_name("category", "Categoría", "Category"), _CURRENCY, _AMOUNT, _count("count", "Facturas", "Invoices")),
)

WORKING_CAPITAL: Final = Table(
    "working_capital",
    Text("Capital de trabajo", "Working capital"),
    Text(
        "Cuánta caja liberaría cobrar en los días de la meta o de la industria.",
        "How much cash collecting within the target's or the industry's days would free.",
    ),
    Text("No hay nada por cobrar.", "Nothing is receivable."),
    (
        _CURRENCY,
        _days("dso", "DSO (días)", "DSO (days)"),
        _days("target_days", "Meta (días)", "Target (days)"),
        _days("benchmark_days", "Industria (días)", "Industry (days)"),
        _days("gap_days", "Brecha (días)", "Gap (days)"),
        _money("daily_billing", "Facturación diaria", "Daily billing"),
        _money("cash_tied", "Caja por liberar (meta)", "Cash to free (target)"),
        _money("cash_tied_benchmark", "Caja por liberar (industria)", "Cash to free (industry)"),
    ),
)

PROFITABILITY_NAME: Final = "profitability"

PROFITABILITY: Final[Mapping[str, Table]] = {
    one.name: one
    for one in (
        Table(
            "project",
            Text("Rentabilidad por proyecto", "Profitability by project"),
            Text("Los quince con más aprobado.", "The fifteen with the largest approved amounts."),
            Text("Ningún proyecto tiene montos.", "No project has any amount."),
            (_name("value", "Proyecto", "Project", "project"), *_PROFIT),
        ),
        Table(
            "client",
            Text("Rentabilidad por cliente", "Profitability by client"),
            Text("Los quince con más aprobado.", "The fifteen with the largest approved amounts."),
            Text("Ningún cliente tiene montos.", "No client has any amount."),
            (_name("value", "Cliente", "Client", "client"), *_PROFIT),
        ),
        Table(
            "project_manager",
            Text("Rentabilidad por jefe de proyecto", "Profitability by project manager"),
            Text("Los quince con más aprobado.", "The fifteen with the largest approved amounts."),
            Text("Ningún jefe de proyecto tiene montos.", "No project manager has any amount."),
            (
                _name("value", "Jefe de proyecto", "Project manager", "project_manager"),
                *_PROFIT,
            ),
        ),
    )
}
"""By the dimension that they tell apart."""

PLAIN_TABLES: Final[Mapping[str, Table]] = {
    one.name: one
    for one in (
        CRITICAL_CERTIFICATES,
        PROJECT_MANAGERS,
        REJECTION_REASONS,
        FAILURE_KINDS,
        SUPPLIERS,
        COST_CATEGORIES,
        WORKING_CAPITAL,
    )
}
"""Tables that are published as a list of rows, by name."""
