"""The health of the whole system: what can be wrong with it, how bad that is, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from kpi_pipeline.model.labels import Language, Text


class HealthStatus(StrEnum):
    """How well something works."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that can be wrong; its texts name values of the finding in braces.

    Attributes:
        name: Its name, for machines.
        status: How bad it is for what it concerns.
        reason: What is wrong.
        advice: What to do about it.
    """

    name: str
    status: HealthStatus
    reason: Text
    advice: Text


REDIS_UNREACHABLE: Final = Condition(
    "redis_unreachable",
    HealthStatus.DOWN,
    Text("Redis no responde", "Redis does not answer"),
    Text(
        "inícielo con «kpi up», o revise REDIS_URL y el servidor que nombra; «kpi doctor» dice la causa",
        "start it with `kpi up`, or check REDIS_URL and the server it names; `kpi doctor` names the cause",
    ),
)
PRODUCT_MISSING: Final = Condition(
    "product_missing",
    HealthStatus.DOWN,
    Text("{product} no está publicado", "{product} is not published"),
    Text("publíquelo con «kpi warm»", "publish it with `kpi warm`"),
)
PRODUCT_EXPIRED: Final = Condition(
    "product_expired",
    HealthStatus.DOWN,
    Text("las cifras de {product} han caducado", "the figures of {product} have expired"),
    Text(
        "publíquelas con «kpi warm»; si falla, dice por qué",
        "publish them with `kpi warm`; it says why it fails",
    ),
)
PRODUCT_UNREADABLE: Final = Condition(
    "product_unreadable",
    HealthStatus.DOWN,
    Text("las cifras de {product} no se pueden leer", "the figures of {product} cannot be read"),
    Text("publíquelas de nuevo con «kpi warm»: {detail}", "publish them again with `kpi warm`: {detail}"),
)
PRODUCT_STALE: Final = Condition(
    "product_stale",
    HealthStatus.DEGRADED,
    Text("las cifras de {product} están desactualizadas", "the figures of {product} are stale"),
    Text(
        "la próxima actualización las reemplaza; si no llega, vea en Dagster las últimas ejecuciones",
        "the next refresh replaces them; if none comes, see the latest runs in Dagster",
    ),
)
PRODUCTS_ROLLED_BACK: Final = Condition(
    "products_rolled_back",
    HealthStatus.DEGRADED,
    Text(
        "las cifras de {products} son de una lectura anterior de la fuente, del {read}, repuestas el {at}",
        "the figures of {products} are of an earlier reading of the source, of {read}, rolled back on {at}",
    ),
    Text("corrija la fuente y ejecute «kpi warm»", "correct the source, then run `kpi warm`"),
)
READINGS_MIXED: Final = Condition(
    "readings_mixed",
    HealthStatus.DEGRADED,
    Text(
        "los productos muestran lecturas distintas de la fuente: {detail}",
        "the products show different readings of the source: {detail}",
    ),
    Text(
        "«kpi warm» publica la más nueva; «kpi rollback» lleva todos los productos a una misma anterior",
        "`kpi warm` publishes the newest one; `kpi rollback` takes all products to one earlier reading",
    ),
)
RUN_FAILED: Final = Condition(
    "run_failed",
    HealthStatus.DEGRADED,
    Text(
        "la última ejecución de {products} falló ({job}, {run}): {detail}",
        "the last run of {products} failed ({job}, {run}): {detail}",
    ),
    Text(
        "corrija la causa y ejecute «kpi warm»; Dagster muestra los pasos de la ejecución",
        "solve the cause and run `kpi warm`; Dagster shows the steps of the run",
    ),
)
READING_FELL: Final = Condition(
    "reading_fell",
    HealthStatus.DEGRADED,
    Text(
        "la lectura {reading} de la fuente está retenida: {detail}",
        "the reading {reading} of the source is not published: {detail}",
    ),
    Text(
        "si es correcta, confírmela con «kpi accept-reading {reading}» y ejecute «kpi warm»; si no, corrija "
        "la fuente: la próxima lectura normal se publica",
        "if that is right, run `kpi accept-reading {reading}`, then `kpi warm`; if not, correct the source: "
        "the next reading that is normal is published",
    ),
)
READING_REFUSED: Final = Condition(
    "reading_refused",
    HealthStatus.DEGRADED,
    Text(
        "la lectura {reading} de la fuente está retenida: se rechaza demasiado de ella",
        "the reading {reading} of the source is not published, for too much of it is refused",
    ),
    Text(
        "«kpi doctor» muestra los motivos: corrija la fuente o el archivo de mapeo",
        "`kpi doctor` shows the reasons: correct the source or the mapping file",
    ),
)
ALARMS_RAISED: Final = Condition(
    "alarms_raised",
    HealthStatus.DEGRADED,
    Text("alarmas de las últimas 24 horas: {detail}", "alarms of the last 24 hours: {detail}"),
    Text(
        "los registros de la web y del trabajador detallan cada una; actualice los productos que nombran",
        "the logs of serving and of the worker record each; refresh the products they name",
    ),
)
PIPELINE_SILENT: Final = Condition(
    "pipeline_silent",
    HealthStatus.DEGRADED,
    Text("el proceso de cálculo no informa de su estado", "the pipeline does not report its state"),
    Text(
        "inícielo con «kpi up»; si funciona, vea «kpi logs monitor»",
        "start it with `kpi up`; if it runs, see `kpi logs monitor`",
    ),
)
STACK_UNWATCHED: Final = Condition(
    "stack_unwatched",
    HealthStatus.DEGRADED,
    Text(
        "«kpi up» ha terminado: nada vigila el sistema",
        "`kpi up` itself has ended, so nothing supervises the stack",
    ),
    Text("ejecute «kpi up» de nuevo", "run `kpi up` again"),
)
SUPERVISOR_SILENT: Final = Condition(
    "supervisor_silent",
    HealthStatus.DEGRADED,
    Text("el supervisor de los procesos no responde", "the supervisor of the processes does not answer"),
    Text("vea «kpi logs supervisord»", "see `kpi logs supervisord`"),
)
PROCESS_STOPPED: Final = Condition(
    "process_stopped",
    HealthStatus.DEGRADED,
    Text("el proceso {process} está en {state}", "{process} is {state}"),
    Text(
        "vea «kpi logs {process}»; reinícielo con «kpi restart {process}»",
        "see `kpi logs {process}`; restart it with `kpi restart {process}`",
    ),
)
DAGSTER_UNREACHABLE: Final = Condition(
    "dagster_unreachable",
    HealthStatus.DEGRADED,
    Text("Dagster no responde", "Dagster does not answer"),
    Text("vea «kpi logs dagster-web»", "see `kpi logs dagster-web`"),
)
DAEMONS_SILENT: Final = Condition(
    "daemons_silent",
    HealthStatus.DEGRADED,
    Text("procesos de Dagster no dan señales: {daemons}", "daemons of Dagster give no sign: {daemons}"),
    Text(
        "reinícielos con «kpi restart dagster-daemon»: sin ellos no hay actualizaciones por horario",
        "restart them with `kpi restart dagster-daemon`: without them nothing is refreshed by schedule",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds.

    Attributes:
        condition: Which one.
        subjects: What it concerns, for machines: products, or a part of the system.
        values: The values that its texts name.
    """

    condition: Condition
    subjects: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)

    def reason(self, language: Language) -> str:
        """What is wrong, as a phrase."""
        return self.condition.reason.into(language).format(**self.values)

    def advice(self, language: Language) -> str:
        """What to do about it, as a phrase."""
        return self.condition.advice.into(language).format(**self.values)

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain JSON values, in English."""
        return {
            "condition": self.condition.name,
            "status": self.condition.status.value,
            "subjects": list(self.subjects),
            "reason": self.reason("en"),
            "advice": self.advice("en"),
        }


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict on the whole system.

    Attributes:
        status: `down` when no figures can be served, `degraded` when anything else is wrong.
        findings: What is wrong, the worst first.
    """

    status: HealthStatus
    findings: Sequence[Finding] = ()

    def status_of(self, subject: str) -> HealthStatus:
        """How well one part works: as bad as the worst finding that concerns it."""
        statuses = {finding.condition.status for finding in self.findings if subject in finding.subjects}
        worst_first = (HealthStatus.DOWN, HealthStatus.DEGRADED)
        return next((status for status in worst_first if status in statuses), HealthStatus.OK)
