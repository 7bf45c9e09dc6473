"""KPIs of time: how long acceptance and payment take, and what waits."""

from typing import Final

from kpi_pipeline.model.components import IDLE_LEVELS
from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import CountBack, PaymentQuantile, Ratio, Term, plain
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
        Ratio(plain("receivable_amount"), plain("billed_amount"), times_days=True),
        _DOWN,
        True,
        "Classic DSO: receivables / billing of the window x its days, or those since the first certificate "
        "where these are fewer. Billing is by day of issue: the approved amount once accepted, else the "
        "claimed one; what is not sent, returned or cancelled is none.",
        target="dso_target_days",
    ),
    Kpi(
        "dso_count_back",
        Text("DSO (count-back)", "Count-back DSO"),
        Unit.DAYS,
        CountBack(),
        _DOWN,
        True,
        "Receivables used up by the billing of the latest month, then of the one before, and so on: days of "
        "the months used up whole, and the part of the last one. No value beyond the window.",
        target="dso_target_days",
        basis=Text("{numerator} por cobrar", "{numerator} in receivables"),
    ),
    Kpi(
        "dso_best_possible",
        Text("Mejor DSO posible", "Best possible DSO"),
        Unit.DAYS,
        Ratio(plain("current_amount"), plain("billed_amount"), times_days=True),
        _DOWN,
        True,
        "Receivables not yet overdue / billing of the window x its days.",
    ),
    Kpi(
        "receivable_age",
        Text("Antigüedad ponderada", "Amount-weighted age"),
        Unit.DAYS,
        Ratio(plain("receivable_age_amount"), plain("receivable_amount")),
        _DOWN,
        True,
        "Days since issue of receivables, weighted by amount.",
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
        "Mean days from sent to acceptance, of acceptances dated in the window. It is not DSO.",
    ),
    mean_days(
        "waiting_days",
        "Espera de conformidad",
        "Waiting for acceptance",
        "waiting_days",
        "Mean days from the last sending to as_of, of certificates sent and not yet answered.",
    ),
    mean_days(
        "payment_days",
        "Tiempo de pago",
        "Payment time",
        "payment_days",
        "Mean days from issue to payment, of payments dated in the window; 0 of advances.",
    ),
    Kpi(
        "payment_days_median",
        Text("Mediana de días de pago", "Median days to payment"),
        Unit.DAYS,
        PaymentQuantile(50),
        _DOWN,
        False,
        "Days from issue by which half of the certificates issued in the window are paid: product-limit "
        "estimate (Kaplan-Meier), unpaid ones included as such; advances left out.",
    ),
    Kpi(
        "payment_days_p90",
        Text("Percentil 90 de días de pago", "90th percentile of days to payment"),
        Unit.DAYS,
        PaymentQuantile(90),
        _DOWN,
        False,
        "Days from issue by which nine of ten certificates issued in the window are paid: product-limit "
        "estimate (Kaplan-Meier), unpaid ones included as such; advances left out.",
    ),
    mean_days(
        "late_days",
        "Atraso promedio",
        "Average days late",
        "late_days",
        "Mean days after the due date, of what was paid late in the window or is overdue.",
    ),
    mean_days(
        "sending_days",
        "Emisión a envío",
        "Issue to sending",
        "sending_days",
        "Mean days from issue to sent, of sendings dated in the window and in that order.",
    ),
    mean_days(
        "settling_days",
        "Conformidad a pago",
        "Acceptance to payment",
        "settling_days",
        "Mean days from acceptance to payment, of payments dated in the window and in that order.",
    ),
    mean_days(
        "returned_days",
        "Días desde la devolución",
        "Days since return",
        "returned_days",
        "Mean days from the return to as_of, of returned certificates whose return is dated.",
    ),
    mean_days(
        "unsent_days",
        "Días sin enviar",
        "Days not sent",
        "unsent_days",
        "Mean days from issue to as_of, of certificates not sent yet.",
    ),
    mean_days(
        "idle_days",
        "Días sin movimiento",
        "Days without movement",
        "idle_days",
        "Mean days since the last milestone, of receivable certificates and those not sent yet.",
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
        Ratio(plain("fast_count"), plain("payment_days_count")),
        Direction.UP,
        False,
        "Paid within fast_days (25) days of issue / paid, of payments dated in the window.",
        is_part=True,
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
