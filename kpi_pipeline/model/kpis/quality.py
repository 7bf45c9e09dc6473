"""KPIs of quality and risk: what comes back, what waits for an answer, what may be lost."""

from typing import Final

from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, Ratio, ValuesWhere, plain
from kpi_pipeline.model.kpis.money import count, money
from kpi_pipeline.model.labels import Text

_UP, _DOWN = Direction.UP, Direction.DOWN

QUALITY: Final[tuple[Kpi, ...]] = (
    Kpi(
        "rejection_rate",
        Text("Tasa de devolución", "Return rate"),
        Unit.SHARE,
        Ratio(plain("rejected_count"), plain("rejection_known_count")),
        _DOWN,
        False,
        Text(
            "Devueltos ÷ respondidos en el periodo; sin valor si el origen no registra devoluciones.",
            "Returned ÷ answered in the period; no value where the source tells of no returns.",
        ),
        is_part=True,
    ),
    Kpi(
        "rework_rate",
        Text("Tasa de retrabajo", "Rework rate"),
        Unit.SHARE,
        Ratio(plain("reworked_count"), plain("rework_known_count")),
        _DOWN,
        False,
        Text(
            "Certificados emitidos en el periodo con retrabajo solicitado ÷ todos; sin valor si el origen "
            "no lo registra.",
            "Certificates issued in the period of which rework was requested ÷ all; no value where the "
            "source does not record it.",
        ),
        is_part=True,
    ),
    Kpi(
        "first_pass_rate",
        Text("Aprobación a la primera", "First-pass approval"),
        Unit.SHARE,
        Ratio(plain("first_pass_count"), plain("first_pass_known_count")),
        _UP,
        False,
        Text(
            "Con conformidad, sin retrabajo ni devolución ÷ respondidos en el periodo; sin valor si el "
            "origen no los registra.",
            "Accepted with no rework and no return ÷ answered in the period; no value where the source "
            "records neither.",
        ),
        is_part=True,
    ),
    money(
        "conformity_pending",
        "Conformidad pendiente",
        "Acceptance pending",
        "waiting_amount",
        _DOWN,
        Text(
            "Enviado y aún sin respuesta del cliente.",
            "Sent and not yet answered by the client.",
        ),
        "conformity_pending_count",
    ),
    count(
        "conformity_pending_count",
        "Certificados sin conformidad",
        "Certificates without acceptance",
        "waiting_days_count",
        _DOWN,
        Text(
            "Certificados enviados y aún sin respuesta.",
            "Certificates sent and not yet answered.",
        ),
    ),
    money(
        "critical",
        "Crítico",
        "Critical",
        "critical_amount",
        _DOWN,
        Text(
            "Por cobrar y enviado hace más de {critical_days} días.",
            "Receivable and more than {critical_days} days since sending.",
        ),
        "critical_count",
    ),
    count(
        "critical_count",
        "Certificados críticos",
        "Critical certificates",
        "critical_count",
        _DOWN,
        Text(
            "Certificados por cobrar con más de {critical_days} días desde el envío.",
            "Receivable certificates sent more than {critical_days} days ago.",
        ),
    ),
    Kpi(
        "projects_delayed",
        Text("Proyectos atrasados", "Delayed projects"),
        Unit.COUNT,
        ValuesWhere("project", "overdue_count", some=True),
        _DOWN,
        False,
        Text(
            "Proyectos con montos por cobrar, alguno vencido.",
            "Projects with receivables, of which any is overdue.",
        ),
    ),
    Kpi(
        "projects_on_time",
        Text("Proyectos al día", "Projects on time"),
        Unit.COUNT,
        ValuesWhere("project", "overdue_count", some=False),
        _UP,
        False,
        Text(
            "Proyectos con montos por cobrar, ninguno vencido.",
            "Projects with receivables, of which none is overdue.",
        ),
    ),
    Kpi(
        "expected_loss",
        Text("Pérdida esperada", "Expected loss"),
        Unit.MONEY,
        ExpectedLoss(),
        _DOWN,
        True,
        Text(
            "Matriz de provisión: cuentas por cobrar de cada tramo × las tasas históricas con que pasan por "
            "los tramos siguientes hasta {loss_days} días, de todos los certificados de la moneda con esa "
            "antigüedad.",
            "Provision matrix: receivables of each aging bucket × the historic roll rates from it through "
            "the later buckets up to {loss_days} days, of all certificates of the currency issued that "
            "long ago.",
        ),
    ),
)
"""In reading order."""
