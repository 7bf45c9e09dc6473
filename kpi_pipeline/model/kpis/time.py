"""KPIs of time: how long acceptance and payment take, and what waits."""

from typing import Final

from kpi_pipeline.model.components import IDLE_LEVELS
from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import CountBack, PaymentQuantile, Ratio, Span, Term, plain
from kpi_pipeline.model.kpis.money import count
from kpi_pipeline.model.labels import Text

_DOWN = Direction.DOWN
_IDLE_LABELS: Final = {
    "notice": ("Sin movimiento: aviso", "No movement: notice"),
    "warning": ("Sin movimiento: advertencia", "No movement: warning"),
    "urgent": ("Sin movimiento: urgente", "No movement: urgent"),
    "critical": ("Sin movimiento: crítico", "No movement: critical"),
}


def mean_days(name: str, es: str, en: str, days: str, source: str) -> Kpi:
    """A KPI that is the mean of a number of days."""
    return Kpi(
        name, Text(es, en), Unit.DAYS, Ratio(plain(days), plain(f"{days}_count")), _DOWN, False, source
    )


TIME: Final[tuple[Kpi, ...]] = (
    Kpi(
        "dso",
        Text("DSO", "DSO"),
        Unit.DAYS,
        Ratio(plain("receivable_amount"), plain("approved_amount", span=Span.WINDOW), times_days=True),
        _DOWN,
        True,
        "Classic DSO: receivables / approved billing over the window x days of the window.",
        target="dso_target_days",
    ),
    Kpi(
        "dso_count_back",
        Text("DSO (count-back)", "Count-back DSO"),
        Unit.DAYS,
        CountBack(),
        _DOWN,
        True,
        "Receivables used up by the approved billing of the latest month, then of the one before, and so on: "
        "days of the months used up whole, and the part of the last one.",
        target="dso_target_days",
        basis=Text("{numerator} por cobrar", "{numerator} in receivables"),
    ),
    Kpi(
        "dso_best_possible",
        Text("Mejor DSO posible", "Best possible DSO"),
        Unit.DAYS,
        Ratio(plain("current_amount"), plain("approved_amount", span=Span.WINDOW), times_days=True),
        _DOWN,
        True,
        "Receivables not yet overdue / approved billing over the window x days of the window.",
    ),
    Kpi(
        "open_age",
        Text("Antigüedad ponderada", "Amount-weighted age"),
        Unit.DAYS,
        Ratio(plain("open_age_amount"), plain("open_amount")),
        _DOWN,
        True,
        "Days since issue of what is not paid, weighted by amount.",
        basis=Text(
            "{numerator} \N{MULTIPLICATION SIGN} días ÷ {denominator}",
            "{numerator} \N{MULTIPLICATION SIGN} days ÷ {denominator}",
        ),
    ),
    mean_days(
        "acceptance_days",
        "Tiempo hasta la conformidad",
        "Acceptance time",
        "acceptance_days",
        "Mean days from sent to acceptance, where both are dated by as_of. It is not DSO.",
    ),
    mean_days(
        "waiting_days",
        "Espera de conformidad",
        "Waiting for acceptance",
        "waiting_days",
        "Mean days from sent to as_of, of certificates sent and not yet answered.",
    ),
    mean_days(
        "payment_days",
        "Tiempo de pago",
        "Payment time",
        "payment_days",
        "Mean days from issue to payment, where the day of payment is known.",
    ),
    Kpi(
        "payment_days_median",
        Text("Mediana de días de pago", "Median days to payment"),
        Unit.DAYS,
        PaymentQuantile(50),
        _DOWN,
        False,
        "Days from issue by which half of the payments were made (nearest rank, exact).",
    ),
    Kpi(
        "payment_days_p90",
        Text("Percentil 90 de días de pago", "90th percentile of days to payment"),
        Unit.DAYS,
        PaymentQuantile(90),
        _DOWN,
        False,
        "Days from issue by which nine of ten payments were made (nearest rank, exact).",
    ),
    mean_days(
        "late_days",
        "Atraso promedio",
        "Average days late",
        "late_days",
        "Mean days after the due date, of what was paid late or is overdue.",
    ),
    mean_days(
        "sending_days",
        "Emisión a envío",
        "Issue to sending",
        "sending_days",
        "Mean days from issue to sent, where both are dated by as_of and in that order.",
    ),
    mean_days(
        "settling_days",
        "Conformidad a pago",
        "Acceptance to payment",
        "settling_days",
        "Mean days from acceptance to payment, where both are dated by as_of and in that order.",
    ),
    mean_days(
        "cycle_days",
        "Tiempo de ciclo",
        "Cycle time",
        "cycle_days",
        "Mean days from issue to payment of certificates whose every milestone is dated.",
    ),
    mean_days(
        "idle_days",
        "Días sin movimiento",
        "Days without movement",
        "idle_days",
        "Mean days since the last milestone, of certificates neither paid nor rejected.",
    ),
    *(
        count(
            f"idle_{level}_count",
            *_IDLE_LABELS[level],
            f"idle_{level}_count",
            _DOWN,
            f"Without movement for {first} days or more"
            + ("." if last is None else f", at most {last}: only the highest level counts."),
        )
        for level, first, last in IDLE_LEVELS
    ),
    Kpi(
        "fast_collection_rate",
        Text("Cobranza rápida", "Fast collection"),
        Unit.SHARE,
        Ratio(plain("fast_count"), plain("proposed_count")),
        Direction.UP,
        False,
        "Paid in less than fast_days (25) days from issue, or accepted / all certificates.",
    ),
    Kpi(
        "critical_days",
        Text("Antigüedad de los críticos", "Age of critical certificates"),
        Unit.DAYS,
        Ratio((Term("critical_age"),), plain("critical_count")),
        _DOWN,
        False,
        "Mean days since sent, of critical certificates.",
    ),
)
"""In reading order."""
