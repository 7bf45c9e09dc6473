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
_CLAIM = (
    "Claimed amount of certificates issued in the window; credit notes reduce it, cancelled ones are left "
    "out."
)
_RECEIVABLE = "Claimed from the client and unpaid: sent and not answered, or accepted."
_RETURNED = "Refused by the client or sent back for rework, and not sent again: the firm must correct it."
_UNSENT = "Prepared or in revision, never sent to the client."


def money(
    name: str, es: str, en: str, component: str, direction: Direction, source: str, count: str = ""
) -> Kpi:
    """A KPI that is one amount; `count` is the KPI that counts the certificates behind it."""
    return Kpi(name, Text(es, en), Unit.MONEY, Total(plain(component)), direction, True, source, count=count)


def count(name: str, es: str, en: str, component: str, direction: Direction, source: str) -> Kpi:
    """A KPI that is one number of certificates."""
    return Kpi(name, Text(es, en), Unit.COUNT, Total(plain(component)), direction, False, source)


MONEY: Final[tuple[Kpi, ...]] = (
    money("proposed", "Propuesto", "Proposed", "proposed_amount", _UP, _CLAIM, "certificates"),
    money(
        "approved",
        "Aprobado",
        "Approved",
        "approved_amount",
        _UP,
        "Approved amount of certificates accepted in the window.",
    ),
    money(
        "paid",
        "Cobrado",
        "Collected",
        "paid_amount",
        _UP,
        "What clients paid in the window, by the day of payment, part payments and advances included.",
        "paid_count",
    ),
    money(
        "receivable", "Por cobrar", "Receivables", "receivable_amount", _DOWN, _RECEIVABLE, "receivable_count"
    ),
    money("pending", "Pendiente", "Pending", "pending_amount", _DOWN, "In revision, or sent: not answered."),
    money(
        "portfolio",
        "Cartera total",
        "Total portfolio",
        "portfolio_amount",
        _NEUTRAL,
        "Receivables and what is not sent yet; neither what was returned nor what is paid.",
    ),
    money("returned", "Devuelto", "Returned", "returned_amount", _DOWN, _RETURNED, "returned_count"),
    money("unsent", "Sin enviar", "Not sent", "unsent_amount", _DOWN, _UNSENT, "unsent_count"),
    money(
        "retained",
        "Retenido",
        "Retained",
        "retained_amount",
        _NEUTRAL,
        "Part of accepted or paid certificates that clients keep back until it is released.",
    ),
    money(
        "overdue",
        "Vencido",
        "Overdue",
        "overdue_amount",
        _DOWN,
        "Receivable and as_of is after the expected payment date; where there is none, after acceptance, or "
        "else sending, + payment term.",
        "overdue_count",
    ),
    Kpi(
        "overdue_share",
        Text("% vencido", "Overdue share"),
        Unit.SHARE,
        Ratio(plain("overdue_amount"), plain("receivable_amount")),
        _DOWN,
        True,
        "Overdue / receivables.",
        is_part=True,
    ),
    count(
        "certificates",
        "Certificados",
        "Certificates",
        "proposed_count",
        _NEUTRAL,
        "Certificates issued in the window; neither credit notes nor cancelled ones.",
    ),
    count(
        "paid_count",
        "Certificados cobrados",
        "Collected certificates",
        "paid_count",
        _UP,
        "As collected, counted.",
    ),
    count(
        "receivable_count",
        "Certificados por cobrar",
        "Receivable certificates",
        "receivable_count",
        _DOWN,
        _RECEIVABLE,
    ),
    count(
        "overdue_count",
        "Certificados vencidos",
        "Overdue certificates",
        "overdue_count",
        _DOWN,
        "As overdue, counted.",
    ),
    count(
        "returned_count",
        "Certificados devueltos",
        "Returned certificates",
        "returned_count",
        _DOWN,
        "As returned, counted.",
    ),
    count(
        "unsent_count",
        "Certificados sin enviar",
        "Certificates not sent",
        "unsent_count",
        _DOWN,
        "As not sent, counted.",
    ),
    count(
        "cancelled_count",
        "Certificados anulados",
        "Cancelled certificates",
        "cancelled_count",
        _NEUTRAL,
        "Annulled certificates issued in the window: they are in no other figure.",
    ),
    count(
        "due_assumed_count",
        "Vencimientos supuestos",
        "Assumed due dates",
        "due_assumed_count",
        _NEUTRAL,
        "Receivable certificates without an expected payment date: due = acceptance, or else sending, + "
        "payment term.",
    ),
    count(
        "approved_assumed_count",
        "Montos aprobados supuestos",
        "Assumed approved amounts",
        "approved_assumed_count",
        _NEUTRAL,
        "Certificates accepted in the window without an approved amount: the proposed one stands in.",
    ),
    count(
        "high_amount_count",
        "Certificados de monto alto",
        "High-amount certificates",
        "high_count",
        _NEUTRAL,
        "Issued in the window, of at least the highest cut of its currency (10,000,000 CLP).",
    ),
    Kpi(
        "average_certificate",
        Text("Certificado promedio", "Average certificate"),
        Unit.MONEY,
        Ratio(plain("proposed_amount"), plain("proposed_count")),
        _NEUTRAL,
        True,
        "Proposed amount / certificates issued in the window.",
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
        "Approved amount / proposed amount of the certificates that the client answered in the window: "
        "accepted or returned.",
    ),
    Kpi(
        "approval_rate_count",
        Text("Tasa de aprobación (n.º)", "Approval rate (count)"),
        Unit.SHARE,
        Ratio(plain("approved_count"), plain("decided_count")),
        _UP,
        False,
        "Accepted / accepted or returned in the window.",
        is_part=True,
    ),
    Kpi(
        "recovery_rate",
        Text("Tasa de recuperación", "Recovery rate"),
        Unit.SHARE,
        Ratio(plain("paid_amount"), plain("approved_amount")),
        _UP,
        True,
        "Collected / approved amount in the window.",
    ),
    Kpi(
        "collection_effectiveness",
        Text("Índice de efectividad de cobranza", "Collection effectiveness index"),
        Unit.SHARE,
        Ratio(plain("paid_amount"), plain("paid_amount", "overdue_amount")),
        _UP,
        True,
        "CEI: collected in the window / (collected in the window + overdue on the day). It is (beginning "
        "receivables + billing - ending receivables) / (beginning receivables + billing - ending receivables "
        "not yet overdue), as what leaves receivables is collected.",
    ),
    Kpi(
        "monthly_target",
        Text("Avance respecto de la meta mensual", "Progress to the monthly target"),
        Unit.SHARE,
        AgainstTarget("month"),
        _UP,
        True,
        "Approved in the month up to the day / monthly target; of the whole firm only.",
        target=1.0,
    ),
    Kpi(
        "annual_target",
        Text("Avance respecto de la meta anual", "Progress to the annual target"),
        Unit.SHARE,
        AgainstTarget("year"),
        _UP,
        True,
        "Approved since January / twelve monthly targets; of the whole firm only.",
        target=1.0,
    ),
    Kpi(
        "run_rate",
        Text("Ritmo anualizado", "Run rate"),
        Unit.MONEY,
        Total((Term("billed_quarter", 4),)),
        _UP,
        True,
        "Billed in the last three complete months, times four: by day of issue, the approved amount once "
        "accepted, else the claimed one.",
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
        "Claimed amount of certificates issued in the last complete month against the month before it.",
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
        "Claimed amount of certificates issued in the last complete month against the same month a year "
        "before.",
    ),
    Kpi(
        "revenue_share",
        Text("Participación en lo aprobado", "Share of all approved"),
        Unit.SHARE,
        ShareOfAll("approved_amount"),
        _NEUTRAL,
        True,
        "Approved amount of the filter in the window / that of all certificates.",
        is_part=True,
    ),
    Kpi(
        "top_client_share",
        Text("Concentración en el mayor cliente", "Share of the largest client"),
        Unit.SHARE,
        TopShare("client", "approved_amount"),
        _DOWN,
        True,
        "Largest client's share of the amount approved in the window.",
        is_part=True,
    ),
    Kpi(
        "client_concentration",
        Text("Índice Herfindahl de clientes", "Client concentration (Herfindahl)"),
        Unit.SHARE,
        Herfindahl("client", "approved_amount"),
        _DOWN,
        True,
        "Herfindahl-Hirschman index: sum of the squared shares of the clients in the amount approved "
        "in the window.",
        is_part=True,
        # Squares of amounts mean nothing to a reader.
        basis=Text("", ""),
    ),
)
"""In reading order."""
