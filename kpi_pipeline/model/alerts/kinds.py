"""What an alert can be about: one entry for each kind of rule.

An operational kind refers to conditions of the verdict on the system's health, or measures what none of them
states. A business kind measures published figures.
"""

from typing import Final

from kpi_pipeline.model import health_conditions
from kpi_pipeline.model.alerts.rule_kind import Basis, Group, Measure, RuleKind
from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.health import Condition
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.work_lists import WATCHED_MOST, WATCHED_OVERDUE_DAYS

TOLD_DAYS: Final = 7
"""For so many days after it has passed a limit a certificate is reported, and its alert lasts."""

WATCHED_WITH: Final = "dashboards"
"""The product with whose generations the list of watched certificates is published."""


def _of(
    name: str,
    basis: Basis,
    es: str,
    en: str,
    *conditions: Condition,
    told_apart_by: tuple[str, ...] = (),
) -> RuleKind:
    """An operational kind that lasts while a condition of the verdict holds."""
    return RuleKind(name, Group.OPERATIONAL, basis, Text(es, en), conditions, told_apart_by)


RULE_KINDS: Final[dict[str, RuleKind]] = {
    kind.name: kind
    for kind in (
        _of(
            "redis_unreachable",
            Basis.SERVER,
            "Redis no responde.",
            "Redis does not answer.",
            health_conditions.REDIS_UNREACHABLE,
        ),
        _of(
            "redis_memory",
            Basis.CACHE,
            "Redis está casi lleno o ha expulsado claves.",
            "Redis is nearly full or has evicted keys.",
            health_conditions.REDIS_NEARLY_FULL,
            health_conditions.REDIS_EVICTS,
        ),
        _of(
            "redis_unsaved",
            Basis.CACHE,
            "Redis no logra guardar sus datos en disco.",
            "Redis cannot save its data.",
            health_conditions.REDIS_UNSAVED,
        ),
        _of(
            "product_down",
            Basis.CACHE,
            "Un producto no está publicado, ha caducado o no se puede leer.",
            "A product is not published, has expired or cannot be read.",
            health_conditions.PRODUCT_MISSING,
            health_conditions.PRODUCT_EXPIRED,
            health_conditions.PRODUCT_UNREADABLE,
        ),
        _of(
            "figures_disagree",
            Basis.CACHE,
            "Las cifras publicadas de un producto difieren de su recálculo.",
            "Published figures of a product differ from their recomputation.",
            health_conditions.FIGURES_DISAGREE,
        ),
        _of(
            "product_stale",
            Basis.CACHE,
            "Una generación ha superado su plazo de vigencia.",
            "A generation is past its time to live.",
            health_conditions.PRODUCT_STALE,
        ),
        _of(
            "readings",
            Basis.CACHE,
            "Hay productos de una lectura anterior o de lecturas distintas de la fuente, o cierres de mes "
            "de otra versión.",
            "Products are of an earlier reading or of different readings of the source, or month ends of "
            "another version.",
            health_conditions.PRODUCTS_ROLLED_BACK,
            health_conditions.READINGS_MIXED,
            health_conditions.MONTH_ENDS_UNREADABLE,
        ),
        _of(
            "reading_held",
            Basis.CACHE,
            "Una lectura de la fuente está retenida: bajó demasiado, o se rechaza demasiado de ella.",
            "A reading of the source is held: it fell too far, or too much of it is refused.",
            health_conditions.READING_FELL,
            health_conditions.READING_REFUSED,
        ),
        _of(
            "alarms",
            Basis.CACHE,
            "Hay alarmas en las últimas 24 horas.",
            "There were alarms in the last 24 hours.",
            health_conditions.ALARMS_RAISED,
        ),
        _of(
            "pipeline_silent",
            Basis.CACHE,
            "El proceso de cálculo no informa de su estado.",
            "The pipeline does not report its state.",
            health_conditions.PIPELINE_SILENT,
        ),
        _of(
            "stack_unwatched",
            Basis.PIPELINE,
            "Nada vigila los procesos.",
            "Nothing supervises the processes.",
            health_conditions.STACK_UNWATCHED,
            health_conditions.SUPERVISOR_SILENT,
        ),
        _of(
            "process_stopped",
            Basis.PIPELINE,
            "Un proceso configurado, como un trabajador, no funciona.",
            "A configured process, such as a worker, does not run.",
            health_conditions.PROCESS_STOPPED,
            told_apart_by=("process",),
        ),
        _of(
            "daemon_silent",
            Basis.PIPELINE,
            "Dagster o uno de sus procesos no da señales.",
            "Dagster or one of its daemons gives no sign.",
            health_conditions.DAGSTER_UNREACHABLE,
            health_conditions.DAEMONS_SILENT,
            health_conditions.TICKS_MISSING,
        ),
        _of(
            "runs_stalled",
            Basis.DAGSTER,
            "Un trabajador no da señales, o hay ejecuciones que ninguno inicia o que no avanzan.",
            "A worker gives no sign, or runs are started by none or make no progress.",
            health_conditions.WORKER_SILENT,
            health_conditions.RUNS_UNSTARTED,
            health_conditions.RUNS_STALLED,
        ),
        _of(
            "requests_unread",
            Basis.DAGSTER,
            "Nadie lee las solicitudes de actualización.",
            "Nothing reads the requests for a refresh.",
            health_conditions.DISPATCHER_SILENT,
            health_conditions.REQUESTS_UNREAD,
        ),
        _of(
            "source_unprobed",
            Basis.DAGSTER,
            "No se puede consultar la fuente.",
            "The source cannot be probed.",
            health_conditions.SOURCE_UNPROBED,
        ),
        _of(
            "ticks_failed",
            Basis.DAGSTER,
            "Falla un sensor u horario.",
            "A sensor or schedule fails.",
            health_conditions.TICKS_FAILED,
        ),
        _of(
            "run_failed",
            Basis.PIPELINE,
            "La última ejecución de un producto falló.",
            "The last run of a product failed.",
            health_conditions.RUN_FAILED,
        ),
        _of(
            "disk",
            Basis.PIPELINE,
            "Queda poco espacio en el disco de KPI_HOME.",
            "Little space is left on the disk of KPI_HOME.",
            health_conditions.DISK_NEARLY_FULL,
        ),
        _of(
            "hit_rate",
            Basis.CACHE,
            "Pocas solicitudes de la última hora se respondieron con sus propias cifras.",
            "Few requests of the last hour were answered with their own figures.",
            health_conditions.HIT_RATE_LOW,
        ),
        _of(
            "answer_time",
            Basis.CACHE,
            "Las respuestas de la última hora son lentas.",
            "The answers of the last hour are slow.",
            health_conditions.ANSWERS_SLOW,
        ),
        RuleKind(
            "quarantine_share",
            Group.OPERATIONAL,
            Basis.CACHE,
            Text(
                "Proporción de filas rechazadas en la última lectura aceptada de la fuente.",
                "Share of refused rows in the last accepted reading of the source.",
            ),
            measure=Measure.SHARE,
            reason=Text(
                "se rechaza el {value} de las filas de {subject} (máximo: {limit})",
                "{value} of the rows of {subject} are refused (at most: {limit})",
            ),
            advice=Text(
                "«kpi doctor» muestra los motivos: corrija la fuente o el archivo de mapeo",
                "`kpi doctor` shows the reasons: correct the source or the mapping file",
            ),
        ),
        RuleKind(
            "idle",
            Group.BUSINESS,
            Basis.FIGURES,
            Text(
                "Un certificado de la cartera lleva tantos días sin movimiento. Se avisa en los "
                f"{TOLD_DAYS} días siguientes, y si se mueve en ellos, también; de los {WATCHED_MOST} de "
                "mayor monto de cada moneda.",
                "A certificate of the portfolio has had no movement for so many days. It is reported within "
                f"{TOLD_DAYS} days of that, and so is that it moves within these; of the {WATCHED_MOST} with "
                "the largest amounts of each currency.",
            ),
            measure=Measure.DAYS,
            product=WATCHED_WITH,
            reason=Text(
                "certificado {subject}, sin movimiento desde el {since}",
                "certificate {subject}, no movement since {since}",
            ),
            advice=Text(
                "contacte a los clientes y jefes de proyecto",
                "contact the clients and project managers",
            ),
            page="/manager/operational",
            several=Text(
                "certificados con {limit} o más sin movimiento",
                "certificates without movement for {limit} or more",
            ),
        ),
        RuleKind(
            "dso",
            Group.BUSINESS,
            Basis.FIGURES,
            Text(
                "DSO sobre la meta; sin umbral en la regla, vale la meta publicada.",
                "DSO above the target; without a threshold in the rule, the published target counts.",
            ),
            measure=Measure.DAYS,
            has_target=True,
            product="kpis",
            reason=Text(
                "el DSO en {subject} es de {value} (meta: {limit})",
                "DSO in {subject} is {value} (target: {limit})",
            ),
            advice=Text(
                "vea en la página de flujo de caja qué clientes demoran más",
                "see on the cash flow page which clients take longest",
            ),
            page="/manager/cash-flow",
        ),
        RuleKind(
            "client_share",
            Group.BUSINESS,
            Basis.FIGURES,
            Text(
                "Un cliente concentra más que una parte de las cuentas por cobrar de una moneda.",
                "One client owes more than a share of the receivables of a currency.",
            ),
            measure=Measure.SHARE,
            product="dashboards",
            reason=Text(
                "{subject} concentra el {value} de las cuentas por cobrar (máximo: {limit})",
                "{subject} owes {value} of receivables (at most: {limit})",
            ),
            advice=Text(
                "acuerde con el cliente un calendario de pagos",
                "agree on a schedule of payments with the client",
            ),
            page="/manager/dashboard",
        ),
        RuleKind(
            "forecast_gap",
            Group.BUSINESS,
            Basis.FIGURES,
            Text(
                f"Parte de la meta mensual que los cobros esperados en {NEXT_DAYS} días no alcanzan.",
                f"Share of the monthly target that the collections expected in {NEXT_DAYS} days fall short "
                "of.",
            ),
            measure=Measure.SHARE,
            product="financials",
            reason=Text(
                f"los cobros esperados en {NEXT_DAYS} días en {{subject}} quedan un {{value}} bajo la meta "
                "(máximo: {limit})",
                f"collections expected in {NEXT_DAYS} days in {{subject}} fall {{value}} short of the target "
                "(at most: {limit})",
            ),
            advice=Text(
                "adelante el envío y la conformidad de lo pendiente: el pronóstico solo cuenta lo ya enviado",
                "bring forward what is unsent or not accepted: the forecast counts only what was sent",
            ),
            page="/manager/cash-flow",
        ),
        RuleKind(
            "newly_overdue",
            Group.BUSINESS,
            Basis.FIGURES,
            Text(
                f"Un certificado de un monto mayor ha vencido hace {WATCHED_OVERDUE_DAYS[1]} días o menos. "
                "Se avisa una vez.",
                "A certificate of a larger amount became overdue in the last "
                f"{WATCHED_OVERDUE_DAYS[1]} days. It is reported once.",
            ),
            measure=Measure.AMOUNT,
            per_currency=True,
            product=WATCHED_WITH,
            reason=Text(
                "ha vencido el certificado {subject}",
                "the certificate {subject} is newly overdue",
            ),
            advice=Text("llame a los clientes", "call the clients"),
            page="/manager/critical",
            is_event=True,
            several=Text(
                "certificados recién vencidos sobre {limit}", "newly overdue certificates over {limit}"
            ),
        ),
    )
}
"""Every kind, by its name."""
