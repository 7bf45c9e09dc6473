"""KPIs that set amounts against one another: rates of approval and collection, targets, growth, shares."""

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

RATES: Final[tuple[Kpi, ...]] = (
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
            "Monto aprobado ÷ monto propuesto de lo que el cliente respondió en el periodo: con "
            "conformidad o devuelto.",
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
            "Con conformidad ÷ con conformidad o devueltos, en el periodo.",
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
        Text("Avance respecto de la meta mensual", "Progress toward the monthly target"),
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
        Text("Avance respecto de la meta anual", "Progress toward the annual target"),
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
        Text("Crecimiento mensual", "Month-over-month growth"),
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
        Text("Crecimiento anual", "Year-over-year growth"),
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
            "Participación del mayor cliente en el monto aprobado del periodo.",
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
            "Índice de Herfindahl-Hirschman: suma de los cuadrados de las participaciones de los clientes "
            "en el monto aprobado del periodo.",
            "Herfindahl-Hirschman index: sum of the squared shares of the clients in the amount approved "
            "in the period.",
        ),
        is_part=True,
        # Squares of amounts mean nothing to a reader.
        basis=Text("", ""),
    ),
)
"""In reading order."""
