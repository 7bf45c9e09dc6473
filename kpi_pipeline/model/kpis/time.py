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


def mean_days(name: str, es: str, en: str, days: str, meaning: Text) -> Kpi:
    """A KPI that is the mean of a number of days."""
    return Kpi(
        name, Text(es, en), Unit.DAYS, Ratio(plain(days), plain(f"{days}_count")), _DOWN, False, meaning
    )


TIME: Final[tuple[Kpi, ...]] = (
    Kpi(
        "dso",
        Text("DSO", "DSO"),
        Unit.DAYS,
        Ratio(plain("receivable_amount"), plain("billed_amount"), times_days=True),
        _DOWN,
        True,
        Text(
            "DSO clásico: cuentas por cobrar ÷ facturación del periodo × sus días, o los transcurridos desde "
            "el primer certificado si son menos. La facturación es por día de emisión: el monto aprobado si "
            "hay conformidad y, si no, el propuesto; no cuenta lo no enviado, lo devuelto ni lo anulado.",
            "Classic DSO: receivables ÷ billing of the period × its days, or those since the first "
            "certificate where these are fewer. Billing is by day of issue: the approved amount once "
            "accepted, else the claimed one; what is not sent, returned or canceled is none.",
        ),
        target="dso_target_days",
    ),
    Kpi(
        "dso_count_back",
        Text("DSO (count-back)", "Count-back DSO"),
        Unit.DAYS,
        CountBack(),
        _DOWN,
        True,
        Text(
            "Las cuentas por cobrar se descuentan de la facturación del último mes, luego del anterior, y "
            "así: los días de los meses descontados enteros y la parte del último. Sin valor más allá del "
            "periodo.",
            "Receivables used up by the billing of the latest month, then of the one before, and so on: "
            "days of the months used up whole, and the part of the last one. No value beyond the period.",
        ),
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
        Text(
            "Por cobrar aún no vencido ÷ facturación del periodo × sus días.",
            "Receivables not yet overdue ÷ billing of the period × its days.",
        ),
    ),
    Kpi(
        "receivable_age",
        Text("Antigüedad ponderada", "Amount-weighted age"),
        Unit.DAYS,
        Ratio(plain("receivable_age_amount"), plain("receivable_amount")),
        _DOWN,
        True,
        Text(
            "Días desde la emisión de las cuentas por cobrar, ponderados por monto.",
            "Days since issue of receivables, weighted by amount.",
        ),
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
        Text(
            "Promedio de días desde el envío hasta la conformidad, de las conformidades del periodo. No es "
            "el DSO.",
            "Mean days from sending to acceptance, of acceptances in the period. It is not DSO.",
        ),
    ),
    mean_days(
        "waiting_days",
        "Espera de conformidad",
        "Waiting for acceptance",
        "waiting_days",
        Text(
            "Promedio de días desde el último envío, de lo enviado y sin respuesta.",
            "Mean days since the last sending, of certificates sent and not answered.",
        ),
    ),
    mean_days(
        "payment_days",
        "Tiempo de pago",
        "Payment time",
        "payment_days",
        Text(
            "Promedio de días desde la emisión hasta el pago, de los pagos del periodo; 0 en los anticipos.",
            "Mean days from issue to payment, of payments in the period; 0 of advances.",
        ),
    ),
    Kpi(
        "payment_days_median",
        Text("Mediana de días de pago", "Median days to payment"),
        Unit.DAYS,
        PaymentQuantile(50),
        _DOWN,
        False,
        Text(
            "Días desde la emisión en que se paga la mitad de lo emitido en el periodo: estimación "
            "producto-límite (Kaplan-Meier), con lo impago incluido como tal; sin anticipos.",
            "Days from issue by which half of the certificates issued in the period are paid: "
            "product-limit estimate (Kaplan-Meier), unpaid ones included as such; advances left out.",
        ),
    ),
    Kpi(
        "payment_days_p90",
        Text("Percentil 90 de días de pago", "90th percentile of days to payment"),
        Unit.DAYS,
        PaymentQuantile(90),
        _DOWN,
        False,
        Text(
            "Días desde la emisión en que se pagan nueve de cada diez emitidos en el periodo: estimación "
            "producto-límite (Kaplan-Meier), con lo impago incluido como tal; sin anticipos.",
            "Days from issue by which nine of ten certificates issued in the period are paid: "
            "product-limit estimate (Kaplan-Meier), unpaid ones included as such; advances left out.",
        ),
    ),
    mean_days(
        "late_days",
        "Atraso promedio",
        "Average days late",
        "late_days",
        Text(
            "Promedio de días tras el vencimiento, de lo pagado con atraso en el periodo o vencido.",
            "Mean days after the due date, of what was paid late in the period or is overdue.",
        ),
    ),
    mean_days(
        "sending_days",
        "Emisión a envío",
        "Issue to sending",
        "sending_days",
        Text(
            "Promedio de días desde la emisión hasta el envío, de los envíos del periodo.",
            "Mean days from issue to sending, of sendings in the period.",
        ),
    ),
    mean_days(
        "settling_days",
        "Conformidad a pago",
        "Acceptance to payment",
        "settling_days",
        Text(
            "Promedio de días desde la conformidad hasta el pago, de los pagos del periodo.",
            "Mean days from acceptance to payment, of payments in the period.",
        ),
    ),
    mean_days(
        "returned_days",
        "Días desde la devolución",
        "Days since return",
        "returned_days",
        Text(
            "Promedio de días desde la devolución, de lo devuelto con fecha conocida.",
            "Mean days since the return, of returned certificates whose return is dated.",
        ),
    ),
    mean_days(
        "unsent_days",
        "Días sin enviar",
        "Days not sent",
        "unsent_days",
        Text(
            "Promedio de días desde la emisión, de lo que aún no se envía.",
            "Mean days since issue, of certificates not sent yet.",
        ),
    ),
    mean_days(
        "idle_days",
        "Días sin movimiento",
        "Days without movement",
        "idle_days",
        Text(
            "Promedio de días desde el último hito, de los certificados por cobrar y los aún no enviados.",
            "Mean days since the last milestone, of receivable certificates and those not sent yet.",
        ),
    ),
    *(
        count(
            f"idle_{level}_count",
            *_IDLE_LABELS[level],
            f"idle_{level}_count",
            _DOWN,
            Text(
                f"Sin movimiento por {first} días o más"
                + ("." if last is None else f" y hasta {last}: cuenta solo el mayor nivel."),
                f"Without movement for {first} days or more"
                + ("." if last is None else f", at most {last}: only the highest level counts."),
            ),
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
        Text(
            "Pagado dentro de {fast_days} días desde la emisión ÷ pagado, de los pagos del periodo.",
            "Paid within {fast_days} days of issue ÷ paid, of payments in the period.",
        ),
        is_part=True,
    ),
    Kpi(
        "critical_days",
        Text("Antigüedad de los críticos", "Age of critical certificates"),
        Unit.DAYS,
        Ratio((Term("critical_age"),), plain("critical_count")),
        _DOWN,
        False,
        Text(
            "Promedio de días desde el envío, de los certificados críticos.",
            "Mean days since sending, of critical certificates.",
        ),
    ),
)
"""In reading order."""
