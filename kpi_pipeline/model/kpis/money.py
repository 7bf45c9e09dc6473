"""KPIs of amounts: what is claimed, approved, paid and out there, and how it grows."""

from typing import Final

from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    Herfindahl,
    Ratio,
    ShareOfAll,
    Span,
    Term,
    TopShare,
    Total,
    plain,
)
from kpi_pipeline.model.labels import Text

_UP, _DOWN, _NEUTRAL = Direction.UP, Direction.DOWN, Direction.NEUTRAL
_CLAIM = "Sum over certificates issued by as_of."
_RECEIVABLE = "Claimed or accepted certificates not yet paid, validated ones included."
_PORTFOLIO = "Certificates neither paid nor rejected, those in revision included."


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
        "Approved amount of certificates that the client has accepted by as_of.",
    ),
    money("paid", "Pagado", "Paid", "paid_amount", _UP, "Approved amount paid by as_of, by billing month."),
    money(
        "collected",
        "Cobrado",
        "Collected",
        "collected_amount",
        _UP,
        "Approved amount paid by as_of, by month of payment, where its day is known.",
    ),
    money(
        "receivable", "Por cobrar", "Receivables", "receivable_amount", _DOWN, _RECEIVABLE, "receivable_count"
    ),
    money("pending", "Pendiente", "Pending", "pending_amount", _DOWN, "In revision, or sent: not answered."),
    money("portfolio", "Cartera total", "Total portfolio", "portfolio_amount", _NEUTRAL, _PORTFOLIO),
    money(
        "overdue",
        "Vencido",
        "Overdue",
        "overdue_amount",
        _DOWN,
        "Not paid and as_of is after the expected payment date, or sent + payment term where there is none.",
        "overdue_count",
    ),
    Kpi(
        "overdue_share",
        Text("% vencido", "Overdue share"),
        Unit.SHARE,
        Ratio(plain("overdue_amount"), plain("open_amount")),
        _DOWN,
        True,
        "Overdue / not paid.",
    ),
    count("certificates", "Certificados", "Certificates", "proposed_count", _NEUTRAL, _CLAIM),
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
        "due_assumed_count",
        "Vencimientos supuestos",
        "Assumed due dates",
        "due_assumed_count",
        _NEUTRAL,
        "Open certificates without an expected payment date: due = sent + payment term.",
    ),
    count(
        "high_amount_count",
        "Certificados de monto alto",
        "High-amount certificates",
        "high_count",
        _NEUTRAL,
        "Proposed amount of at least the first cut of its currency (1,000,000 CLP).",
    ),
    Kpi(
        "average_certificate",
        Text("Certificado promedio", "Average certificate"),
        Unit.MONEY,
        Ratio(plain("proposed_amount"), plain("proposed_count")),
        _NEUTRAL,
        True,
        "Proposed amount / certificates.",
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
        "Approved amount / proposed amount of certificates that the client has accepted or rejected.",
    ),
    Kpi(
        "approval_rate_count",
        Text("Tasa de aprobación (n.º)", "Approval rate (count)"),
        Unit.SHARE,
        Ratio(plain("approved_count"), plain("decided_count")),
        _UP,
        False,
        "Accepted / accepted or rejected certificates.",
    ),
    Kpi(
        "recovery_rate",
        Text("Tasa de recuperación", "Recovery rate"),
        Unit.SHARE,
        Ratio(plain("paid_amount"), plain("approved_amount")),
        _UP,
        True,
        "Paid / approved amount.",
    ),
    Kpi(
        "collection_effectiveness",
        Text("Índice de efectividad de cobranza", "Collection effectiveness index"),
        Unit.SHARE,
        Ratio(
            (
                Term("receivable_amount", Span.START),
                Term("approved_amount", Span.WINDOW),
                Term("receivable_amount", Span.END, -1),
            ),
            (
                Term("receivable_amount", Span.START),
                Term("approved_amount", Span.WINDOW),
                Term("current_amount", Span.END, -1),
            ),
        ),
        _UP,
        True,
        "CEI: (beginning receivables + billing - ending receivables) / (beginning receivables + billing - "
        "ending receivables not yet overdue), over the DSO window.",
    ),
    Kpi(
        "monthly_target",
        Text("Avance respecto de la meta mensual", "Progress to the monthly target"),
        Unit.SHARE,
        AgainstTarget(Span.END),
        _UP,
        True,
        "Approved in the last month of the window / monthly target; of the whole firm only.",
        target=1.0,
    ),
    Kpi(
        "annual_target",
        Text("Avance respecto de la meta anual", "Progress to the annual target"),
        Unit.SHARE,
        AgainstTarget(Span.YEAR),
        _UP,
        True,
        "Approved since January / twelve monthly targets; of the whole firm only.",
        target=1.0,
    ),
    Kpi(
        "run_rate",
        Text("Ritmo anualizado", "Run rate"),
        Unit.MONEY,
        Total((Term("approved_amount", Span.QUARTER, 4),)),
        _UP,
        True,
        "Approved in the last three complete months, times four.",
    ),
    Kpi(
        "growth_month",
        Text("Crecimiento mensual", "Growth month on month"),
        Unit.SHARE,
        Ratio(
            (Term("approved_amount", Span.LAST), Term("approved_amount", Span.BEFORE, -1)),
            plain("approved_amount", span=Span.BEFORE),
        ),
        _UP,
        True,
        "Approved in the last complete month against the month before it.",
    ),
    Kpi(
        "growth_year",
        Text("Crecimiento anual", "Growth year on year"),
        Unit.SHARE,
        Ratio(
            (Term("approved_amount", Span.LAST), Term("approved_amount", Span.YEAR_BEFORE, -1)),
            plain("approved_amount", span=Span.YEAR_BEFORE),
        ),
        _UP,
        True,
        "Approved in the last complete month against the same month a year before.",
    ),
    Kpi(
        "revenue_share",
        Text("Participación en lo aprobado", "Share of all approved"),
        Unit.SHARE,
        ShareOfAll("approved_amount"),
        _NEUTRAL,
        True,
        "Approved amount of the filter / that of all certificates of the same time.",
    ),
    Kpi(
        "top_client_share",
        Text("Concentración en el mayor cliente", "Share of the largest client"),
        Unit.SHARE,
        TopShare("client", "approved_amount"),
        _DOWN,
        True,
        "Largest client's share of the approved amount.",
    ),
    Kpi(
        "client_concentration",
        Text("Índice Herfindahl de clientes", "Client concentration (Herfindahl)"),
        Unit.SHARE,
        Herfindahl("client", "approved_amount"),
        _DOWN,
        True,
        "Herfindahl-Hirschman index: sum of the squared shares of the clients in the approved amount.",
        # Squares of amounts mean nothing to a reader.
        basis=Text("", ""),
    ),
)
"""In reading order."""
