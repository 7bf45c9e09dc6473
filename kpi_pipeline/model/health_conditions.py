"""What can be wrong with the system: one entry for each condition, with its texts for readers."""

from typing import Final

from kpi_pipeline.model.health import Condition, HealthStatus
from kpi_pipeline.model.labels import Text

REDIS_UNREACHABLE: Final = Condition(
    "redis_unreachable",
    HealthStatus.DOWN,
    Text("Redis no responde", "Redis does not answer"),
    Text(
        "inícielo con «kpi up»; si ya funciona, «kpi restart valkey», o revise el servidor de REDIS_URL",
        "start it with `kpi up`; if that runs, `kpi restart valkey`, or check the server of REDIS_URL",
    ),
)
REDIS_NEARLY_FULL: Final = Condition(
    "redis_nearly_full",
    HealthStatus.DEGRADED,
    Text("Redis ocupa el {share} de su memoria máxima", "Redis uses {share} of its maxmemory"),
    Text(
        "suba maxmemory, o baje KPI_PRECOMPUTE_MAX_BYTES y KPI_HISTORY_BYTES: lleno, no acepta publicaciones",
        "raise maxmemory, or lower KPI_PRECOMPUTE_MAX_BYTES and KPI_HISTORY_BYTES: once full, it takes no "
        "publications",
    ),
)
REDIS_EVICTS: Final = Condition(
    "redis_evicts",
    HealthStatus.DEGRADED,
    Text(
        "Redis ha expulsado claves por falta de memoria: {count}",
        "Redis has evicted keys for want of memory: {count}",
    ),
    Text(
        "fije maxmemory-policy en noeviction, suba maxmemory y ejecute «kpi warm»; CONFIG RESETSTAT borra el "
        "aviso",
        "set maxmemory-policy to noeviction, raise maxmemory and run `kpi warm`; CONFIG RESETSTAT clears "
        "this finding",
    ),
)
REDIS_UNSAVED: Final = Condition(
    "redis_unsaved",
    HealthStatus.DEGRADED,
    Text("Redis no logra guardar sus datos en disco ({detail})", "Redis cannot save its data ({detail})"),
    Text(
        "revise el espacio y los permisos de su carpeta; «kpi logs valkey» muestra el registro del servidor "
        "incluido",
        "check the space and the rights of its folder; `kpi logs valkey` shows the embedded server's log",
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
FIGURES_DISAGREE: Final = Condition(
    "figures_disagree",
    HealthStatus.DEGRADED,
    Text(
        "las cifras publicadas de {product} difieren de su recálculo ({count}): {filter}, {figure}, "
        "publicado {published}, recalculado {recomputed}",
        "published figures of {product} differ from their recomputation ({count}): {filter}, {figure}, "
        "published {published}, recomputed {recomputed}",
    ),
    Text(
        "no se publica nada nuevo de {product}: «kpi agreement» muestra las diferencias; resuelta la causa, "
        "ejecute «kpi agreement --release {product}» y «kpi rebuild»",
        "nothing newer of {product} goes live: `kpi agreement` shows the differences; once the cause is "
        "solved, run `kpi agreement --release {product}`, then `kpi rebuild`",
    ),
)
MONTH_ENDS_UNREADABLE: Final = Condition(
    "month_ends_unreadable",
    HealthStatus.DEGRADED,
    Text(
        "cierres de mes guardados por otra versión del programa no se pueden leer: {count}, de {first} a "
        "{last}",
        "month ends that another version of the program kept cannot be read: {count}, from {first} to {last}",
    ),
    Text(
        "ejecute «kpi warm»: los últimos se publican después por sí solos; para tener todos, ejecute «kpi "
        "backfill --from {first} --to {last}»",
        "run `kpi warm`: the latest are then published by themselves; for all of them, run `kpi backfill "
        "--from {first} --to {last}`",
    ),
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
        "la última ejecución de {products} falló ({job}, {run}); mensaje original: «{detail}»",
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
ANSWERS_SLOW: Final = Condition(
    "answers_slow",
    HealthStatus.DEGRADED,
    Text(
        "una de cada veinte respuestas de la última hora tardó más de {p95}",
        "one in twenty answers of the last hour took longer than {p95}",
    ),
    Text(
        "vea en «kpi top» qué respuestas son lentas, y si otra cosa ocupa los procesadores del servidor",
        "see in `kpi top` which answers are slow, and whether something else keeps the processors busy",
    ),
)
HIT_RATE_LOW: Final = Condition(
    "hit_rate_low",
    HealthStatus.DEGRADED,
    Text(
        "solo el {share} de las {count} solicitudes de la última hora se respondió con sus propias cifras",
        "only {share} of the {count} requests of the last hour were answered with their own figures",
    ),
    Text(
        "«kpi variants --misses» muestra qué faltó y por qué; si no hay espacio, suba "
        "KPI_PRECOMPUTE_MAX_VARIANTS o KPI_PRECOMPUTE_MAX_BYTES",
        "`kpi variants --misses` shows what was missed and why; if there is no room, raise "
        "KPI_PRECOMPUTE_MAX_VARIANTS or KPI_PRECOMPUTE_MAX_BYTES",
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
WORKER_SILENT: Final = Condition(
    "worker_silent",
    HealthStatus.DEGRADED,
    Text(
        "el trabajador {worker} no da señales desde hace {silence}",
        "the worker {worker} has given no sign for {silence}",
    ),
    Text(
        "reinícielo con «kpi restart worker»: sus ejecuciones se repiten una vez",
        "restart it with `kpi restart worker`: its runs are retried once",
    ),
)
RUNS_UNSTARTED: Final = Condition(
    "runs_unstarted",
    HealthStatus.DEGRADED,
    Text(
        "ningún trabajador inicia las ejecuciones que esperan, la más antigua desde hace {wait}: {runs}",
        "no worker starts the runs that wait, the earliest for {wait}: {runs}",
    ),
    Text(
        "reinicie el trabajador con «kpi restart worker»; si alguna sigue esperando, termínela en Dagster",
        "restart the worker with `kpi restart worker`; if one still waits, terminate it in Dagster",
    ),
)
RUNS_STALLED: Final = Condition(
    "runs_stalled",
    HealthStatus.DEGRADED,
    Text(
        "hay ejecuciones que no avanzan desde hace {wait}: {runs}",
        "runs have made no progress for {wait}: {runs}",
    ),
    Text(
        "termínelas en Dagster, o reinicie el trabajador con «kpi restart worker»: se repiten una vez",
        "terminate them in Dagster, or restart the worker with `kpi restart worker`: they are retried once",
    ),
)
DISPATCHER_SILENT: Final = Condition(
    "dispatcher_silent",
    HealthStatus.DEGRADED,
    Text(
        "el despachador no lee solicitudes desde hace {silence}; sin leer: {count}",
        "the dispatcher has read no requests for {silence}; unread: {count}",
    ),
    Text("reinícielo con «kpi restart dispatcher»", "restart it with `kpi restart dispatcher`"),
)
REQUESTS_UNREAD: Final = Condition(
    "requests_unread",
    HealthStatus.DEGRADED,
    Text(
        "nadie lee las solicitudes de actualización: {count}, la más antigua desde hace {wait}",
        "nothing reads the requests for a refresh: {count}, the earliest for {wait}",
    ),
    Text(
        "«kpi logs dispatcher» dice por qué; reinícielo con «kpi restart dispatcher»",
        "`kpi logs dispatcher` says why; restart it with `kpi restart dispatcher`",
    ),
)
SOURCE_UNPROBED: Final = Condition(
    "source_unprobed",
    HealthStatus.DEGRADED,
    Text(
        "el sensor {names} no puede consultar la fuente; mensaje original: «{detail}»",
        "the sensor {names} cannot probe the source: {detail}",
    ),
    Text(
        "«kpi doctor» dice si la fuente responde y el mapeo calza; corregida la causa, se lee de nuevo sola",
        "`kpi doctor` says whether the source answers and the mapping fits; once that is solved, it is read "
        "again by itself",
    ),
)
TICKS_FAILED: Final = Condition(
    "ticks_failed",
    HealthStatus.DEGRADED,
    Text(
        "falló la última evaluación de {names}; mensaje original: «{detail}»",
        "the last tick of {names} failed: {detail}",
    ),
    Text(
        "corrija la causa; Dagster (Automation) y «kpi logs dagster-code» muestran el error completo",
        "solve the cause; Dagster (Automation) and `kpi logs dagster-code` show the whole error",
    ),
)
TICKS_MISSING: Final = Condition(
    "ticks_missing",
    HealthStatus.DEGRADED,
    Text(
        "sensores u horarios sin evaluar desde hace {silence}: {names}",
        "sensors or schedules without a tick for {silence}: {names}",
    ),
    Text(
        "reinicie el proceso con «kpi restart dagster-daemon»; «kpi logs dagster-daemon» dice la causa",
        "restart the daemon with `kpi restart dagster-daemon`; `kpi logs dagster-daemon` says why",
    ),
)
DISK_NEARLY_FULL: Final = Condition(
    "disk_nearly_full",
    HealthStatus.DEGRADED,
    Text(
        "quedan {free} libres en el disco de KPI_HOME",
        "{free} are left free on the disk of KPI_HOME",
    ),
    Text(
        "libere espacio, o baje KPI_RUN_RETENTION_DAYS y KPI_MAX_RUNS: «clean_up» borra las ejecuciones que "
        "sobran",
        "free some space, or lower KPI_RUN_RETENTION_DAYS and KPI_MAX_RUNS: `clean_up` deletes the runs "
        "beyond them",
    ),
)
